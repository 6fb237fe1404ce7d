"""What stands in the record is read on, though this version's rules would refuse it.

The seeds that left under an old permit have left: to refuse the permit now would leave them
without one. What was done is taken as it was done, and a remark says what would be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.procedure.dropping import permit_given
from guidance.procedure.events import (
    AlarmAcknowledged,
    CaseClosed,
    ImplantVerified,
    NeedlesConfirmed,
    ProcedureEvent,
    RegistrationAccepted,
    SeedsPermitted,
)
from guidance.procedure.state import CaseState


def as_recorded(state: CaseState, event: ProcedureEvent, refused: RefusedError) -> CaseState:
    """Take an act as it stands in the record, with a remark.

    Args:
        state: before it.
        event: its act was refused by this version.
        refused: with the reason.

    Raises:
        RefusedError: without the act, or with it, what follows would mean something else.
    """
    taken = _TAKEN.get(type(event.fact))
    if taken is None:
        raise refused
    now = replace(state, number=event.number, at=event.at)
    after, what = taken(now, event.fact)
    if after is None:
        raise refused
    return after.with_alarm(
        f"replay:{event.number}",
        Priority.LOW,
        f"Event {event.number} stands as it was recorded: {what}. "
        f"This version would refuse it: {refused}",
    )


Taken = tuple[CaseState | None, str]


def _permitted(state: CaseState, fact: SeedsPermitted) -> Taken:
    what = f"{fact.by} permitted {fact.count} seeds through needle {fact.needle}"
    return permit_given(state, fact), what


def _acknowledged(state: CaseState, fact: AlarmAcknowledged) -> Taken:
    # Older rules raised it.
    return state, f"{fact.by} acknowledged the alarm {fact.key}"


def _accepted(state: CaseState, fact: RegistrationAccepted) -> Taken:
    registration = state.registration
    if registration is None:
        return None, ""
    accepted = replace(registration, accepted_by=fact.by, despite=fact.reason)
    return replace(state, registration=accepted), f"{fact.by} accepted the registration"


def _confirmed(state: CaseState, fact: NeedlesConfirmed) -> Taken:
    return replace(state, needles_confirmed_by=fact.by), f"{fact.by} confirmed the needles"


def _verified(state: CaseState, fact: ImplantVerified) -> Taken:
    return replace(state, verified_by=fact.by), f"{fact.by} verified the implant"


def _closed(state: CaseState, fact: CaseClosed) -> Taken:
    closed = replace(state, closed_by=fact.by, closing_sentence=fact.sentence)
    return closed, f"{fact.by} closed the case"


_TAKEN: dict[type[Any], Callable[[CaseState, Any], Taken]] = {
    SeedsPermitted: _permitted,
    AlarmAcknowledged: _acknowledged,
    RegistrationAccepted: _accepted,
    NeedlesConfirmed: _confirmed,
    ImplantVerified: _verified,
    CaseClosed: _closed,
}
