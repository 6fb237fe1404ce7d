"""Words on a picture: orientation letters, captions, key and scale bar."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt5.QtCore import QPointF, QRect, Qt
from PyQt5.QtGui import QColor, QFont, QPainter, QPen

from guidance.screen import theme

DASHES = {
    "solid": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
    "dashdot": Qt.PenStyle.DashDotLine,
}
LETTER_COLOUR = "#ffd75e"


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

    def font(self, size: float, *, bold: bool = False) -> None:
        """Use letters of a size at the design's scale."""
        font = QFont(self._painter.font())
        font.setPixelSize(max(8, round(size * self._scale)))
        font.setBold(bold)
        self._painter.setFont(font)

    def orientation(
        self, edges: tuple[str, str, str, str], beside: tuple[str, tuple[str, ...]] = ("", ())
    ) -> None:
        """Write the letters of the left, right, top and bottom edge, large.

        Args:
            edges: the letters.
            beside: title and caption at the top left, which the top letter keeps clear of.
        """
        reach = round(self._reach(*beside))
        self.font(34, bold=True)
        margin = round(8 * self._scale)
        inner = self._area.adjusted(margin, margin, -margin, -margin)
        half = self._painter.fontMetrics().horizontalAdvance(edges[2]) // 2
        aside = max(0, reach + margin + half - inner.center().x())
        top = inner.adjusted(2 * min(aside, inner.width() // 2 - half), 0, 0, 0)
        places = (inner, inner, top, inner)
        sides = (
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
            Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom,
        )
        for side, letter, place in zip(sides, edges, places, strict=True):
            self._painter.setPen(QColor("black"))
            self._painter.drawText(place.translated(2, 2), int(side), letter)
            self._painter.setPen(QColor(LETTER_COLOUR))
            self._painter.drawText(place, int(side), letter)

    def _reach(self, title: str, lines: tuple[str, ...]) -> float:
        """Return how far to the right title and lines go."""
        self.font(17, bold=True)
        broad = [self._painter.fontMetrics().horizontalAdvance(title)]
        self.font(16)
        broad += [self._painter.fontMetrics().horizontalAdvance(line) for line in lines]
        return 10 * self._scale + max(broad)

    def captions(self, title: str, lines: tuple[str, ...]) -> None:
        """Write title and lines at the top left."""
        step, left = 22 * self._scale, 10 * self._scale
        self.font(17, bold=True)
        self._write(QPointF(left, step), title)
        self.font(16)
        for row, text in enumerate(lines, start=2):
            self._write(QPointF(left, row * step), text)

    def key(self, keys: tuple[Key, ...]) -> None:
        """Write at the bottom left what the shapes are."""
        self.font(16)
        step, left, bottom = 22 * self._scale, 10 * self._scale, self._area.bottom()
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

    def _write(self, at: QPointF, text: str) -> None:
        """Write so that it can be read on bone and on air."""
        self._painter.setPen(QColor("black"))
        self._painter.drawText(at + QPointF(1.5, 1.5), text)
        self._painter.setPen(QColor(theme.TEXT))
        self._painter.drawText(at, text)
