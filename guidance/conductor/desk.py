"""The acts of the people at the console, offered to the conductor as facts."""

from __future__ import annotations

import time
from concurrent.futures import Future

from guidance.conductor.conductor import Conductor
from guidance.ledger import Disposition
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    Disarmed,
    DoseReported,
    Event,
    ImplantVerified,
    NeedlesConfirmed,
    ProcedureEvent,
    RegistrationAccepted,
    SeedsPermitted,
    StrokeResolved,
)
from guidance.procedure.snapshot import DoseView

Answer = Future[ProcedureEvent]


def permit_number(last: int) -> int:
    """Return a permit number above the last one, and above those of earlier cases.

    The device keeps its last permit for ever, a case does not; the time of day in seconds
    grows over cases.
    """
    return max(last + 1, int(time.time()))


class Desk:
    """Offers acts; each answer holds the event, or the refusal with its reason."""

    def __init__(self, conductor: Conductor) -> None:
        """Speak to one conductor."""
        self._conductor = conductor

    def open_case(self, by: str) -> Answer:
        """Open the case."""
        return self._offer(CaseOpened(by))

    def receive_cartridge(
        self, serial: str, source_model: str, strength_u: float, seeds: int, by: str
    ) -> Answer:
        """Check a cartridge in."""
        return self._offer(CartridgeReceived(serial, source_model, strength_u, seeds, by))

    def accept_registration(self, by: str) -> Answer:
        """Accept the registration."""
        return self._offer(RegistrationAccepted(by))

    def confirm_needles(self, by: str) -> Answer:
        """Confirm the needles as they lie."""
        return self._offer(NeedlesConfirmed(by))

    def permit(self, needle: int, count: int, by: str) -> Answer:
        """Permit seeds through a needle from the cartridge in place."""
        device = self._conductor.state.device
        number = permit_number(device.permit)
        return self._offer(SeedsPermitted(number, needle, device.cartridge, count, by))

    def disarm(self, by: str) -> Answer:
        """End the permit."""
        return self._offer(Disarmed(by))

    def resolve(self, eid: int, dropped: bool, by: str) -> Answer:
        """Say what became of a stroke of unknown outcome."""
        return self._offer(StrokeResolved(eid, dropped, by))

    def acknowledge(self, alarm_key: str, by: str) -> Answer:
        """Acknowledge an alarm."""
        return self._offer(AlarmAcknowledged(alarm_key, by))

    def verify_implant(self, dose: DoseView | None, by: str) -> Answer:
        """Accept the implant as seen, with the dose figures that were on the screen."""
        if dose is not None:
            figures = {d.structure: dict(d.figures) for d in dose.dvh}
            self._offer(DoseReported(dose.event_number, dose.method, figures))
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
        return self._conductor.offer(fact)
