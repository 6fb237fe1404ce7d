"""The heart: advance(state, event) -> state, effects. Pure; restart is replay.

Rules:
1. Events are folded strictly in order, each once.
2. A fact from a device or from our own work is always accepted; what is odd becomes an alarm.
3. An act of a person is refused (RefusedError) where it has no right place. The conductor asks
   here first, and records the act only if it was not refused; a recorded event therefore
   replays without an error. So does an act recorded under older rules that today's refuse: it
   stands as it was recorded, with a remark (``rereading``).
4. Effects are what must happen at once and only once (the applicator). Longer work is not an
   effect: ``jobs(state)`` names what is still outstanding, so that a restart resumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from guidance.errors import BrokenError, RefusedError
from guidance.procedure import (
    advising,
    answering,
    closing,
    dropping,
    editing,
    registering,
    rereading,
    scanning,
    working,
)
from guidance.procedure.events import (
    AdviceFailed,
    Advised,
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    CheckAnswered,
    CourseNoted,
    DeviceRecorded,
    Disarmed,
    DoseReported,
    EngineChosen,
    ImplantVerified,
    LinkChanged,
    NeedleDeleted,
    NeedlePlaced,
    NeedlesConfirmed,
    NeedlesTracked,
    ObjectRefused,
    PermitEnded,
    PlanImported,
    ProcedureEvent,
    QuestionAnswered,
    Registered,
    RegistrationAccepted,
    RegistrationFailed,
    RegistrationMeasured,
    RegistrationNudged,
    ScanAnalysed,
    SeedAdded,
    SeedConfirmed,
    SeedDeleted,
    SeedMoved,
    SeedsPermitted,
    SeriesReceived,
    Signed,
    StrokeResolved,
    StructuresImported,
    SupplementAccepted,
    SupplementWithdrawn,
    WorkBrokeOff,
    WorkStopped,
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
    Registered: registering.registered,
    RegistrationFailed: registering.registration_failed,
    RegistrationAccepted: registering.registration_accepted,
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
    CourseNoted: closing.course_noted,
    RegistrationNudged: registering.registration_nudged,
    RegistrationMeasured: registering.registration_measured,
    SeedConfirmed: editing.seed_confirmed,
    SeedMoved: editing.seed_moved,
    SeedAdded: editing.seed_added,
    SeedDeleted: editing.seed_deleted,
    NeedlePlaced: editing.needle_placed,
    NeedleDeleted: editing.needle_deleted,
    QuestionAnswered: answering.question_answered,
    CheckAnswered: closing.check_answered,
    Advised: advising.advised,
    AdviceFailed: advising.advice_failed,
    EngineChosen: advising.engine_chosen,
    SupplementAccepted: advising.supplement_accepted,
    SupplementWithdrawn: advising.supplement_withdrawn,
    Signed: closing.signed,
    WorkBrokeOff: working.work_broke_off,
    WorkStopped: working.work_stopped,
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
    after = working.still_asked(_HANDLERS[type(event.fact)](current, event.fact))
    return after, _effects(after, event)


def replayed(case_id: str, events: Iterable[ProcedureEvent]) -> CaseState:
    """Return the state after all events of a case."""
    state = CaseState(case_id)
    for event in events:
        state = folded_again(state, event)
    return state


def folded_again(state: CaseState, event: ProcedureEvent) -> CaseState:
    """Fold in an event that stands in the record.

    Raises:
        RefusedError: an act without which what follows would mean something else.
        BrokenError: an event out of order.
    """
    try:
        return advance(state, event)[0]
    except RefusedError as error:
        return rereading.as_recorded(state, event, error)


def state_at(case_id: str, events: Iterable[ProcedureEvent], number: int) -> CaseState:
    """Return the state right after one event: any moment of a case, seen again.

    Args:
        case_id: the case.
        events: its events from the first on.
        number: of the last event to fold in; 0 gives the state before any.

    Raises:
        RefusedError: the case has no such event.
    """
    state = CaseState(case_id)
    for event in events:
        if state.number == number:
            break
        state = folded_again(state, event)
    if state.number != number:
        raise RefusedError(f"case {case_id} has {state.number} events; there is no event {number}")
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
