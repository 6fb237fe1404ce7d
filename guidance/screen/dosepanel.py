"""The panel of the dose figures: implant beside plan, and what they are made of."""

from __future__ import annotations

import html
import math
from datetime import datetime

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from guidance.procedure.snapshot import Snapshot
from guidance.screen import standing, theme, words
from guidance.screen.buttons import set_role
from guidance.screen.doses import (
    dose_rows,
    modelled_figure,
    modelled_line,
    structure_colours,
)
from guidance.screen.given import Given
from guidance.screen.language import said, tr
from guidance.screen.panels import ignore_hint, label, panel
from guidance.screen.words import coloured


class DoseFigures(Given, QWidget):
    """The figures of target and organs, implant beside plan, and what they are made of."""

    def __init__(self) -> None:
        super().__init__()
        ignore_hint(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        frame, self._inside = panel()
        self._snapshot: Snapshot | None = None
        self._figures, self._origin = label(), label("quiet", wrap=True)
        self._modelled = label("quiet", wrap=True)
        self._figures.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._standing = standing.Standing()
        self._inside.addWidget(self._figures, 1)
        self._inside.addWidget(self._modelled)
        self._inside.addWidget(self._origin)
        layout.addWidget(frame)

    @property
    def text(self) -> str:
        """All that is said, as rich text."""
        return self._figures.text() + self._modelled.text() + self._origin.text()

    def show_age(self, snapshot: Snapshot, now: datetime) -> None:
        """Say what the figures stand on, if that reads differently by now."""
        if standing.of_dose(snapshot, now) != self._standing:
            self.show_dose(snapshot, now)

    def show_dose(self, snapshot: Snapshot, now: datetime) -> None:
        """Say it anew."""
        self._standing = standing.of_dose(snapshot, now)
        dose = snapshot.dose or snapshot.planned_dose
        if dose is None:
            self._snapshot = None
            self._figures.setText(
                coloured(tr("no dose before the plan is in the room"), theme.QUIET)
            )
            self._say(self._origin, "")
            self._say(self._modelled, "")
            return
        self._snapshot = snapshot
        stale = snapshot.dose_is_stale and snapshot.dose is not None
        # One column more has its room from smaller letters.
        set_role(self._figures, "" if snapshot.modelled is None else "quiet")
        unsure = snapshot.modelled is None or snapshot.modelled_is_stale
        line = modelled_line(snapshot)
        unsure_colour = theme.WARN if unsure else theme.NOTE
        self._say(self._modelled, coloured(line, unsure_colour) if line else "")
        lead = tr("implant") if snapshot.dose is not None else tr("plan")
        origin = f"{lead}: {words.dose_origin(dose, stale=stale)}"
        planned = snapshot.planned_dose
        if snapshot.dose is not None and planned is not None:
            # The same formalism and model; only the seeds differ.
            how = planned.method.rpartition(", ")[2]
            origin += tr(
                ". plan: {n} seeds after event {event}, {how}",
                n=planned.seeds,
                event=planned.event_number,
                how=said(how),
            )
        self._say(self._origin, coloured(origin, theme.WARN) if stale else html.escape(origin))
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show as many figures as there is room for now."""
        super().resizeEvent(event)
        self._fit()

    @staticmethod
    def _say(where: QLabel, text: str) -> None:
        """Say something; a line that says nothing takes no room."""
        where.setText(text)
        where.setVisible(bool(text))

    def _fit(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        rows = len(dose_rows(snapshot))
        self._figures.setText(_figure_table(snapshot, rows, self._standing))
        margins = self._inside.contentsMargins()
        width = self.width() - margins.left() - margins.right() - 2
        lines = (line for line in (self._modelled, self._origin) if line.text())
        below = sum(line.heightForWidth(width) for line in lines)
        room = self.height() - margins.top() - margins.bottom() - 2 - below
        need = self._figures.sizeHint().height()
        if need > room and rows:
            # One line for the heads, one for how many more there are.
            kept = max(1, math.floor(room / (need / (rows + 1))) - 2)
            self._figures.setText(_figure_table(snapshot, kept, self._standing))


def _figure_table(snapshot: Snapshot, most: int, on: standing.Standing) -> str:
    """Return the first figures as rich text; those of a stale dose are marked as such."""
    stale = snapshot.dose_is_stale and snapshot.dose is not None
    quiet, rows, colours = theme.QUIET, dose_rows(snapshot), structure_colours(snapshot)
    heads = (tr("implant"), theme.TEXT), (tr("counted"), quiet), (tr("plan"), quiet)
    lines = [f"<td colspan='2'>{coloured(on.brief, on.colour)}</td>"]
    lines[0] += "".join(_right(coloured(*head)) for head in heads)
    lines[0] += _modelled_cell(snapshot, tr("MC research"))
    lines[0] += f"<td>&nbsp;&nbsp;{coloured(tr('limit'), quiet)}</td>"
    last = ""
    for row in rows[:most]:
        head = coloured(row.structure, colours.get(row.structure, theme.TEXT))
        shown = coloured(row.implant, theme.WARN if stale else theme.TEXT)
        others = (coloured(value.split(" ")[0], quiet) for value in (row.counted, row.planned))
        lines.append(
            f"<td>{head if row.structure != last else ''}</td><td>&nbsp;{row.quantity}</td>"
            + "".join(map(_right, (f"<b>{shown}</b>", *others)))
            + _modelled_cell(snapshot, modelled_figure(snapshot, row.structure, row.quantity))
            + f"<td>&nbsp;&nbsp;{coloured(row.limit, theme.WARN if stale else row.colour)}</td>"
        )
        last = row.structure
    if len(rows) > most:
        more = tr("{n} more figures in the report", n=len(rows) - most)
        lines.append(f"<td colspan='7'>{coloured(more, quiet)}</td>")
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table width='100%' cellspacing='0'>{body}</table>"


def _modelled_cell(snapshot: Snapshot, text: str) -> str:
    """Return a cell of the model-based column; nothing without that dose."""
    if snapshot.modelled is None:
        return ""
    return _right(coloured(text, theme.WARN if snapshot.modelled_is_stale else theme.NOTE))


def _right(text: str) -> str:
    return f"<td align='right'>&nbsp;{text}</td>"
