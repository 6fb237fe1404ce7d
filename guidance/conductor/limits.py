"""The dose figures that decide, each against its limit."""

from __future__ import annotations

from collections.abc import Sequence

from dose.radiobiology import CORD, Course, cumulative_eqd2_gy
from dose.structures import Structure
from guidance.conductor.room import organs_at_risk, target_of
from guidance.planning.cord import cord_of
from guidance.planning.plan import ImplantPlan
from guidance.procedure.snapshot import DoseFigure, DoseView, ModelledView
from guidance.procedure.state import CaseState

# As known, as counted and as planned by TG-43; then the model-based dose.
Doses = tuple[DoseView | None, DoseView | None, DoseView | None, ModelledView | None]


def dose_figures(
    state: CaseState,
    plan: ImplantPlan,
    structures: Sequence[Structure],
    doses: Doses,
    half_life_days: float,
) -> tuple[DoseFigure, ...]:
    """Return D90, V100 and V150 of the target, Dmax, D0.1cc and cumulative EQD2 of the cord.

    Args:
        state: the case; its protocol and earlier courses set the limits, the dose that leads is
            held against them.
        plan: in the room's frame.
        structures: in the room's frame.
        doses: as known, as counted and as planned; model-based, where that is there whole.
        half_life_days: of the nuclide.
    """
    protocol, led_by, found = state.protocol, state.engine, []
    target = target_of(plan, tuple(structures))
    if target is not None:
        wanted: tuple[tuple[str, str, str, float | None], ...] = (
            ("D90", "Gy", "D90_gy", plan.prescription_gy),
            ("V100", "%", "V100_percent", protocol.target_v100_percent),
            ("V150", "%", "V150_percent", None),
        )
        for quantity, unit, key, least in wanted:
            known, counted, planned, model = (_of(dose, target.name, key) for dose in doses)
            found.append(
                DoseFigure(
                    target.name, quantity, unit, known, counted, planned, least,
                    least is not None, model, led_by,
                )
            )  # fmt: skip
    cord = cord_of(organs_at_risk(plan, tuple(structures)))
    if cord is None:
        return tuple(found)
    courses = [Course.parsed(c) for c in state.courses]
    most = protocol.cord_eqd2_again_gy if courses else protocol.cord_eqd2_gy
    limits = {"Dmax_gy": protocol.cord_dmax_gy, "D0.1cc_gy": protocol.cord_d01cc_gy}
    for key, limit in limits.items():
        known, counted, planned, model = (_of(dose, cord.name, key) for dose in doses)
        name = key.removesuffix("_gy")
        found.append(
            DoseFigure(
                cord.name, name, "Gy", known, counted, planned, limit or None,
                modelled=model, engine=led_by,
            )
        )  # fmt: skip
    known, counted, planned, model = (
        None if dmax is None else cumulative_eqd2_gy(dmax, half_life_days, courses, CORD)
        for dmax in (_of(dose, cord.name, "Dmax_gy") for dose in doses)
    )
    name = "cumulative EQD2"
    found.append(
        DoseFigure(
            cord.name, name, "Gy", known, counted, planned, most, modelled=model, engine=led_by
        )
    )
    return tuple(found)


def _of(dose: DoseView | ModelledView | None, structure: str, key: str) -> float | None:
    if isinstance(dose, ModelledView):
        found = dose.of(structure)
        return None if found is None else found.medium.get(key)
    if dose is None:
        return None
    return next((d.figures.get(key) for d in dose.dvh if d.structure == structure), None)
