"""What the assistant said beside what was true, for a simulated case.

A separate step, after the assistant has ended: the truth never reaches it while it works.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

FloatArray = NDArray[np.float64]

# Further apart than this, two seeds are not the same one (the matching gate of the literature
# on seed detection, 3 mm).
SAME_SEED_MM = 3.0


def compare_seeds(said: Sequence[dict[str, Any]], true: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Compare seeds said to be seen with the true ones.

    Args:
        said: ``{"position_mm", "axis"}`` of each seed seen; axis may be None.
        true: the same of each true seed.
    """
    pairs = _pairs([s["position_mm"] for s in said], [t["position_mm"] for t in true])
    centre = [
        float(np.linalg.norm(np.subtract(said[i]["position_mm"], true[j]["position_mm"])))
        for i, j in pairs
    ]
    axis = [
        angle_deg(said[i]["axis"], true[j]["axis"], signed=False)
        for i, j in pairs
        if said[i]["axis"] is not None
    ]
    return {
        "true": len(true),
        "said": len(said),
        "matched": len(pairs),
        "missed": len(true) - len(pairs),
        "invented": len(said) - len(pairs),
        "centre_error_mm": _spread(centre),
        "axis_error_deg": _spread(axis),
    }


def compare_needles(
    said: Sequence[dict[str, Any]], true: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Compare needles said to be seen with the true ones, by nearest tip.

    Args:
        said: ``{"tip_mm", "entry_mm"}`` of each needle seen.
        true: the same of each true needle.
    """
    pairs = _pairs([n["tip_mm"] for n in said], [n["tip_mm"] for n in true], gate_mm=10.0)
    tip = [
        float(np.linalg.norm(np.subtract(said[i]["tip_mm"], true[j]["tip_mm"]))) for i, j in pairs
    ]
    angle = [
        angle_deg(
            np.subtract(said[i]["tip_mm"], said[i]["entry_mm"]),
            np.subtract(true[j]["tip_mm"], true[j]["entry_mm"]),
        )
        for i, j in pairs
    ]
    return {
        "true": len(true),
        "said": len(said),
        "matched": len(pairs),
        "missed": len(true) - len(pairs),
        "invented": len(said) - len(pairs),
        "tip_error_mm": _spread(tip),
        "angle_error_deg": _spread(angle),
    }


def registration_error_mm(said: FloatArray, true: FloatArray, points_mm: FloatArray) -> float:
    """Return the mean target registration error at points of the planning frame, mm.

    Args:
        said: 4x4 rigid matrix, planning to room, as found.
        true: the true one.
        points_mm: (n, 3) points of the planning frame.
    """
    ends = [points_mm @ m[:3, :3].T + m[:3, 3] for m in (said, true)]
    return float(np.linalg.norm(ends[0] - ends[1], axis=1).mean())


def angle_deg(a: Any, b: Any, *, signed: bool = True) -> float:
    """Return the angle between two directions in degrees; to 90 where the sign says nothing."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    cosine = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return float(np.degrees(np.arccos(np.clip(cosine if signed else abs(cosine), -1.0, 1.0))))


def _pairs(
    said: Sequence[Any], true: Sequence[Any], gate_mm: float = SAME_SEED_MM
) -> list[tuple[int, int]]:
    if not said or not true:
        return []
    distance = np.linalg.norm(
        np.asarray(said, np.float64)[:, None] - np.asarray(true, np.float64)[None], axis=2
    )
    # A pair beyond the gate costs more than any number of pairs within it.
    rows, columns = linear_sum_assignment(np.where(distance <= gate_mm, distance, 1e6))
    return [
        (int(i), int(j)) for i, j in zip(rows, columns, strict=True) if distance[i, j] <= gate_mm
    ]


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    array = np.asarray(values)
    return {
        "mean": round(float(array.mean()), 3),
        "median": round(float(np.median(array)), 3),
        "max": round(float(array.max()), 3),
    }
