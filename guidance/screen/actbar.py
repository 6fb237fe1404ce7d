"""The row of buttons: the act of the step always at the same place, the stop beside it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit

from guidance.procedure.snapshot import DoseView, ModelledView, Snapshot, Step
from guidance.screen import words
from guidance.screen.acts import Acts, Answer, Perform
from guidance.screen.buttons import CountField, TwoStepButton, push, set_role
from guidance.screen.keys import Keys
from guidance.screen.language import marked, tr

# What the button of each step says; steps without an act of their own have none.
STEP_ACTS = {
    Step.CASE: marked("Open case"),
    Step.REGISTER: marked("Accept registration"),
    Step.NEEDLES: marked("Confirm needles"),
    Step.VERIFY: marked("Verify implant"),
}


class ActBar(QFrame):
    """Operator, the act of the step, permit, closing, cartridges and the stop."""

    def __init__(self, perform: Perform, operator: QLineEdit, keys: Keys) -> None:
        """Make the row.

        Args:
            perform: carries an act out.
            operator: field with the name that acts are signed with.
            keys: named on the buttons.
        """
        super().__init__()
        self._keys = keys
        # Where a reason was typed, if one was.
        self.reason: Callable[[], str] = str
        self._perform = perform
        self._snapshot: Snapshot | None = None
        self._suggested: tuple[int | None, int] = (None, 0)
        self.operator, self.sentence = operator, QLineEdit()
        self.operator.setPlaceholderText(tr("operator's name"))
        self.sentence.setPlaceholderText(tr("sentence on the seeds without a place"))
        self.count = CountField(tr("seeds "), 1, 99)
        self.step_button = push("", "primary")
        self.permit_button, self.close_button = TwoStepButton(), TwoStepButton()
        self.left_button, self.stayed_button = TwoStepButton(), TwoStepButton()
        self.cartridge_button = push(f"{tr('Cartridges')}  {keys.of('cartridges')}")
        self.stop_button = push(f"{tr('END PERMIT')}  {keys.of('stop')}")
        self.about_button = push(f"?  {keys.of('about')}")
        self.decisions_button = push("")
        self.worklist_button = push(f"{tr('Patients')}  {keys.of('worklist')}")
        self._arrange()
        self.step_button.clicked.connect(self.act_of_step)
        self.permit_button.confirmed.connect(self._permit)
        self.close_button.confirmed.connect(self._close_case)
        self.left_button.confirmed.connect(lambda: self._resolve(dropped=True))
        self.stayed_button.confirmed.connect(lambda: self._resolve(dropped=False))
        self.stop_button.clicked.connect(self.stop)
        self.count.changed.connect(self._say)
        self.clear()

    def _arrange(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(QLabel(tr("by")))
        for part in (self.operator, self.step_button, self.count, self.permit_button):
            layout.addWidget(part)
        for part in (self.left_button, self.stayed_button, self.close_button):
            layout.addWidget(part)
        layout.addWidget(self.sentence, 2)
        layout.addStretch(1)
        layout.addWidget(self.worklist_button)
        layout.addWidget(self.about_button)
        layout.addWidget(self.decisions_button)
        layout.addWidget(self.cartridge_button)
        layout.addWidget(self.stop_button)

    def clear(self) -> None:
        """Forget the case; the operator stays."""
        self._snapshot, self._suggested = None, (None, 0)
        self.sentence.clear()
        self._say()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Offer what the snapshot calls for."""
        self._snapshot = snapshot
        needle = snapshot.applicator.needle
        suggested = (needle, _left(snapshot))
        if suggested != self._suggested:
            self._suggested = suggested
            self.count.set_value(max(1, suggested[1]))
        self._say()

    # --- acts --------------------------------------------------------------

    def act_of_step(self) -> None:
        """Do what the step calls for."""
        snapshot = self._snapshot
        step = snapshot.step if snapshot else Step.CASE

        def act(acts: Acts, by: str) -> Answer:
            match step:
                case Step.CASE:
                    return acts.open_case(by)
                case Step.REGISTER:
                    return acts.accept_registration(by, self.reason())
                case Step.NEEDLES:
                    return acts.confirm_needles(by)
                case _:
                    return acts.verify_implant(*_shown(snapshot, by))

        if step is Step.CLOSE:
            self.close_button.press()
        elif step is Step.IMPLANT:
            self.permit_button.press()
        elif step in STEP_ACTS:
            self._perform(tr(STEP_ACTS[step]).lower(), act)

    def stop(self) -> None:
        """End the permit: one press, whatever is shown."""
        self.permit_button.stand_down()
        self._perform(tr("end the permit"), lambda acts, by: acts.disarm(by))

    def _permit(self) -> None:
        needle, count = self._needle(), self.count.value
        if needle is not None:
            what = tr("permit 1 seed through needle {needle}", needle=needle)
            if count > 1:
                what = tr("permit {n} seeds through needle {needle}", n=count, needle=needle)
            self._perform(what, lambda acts, by: acts.permit(needle, count, by))

    def _resolve(self, *, dropped: bool) -> None:
        if self._snapshot is not None and self._snapshot.unknown_strokes:
            eid, _ = self._snapshot.unknown_strokes[0]
            what = tr("record {eid}: the seed stayed", eid=eid)
            if dropped:
                what = tr("record {eid}: the seed left", eid=eid)
            self._perform(what, lambda acts, by: acts.resolve(eid, dropped, by))

    def _close_case(self) -> None:
        sentence = self.sentence.text().strip()
        self._perform(tr("close the case"), lambda acts, by: acts.close_case(by, sentence))

    # --- words -------------------------------------------------------------

    def _needle(self) -> int | None:
        return self._snapshot.applicator.needle if self._snapshot else None

    def _say(self) -> None:
        """Say on each button what it does now, and show those that do something."""
        self._say_step()
        self._say_permit()
        self._say_unknown()
        self._say_close()
        self._say_rest()

    def _say_step(self) -> None:
        snapshot = self._snapshot
        step = snapshot.step if snapshot else Step.CASE
        self.step_button.setText(
            f"{tr(STEP_ACTS[step])}  {self._keys.of('act')}" if step in STEP_ACTS else ""
        )
        unknown = bool(snapshot and snapshot.unknown_strokes)
        self.step_button.setVisible(snapshot is not None and step in STEP_ACTS and not unknown)
        self.step_button.setEnabled(snapshot is not None and _may_act(snapshot))

    def _say_permit(self) -> None:
        snapshot, needle = self._snapshot, self._needle()
        step = snapshot.step if snapshot else Step.CASE
        key = self._keys.of("permit" if step is Step.VERIFY else "act")
        text = tr("No needle attached")
        if needle:
            text = tr("Permit seeds, needle {needle}  {key}", needle=needle, key=key)
        n = self.count.value
        sure = tr("SURE? 1 SEED, NEEDLE {needle}  {key}", needle=needle, key=key)
        if n > 1:
            sure = tr("SURE? {n} SEEDS, NEEDLE {needle}  {key}", n=n, needle=needle, key=key)
        self.permit_button.say(text, sure)
        self.permit_button.setEnabled(needle is not None)
        # No seed is permitted before it is known what became of the last.
        unknown = bool(snapshot and snapshot.unknown_strokes)
        dropping = step in {Step.IMPLANT, Step.VERIFY} and not unknown
        self.permit_button.setVisible(dropping)
        self.count.setVisible(dropping)

    def _say_unknown(self) -> None:
        unknown = self._snapshot.unknown_strokes if self._snapshot else ()
        if unknown:
            eid, through = unknown[0]
            left = tr("Seed LEFT (record {eid}, needle {needle})", eid=eid, needle=through or "?")
            self.left_button.say(left, tr("SURE? IT LEFT"))
            self.stayed_button.say(tr("Seed STAYED"), tr("SURE? IT STAYED"))
        self.left_button.setVisible(bool(unknown))
        self.stayed_button.setVisible(bool(unknown))

    def _say_close(self) -> None:
        snapshot, key = self._snapshot, self._keys.of("act")
        closing = snapshot is not None and snapshot.step is Step.CLOSE and not snapshot.closed
        sure = f"{tr('SURE? CLOSE THE CASE')}  {key}"
        self.close_button.say(f"{tr('Close case')}  {key}", sure)
        self.close_button.setVisible(closing)
        balanced = snapshot is None or snapshot.ledger.balanced
        self.sentence.setVisible(closing and not balanced)

    def _say_rest(self) -> None:
        snapshot = self._snapshot
        # Where nobody is being treated; its key is there at every step.
        self.worklist_button.setVisible(
            snapshot is None or snapshot.closed or not snapshot.opened_by
        )
        asked = len(snapshot.questions) if snapshot else 0
        text = tr("Decide ({n})", n=asked) if asked else tr("Decide")
        self.decisions_button.setText(f"{text}  {self._keys.of('decisions')}")
        set_role(self.decisions_button, "sure" if asked else "")
        set_role(self.cartridge_button, "sure" if snapshot and _cartridges_wait(snapshot) else "")
        armed = snapshot is not None and snapshot.applicator.armed
        set_role(self.stop_button, "stop" if armed else "")


