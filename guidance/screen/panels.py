"""The panels around the pictures: labels that say what ``words`` says."""

from __future__ import annotations

import html
from datetime import datetime

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import theme, words
from guidance.screen.advicewords import advice_briefly
from guidance.screen.buttons import set_role
from guidance.screen.language import marked, said, tr
from guidance.screen.words import coloured
from guidance.tracking.implant import NeedleTrack

CARD_ROWS = 4
STEPS = {
    Step.CASE: marked("case"),
    Step.PLAN: marked("plan"),
    Step.REGISTER: marked("register"),
    Step.NEEDLES: marked("needles"),
    Step.IMPLANT: marked("implant"),
    Step.VERIFY: marked("verify"),
    Step.CLOSE: marked("close"),
}
RIGHT = Qt.Alignment(Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter


def label(role: str = "", *, wrap: bool = False) -> QLabel:
    """Return an empty label that looks its role."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.RichText)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


def ignore_hint(widget: QWidget) -> None:
    """Let the window alone decide how large a widget is."""
    widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)


def panel(title: str = "") -> tuple[QFrame, QVBoxLayout]:
    """Return an empty panel with its layout."""
    frame = QFrame()
    frame.setProperty("role", "panel")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(10, 3, 10, 3)
    layout.setSpacing(0)
    if title:
        head = label("title")
        head.setText(title)
        layout.addWidget(head)
    return frame, layout


class TopBar(QWidget):
    """Whose case this is, what is shown, and whether the cables hold."""

    def __init__(self, banner: str = "") -> None:
        """Make an empty bar; a banner says that this is not happening now."""
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(18)
        self._patient, self._case, self.plan = label("name"), label(), label()
        self._scan, self._link, self._notice = label(), label(), label()
        self._notice.setText(coloured(tr(theme.NOTICE), theme.WARN))
        if banner:
            badge = label("banner")
            badge.setText(html.escape(banner))
            layout.addWidget(badge)
        for part in (self._patient, self._case, self.plan, self._scan):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(self._link)
        layout.addWidget(self._notice)

    @property
    def text(self) -> str:
        """All that it says, as rich text."""
        return " ".join(part.text() for part in self.findChildren(QLabel))

    def show_snapshot(self, snapshot: Snapshot, now: datetime) -> None:
        """Say it anew."""
        name = words.person_name(snapshot.patient_name) or tr("no patient yet")
        identity = f"  {snapshot.patient_id}" if snapshot.patient_id else ""
        self._patient.setText(html.escape(name + identity))
        self._case.setText(coloured(tr("case {id}", id=snapshot.case_id), theme.QUIET))
        plan = tr("plan not in the room yet") if snapshot.ledger.directive else tr("no plan")
        if snapshot.plan is not None:
            plan = tr("plan {label}", label=snapshot.plan.label)
        self.plan.setText(html.escape(plan))
        self._scan.setText(html.escape(words.scan_line(snapshot, now)))
        link = snapshot.applicator.link
        colour = theme.LINK_COLOURS.get(link, theme.QUIET)
        self._link.setText(
            coloured(tr("● applicator {link}", link=tr(words.LINKS.get(link, link))), colour)
        )


class StepRail(QWidget):
    """The seven steps: done, now, to come."""

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._steps = {step: QLabel() for step in Step}
        for number, (step, shown) in enumerate(self._steps.items(), start=1):
            shown.setText(f"{number} {tr(STEPS[step])}")
            shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(shown, 1)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Mark where the case stands."""
        steps = list(Step)
        here = steps.index(snapshot.step)
        for number, step in enumerate(steps):
            done = number < here or snapshot.closed
            role = "step-done" if done else ("step-now" if number == here else "step")
            shown = self._steps[step]
            shown.setText(f"{'✓' if done else number + 1} {tr(STEPS[step])}")
            if shown.property("role") != role:
                shown.setProperty("role", role)
                style = shown.style()
                if style is not None:
                    style.polish(shown)


class NeedleCard(QFrame):
    """The current needle in large numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        layout = QGridLayout(self)
        layout.setContentsMargins(10, 3, 10, 3)
        layout.setVerticalSpacing(0)
        self._title, self._retraction = label("action"), label()
        self._retraction.setAlignment(RIGHT)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addWidget(self._retraction, 1)
        layout.addLayout(head, 0, 0, 1, 3)
        self._seen_in = label("quiet", wrap=True)
        layout.addWidget(self._seen_in, 1, 0, 1, 3)
        self._rows = []
        for row in range(2, CARD_ROWS + 2):
            cells = (label(), label("number" if row == 2 else "figure"), label())
            cells[1].setAlignment(RIGHT)
            for column, cell in enumerate(cells):
                layout.addWidget(cell, row, column)
            self._rows.append(cells)
        layout.setColumnStretch(2, 1)
        self._ahead, self._short = label("quiet", wrap=True), False
        layout.addWidget(self._ahead, CARD_ROWS + 2, 0, 1, 3)
        layout.setRowStretch(CARD_ROWS + 3, 1)

    def show_needle(self, needle: NeedleTrack | None, count: int, retraction: str = "") -> None:
        """Show a needle with what is said of its retraction, or that there is none."""
        title = tr("No needle yet")
        if needle:
            title = tr("Needle {number} of {count}", number=needle.number, count=count)
        self._title.setText(html.escape(title))
        self._retraction.setText(html.escape(retraction))
        rows = list(words.needle_rows(needle)) if needle else []
        for i, cells in enumerate(self._rows):
            name, number, said, colour = rows[i] if i < len(rows) else ("", "", "", theme.TEXT)
            cells[0].setText(coloured(tr(name), theme.QUIET))
            cells[1].setText(coloured(number, colour))
            cells[2].setText(coloured(said, colour))
        text, colour = words.ahead_line(needle)
        self._ahead.setText(coloured(text, colour) if text else "")
        self._say_ahead()

    def show_scan(self, snapshot: Snapshot, needle: NeedleTrack | None, now: datetime) -> None:
        """Say which scan all its figures are of, and how old that is."""
        text, colour = words.sighting_line(snapshot, needle, now)
        self._seen_in.setText(coloured(text, colour) if text else "")
        self._seen_in.setVisible(bool(text))

    def keep_short(self, *, short: bool) -> None:
        """Leave the line ahead out while a form needs the room, and say the tip less large."""
        self._short = short
        set_role(self._rows[0][1], "figure" if short else "number")
        self._say_ahead()

    def _say_ahead(self) -> None:
        self._ahead.setVisible(not self._short and bool(self._ahead.text()))


class ImplantPanel(QWidget):
    """Seed count, applicator and account."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.seeds, inside = panel()
        row, beside = QHBoxLayout(), QVBoxLayout()
        row.setSpacing(12)
        self._count, self._seen = label("number"), label("quiet", wrap=True)
        self._balance, self._ledger = label("action"), label("quiet", wrap=True)
        row.addWidget(self._count)
        row.addLayout(beside, 1)
        beside.addWidget(self._balance)
        beside.addWidget(self._seen)
        inside.addLayout(row)
        inside.addWidget(self._ledger)
        layout.addWidget(self.seeds)
        applicator, inside = panel()
        self._armed, self._device = label("figure"), label(wrap=True)
        inside.addWidget(self._armed)
        inside.addWidget(self._device)
        layout.addWidget(applicator)

    def show_snapshot(self, snapshot: Snapshot, now: datetime) -> None:
        """Say it anew."""
        ledger, applicator = snapshot.ledger, snapshot.applicator
        self._count.setText(f"{ledger.implanted} / {ledger.directive}")
        self._seen.setText(html.escape(words.seeds_line(snapshot, now)))
        self._armed.setText(coloured(*words.armed_line(applicator, now)))
        device = html.escape(words.applicator_line(applicator, now))
        if applicator.detail:
            device += f"<br>{coloured(said(applicator.detail), theme.WARN)}"
        self._device.setText(device)
        balance, colour = words.balance(ledger)
        self._balance.setText(coloured(balance, colour or theme.QUIET))
        self._ledger.setText(html.escape(words.ledger_line(ledger)))


class NextAction(QFrame):
    """What is expected next, of whom; and what is being computed."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 10, 4)
        layout.setSpacing(30)
        self._action, self._said = label("action", wrap=True), label(wrap=True)
        layout.addWidget(self._action, 3)
        layout.addWidget(self._said, 2)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Say it anew."""
        self._action.setText(f"▶ {html.escape(said(snapshot.next_action))}")
        text = coloured(f"{said(snapshot.busy)}…", theme.NOTE) if snapshot.busy else ""
        self._said.setText(text or coloured(*advice_briefly(snapshot)))
        self._said.setVisible(bool(snapshot.busy or advice_briefly(snapshot)[0]))
