"""The plan and its structures in the room's frame, and which structure is what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dose.structures import Structure
from guidance.planning.plan import ImplantPlan
from guidance.procedure.state import CaseState, Registration

TARGET_ROLES = ("CTV", "PTV", "GTV")


def matrix_of(registration: Registration) -> NDArray[np.float64]:
    """Return the 4x4 rigid matrix, planning frame to room frame, LPS mm."""
    return np.array(registration.result.plan_to_room, dtype=np.float64)


def plan_in_room(state: CaseState) -> ImplantPlan | None:
    """Return the plan in the room's frame, None without a plan or a registration."""
    if state.plan is None or state.registration is None:
        return None
    return state.plan.transformed(matrix_of(state.registration), _room_frame(state))


def structures_in_room(
    state: CaseState, structures: tuple[Structure, ...]
) -> tuple[Structure, ...]:
    """Return structures in the room's frame; none before a registration."""
    if state.registration is None:
        return ()
    matrix, frame = matrix_of(state.registration), _room_frame(state)
    return tuple(
        replace(
            s,
            contours=tuple(c @ matrix[:3, :3].T + matrix[:3, 3] for c in s.contours),
            frame_of_reference_uid=frame,
        )
        for s in structures
    )


def target_of(plan: ImplantPlan | None, structures: tuple[Structure, ...]) -> Structure | None:
    """Return the structure the prescription is for: as the plan names it, else by role."""
    if plan is not None and plan.target_name:
        for structure in structures:
            if structure.name == plan.target_name:
                return structure
    for role in TARGET_ROLES:
        for structure in structures:
            if role in {structure.role.upper(), structure.name.upper()}:
                return structure
    return None


def organs_at_risk(
    plan: ImplantPlan | None, structures: tuple[Structure, ...]
) -> tuple[Structure, ...]:
    """Return the structures to keep clear of: all that are neither target nor outline."""
    spared = {*TARGET_ROLES, "EXTERNAL", "BODY", "SUPPORT", "MARKER", "BRACHY_CHANNEL"}
    target = plan.target_name if plan else ""
    return tuple(
        s
        for s in structures
        if s.role.upper() not in spared and s.name.upper() not in spared and s.name != target
    )


def _room_frame(state: CaseState) -> str:
    assert state.registration is not None
    scan = state.scan(state.registration.result.room_uid)
    return scan.series.frame_of_reference_uid if scan else ""
