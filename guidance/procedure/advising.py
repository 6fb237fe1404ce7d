"""What follows from advice, and from the persons who take it or leave it."""

from __future__ import annotations

from dataclasses import replace

from guidance.advice import ENGINES
from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.planning.plan import PlannedSeed
from guidance.procedure.acts import Addition
from guidance.procedure.events import (
    AdviceFailed,
    Advised,
    EngineChosen,
    SupplementAccepted,
    SupplementWithdrawn,
)
from guidance.procedure.state import CaseState


def advised(state: CaseState, fact: Advised) -> CaseState:
    """Take advice; advice on an earlier implant is kept and shows as out of date."""
    return replace(state, advice=fact.advice).without_alarm("advice")


def advice_failed(state: CaseState, fact: AdviceFailed) -> CaseState:
    """Note that there is none, and why."""
    state = replace(state, advice_failed_at=fact.event_number)
    return state.with_alarm("advice", Priority.LOW, f"There is no advice: {fact.reason}")


def engine_chosen(state: CaseState, fact: EngineChosen) -> CaseState:
    """Let another dose lead; advice is weighed anew by it."""
    if not fact.by.strip():
        raise RefusedError("the leading dose is chosen by a named person; give a name")
    if fact.engine not in ENGINES:
        raise RefusedError(f"no dose is called {fact.engine}; choose {' or '.join(ENGINES)}")
    if state.closed_by or state.signatures:
        raise RefusedError("the implant is signed or the case closed; the leading dose stands")
    if fact.engine == state.engine:
        raise RefusedError(f"{fact.engine} leads already")
    # What could not be weighed by the one dose is no word on the other.
    return replace(
        state,
        engine=fact.engine,
        engine_chosen_by=fact.by,
        engine_chosen_at=state.number,
    ).without_alarm("advice")


def supplement_accepted(state: CaseState, fact: SupplementAccepted) -> CaseState:
    """Plan one proposed seed beyond the plan."""
    if not fact.by.strip():
        raise RefusedError("a supplementary seed is accepted by a named person; give a name")
    if state.closed_by or state.verified_by:
        raise RefusedError("the implant is verified; no seed is added to it")
    advice = state.advice
    if advice is None or advice.event_number != fact.advice_number:
        raise RefusedError("this advice is no longer the last; look at the new one")
    if state.seeds_changed_at > fact.advice_number:
        raise RefusedError("the implant has changed since this advice; wait for the new one")
    if state.engine_chosen_at > fact.advice_number:
        raise RefusedError(
            f"this advice was weighed by {advice.engine}; wait for that by {state.engine}"
        )
    seed = next((s for s in advice.seeds if s.number == fact.supplement), None)
    if seed is None:
        raise RefusedError(f"the advice proposes no seed {fact.supplement}")
    if any(s.position_mm == seed.position_mm for s in state.supplements):
        raise RefusedError(f"seed {fact.supplement} of the advice was accepted before")
    taken = [s.number for s in (*(state.plan.seeds if state.plan else ()), *state.supplements)]
    planned = PlannedSeed(
        1 + max(taken, default=0), seed.needle, seed.position_mm, seed.axis, seed.retraction_mm
    )
    addition = Addition(
        state.number, state.at, fact.by, planned.number, planned.needle, planned.retraction_mm,
        advice.engine,
    )  # fmt: skip
    return replace(
        state,
        supplements=(*state.supplements, planned),
        additions=(*state.additions, addition),
    )


def supplement_withdrawn(state: CaseState, fact: SupplementWithdrawn) -> CaseState:
    """Take a supplementary seed back that nobody has dropped."""
    if not fact.by.strip():
        raise RefusedError("a supplementary seed is taken back by a named person; give a name")
    if not any(s.number == fact.seed for s in state.supplements):
        raise RefusedError(f"there is no supplementary seed {fact.seed}")
    if any(s.planned_number == fact.seed for s in state.seeds):
        raise RefusedError(f"supplementary seed {fact.seed} has been dropped")
    if state.device.armed:
        raise RefusedError("the applicator is armed; end the permit first")
    left = tuple(s for s in state.supplements if s.number != fact.seed)
    additions = tuple(
        replace(a, withdrawn_by=fact.by, withdrawn_at=state.at)
        if a.seed == fact.seed and not a.withdrawn_by
        else a
        for a in state.additions
    )
    return replace(state, supplements=left, additions=additions, needles_changed_at=state.number)
