"""The lower row: needle table and dose-volume histogram."""

from __future__ import annotations

from datetime import datetime

import pyqtgraph
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFont
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from guidance.procedure.snapshot import DoseView, Snapshot
from guidance.screen import theme, words
from guidance.screen.doses import structure_colours
from guidance.screen.given import Given, ignore_hint
from guidance.screen.language import marked, tr
from guidance.screen.panels import label
from guidance.screen.words import coloured
from guidance.tracking.implant import NeedleTrack

COLUMNS = (
    marked("needle"),
    marked("tip mm"),
    marked("depth mm"),
    marked("angle °"),
    marked("clear mm"),
    marked("seeds"),
    marked("state"),
)
# What the lines of the histogram are, where there are two methods.
KINDS = marked("solid: TG-43, implant; dashed: TG-43, plan; dotted: MC (research), to medium")
STALE_KINDS = marked(
    "solid: TG-43, implant; dashed: TG-43, plan; dotted, faint: MC (research), to medium, STALE"
)
STALE_ALPHA = 110


class NeedleTable(QTableWidget):
    """All needles; a click makes one the current needle."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels([tr(column) for column in COLUMNS])
        ignore_hint(self)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows, heads = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert heads is not None
        rows.hide()
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        last = len(COLUMNS) - 1
        heads.setSectionResizeMode(last, QHeaderView.ResizeMode.ResizeToContents)
        self._numbers: list[int] = []
        self._sightings: list[str] = []
        self._shown: list[tuple[bool, tuple[tuple[str, str], ...]]] = []
        self.cellClicked.connect(lambda row, _column: self.chosen.emit(self._numbers[row]))

    def set_row_height(self, pixels: int) -> None:
        """Set the height of all rows."""
        rows = self.verticalHeader()
        assert rows is not None
        rows.setMinimumSectionSize(8)
        rows.setDefaultSectionSize(pixels)

    def show_needles(self, snapshot: Snapshot, current: int | None, now: datetime) -> None:
        """Fill the table; of each needle the pointer tells which scan its figures are of."""
        needles = words.tracks(snapshot)
        self._sightings = [words.sighting_line(snapshot, needle, now)[0] for needle in needles]
        rows = [(needle.number == current, _cells(snapshot, needle)) for needle in needles]
        self._numbers = [needle.number for needle in needles]
        if rows == self._shown:
            self._tell_scans()
            return
        self._shown = rows
        self.setRowCount(len(rows))
        for i, (chosen, cells) in enumerate(rows):
            for j, (text, colour) in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(int(Qt.AlignmentFlag.AlignCenter))
                item.setForeground(QColor(colour))
                item.setBackground(QColor(theme.CHOSEN if chosen else theme.PANEL))
                self.setItem(i, j, item)
            if chosen:
                self.scrollToItem(self.item(i, 0))
        self._tell_scans()

    def _tell_scans(self) -> None:
        for i, told in enumerate(self._sightings):
            for j in range(self.columnCount()):
                item = self.item(i, j)
                if item is not None:
                    item.setToolTip(told)


def _cells(snapshot: Snapshot, needle: NeedleTrack) -> tuple[tuple[str, str], ...]:
    rows = {title: (number, colour) for title, number, _, colour in words.needle_rows(needle)}
    planned = words.planned_through(snapshot.plan, needle.number)
    dropped = words.dropped_through(snapshot, needle.number)
    compared = needle.tip_deviation_mm is not None
    near = min(needle.clearances, key=lambda c: c.distance_mm - c.limit_mm, default=None)
    clear = (words.DASH, theme.QUIET)
    if near is not None:
        clear = (f"{near.distance_mm:.1f}", theme.GOOD if near.kept else theme.BAD)
    if needle.tip_mm is None:
        state = (tr("not seen"), theme.QUIET)
    elif not compared:
        state = (tr("not planned"), theme.WARN)
    elif near is not None and not near.kept:
        state = (tr("too close"), theme.BAD)
    elif planned and dropped >= planned:
        state = (tr("done"), theme.GOOD)
    else:
        state = (tr("seen"), theme.NOTE)

    def figure(title: str) -> tuple[str, str]:
        if not compared:
            return (words.DASH, theme.QUIET)
        number, colour = rows[title]
        return (number.removesuffix(" mm").removesuffix("°"), colour)

    return (
        (str(needle.number), theme.TEXT),
        figure("tip"),
        figure("depth"),
        figure("angle"),
        clear,
        (f"{dropped}/{planned}", theme.TEXT),
        state,
    )


class DvhPlot(Given, QWidget):
    """Dose-volume histograms: implant solid, plan dashed, model-based dose dotted."""

    def __init__(self) -> None:
        super().__init__()
        ignore_hint(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._plot = pyqtgraph.PlotWidget(background=theme.PANEL)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.showGrid(x=True, y=True, alpha=0.2)
        self._plot.setYRange(0, 100, padding=0.02)
        layout.addWidget(self._plot)
        self._kinds = label("quiet", wrap=True)
        self._kinds.setVisible(False)
        layout.addWidget(self._kinds)
        self._drawn: tuple[object, ...] = ()
        self._line: pyqtgraph.InfiniteLine | None = None
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        """Set the size of the words."""
        self._font = QFont(self.font())
        self._font.setPixelSize(max(8, round(16 * scale)))
        if self._line is not None:
            self._line.label.setFont(self._font)
        self._plot.getAxis("bottom").setHeight(round(54 * scale))
        self._plot.getAxis("left").setWidth(round(62 * scale))
        for side, text in (("bottom", tr("dose, Gy")), ("left", tr("volume, %"))):
            axis = self._plot.getAxis(side)
            axis.setStyle(tickTextOffset=round(4 * scale))
            axis.setTickFont(self._font)
            axis.setTextPen(theme.QUIET)
            axis.setLabel(text, color=theme.QUIET, **{"font-size": f"{round(16 * scale)}px"})

    def show_dose(self, snapshot: Snapshot) -> None:
        """Draw the curves; nothing happens while the dose is the same."""
        drawn = (
            snapshot.dose, snapshot.planned_dose, snapshot.structures,
            snapshot.modelled, snapshot.modelled_is_stale,
        )  # fmt: skip
        if len(self._drawn) == len(drawn) and all(
            a is b for a, b in zip(drawn, self._drawn, strict=True)
        ):
            return
        self._drawn = drawn
        self._plot.clear()
        colours = structure_colours(snapshot)
        for dose, dashed in ((snapshot.planned_dose, True), (snapshot.dose, False)):
            self._draw(dose, colours, dashed=dashed)
        self._draw_modelled(snapshot, colours)
        dose = snapshot.dose or snapshot.planned_dose
        if dose is not None:
            self._plot.setXRange(0, 3 * dose.prescription_gy, padding=0)
            line = pyqtgraph.InfiniteLine(
                dose.prescription_gy,
                pen=pyqtgraph.mkPen(theme.ISODOSES[100][0], width=1),
                label=f"100 % = {dose.prescription_gy:g} Gy",
                labelOpts={"position": 0.92, "color": theme.ISODOSES[100][0]},
            )
            line.label.setFont(self._font)
            self._line = line
            self._plot.addItem(line)

    def _draw(self, dose: DoseView | None, colours: dict[str, str], *, dashed: bool) -> None:
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        for dvh in dose.dvh if dose else ():
            if dvh.structure in colours and (dashed or dose is None or dose.seeds):
                pen = pyqtgraph.mkPen(colours[dvh.structure], width=2, style=style)
                self._plot.plot(dvh.dose_gy, dvh.volume_percent, pen=pen)

    def _draw_modelled(self, snapshot: Snapshot, colours: dict[str, str]) -> None:
        """Draw the curves of the model-based dose, and say what each kind of line is."""
        view, stale = snapshot.modelled, snapshot.modelled_is_stale
        self._kinds.setVisible(view is not None)
        for found in view.figures if view else ():
            if found.structure in colours:
                colour = QColor(colours[found.structure])
                colour.setAlpha(STALE_ALPHA if stale else 255)
                pen = pyqtgraph.mkPen(colour, width=3, style=Qt.PenStyle.DotLine)
                self._plot.plot(found.dose_gy, found.volume_percent, pen=pen)
        if view is not None:
            text = tr(STALE_KINDS if stale else KINDS)
            self._kinds.setText(coloured(text, theme.WARN if stale else theme.QUIET))
