"""The panel of the dose figures: implant beside plan, and what they are made of."""

from __future__ import annotations

import html
import math
from datetime import datetime
from typing import NamedTuple

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from guidance.advice import MODELLED
from guidance.procedure.snapshot import Snapshot
from guidance.screen import standing, theme, words
from guidance.screen.doses import (
    dose_rows,
    modelled_line,
    structure_colours,
)
from guidance.screen.given import Given
from guidance.screen.language import said, tr
from guidance.screen.panels import ignore_hint, label, panel
from guidance.screen.words import coloured


class Layout(NamedTuple):
    """How the table is laid out: letters in pixels of the design, standing in its own line."""

    letters: float
    aside: bool


# From the largest to the one that needs least width.
LAYOUTS = tuple(Layout(letters, aside) for letters in (20, 17, 15) for aside in (False, True))


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
        self._standing, self._scale = standing.Standing(), 1.0
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

    def set_scale(self, scale: float) -> None:
        """Set the size of the letters."""
        self._scale = scale
        self._fit()

    def _fit(self) -> None:
        """Show the table as large as it fits, and as many figures as there is room for."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        rows = len(dose_rows(snapshot))
        margins = self._inside.contentsMargins()
        width = self.width() - margins.left() - margins.right() - 2
        for layout in LAYOUTS:
            self._figures.setText(self._table(snapshot, rows, layout))
            need = self._figures.sizeHint()
            if need.width() <= width:
                break
        lines = (line for line in (self._modelled, self._origin) if line.text())
        below = sum(line.heightForWidth(width) for line in lines)
        room = self.height() - margins.top() - margins.bottom() - 2 - below
        if need.height() > room and rows:
            heads = 2 if layout.aside else 1
            # A line more says how many figures more there are.
            kept = max(1, math.floor(room / (need.height() / (rows + heads))) - heads - 1)
            self._figures.setText(self._table(snapshot, kept, layout))

    def _table(self, snapshot: Snapshot, most: int, layout: Layout) -> str:
        body = _figure_table(snapshot, most, self._standing, aside=layout.aside)
        pixels = max(8, round(layout.letters * self._scale))
        return f"<div style='font-size:{pixels}px'>{body}</div>"


def _figure_table(snapshot: Snapshot, most: int, on: standing.Standing, *, aside: bool) -> str:
    """Return the first figures as rich text; those of a stale dose are marked as such.

    Args:
        snapshot: whose figures.
        most: how many of them.
        on: what they stand on.
        aside: whether that has a line of its own, and not the place of a head.
    """
    stale = snapshot.dose_is_stale and snapshot.dose is not None
    quiet, rows, colours = theme.QUIET, dose_rows(snapshot), structure_colours(snapshot)
    leads = snapshot.engine == MODELLED
    heads = ((tr("counted"), quiet), (tr("plan"), quiet))
    brief = coloured(on.brief, on.colour)
    lines = [f"<td colspan='7'>{brief}</td>"] if aside else []
    head = f"<td colspan='2'>{'' if aside else brief}</td>"
    head += _in_order(
        snapshot,
        coloured("TG-43" if leads else tr("implant"), theme.TEXT),
        "".join(_right(coloured(*words)) for words in heads),
        tr("MC research"),
    )
    limit = tr("limit, by MC") if leads else tr("limit")
    lines.append(f"{head}<td>&nbsp;&nbsp;{coloured(limit, quiet)}</td>")
    last = ""
    for row in rows[:most]:
        head = coloured(row.structure, colours.get(row.structure, theme.TEXT))
        shown = coloured(row.implant, theme.WARN if stale else theme.TEXT)
        others = (coloured(value.split(" ")[0], quiet) for value in (row.counted, row.planned))
        lines.append(
            f"<td>{head if row.structure != last else ''}</td><td>&nbsp;{row.quantity}</td>"
            + _in_order(
                snapshot,
                shown if leads else f"<b>{shown}</b>",
                "".join(map(_right, others)),
                row.modelled,
            )
            + f"<td>&nbsp;&nbsp;{coloured(row.limit, theme.WARN if stale else row.colour)}</td>"
        )
        last = row.structure
    if len(rows) > most:
        more = tr("{n} more figures in the report", n=len(rows) - most)
        lines.append(f"<td colspan='7'>{coloured(more, quiet)}</td>")
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table width='100%' cellspacing='0'>{body}</table>"


def _in_order(snapshot: Snapshot, implant: str, others: str, modelled: str) -> str:
    """Return the cells of a line, those of the dose that leads first.

    Args:
        snapshot: whose line it is.
        implant: by TG-43, as rich text.
        others: cells of the implant as counted and of the plan.
        modelled: by the model-based dose; left out where there is none and it does not lead.
    """
    leads = snapshot.engine == MODELLED
    if snapshot.modelled is None and not leads:
        return _right(implant) + others
    sure = snapshot.modelled is not None and not snapshot.modelled_is_stale
    told = coloured(modelled, theme.NOTE if sure else theme.WARN)
    if leads:
        return _right(f"<b>{told}</b>") + _right(implant) + others
    return _right(implant) + others + _right(told)


def _right(text: str) -> str:
    return f"<td align='right'>&nbsp;{text}</td>"