def _may_act(snapshot: Snapshot) -> bool:
    """Tell whether there is anything yet that the act of the step could be about."""
    match snapshot.step:
        case Step.REGISTER:
            return snapshot.registration is not None
        case Step.NEEDLES:
            return any(needle.tip_mm is not None for needle in snapshot.needles)
        case Step.VERIFY:
            return snapshot.dose is not None
        case _:
            return True


def _cartridges_wait(snapshot: Snapshot) -> bool:
    """Tell whether a cartridge is to be checked in, or counted before the case is closed."""
    unknown = any(alarm.active and alarm.key.startswith("cartridge:") for alarm in snapshot.alarms)
    closing = snapshot.step is Step.CLOSE and snapshot.ledger.in_cartridges > 0
    return (unknown or closing) and not snapshot.closed


def _shown(snapshot: Snapshot | None, by: str) -> tuple[DoseView | None, str, ModelledView | None]:
    """Return the doses that are shown of this very implant, with who looks at them."""
    if snapshot is None:
        return None, by, None
    modelled = snapshot.modelled
    whole = modelled is not None and modelled.ended and not snapshot.modelled_is_stale
    return snapshot.dose, by, modelled if whole else None


def _left(snapshot: Snapshot) -> int:
    """Return how many seeds may still go through the attached needle."""
    needle = snapshot.applicator.needle
    if needle is None:
        return 0
    planned = words.planned_through(snapshot, needle)
    left = planned - words.dropped_through(snapshot, needle)
    remaining = snapshot.applicator.remaining
    return left if remaining is None else min(left, remaining)
