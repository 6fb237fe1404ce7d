"""The acts of the people at the console, offered to the conductor as facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future

from guidance.conductor.conductor import Conductor
from guidance.errors import RefusedError
from guidance.ledger import Disposition
from guidance.procedure.acts import NOBODY, Patient
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    CheckAnswered,
    CourseNoted,
    Disarmed,
    DoseReported,
    EngineChosen,
    Event,
    ImplantVerified,
    NeedleDeleted,
    NeedlePlaced,
    NeedlesConfirmed,
    ProcedureEvent,
    QuestionAnswered,
    RegistrationAccepted,
    RegistrationNudged,
    SeedAdded,
    SeedConfirmed,
    SeedDeleted,
    SeedMoved,
    SeedsPermitted,
    Signed,
    StrokeResolved,
    SupplementAccepted,
    SupplementWithdrawn,
    WorkStopped,
)
from guidance.procedure.snapshot import DoseView, ModelledView

Answer = Future[ProcedureEvent]
Point = tuple[float, float, float]


def permit_number(last: int) -> int:
    """Return a permit number above the last one, and above those of earlier cases.

    The device keeps its last permit for ever, a case does not; the time of day in seconds
    grows over cases.
    """
    return max(last + 1, int(time.time()))


class Desk:
    """Offers acts; each answer holds the event, or the refusal with its reason."""

    def __init__(self, conductor: Conductor | None = None) -> None:
        """Speak to one conductor; to nobody between two cases."""
        self._conductor = conductor

    def serve(self, conductor: Conductor | None) -> None:
        """Speak to another conductor from now on, or refuse every act."""
        self._conductor = conductor

    def open_case(
        self,
        by: str,
        patient: Patient = NOBODY,
        *,
        courses: tuple[str, ...] = (),
    ) -> Answer:
        """Open the case by hand, or from an item of the worklist; under the site's protocol."""

        def opened(conductor: Conductor) -> Event:
            return CaseOpened(
                by,
                patient.patient_id,
                patient.patient_name,
                patient.accession_number,
                patient.scheduled_step,
                conductor.protocol,
                courses,
            )

        return self._offer_of(opened)

    def note_course(self, course: str, by: str) -> Answer:
        """Note an earlier external course to the cord, written as ``10x3``."""
        return self._offer(CourseNoted(course, by))

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
        """Check a cartridge in."""
        fact = CartridgeReceived(serial, source_model, strength_u, seeds, by, lot, assay_u)
        return self._offer(fact)

    def accept_registration(self, by: str, reason: str = "") -> Answer:
        """Accept the registration; an implausible one needs a reason."""
        return self._offer(RegistrationAccepted(by, reason))

    def nudge_registration(
        self, shift_mm: Point, turn_deg: Point, about_mm: Point, by: str, reason: str
    ) -> Answer:
        """Turn the plan about a point of the room (x, y, z in this order), then shift it."""
        return self._offer(RegistrationNudged(shift_mm, turn_deg, about_mm, by, reason))

    def answer(self, key: str, answer: str, by: str, reason: str = "") -> Answer:
        """Answer what is held; anything but leaving it out needs a reason."""
        return self._offer(QuestionAnswered(key, answer, by, reason))

    def confirm_seed(self, seed: int, by: str, reason: str) -> Answer:
        """Confirm a seed as the last scan shows it."""
        return self._offer(SeedConfirmed(seed, by, reason))

    def move_seed(
        self, seed: int, position_mm: Point, axis: Point | None, by: str, reason: str
    ) -> Answer:
        """Put a seen seed elsewhere."""
        return self._offer(SeedMoved(seed, position_mm, axis, by, reason))

    def add_seed(self, position_mm: Point, axis: Point | None, by: str, reason: str) -> Answer:
        """Add a seed that was not found."""
        return self._offer(SeedAdded(position_mm, axis, by, reason))

    def delete_seed(self, seed: int, by: str, reason: str) -> Answer:
        """Take away what is no seed."""
        return self._offer(SeedDeleted(seed, by, reason))

    def place_needle(
        self, needle: int, tip_mm: Point, entry_mm: Point, by: str, reason: str
    ) -> Answer:
        """Confirm, move or add a needle."""
        return self._offer(NeedlePlaced(needle, tip_mm, entry_mm, by, reason))

    def delete_needle(self, needle: int, by: str, reason: str) -> Answer:
        """Take away what is no needle."""
        return self._offer(NeedleDeleted(needle, by, reason))

    def check(self, item: str, good: bool, by: str, note: str = "") -> Answer:
        """Answer an item of the time-out."""
        return self._offer(CheckAnswered(item, good, by, note))

    def choose_engine(self, engine: str, by: str) -> Answer:
        """Let a dose lead, one of ``guidance.advice.ENGINES``."""
        return self._offer(EngineChosen(engine, by))

    def accept_supplement(self, advice_number: int, supplement: int, by: str) -> Answer:
        """Plan one proposed seed beyond the plan."""
        return self._offer(SupplementAccepted(advice_number, supplement, by))

    def withdraw_supplement(self, seed: int, by: str) -> Answer:
        """Take back a supplementary seed that nobody has dropped."""
        return self._offer(SupplementWithdrawn(seed, by))

    def sign(self, role: str, by: str) -> Answer:
        """Sign the verified implant in a role."""
        return self._offer(Signed(role, by))

    def confirm_needles(self, by: str) -> Answer:
        """Confirm the needles as they lie."""
        return self._offer(NeedlesConfirmed(by))

    def permit(self, needle: int, count: int, by: str) -> Answer:
        """Permit seeds through a needle from the cartridge in place."""

        def permitted(conductor: Conductor) -> Event:
            device = conductor.state.device
            number = permit_number(device.permit)
            return SeedsPermitted(number, needle, device.cartridge, count, by)

        return self._offer_of(permitted)

    def stop_work(self, key: str, by: str) -> Answer:
        """Stop the long work that is under way; it rests until somebody asks for it again."""
        return self._offer(WorkStopped(key, by))

    def disarm(self, by: str) -> Answer:
        """End the permit."""
        return self._offer(Disarmed(by))

    def resolve(self, eid: int, dropped: bool, by: str) -> Answer:
        """Say what became of a stroke of unknown outcome."""
        return self._offer(StrokeResolved(eid, dropped, by))

    def acknowledge(self, alarm_key: str, by: str) -> Answer:
        """Acknowledge an alarm."""
        return self._offer(AlarmAcknowledged(alarm_key, by))

    def verify_implant(
        self, dose: DoseView | None, by: str, modelled: ModelledView | None = None
    ) -> Answer:
        """Accept the implant as seen, with the figures of the doses that were on the screen."""
        if dose is not None:
            figures = {d.structure: dict(d.figures) for d in dose.dvh}
            self._offer(DoseReported(dose.event_number, dose.method, figures))
        if modelled is not None:
            self._offer(modelled.reported())
        return self._offer(ImplantVerified(by))

    def close_cartridge(
        self, serial: str, remaining: int, disposition: Disposition, by: str
    ) -> Answer:
        """Close a cartridge with the seeds counted in it."""
        return self._offer(CartridgeClosed(serial, remaining, disposition, by))

    def close_case(self, by: str, sentence: str = "") -> Answer:
        """Close the case."""
        return self._offer(CaseClosed(by, sentence))

    def _offer(self, fact: Event) -> Answer:
        return self._offer_of(lambda _conductor: fact)

    def _offer_of(self, fact_of: Callable[[Conductor], Event]) -> Answer:
        conductor = self._conductor
        if conductor is None:
            refused: Answer = Future()
            refused.set_exception(RefusedError("no case is open at this moment; ask again"))
            return refused
        return conductor.offer(fact_of(conductor))
