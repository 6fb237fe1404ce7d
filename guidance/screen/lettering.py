"""Words on a picture: orientation letters, captions, key and scale bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PyQt5.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor, QFont, QPainter, QPen

from guidance.screen import theme

DASHES = {
    "solid": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
    "dashdot": Qt.PenStyle.DashDotLine,
}
LETTER_COLOUR = "#ffd75e"
# So many points of a line are tried for its name.
PLACES = 12


@dataclass(frozen=True)
class Key:
    """A line of the legend: how something is drawn, and what it is."""

    colour: str
    text: str
    dash: str = "solid"


class Lettering:
    """Writes on one picture."""

    def __init__(self, painter: QPainter, area: QRect, scale: float) -> None:
        """Begin to write.

        Args:
            painter: of the picture.
            area: of the picture, pixels.
            scale: size of the window against the design.
        """
        self._painter, self._area, self._scale = painter, area, scale
        # What has been written, and where.
        self.written: list[tuple[str, QRectF]] = []

    def font(self, size: float, *, bold: bool = False) -> None:
        """Use letters of a size at the design's scale."""
        font = QFont(self._painter.font())
        font.setPixelSize(max(8, round(size * self._scale)))
        font.setBold(bold)
        self._painter.setFont(font)

    def orientation(
        self,
        edges: tuple[str, str, str, str],
        beside: tuple[str, tuple[str, ...]] = ("", ()),
        keys: int = 0,
    ) -> None:
        """Write the letters of the left, right, top and bottom edge, large.

        Args:
            edges: the letters.
            beside: title and captions at the top left, which the top letter keeps clear of.
            keys: lines of the legend at the bottom left, which the left letter keeps clear of.
        """
        reach = self._reach(beside[0], beside[1][:1])
        self.font(34, bold=True)
        margin, metrics = 8 * self._scale, self._painter.fontMetrics()
        high = metrics.height()
        inner = QRectF(self._area).adjusted(margin, margin, -margin, -margin)
        broad = [metrics.horizontalAdvance(letter) for letter in edges]
        middle = inner.center()
        aside = max(middle.x() - broad[2] / 2, reach + margin)
        lowest = inner.bottom() - keys * self._line_step - high
        highest = inner.top() + (1 + len(beside[1])) * self._line_step
        left = max(min(middle.y() - high / 2, lowest), min(highest, middle.y() - high / 2))
        places = (
            QPointF(inner.left(), left),
            QPointF(inner.right() - broad[1], middle.y() - high / 2),
            QPointF(min(aside, inner.right() - broad[2]), inner.top()),
            QPointF(middle.x() - broad[3] / 2, inner.bottom() - high),
        )
        for letter, place in zip(edges, places, strict=True):
            at = place + QPointF(0.0, metrics.ascent())
            self._write(at, letter, LETTER_COLOUR, shadow=2.0)

    @property
    def _line_step(self) -> float:
        """How far lines of captions and legend stand apart, pixels."""
        return 22 * self._scale

    def _reach(self, title: str, lines: tuple[str, ...]) -> float:
        """Return how far to the right title and lines go."""
        self.font(17, bold=True)
        broad = [self._painter.fontMetrics().horizontalAdvance(title)]
        self.font(16)
        broad += [self._painter.fontMetrics().horizontalAdvance(line) for line in lines]
        return 10 * self._scale + max(broad)

    def captions(self, title: str, lines: tuple[str, ...]) -> None:
        """Write title and lines at the top left."""
        step, left = self._line_step, 10 * self._scale
        self.font(17, bold=True)
        self._write(QPointF(left, step), title)
        self.font(16)
        for row, text in enumerate(lines, start=2):
            self._write(QPointF(left, row * step), text)

    def key(self, keys: tuple[Key, ...]) -> None:
        """Write at the bottom left what the shapes are."""
        self.font(16)
        step, left, bottom = self._line_step, 10 * self._scale, self._area.bottom()
        for row, key in enumerate(reversed(keys)):
            y = bottom - 12 * self._scale - row * step
            self._painter.setPen(QPen(QColor(key.colour), 3 * self._scale, DASHES[key.dash]))
            middle = y - 6 * self._scale
            self._painter.drawLine(QPointF(left, middle), QPointF(left + 34 * self._scale, middle))
            self._write(QPointF(left + 44 * self._scale, y), key.text)

    def scale_bar(self, pixels_per_mm: float, *, length_mm: int) -> None:
        """Draw a length at the bottom right."""
        right = self._area.right() - 14 * self._scale
        y = self._area.bottom() - 14 * self._scale
        self._painter.setPen(QPen(QColor(theme.TEXT), 3 * self._scale))
        self._painter.drawLine(QPointF(right - length_mm * pixels_per_mm, y), QPointF(right, y))
        self.font(16)
        text = f"{length_mm // 10} cm"
        broad = self._painter.fontMetrics().horizontalAdvance(text)
        self._write(QPointF(right - broad, y - 8 * self._scale), text)

    def name(self, points: Sequence[QPointF], text: str, colour: str) -> None:
        """Write the name of a line beside one of its points, clear of what is written already.

        Args:
            points: of the line; the first is the one it stands beside if there is room.
            text: its name.
            colour: of the line.
        """
        self.font(15, bold=True)
        size = self._box(QPointF(), text).size()
        found = [QRectF(corner, size) for corner in self._corners(points, size)]
        inside = QRectF(self._area)
        free = (
            box
            for box in found
            if inside.contains(box) and not any(box.intersects(other) for _, other in self.written)
        )
        box = next(free, None)
        if box is None:
            # Rather over something else than nowhere, but not cut off.
            box = found[0]
            box.moveRight(min(box.right(), inside.right()))
            box.moveTop(min(max(box.top(), inside.top()), inside.bottom() - box.height()))
        ascent = self._painter.fontMetrics().ascent()
        self._write(box.topLeft() + QPointF(0.0, ascent), text, colour)

    def _corners(self, points: Sequence[QPointF], size: QSizeF) -> Iterator[QPointF]:
        """Yield where the box of a name may begin, the usual place first."""
        gap, wide, high = 5 * self._scale, size.width(), size.height()
        beside = (
            QPointF(gap, -high),
            QPointF(gap, gap),
            QPointF(-gap - wide, -high),
            QPointF(-gap - wide, gap),
            QPointF(-wide / 2, -high - gap),
            QPointF(-wide / 2, gap),
        )
        step = max(1, len(points) // PLACES)
        for point in points[::step]:
            for corner in beside:
                yield point + corner

    def _box(self, at: QPointF, text: str) -> QRectF:
        metrics = self._painter.fontMetrics()
        corner = at - QPointF(0.0, metrics.ascent())
        return QRectF(corner.x(), corner.y(), metrics.horizontalAdvance(text), metrics.height())

    def _write(
        self, at: QPointF, text: str, colour: str = theme.TEXT, *, shadow: float = 1.5
    ) -> None:
        """Write so that it can be read on bone and on air."""
        self.written.append((text, self._box(at, text)))
        self._painter.setPen(QColor("black"))
        self._painter.drawText(at + QPointF(shadow, shadow), text)
        self._painter.setPen(QColor(colour))
        self._painter.drawText(at, text)
