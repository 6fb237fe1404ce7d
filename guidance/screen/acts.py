"""What the window may ask of the core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from guidance.ledger import Disposition
from guidance.procedure.acts import NOBODY, Patient
from guidance.procedure.events import ProcedureEvent
from guidance.procedure.snapshot import DoseView, ModelledView

Answer = Future[ProcedureEvent]
Triple = tuple[float, float, float]


class Acts(Protocol):
    """The acts of the people in the room; each answer holds the event or the refusal."""

    def open_case(self, by: str, patient: Patient = NOBODY) -> Answer:
        """Open the case; a blank patient is taken from the plan when it comes."""

    def open_another_case(self, by: str, patient: Patient = NOBODY) -> Answer:
        """Leave the case that runs, closed or not, and open another."""

    def receive_cartridge(
        self,
        serial: str,
        source_model: str,
        strength_u: float,
        seeds: int,
        by: str,
        lot: str = "",
        assay_u: float | None = None,
    ) -> Answer:
        """Check a cartridge in, with its lot and the strength it was assayed at, if it was."""

    def accept_registration(self, by: str, reason: str = "") -> Answer:
        """Accept the registration; an implausible one needs a reason."""

    def nudge_registration(
        self, shift_mm: Triple, turn_deg: Triple, about_mm: Triple, by: str, reason: str
    ) -> Answer:
        """Turn the plan about a point of the room, then shift it."""

    def answer(self, key: str, answer: str, by: str, reason: str = "") -> Answer:
        """Answer what is held."""

    def check(self, item: str, good: bool, by: str, note: str = "") -> Answer:
        """Answer an item of the time-out."""

    def choose_engine(self, engine: str, by: str) -> Answer:
        """Let a dose lead, TG-43 or the model-based one."""

    def accept_supplement(self, advice_number: int, supplement: int, by: str) -> Answer:
        """Plan one proposed seed beyond the plan."""

    def withdraw_supplement(self, seed: int, by: str) -> Answer:
        """Take back a supplementary seed that nobody has dropped."""

    def sign(self, role: str, by: str) -> Answer:
        """Sign the verified implant in a role."""

    def confirm_needles(self, by: str) -> Answer:
        """Confirm the needles as they lie."""

    def permit(self, needle: int, count: int, by: str) -> Answer:
        """Permit seeds through a needle from the cartridge in place."""

    def stop_work(self, key: str, by: str) -> Answer:
        """Stop the long work that is under way; it rests until somebody asks for it again."""

    def disarm(self, by: str) -> Answer:
        """End the permit."""

    def resolve(self, eid: int, dropped: bool, by: str) -> Answer:
        """Say what became of a stroke of unknown outcome."""

    def acknowledge(self, alarm_key: str, by: str) -> Answer:
        """Acknowledge an alarm."""

    def verify_implant(
        self, dose: DoseView | None, by: str, modelled: ModelledView | None = None
    ) -> Answer:
        """Accept the implant as seen, with the figures of the doses that were on the screen."""

    def close_cartridge(
        self, serial: str, remaining: int, disposition: Disposition, by: str
    ) -> Answer:
        """Close a cartridge with the seeds counted in it."""

    def close_case(self, by: str, sentence: str = "") -> Answer:
        """Close the case."""


class Perform(Protocol):
    """Carries an act out in the operator's name and shows what comes of it."""

    def __call__(self, what: str, act: Callable[[Acts, str], Answer]) -> None:
        """Do it.

        Args:
            what: is done, in words, such as "open case".
            act: does it, given the acts and the operator's name.
        """
