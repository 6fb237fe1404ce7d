"""What follows when the plan was brought into the room's frame, by search or by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.planning.plan import PlannedSeed
from guidance.procedure.acts import SET_ASIDE, Nudge
from guidance.procedure.asking import USE, asked, position_doubt, settled
from guidance.procedure.events import (
    Registered,
    RegistrationAccepted,
    RegistrationFailed,
    RegistrationMeasured,
    RegistrationNudged,
)
from guidance.procedure.state import CaseState, Registration
from guidance.tracking.implant import ImplantSeed, Point

FloatArray = NDArray[np.float64]

# A hand that moves it further than this has another registration in mind.
NUDGE_MM, NUDGE_DEG = 30.0, 20.0


def registered(state: CaseState, fact: Registered) -> CaseState:
    """Take a registration; it holds only once a person has accepted it."""
    state = _carried_over(state, fact)
    registration = Registration(state.number, fact, doubts=_doubts(state, fact))
    state = replace(state, registration=registration, tracked=None, needles_confirmed_by="")
    state = _ask(settled(state, "registration").without_alarm("registration"))
    return position_doubt(state, fact.room_uid, fact.turned)


def _ask(state: CaseState) -> CaseState:
    registration = state.registration
    if registration is None or not registration.doubts:
        return settled(state, "registration")
    text = (
        f"The registration is implausible: {' '.join(registration.doubts)} Accept it all the same?"
    )
    return asked(state, "registration", text, (SET_ASIDE, USE), priority=Priority.HIGH)


def turn_deg(matrix: FloatArray) -> float:
    """Return by how much a 4x4 rigid matrix turns the patient, degrees."""
    return float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude()))


def _doubts(state: CaseState, fact: Registered) -> tuple[str, ...]:
    """Return why a registration is implausible, one sentence each.

    Patient coordinates turn with the patient, so prone and supine lie alike in them: a large
    turn means a wrong label or a wrong match.
    """
    found = list(fact.doubts)
    protocol, turn = state.protocol, turn_deg(np.array(fact.plan_to_room, dtype=np.float64))
    if fact.residual_mm > protocol.residual_mm:
        found.append(
            f"The bone surfaces lie {fact.residual_mm:.1f} mm apart "
            f"(the case allows {protocol.residual_mm:.1f} mm)."
        )
    if turn > protocol.turn_deg:
        found.append(
            f"It turns the patient by {turn:.0f} degrees (the case allows "
            f"{protocol.turn_deg:.0f}); check the patient position on the scanner."
        )
    return tuple(found)


def _carried_over(state: CaseState, fact: Registered) -> CaseState:
    """Carry needles' history, seeds and supplements into a new frame of the room."""
    before = state.registration
    if before is None:
        return state
    old, new = state.scan(before.result.room_uid), state.scan(fact.room_uid)
    if (
        old is None
        or new is None
        or old.series.frame_of_reference_uid == new.series.frame_of_reference_uid
    ):
        return state
    matrix = np.array(fact.plan_to_room) @ np.linalg.inv(np.array(before.result.plan_to_room))
    state = replace(
        state,
        supplements=tuple(_supplement(s, matrix) for s in state.supplements),
        sightings=(),
    )
    if not state.seeds:
        return state
    return state.with_seeds(tuple(_seed(s, matrix) for s in state.seeds))


def _seed(seed: ImplantSeed, matrix: FloatArray) -> ImplantSeed:
    return replace(
        seed,
        counted_mm=_moved(seed.counted_mm, matrix),
        counted_axis=_turned(seed.counted_axis, matrix),
        seen_mm=_moved(seed.seen_mm, matrix),
        seen_axis=_turned(seed.seen_axis, matrix),
        sightings=tuple(
            replace(s, position_mm=_moved(s.position_mm, matrix)) for s in seed.sightings
        ),
    )


def _supplement(seed: PlannedSeed, matrix: FloatArray) -> PlannedSeed:
    position, axis = _moved(seed.position_mm, matrix), _turned(seed.axis, matrix)
    assert position is not None
    assert axis is not None
    return replace(seed, position_mm=position, axis=axis)


def _moved(point: Point | None, matrix: FloatArray) -> Point | None:
    if point is None:
        return None
    x, y, z = (float(v) for v in matrix[:3, :3] @ np.array(point) + matrix[:3, 3])
    return (x, y, z)


