"""What waits for a person: questions, the time-out, proposed seeds, signatures."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from guidance.advice import MODELLED, TG43
from guidance.planning.plan import PlannedSeed
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import theme
from guidance.screen.acts import Acts, Answer, Perform
from guidance.screen.advicewords import ENGINES, advice_line, lead_line
from guidance.screen.buttons import TwoStepButton
from guidance.screen.column import Button, Column, Line
from guidance.screen.given import Given
from guidance.screen.keys import Keys
from guidance.screen.language import marked, said, tr
from guidance.screen.panels import label
from guidance.screen.words import coloured, supplement_line


class DecisionPage(Given, QFrame):
    """Three columns of sentences with buttons; takes the place of the tables."""

    def __init__(self, perform: Perform, keys: Keys) -> None:
        """Make an empty page.

        Args:
            perform: carries an act out.
            keys: named on the buttons.
        """
        super().__init__()
        self.setProperty("role", "panel")
        self._perform, self._key = perform, keys.of("lead")
        self._shown: tuple[object, ...] = ()
        self.reason = QLineEdit()
        self.reason.setPlaceholderText(tr("reason or note, where one is needed"))
        row, left, right = QHBoxLayout(self), QVBoxLayout(), QVBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        self.columns = tuple(Column(perform) for _ in range(3))
        row.addLayout(left, 2)
        row.addLayout(right, 1)
        both = QHBoxLayout()
        for column in self.columns[:2]:
            both.addWidget(column, 1)
        left.addLayout(both, 1)
        right.addWidget(self.columns[2], 1)
        self._engine = TG43
        self._lead, self.lead_button = label("quiet", wrap=True), TwoStepButton()
        self.lead_button.confirmed.connect(self._choose)
        leading = QHBoxLayout()
        leading.addWidget(self._lead, 1)
        leading.addWidget(self.lead_button)
        left.addLayout(leading)
        right.addWidget(self.reason)
        # The page fits the place of the tables, whatever it has to say.
        self.setMinimumSize(1, 1)

    def clear(self) -> None:
        """Forget the case."""
        self.reason.clear()
        self._shown = ()
        self._fill([("", ())] * len(self.columns))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Offer what is open; nothing happens while it is the same."""
        self._say_lead(snapshot)
        shown = (
            snapshot.questions,
            snapshot.edits,
            snapshot.checklist,
            snapshot.proposal,
            snapshot.proposal_is_stale,
            snapshot.advice_waits,
            snapshot.supplements,
            {seed.planned_number for seed in snapshot.seeds} if snapshot.supplements else (),
            snapshot.signatures,
            snapshot.roles_wanted,
            snapshot.step is Step.CLOSE,
        )
        if shown == self._shown:
            return
        self._shown = shown
        self._fill(
            (
                (tr("QUESTIONS AND CORRECTIONS"), self._questions(snapshot)),
                (tr("TIME-OUT"), self._checks(snapshot)),
                (tr("ADVICE AND SIGNATURES"), self._rest(snapshot)),
            )
        )

    def _say_lead(self, snapshot: Snapshot) -> None:
        self._engine = snapshot.engine
        self._lead.setText(html.escape(lead_line(snapshot)))
        other = tr(ENGINES[self._other()])
        self.lead_button.say(
            tr("Let {dose} lead  {key}", dose=other, key=self._key),
            tr("SURE? {dose} LEADS  {key}", dose=other, key=self._key),
        )
        self.lead_button.setEnabled(bool(snapshot.opened_by) and not snapshot.closed)

    def _other(self) -> str:
        return MODELLED if self._engine == TG43 else TG43

    def _choose(self) -> None:
        engine = self._other()
        self._perform(
            tr("let {dose} lead", dose=tr(ENGINES[engine])),
            lambda acts, by: acts.choose_engine(engine, by),
        )

    def _fill(self, columns: Sequence[tuple[str, Sequence[Line]]]) -> None:
        for column, (title, lines) in zip(self.columns, columns, strict=True):
            column.show_lines(title, lines)

    # --- what is offered ---------------------------------------------------

    def _questions(self, snapshot: Snapshot) -> list[Line]:
        lines: list[Line] = []
        for question in snapshot.questions:
            buttons = [self._answer(question.key, answer) for answer in question.answers]
            lines.append((coloured(said(question.text), theme.WARN), buttons))
        lines = lines or [(tr("nothing is asked"), [])]
        for edit in reversed(snapshot.edits):
            act = tr(EDITS.get(edit.act, edit.act))
            kind, _, number = edit.what.partition(" ")
            what = tr(KINDS[kind], number=number) if kind in KINDS else edit.what
            text = f"{what} {act}: {edit.by}"
            lines.append((html.escape(f"{text} ({edit.reason})" if edit.reason else text), []))
        return lines

    def _checks(self, snapshot: Snapshot) -> list[Line]:
        lines: list[Line] = []
        # What is open stands first.
        for check in sorted(snapshot.checklist, key=lambda c: bool(c.answered_by)):
            item = tr(check.item)
            if check.answered_by:
                mark, colour = ("✓", theme.GOOD) if check.good else ("✗", theme.BAD)
                note = f" ({check.note})" if check.note else ""
                lines.append((coloured(f"{mark} {item}{note}: {check.answered_by}", colour), []))
                continue
            answers = ((tr("in order"), True), (tr("not"), False))
            buttons = [self._check(check.item, words, good) for words, good in answers]
            lines.append((html.escape(item), buttons))
        return lines

    def _rest(self, snapshot: Snapshot) -> list[Line]:
        """Return advice and signatures; what the case waits for stands first."""
        advice, signing = self._advice(snapshot), self._signatures(snapshot)
        lines = signing + advice if snapshot.step is Step.CLOSE else advice + signing
        return lines or [(tr("no advice yet"), [])]

    def _advice(self, snapshot: Snapshot) -> list[Line]:
        lines: list[Line] = []
        advice = snapshot.proposal
        if advice is None and snapshot.advice_waits:
            lines.append((coloured(said(snapshot.advice_waits), theme.WARN), []))
        if advice is not None:
            lines.append((coloured(*advice_line(snapshot)), []))
            number = advice.event_number
            accepted = {seed.position_mm for seed in snapshot.supplements}
            for seed in (s for s in advice.seeds if s.position_mm not in accepted):
                after = tr(
                    "seed through needle {needle}, drawn back {mm} mm: D90 {gy} Gy ({dose})",
                    needle=seed.needle,
                    mm=f"{seed.retraction_mm:.0f}",
                    gy=f"{seed.after.d90_gy:.0f}",
                    dose=tr(ENGINES[advice.engine]),
                )

                def accept(acts: Acts, by: str, which: int = seed.number) -> Answer:
                    return acts.accept_supplement(number, which, by)

                lines.append((html.escape(after), [(tr("accept"), tr("accept the seed"), accept)]))
        return lines + [self._supplement(snapshot, seed) for seed in snapshot.supplements]

    @staticmethod
    def _signatures(snapshot: Snapshot) -> list[Line]:
        lines: list[Line] = []
        for role in snapshot.roles_wanted:

            def sign(acts: Acts, by: str, role: str = role) -> Answer:
                return acts.sign(role, by)

            lines.append((html.escape(role), [(tr("sign"), tr("sign as {role}", role=role), sign)]))
        for signature in snapshot.signatures:
            signed = f"✓ {signature.role}: {signature.by}"
            lines.append((coloured(signed, theme.GOOD), []))
        return lines

    @staticmethod
    def _supplement(snapshot: Snapshot, seed: PlannedSeed) -> Line:
        """Return an accepted seed, with a button as long as it can be taken back."""
        text = html.escape(supplement_line(seed))
        if any(dropped.planned_number == seed.number for dropped in snapshot.seeds):
            return coloured(f"✓ {supplement_line(seed)}", theme.GOOD), []

        def withdraw(acts: Acts, by: str) -> Answer:
            return acts.withdraw_supplement(seed.number, by)

        return text, [(tr("take back"), tr("take back the supplementary seed"), withdraw)]

    def _answer(self, key: str, answer: str) -> Button:
        def act(acts: Acts, by: str) -> Answer:
            return acts.answer(key, answer, by, self._why())

        return said(answer), tr("answer {answer}", answer=said(answer)), act

    def _check(self, item: str, words: str, good: bool) -> Button:
        def act(acts: Acts, by: str) -> Answer:
            return acts.check(item, good, by, self._why())

        return words, tr("answer {answer}", answer=words), act

    def _why(self) -> str:
        why = self.reason.text().strip()
        self.reason.clear()
        return why


# What people said of detections.
KINDS = {"seed": marked("seed {number}"), "needle": marked("needle {number}")}
EDITS = {
    "confirmed": marked("confirmed"),
    "moved": marked("moved"),
    "added": marked("added"),
    "deleted": marked("deleted"),
}
# The usual items of the time-out (guidance.planning.protocol); a site's own stay as written.
CHECKS = (
    marked("Patient, procedure and side or level confirmed"),
    marked("Consent signed"),
    marked("Allergies and medication known (anticoagulants, sedation)"),
    marked("Coagulation within the limits for this puncture"),
    marked("Planning images and plan of this patient on the screen"),
    marked("Seed strength and unit (U or mCi) read aloud against the certificate"),
    marked("Seed count read aloud against the delivery note"),
    marked("Survey meter there and working"),
)
