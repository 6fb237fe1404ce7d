"""The story's end beside the truth: a step of its own, after the assistant has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from dose import sources
from dose.structures import Structure
from guidance.conductor.dosing import LiveDose, Placed, strength_at
from guidance.conductor.library import Library
from guidance.conductor.replay import Replay
from guidance.conductor.room import target_of
from guidance.errors import RefusedError
from guidance.training.comparison import compare_needles, compare_seeds, registration_error_mm


def judged(case: Replay, truth: dict[str, Any]) -> dict[str, Any]:
    """Return what the assistant said beside what was true.

    Args:
        case: the case at its end.
        truth: the virtual suite's record of it.

    Raises:
        RefusedError: the case never came to a plan and a registration.
    """
    state = case.state
    if state.plan is None or state.registration is None:
        raise RefusedError("the case has no registered plan: there is nothing to compare")
    said_seeds = [
        {"position_mm": s.seen_mm, "axis": s.seen_axis}
        for s in state.seeds
        if s.seen_mm is not None
    ]
    said_needles = [
        {"tip_mm": n.tip_mm, "entry_mm": n.entry_mm} for n in state.needles if n.tip_mm is not None
    ]
    counted = [{"position_mm": s.counted_mm, "axis": None} for s in state.seeds if s.counted_mm]
    structures = Library().structures(state)
    target = target_of(state.plan, structures)
    points = np.concatenate(target.contours) if target else np.zeros((1, 3))
    said = np.array(state.registration.result.plan_to_room)
    true = np.array(truth["planning_to_room"])
    seeds = compare_seeds(said_seeds, truth["seeds"])
    needles = compare_needles(said_needles, truth["needles"])
    return {
        "seeds": seeds,
        "seeds_as_counted": compare_seeds(counted, truth["seeds"]),
        "needles": needles,
        "registration_error_mm": round(registration_error_mm(said, true, points), 3),
        "misfires": {"true": truth["misfires"], "said": case.snapshot.ledger.misfires},
        "dose": _doses(case, truth, structures),
        "reconciled": bool(
            case.snapshot.closed
            and case.snapshot.ledger.balanced
            and case.snapshot.ledger.implanted == len(truth["seeds"])
            and case.snapshot.ledger.misfires == truth["misfires"]
            and needles["missed"] == needles["invented"] == seeds["invented"] == 0
        ),
    }


def _doses(
    case: Replay, truth: dict[str, Any], structures: tuple[Structure, ...]
) -> dict[str, dict[str, Any]]:
    """Return the main figures, true and as reported.

    True is: the true seeds, in structures brought over by the true registration.
    """
    plan = case.state.plan
    assert plan is not None
    matrix = np.array(truth["planning_to_room"])
    there = tuple(
        replace(s, contours=tuple(c @ matrix[:3, :3].T + matrix[:3, 3] for c in s.contours))
        for s in structures
    )
    source = sources.load(truth["source_model"])
    moved = plan.transformed(matrix, "")
    strength_u = strength_at(
        replace(
            plan,
            strength_u=truth["strength_u"],
            strength_at=datetime.fromisoformat(truth["strength_at"]),
        ),
        datetime.fromisoformat(truth["implant_at"]),
        source.half_life_days,
    )
    placed = {
        str(i): Placed(tuple(s["position_mm"]), tuple(s["axis"]), strength_u)
        for i, s in enumerate(truth["seeds"])
    }
    true = {
        d.structure: d.figures
        for d in LiveDose(source, there, moved, how="true seeds").update(placed, 0).dvh
    }
    dose = case.snapshot.dose
    said = {d.structure: d.figures for d in dose.dvh} if dose else {}
    chosen = ("D90_gy", "V100_percent", "Dmax_gy", "D0.1cc_gy")
    return {
        name: {
            key: {
                "true": round(figures[key], 2),
                "reported": round(said[name][key], 2) if name in said else None,
            }
            for key in chosen
        }
        for name, figures in true.items()
    }
