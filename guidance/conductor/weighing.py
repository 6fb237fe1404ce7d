"""From a case's state to the situation that advice is asked about."""

from __future__ import annotations

import numpy as np

from dose.radiobiology import Course
from dose.sources import SourceModel
from dose.structures import Structure
from guidance.advice import MODELLED, MediumFactor, ModelledUse, Reach, Situation, Source, ratio
from guidance.conductor.dosing import strength_at
from guidance.conductor.modelling import Modelled
from guidance.conductor.room import organs_at_risk, plan_in_room, structures_in_room, target_of
from guidance.errors import RefusedError
from guidance.planning.cord import cord_of
from guidance.procedure.state import CaseState
from guidance.tracking import counted_position

Point = tuple[float, float, float]

# A planned seat this little deeper than the needle lies is still the needle's next.
AT_STOP_MM = 2.5


def situation_of(
    state: CaseState, structures: tuple[Structure, ...], source: SourceModel
) -> Situation:
    """Return the implant as it is, with what may still come, in the room's frame.

    Args:
        state: the case.
        structures: in the planning frame.
        source: seed model of the plan.

    Raises:
        RefusedError: there is no plan, registration or target yet.
    """
    plan, registration = plan_in_room(state), state.registration
    if plan is None or registration is None:
        raise RefusedError("advice needs a registered plan")
    in_room = structures_in_room(state, structures)
    target = target_of(plan, in_room)
    if target is None:
        raise RefusedError("the structure set has no target to weigh")
    scan = state.latest("needles")
    when = (scan.acquired_at if scan else None) or state.at
    strength_u = strength_at(plan, when, source.half_life_days)
    organs = organs_at_risk(plan, in_room)
    cord = cord_of(organs)
    needles, remarks = _in_place(state)
    return Situation(
        event_number=state.implant_at,
        target=target,
        cord=cord,
        source=source,
        strength_u=strength_u,
        seeds=tuple(Source(s.position_mm, s.axis, strength_u) for s in state.seeds),
        pending=_pending(state, strength_u),
        needles=needles,
        prescription_gy=plan.prescription_gy,
        protocol=state.protocol,
        courses=tuple(Course.parsed(c) for c in state.courses),
        spared=tuple(o for o in organs if o is not cord),
        remarks=remarks,
    )


def medium_of(state: CaseState, dose: Modelled | None) -> MediumFactor | None:
    """Return what the tissues make of the dose where the model-based dose leads, else None.

    Args:
        state: the case.
        dose: the last word on its model-based dose.

    Raises:
        RefusedError: the model-based dose leads and cannot be had; TG-43 is not taken for it.
    """
    if state.engine != MODELLED:
        return None
    view = dose.view if dose is not None else None
    if view is None:
        why = dose.refused if dose is not None else "It is not computed here."
        raise RefusedError(f"the model-based dose leads and cannot be had. {why}")
    used = ModelledUse(
        view.method, view.event_number, view.scan_uid, view.seeds, view.histories, view.reached
    )
    return ratio(view.dose_gy, view.tg43_gy, view.geometry, used)


def _in_place(state: CaseState) -> tuple[tuple[Reach, ...], tuple[str, ...]]:
    """Return the needles through which seeds can still leave, and what must be said of them."""
    reach = tuple(
        Reach(n.number, n.tip_mm, n.entry_mm, state.device.retraction_of(n.number))
        for n in state.needles
        if n.tip_mm is not None and n.entry_mm is not None
    )
    last = state.latest("verification")
    if last is None or not last.analysed:
        return reach, ()
    shown = [np.array((n.tip_mm, n.entry_mm)) for n in last.needles]
    there = tuple(n for n in reach if any(_same_line(n, line) for line in shown))
    if there:
        gone = ", ".join(str(n.number) for n in reach if n not in there)
        return there, (f"Needle {gone} is no longer in place.",) if gone else ()
    # The tracks are still the natural way back in.
    back = tuple(Reach(n.number, n.tip_mm, n.entry_mm) for n in reach)
    return back, (
        "No needle is seen in place on the last scan: a needle would have to be put back along "
        "the track that is named.",
    )


def _same_line(needle: Reach, line: np.ndarray, within_mm: float = 5.0) -> bool:
    """Return whether a needle seen in another scan runs along this one."""
    tip, entry = np.asarray(needle.tip_mm), np.asarray(needle.entry_mm)
    axis = (tip - entry) / np.linalg.norm(tip - entry)
    off = line - tip
    across = off - (off @ axis)[:, None] * axis
    return bool((np.linalg.norm(across, axis=1) <= within_mm).all())


def _pending(state: CaseState, strength_u: float) -> tuple[Source, ...]:
    """Return the planned seeds that have not been dropped, where their needle would leave them."""
    if state.latest("verification") is not None and not state.device.armed:
        wanted = {s.number for s in state.supplements}
    else:
        wanted = {s.number for s in (*(state.plan.seeds if state.plan else ()), *state.supplements)}
    taken = {s.planned_number for s in state.seeds}
    found = []
    for needle in state.needles:
        if needle.tip_mm is None:
            continue
        drawn_mm = state.device.retraction_of(needle.number)
        for seat in state.seats_of(needle.number):
            passed = seat.retraction_mm < drawn_mm - AT_STOP_MM
            if seat.number in taken or seat.number not in wanted or passed:
                continue
            position, axis = counted_position(needle, seat.retraction_mm)
            found.append(Source(position, axis, strength_u))
    return tuple(found)