def _turned(axis: Point | None, matrix: FloatArray) -> Point | None:
    if axis is None:
        return None
    x, y, z = (float(v) for v in matrix[:3, :3] @ np.array(axis))
    return (x, y, z)


def registration_failed(state: CaseState, fact: RegistrationFailed) -> CaseState:
    """Note that two scans could not be registered."""
    pair = (fact.room_uid, fact.planning_uid)
    state = replace(state, registration_failed=(*state.registration_failed, pair))
    state = state.with_alarm(
        "registration", Priority.HIGH, f"The plan could not be registered: {fact.reason}"
    )
    return position_doubt(state, fact.room_uid, fact.turned)


def registration_accepted(state: CaseState, fact: RegistrationAccepted) -> CaseState:
    """Put the registration in force."""
    if not fact.by.strip():
        raise RefusedError("a registration is accepted by a named person; give a name")
    registration = state.registration
    if registration is None:
        raise RefusedError("there is no registration to accept yet")
    position = f"position:{registration.result.room_uid}"
    if any(q.key == position for q in state.questions):
        raise RefusedError("answer first whether the patient position of the scan is right")
    if registration.doubts and not fact.reason.strip():
        raise RefusedError(
            f"the registration is implausible: {' '.join(registration.doubts)} Give a reason, "
            "move it by hand, or scan again"
        )
    if not registration.measured:
        raise RefusedError("the registration was moved; wait until its residual is measured")
    accepted = replace(registration, accepted_by=fact.by, despite=fact.reason)
    state = settled(replace(state, registration=accepted), "registration")
    return state.without_alarm("registration")


def registration_set_aside(state: CaseState) -> CaseState:
    """Leave a registration out; another scan of the room brings another."""
    registration = state.registration
    if registration is None:
        return state
    pair = (registration.result.room_uid, registration.result.planning_uid)
    return replace(
        state,
        registration=None,
        tracked=None,
        needles_confirmed_by="",
        registration_failed=(*state.registration_failed, pair),
    )


def registration_nudged(state: CaseState, fact: RegistrationNudged) -> CaseState:
    """Move the registration by hand; it must be measured and accepted anew."""
    if not fact.by.strip() or not fact.reason.strip():
        raise RefusedError("a registration is moved by a named person for a reason; give both")
    registration = state.registration
    if registration is None:
        raise RefusedError("there is no registration to move yet")
    if state.seeds:
        raise RefusedError("seeds have been dropped under this registration; scan again instead")
    if np.linalg.norm(fact.shift_mm) > NUDGE_MM or np.abs(fact.turn_deg).max() > NUDGE_DEG:
        raise RefusedError(
            f"a move by hand goes to {NUDGE_MM:.0f} mm and {NUDGE_DEG:.0f} degrees; "
            "beyond that scan or plan again"
        )
    matrix = nudged(np.array(registration.result.plan_to_room), fact)
    result = replace(
        registration.result, plan_to_room=tuple(tuple(float(x) for x in row) for row in matrix)
    )
    nudge = Nudge(state.number, fact.by, fact.reason, fact.shift_mm, fact.turn_deg)
    moved = Registration(state.number, result, nudges=(*registration.nudges, nudge), measured=False)
    state = replace(state, registration=moved, tracked=None, needles_confirmed_by="")
    return settled(state, "registration")


def nudged(matrix: FloatArray, fact: RegistrationNudged) -> FloatArray:
    """Return a 4x4 rigid matrix turned about a point of the room, then shifted."""
    turn = Rotation.from_euler("xyz", fact.turn_deg, degrees=True).as_matrix()
    about = np.array(fact.about_mm)
    step = np.eye(4)
    step[:3, :3] = turn
    step[:3, 3] = about - turn @ about + np.array(fact.shift_mm)
    return np.asarray(step @ matrix)


def registration_measured(state: CaseState, fact: RegistrationMeasured) -> CaseState:
    """Take the residual of the moved registration."""
    registration = state.registration
    if registration is None or registration.number != fact.registration_number:
        return state
    result = replace(registration.result, residual_mm=fact.residual_mm)
    measured = replace(
        registration,
        result=result,
        measured=True,
        doubts=_doubts(state, replace(result, doubts=())),
    )
    return _ask(replace(state, registration=measured))
