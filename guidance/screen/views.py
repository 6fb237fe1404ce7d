"""A slice with what lies on it, painted at the size of the widget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PyQt5.QtWidgets import QSizePolicy, QWidget

from guidance.screen import theme
from guidance.screen.comparing import Wash
from guidance.screen.fusion import blended, difference
from guidance.screen.greyscale import PRESETS, GreyScale
from guidance.screen.language import tr
from guidance.screen.lettering import DASHES, PLACES, Key, Lettering
from guidance.screen.overlays import SEED_WIDTH_MM, Capsule, Line, Shape
from guidance.screen.reslice import Slice, letters
from guidance.screen.turns import Turns

ZOOM_STEP = 1.15


class SliceView(QWidget):
    """Paints one slice; knows nothing of the case."""

    scrolled = pyqtSignal(int)
    window_dragged = pyqtSignal(float, float)
    # A point of the patient, and whether the button has just gone down.
    pointed = pyqtSignal(object, bool)
    maximised = pyqtSignal()

    def __init__(self, title: str, empty: str, turns: Turns) -> None:
        """Make an empty view.

        Args:
            title: written in its corner, for translation.
            empty: written while there is nothing to show, for translation.
            turns: in which it is drawn anew.
        """
        super().__init__()
        self._turns = turns
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.title, self._empty = title, empty
        self._text_scale = 1.0
        self._table = PRESETS[0].table()
        self._slice: Slice | None = None
        self._image: QImage | None = None
        self._shapes: Sequence[Shape] = ()
        self._captions: tuple[str, ...] = ()
        self._legend: tuple[Key, ...] = ()
        self._centre, self._span_mm = np.zeros(2), 0.0
        self._dragged_from: QPointF | None = None
        self._cross: NDArray[np.float64] | None = None
        self._under: NDArray[np.int16] | None = None
        # All but the crosshair, kept until something else changes and its turn comes.
        self._painted: QPixmap | None = None
        self._is_stale = False
        self._way = ""
        self._wash: Wash | None = None
        self._waiting = False
        # Words on the picture and where they stand, as painted last.
        self.written: list[tuple[str, QRectF]] = []

    # --- what is shown -----------------------------------------------------

    def clear(self, *, waiting: bool = False) -> None:
        """Show nothing; or, if a picture is on its way, that there will be one."""
        self._waiting = waiting
        self._slice = self._image = None
        self._shapes, self._captions, self._legend = (), (), ()
        self._span_mm, self._cross, self._wash = 0.0, None, None
        # Nothing of what was there stays until its turn comes.
        self._painted = None
        self.update()

    @property
    def text_scale(self) -> float:
        """Size of the words against the design."""
        return self._text_scale

    @text_scale.setter
    def text_scale(self, scale: float) -> None:
        self._text_scale = scale
        self._refresh()

    def set_window(self, window: GreyScale) -> None:
        """Set the grey scale."""
        self._table = window.table()
        self._image = None
        self._refresh()

    def show_slice(
        self,
        shown: Slice,
        shapes: Sequence[Shape],
        captions: tuple[str, ...] = (),
        legend: tuple[Key, ...] = (),
        *,
        under: NDArray[np.int16] | None = None,
        way: str = "",
        wash: Wash | None = None,
    ) -> None:
        """Show a slice with shapes over it.

        Args:
            shown: the slice.
            shapes: in the slice's plane.
            captions: lines under the title.
            legend: what the shapes are.
            under: HU of the planning CT on the same pixels; None shows the slice alone.
            way: how to show both, ``blend`` or ``difference``.
            wash: colours between the slice and the shapes.
        """
        if self._slice is not shown or self._under is not under or self._way != way:
            self._slice, self._image = shown, None
        elif (
            self._shapes is shapes
            and self._wash is wash
            and (self._captions, self._legend) == (captions, legend)
        ):
            return
        self._under, self._way, self._wash = under, way, wash
        self._shapes, self._captions, self._legend = shapes, captions, legend
        self._refresh()

    def look_at(self, centre: Sequence[float] | NDArray[np.float64], span_mm: float) -> None:
        """Show this much of the plane around a point of it; 0 shows the whole slice."""
        self._centre, self._span_mm = np.asarray(centre, np.float64), span_mm
        self._refresh()

    def show_cross(self, point_mm: NDArray[np.float64] | None) -> None:
        """Draw the common crosshair through a point of the patient; None takes it away."""
        self._cross = point_mm
        self.update()

    def _refresh(self) -> None:
        self._is_stale = True
        self.update()

    @property
    def shown(self) -> Slice | None:
        """The slice shown."""
        return self._slice

    def point_at(self, at: QPointF) -> NDArray[np.float64] | None:
        """Return the point of the patient under a pixel, LPS mm; None without a slice."""
        if self._slice is None:
            return None
        flat = (np.array((at.x(), at.y())) - self._middle()) / self._pixels_per_mm() + self._centre
        plane = self._slice.plane
        return np.asarray(plane.to_patient(flat[0], flat[1]))

    def pixel_of(self, point_mm: NDArray[np.float64]) -> QPointF:
        """Return where a point of the patient is drawn."""
        assert self._slice is not None
        return self._point(self._slice.plane.project(point_mm)[:2])

    @property
    def edge_letters(self) -> tuple[str, str, str, str]:
        """Orientation letters at the left, right, top and bottom edge; empty without a slice."""
        if self._slice is None:
            return ("", "", "", "")
        plane = self._slice.plane
        return (
            letters(-plane.right),
            letters(plane.right),
            letters(-plane.down),
            letters(plane.down),
        )

    @property
    def captions(self) -> tuple[str, ...]:
        """The lines under the title."""
        return self._captions

    @property
    def wash(self) -> Wash | None:
        """The colours over the slice, None without any."""
        return self._wash

    @property
    def shapes(self) -> Sequence[Shape]:
        """What is drawn over the slice."""
        return self._shapes

    # --- the hand ----------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll slices; with Ctrl, zoom."""
        if event is None or self._slice is None:
            return
        turns = event.angleDelta().y() / 120.0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._span_mm = float(np.clip(self._span() * ZOOM_STEP**-turns, 20.0, 800.0))
            self._refresh()
        else:
            self.scrolled.emit(int(np.sign(turns)))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begin: left points, right changes the grey scale, middle moves the picture."""
        if event is None:
            return
        self._dragged_from = event.localPos()
        if event.button() == Qt.MouseButton.LeftButton:
            self._say_point(event.localPos(), first=True)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Go on dragging."""
        if event is None or self._dragged_from is None or self._slice is None:
            return
        moved = event.localPos() - self._dragged_from
        self._dragged_from = event.localPos()
        if event.buttons() & Qt.MouseButton.RightButton:
            self.window_dragged.emit(moved.x() * 4.0, -moved.y() * 4.0)
        elif event.buttons() & Qt.MouseButton.MiddleButton:
            self._span_mm = self._span()
            self._centre = self._centre - np.array((moved.x(), moved.y())) / self._pixels_per_mm()
            self._refresh()
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._say_point(event.localPos(), first=False)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Ask for all the room, or for no more than before."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from = None
            self.maximised.emit()

    def _say_point(self, at: QPointF, *, first: bool) -> None:
        point = self.point_at(at)
        if point is not None:
            self.pointed.emit(point, first)

    # --- painting ----------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint all of it."""
        wanted = self.size() * self.devicePixelRatioF()
        current = self._painted is not None and self._painted.size() == wanted
        if not current or self._is_stale:
            # One view a turn: where all of them change their size, that would take several.
            if self._painted is None or self._turns.at_once:
                self._draw_anew()
            else:
                self._turns.do(f"picture {self.title}", self._show_anew)
        assert self._painted is not None
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._painted)
        if not self._is_stale:
            self._draw_cross(painter)

    def _show_anew(self) -> None:
        self._draw_anew()
        self.update()

    def _draw_anew(self) -> None:
        self._painted = QPixmap(self.size() * self.devicePixelRatioF())
        self._painted.setDevicePixelRatio(self.devicePixelRatioF())
        self._paint(self._painted)
        self._is_stale = False

    def _paint(self, ground: QPixmap) -> None:
        painter = QPainter(ground)
        painter.setFont(self.font())
        lettering = Lettering(painter, self.rect(), self.text_scale)
        painter.fillRect(self.rect(), QColor("black"))
        self.written = []
        if self._slice is None:
            painter.setPen(QColor(theme.QUIET))
            lettering.font(20)
            said = "…" if self._waiting else tr(self._empty)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, said)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._on_screen(self._slice.box_mm), self._grey())
        if self._wash is not None:
            height, width = self._wash.pixels.shape[:2]
            colours = QImage(
                self._wash.pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32
            )
            painter.drawImage(self._on_screen(self._wash.box_mm), colours)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shape in self._shapes:
            if isinstance(shape, Line):
                self._draw_line(painter, shape)
            else:
                self._draw_seed(painter, shape)
        painter.setOpacity(1.0)
        beside = (tr(self.title), self._captions)
        lettering.orientation(self.edge_letters, beside, len(self._legend))
        lettering.captions(*beside)
        lettering.key(self._legend)
        lettering.scale_bar(self._pixels_per_mm(), length_mm=50 if self._span() > 150 else 10)
        self._name(lettering)
        self.written = lettering.written

    def _grey(self) -> QImage:
        assert self._slice is not None
        if self._image is None:
            pixels = self._table[self._slice.hu.view(np.uint16)]
            height, width = pixels.shape
            if self._under is not None:
                lay = blended if self._way == "blend" else difference
                mixed = lay(pixels, self._table[self._under.view(np.uint16)])
                form = QImage.Format.Format_RGB32
                self._image = QImage(mixed.tobytes(), width, height, 4 * width, form).copy()
                return self._image
            grey = QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
            # Qt scales this format fastest; the conversion also takes a copy of the pixels.
            self._image = grey.convertToFormat(QImage.Format.Format_RGB32)
        return self._image

    def _span(self) -> float:
        assert self._slice is not None
        return self._span_mm or max(self._slice.box_mm[2:])

    def _pixels_per_mm(self) -> float:
        return min(self.width(), self.height()) / self._span()

    def _middle(self) -> NDArray[np.float64]:
        return np.array((self.width() / 2, self.height() / 2))

    def _point(self, point: NDArray[np.float64]) -> QPointF:
        at = (point - self._centre) * self._pixels_per_mm() + self._middle()
        return QPointF(at[0], at[1])

    def _on_screen(self, box_mm: tuple[float, float, float, float]) -> QRectF:
        left, top, width, height = box_mm
        return QRectF(
            self._point(np.array((left, top))), self._point(np.array((left + width, top + height)))
        )

    def _polygon(self, points: NDArray[np.float64]) -> QPolygonF:
        at = (points - self._centre) * self._pixels_per_mm() + self._middle()
        return QPolygonF([QPointF(x, y) for x, y in at.tolist()])

    def _draw_cross(self, painter: QPainter) -> None:
        if self._cross is None:
            return
        at, gap = self.pixel_of(self._cross), 14.0 * self.text_scale
        painter.setPen(QPen(QColor(theme.CROSS), 1.0))
        right, down = QPointF(1.0, 0.0), QPointF(0.0, 1.0)
        for way, far in ((right, self.width()), (down, self.height())):
            for sign in (-1.0, 1.0):
                painter.drawLine(at + way * gap * sign, at + way * (sign * 2.0 * far))

    def _draw_line(self, painter: QPainter, line: Line) -> None:
        painter.setOpacity(line.opacity)
        width = max(1.0, line.width * self.text_scale)
        painter.setPen(QPen(QColor(line.colour), width, DASHES[line.dash]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        polygon = self._polygon(line.points)
        if line.closed:
            painter.drawPolygon(polygon)
        else:
            painter.drawPolyline(polygon)

    def _name(self, lettering: Lettering) -> None:
        """Name the lines: what is open first, for it has few places, a structure many."""
        named = [s for s in self._shapes if isinstance(s, Line) and s.name]
        for line in sorted(named, key=lambda line: line.closed):
            ends = line.points
            points = ends if len(ends) > 2 else np.linspace(ends[0], ends[-1], PLACES + 1)
            along = [QPointF(point) for point in self._polygon(points)]
            # A needle is named at its entry, a structure at its right edge, if that is seen.
            first = line.name_at if len(ends) > 2 else -min(line.name_at, 1)
            seen = [p for p in (along[first], *along) if self.rect().contains(p.toPoint())]
            if seen:
                lettering.name(seen, line.name, line.colour)

    def _draw_seed(self, painter: QPainter, seed: Capsule) -> None:
        painter.setOpacity(seed.opacity)
        start, end = self._point(seed.start), self._point(seed.end)
        width = max(3.0 * self.text_scale, SEED_WIDTH_MM * self._pixels_per_mm())
        round_cap = Qt.PenCapStyle.RoundCap
        painter.setPen(QPen(QColor(seed.colour), width + 1.5, cap=round_cap))
        painter.drawLine(start, end)
        if not seed.filled:
            painter.setPen(QPen(QColor("black"), max(1.0, width - 1.0), cap=round_cap))
            painter.drawLine(start, end)
        if seed.crossed:
            painter.setPen(QPen(QColor(seed.colour), 2.0 * self.text_scale))
            middle, arm = (start + end) / 2, 7.0 * self.text_scale
            painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
            painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
