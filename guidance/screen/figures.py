"""The dose-volume histograms."""

from __future__ import annotations

from datetime import datetime

import pyqtgraph
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QFont
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from guidance.advice import MODELLED, TG43
from guidance.procedure.snapshot import DoseView, Snapshot
from guidance.screen import standing, theme
from guidance.screen.doses import structure_colours
from guidance.screen.given import Given
from guidance.screen.language import tr
from guidance.screen.panels import ignore_hint, label
from guidance.screen.words import coloured

STALE_ALPHA = 110
# Dots need more width than a line to be seen as well.
WIDTHS = {Qt.PenStyle.SolidLine: 2, Qt.PenStyle.DashLine: 2, Qt.PenStyle.DotLine: 3}


class DvhPlot(Given, QWidget):
    """Dose-volume histograms: implant by the dose that leads solid, by the other dotted.

    The plan is dashed, by TG-43.
    """

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
        # Beside the curves, not among them: nothing written covers a curve.
        self._caption = label("quiet", wrap=True)
        layout.addWidget(self._caption)
        layout.addWidget(self._plot, 1)
        self._drawn: tuple[object, ...] = ()
        self.set_scale(1.0)

    @property
    def text(self) -> str:
        """What each kind of line is and what it stands on, as rich text."""
        return self._caption.text()

    def show_age(self, snapshot: Snapshot, now: datetime) -> None:
        """Say what the curves are and what they stand on."""
        self._caption.setText(caption(snapshot, now))

    def set_scale(self, scale: float) -> None:
        """Set the size of the words, and how broad lines are drawn next."""
        self._broad, self._drawn = max(1.0, scale), ()
        self._font = QFont(self.font())
        self._font.setPixelSize(max(8, round(16 * scale)))
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
            snapshot.modelled, snapshot.modelled_is_stale, snapshot.engine,
        )  # fmt: skip
        if len(self._drawn) == len(drawn) and all(
            a is b or (isinstance(a, str) and a == b)
            for a, b in zip(drawn, self._drawn, strict=True)
        ):
            return
        self._drawn = drawn
        self._plot.clear()
        colours = structure_colours(snapshot)
        implant = Qt.PenStyle.SolidLine if snapshot.engine == TG43 else Qt.PenStyle.DotLine
        self._draw(snapshot.planned_dose, colours, Qt.PenStyle.DashLine)
        if snapshot.dose is not None and snapshot.dose.seeds:
            self._draw(snapshot.dose, colours, implant)
        self._draw_modelled(snapshot, colours)
        dose = snapshot.dose or snapshot.planned_dose
        if dose is not None:
            self._plot.setXRange(0, 3 * dose.prescription_gy, padding=0)
            pen = pyqtgraph.mkPen(theme.ISODOSES[100][0], width=self._broad)
            self._plot.addItem(pyqtgraph.InfiniteLine(dose.prescription_gy, pen=pen))

    def _draw(self, dose: DoseView | None, colours: dict[str, str], style: Qt.PenStyle) -> None:
        for dvh in dose.dvh if dose else ():
            if dvh.structure in colours:
                pen = pyqtgraph.mkPen(
                    colours[dvh.structure], width=self._broad * WIDTHS[style], style=style
                )
                self._plot.plot(dvh.dose_gy, dvh.volume_percent, pen=pen)

    def _draw_modelled(self, snapshot: Snapshot, colours: dict[str, str]) -> None:
        """Draw the curves of the model-based dose; fainter where it is stale."""
        view, stale = snapshot.modelled, snapshot.modelled_is_stale
        leads = snapshot.engine == MODELLED
        style = Qt.PenStyle.SolidLine if leads else Qt.PenStyle.DotLine
        for found in view.figures if view else ():
            if found.structure in colours:
                colour = QColor(colours[found.structure])
                colour.setAlpha(STALE_ALPHA if stale else 255)
                pen = pyqtgraph.mkPen(colour, width=self._broad * WIDTHS[style], style=style)
                self._plot.plot(found.dose_gy, found.volume_percent, pen=pen)


def caption(snapshot: Snapshot, now: datetime) -> str:
    """Return what each kind of line of the histogram is, as rich text; empty without a dose."""
    implant, plan, found = snapshot.dose, snapshot.planned_dose, standing.of_dose(snapshot, now)
    dose = implant or plan
    if dose is None:
        return ""
    leads = snapshot.engine == MODELLED
    parts = []
    if implant is not None:
        line = tr("dotted") if leads else tr("solid")
        said = tr("{line}: TG-43 implant, {standing}", line=line, standing=found.brief)
        parts.append((said, found.colour))
    if plan is not None:
        parts.append((tr("dashed: TG-43 plan"), theme.QUIET))
    if snapshot.modelled is not None or leads:
        parts.insert(0 if leads else len(parts), _modelled_caption(snapshot))
    # Not to be parted at the end of a line.
    whole = f"100\u00a0%\u00a0=\u00a0{dose.prescription_gy:g}\u00a0Gy"
    parts.append((whole, theme.ISODOSES[100][0]))
    return " · ".join(coloured(*part) for part in parts)


def _modelled_caption(snapshot: Snapshot) -> tuple[str, str]:
    """Return what the line of the model-based dose is, and its colour."""
    leads, stale = snapshot.engine == MODELLED, snapshot.modelled_is_stale
    if snapshot.modelled is None:
        return tr("solid: MC (research), none at hand"), theme.WARN
    if stale:
        line = tr("solid, faint") if leads else tr("dotted, faint")
        return tr("{line}: MC (research), to medium, STALE", line=line), theme.WARN
    line = tr("solid") if leads else tr("dotted")
    return tr("{line}: MC (research), to medium", line=line), theme.QUIET
