"""What really happened, for the comparison afterwards. The assistant never reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulators.operator.case import Case
from simulators.operator.hands import LyingSeed
from simulators.planner import Needle


def write_truth(
    path: Path,
    case: Case,
    needles: tuple[Needle, ...],
    seeds: tuple[LyingSeed, ...],
    misfires: int,
) -> None:
    """Write needles and seeds as they lie (room frame, LPS mm), frames and counts as JSON."""
    directive = case.directive
    values: dict[str, Any] = {
        "seed": case.identity.seed,
        "patient_id": case.identity.patient_id,
        "planning_to_room": case.planning_to_room.tolist(),
        "source_model": directive.source_model,
        "strength_u": directive.strength_u,
        "strength_at": directive.strength_at.isoformat(),
        "implant_at": case.identity.implant_at.isoformat(),
        "needles": [
            {"number": n.number, "tip_mm": n.tip.tolist(), "entry_mm": n.entry.tolist()}
            for n in needles
        ],
        "seeds": [
            {"needle": s.needle, "position_mm": s.centre.tolist(), "axis": s.axis.tolist()}
            for s in seeds
        ],
        "misfires": misfires,
        "cartridges": [{"serial": c.serial, "seeds": c.seeds} for c in case.cartridges],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
