"""The heart: advance(state, event) -> state, effects. Pure; restart is replay.

Rules:
1. Events are folded strictly in order, each once.
2. A fact from a device or from our own work is always accepted; what is odd becomes an alarm.
3. An act of a person is refused (RefusedError) where it has no right place. The conductor asks
   here first, and records the act only if it was not refused; a recorded event therefore
   replays without an error.
4. Effects are what must happen at once and only once (the applicator). Longer work is not an
   effect: ``jobs(state)`` names what is still outstanding, so that a restart resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from guidance.errors import BrokenError
from guidance.procedure import closing, dropping, scanning
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    DeviceRecorded,
    Disarmed,
    DoseReported,
    ImplantVerified,
    LinkChanged,
    NeedlesConfirmed,
    NeedlesTracked,
    ObjectRefused,
    PermitEnded,
    PlanImported,
    ProcedureEvent,
    Registered,
    RegistrationAccepted,
    RegistrationFailed,
    ScanAnalysed,
    SeedsPermitted,
    SeriesReceived,
    StrokeResolved,
    StructuresImported,
)
from guidance.procedure.state import CaseState


@dataclass(frozen=True)
class Arm:
    """Give the applicator a permit, one seed for each stop of the barrel (total mm, in order).

    ``after`` is the last device record known here.
    """

    permit: int
    needle: int
    cartridge: str
    after: int
    stops_mm: tuple[float, ...]


@dataclass(frozen=True)
class Disarm:
    """End the applicator's permit."""

    reason: str


@dataclass(frozen=True)
class Resolve:
    """Tell the applicator what became of a stroke."""

    eid: int
    dropped: bool
    by: str


Effect = Arm | Disarm | Resolve

_HANDLERS: dict[type[Any], Callable[[CaseState, Any], CaseState]] = {
    CaseOpened: closing.case_opened,
    CartridgeReceived: closing.cartridge_received,
    SeriesReceived: scanning.series_received,
    ObjectRefused: scanning.object_refused,
    PlanImported: scanning.plan_imported,
    StructuresImported: scanning.structures_imported,
    ScanAnalysed: scanning.scan_analysed,
    Registered: scanning.registered,
    RegistrationFailed: scanning.registration_failed,
    RegistrationAccepted: scanning.registration_accepted,
    NeedlesTracked: scanning.needles_tracked,
    NeedlesConfirmed: scanning.needles_confirmed,
    DeviceRecorded: dropping.device_recorded,
    SeedsPermitted: dropping.seeds_permitted,
    PermitEnded: dropping.permit_ended,
    Disarmed: dropping.disarmed,
    StrokeResolved: dropping.stroke_resolved,
    LinkChanged: dropping.link_changed,
    AlarmAcknowledged: closing.alarm_acknowledged,
    DoseReported: closing.dose_reported,
    ImplantVerified: closing.implant_verified,
    CartridgeClosed: closing.cartridge_closed,
    CaseClosed: closing.case_closed,
}


def advance(state: CaseState, event: ProcedureEvent) -> tuple[CaseState, tuple[Effect, ...]]:
    """Fold one event into the state.

    Raises:
        RefusedError: an act of a person that has no right place now.
        BrokenError: an event out of order.
    """
    if event.number != state.number + 1:
        raise BrokenError(
            f"event {event.number} of case {state.case_id} cannot follow event {state.number}"
        )
    current = replace(state, number=event.number, at=event.at)
    after = _HANDLERS[type(event.fact)](current, event.fact)
    return after, _effects(after, event)


def replayed(case_id: str, events: Iterable[ProcedureEvent]) -> CaseState:
    """Return the state after all events of a case."""
    state = CaseState(case_id)
    for event in events:
        state, _ = advance(state, event)
    return state


def _effects(state: CaseState, event: ProcedureEvent) -> tuple[Effect, ...]:
    fact = event.fact
    if isinstance(fact, SeedsPermitted):
        device = state.device
        return (Arm(fact.permit, fact.needle, fact.cartridge, device.eid, device.stops_mm),)
    if isinstance(fact, StrokeResolved):
        return (Resolve(fact.eid, fact.dropped, fact.by),)
    if isinstance(fact, Disarmed):
        return (Disarm(f"by {fact.by}"),)
    if isinstance(fact, (SeriesReceived, Registered)) and state.device.armed:
        # The picture under the permit has changed: whoever permitted must look again.
        return (Disarm("a new scan has arrived"),)
    return ()
