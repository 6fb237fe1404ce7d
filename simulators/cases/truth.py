"""What really lies in a scanned case, in the scan's frame (LPS mm), as plain values for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.cases.case import Case, Lookalike
from simulators.metal import NeedleShape
from simulators.metal.seed import LENGTH_MM
from simulators.scanner import Protocol

FloatArray = NDArray[np.float64]

CURVE_POINTS = 21


def truth_of(case: Case, protocol: Protocol) -> dict[str, Any]:
    """Return the truth.

    ``seeds``: position_mm, axis, sort, partner (index of the other of a touching pair, or null),
    whole (inside the scan from end to end). ``needles``: tip_mm (on the axis, level with the
    foremost metal), entry_mm (skin), curve_mm (tip to skin), radius_mm (null if straight),
    bevel_deg, stylet, tip_inside (the scan holds the tip). ``others``: sort, position_mm.
    """
    to_index = np.linalg.inv(protocol.affine)

    def inside(points: FloatArray) -> bool:
        heights = (points @ to_index[:3, :3].T + to_index[:3, 3])[:, 2]
        return bool(np.all((heights > -0.5) & (heights < protocol.slices - 0.5)))

    return {
        "case": case.name,
        "about": case.recipe.about,
        "seed": case.seed,
        "slice_mm": protocol.slice_mm,
        "pixel_mm": protocol.pixel_mm,
        "patient_position": "HFP" if protocol.prone else "HFS",
        "patient_to_scan": case.patient_to_scan.tolist(),
        "source_model": case.recipe.model,
        "seeds": [_seed(case, i, inside) for i in range(len(case.seeds))],
        "needles": [_needle(case, needle, inside) for needle in case.needles],
        "others": [_other(case, other) for other in case.others],
    }


def _seed(case: Case, i: int, inside: Any) -> dict[str, Any]:
    seed = case.seeds[i]
    centre, axis = case.to_scan(seed.centre), case.turned(seed.axis)
    half = LENGTH_MM / 2.0 * axis
    return {
        "position_mm": centre.tolist(),
        "axis": axis.tolist(),
        "sort": seed.sort,
        "partner": seed.partner if seed.partner >= 0 else None,
        "whole": inside(np.array((centre - half, centre + half))),
    }


def _needle(case: Case, needle: NeedleShape, inside: Any) -> dict[str, Any]:
    curve = np.array([case.to_scan(p) for p in needle.curve(CURVE_POINTS)])
    bend = float(np.linalg.norm(needle.bend))
    return {
        "tip_mm": curve[0].tolist(),
        "entry_mm": curve[-1].tolist(),
        "curve_mm": curve.tolist(),
        "radius_mm": 1.0 / bend if bend else None,
        "bevel_deg": needle.bevel_deg,
        "stylet": needle.stylet,
        "tip_inside": inside(curve[:1]),
    }


def _other(case: Case, other: Lookalike) -> dict[str, Any]:
    return {"sort": other.sort, "position_mm": case.to_scan(other.position).tolist()}
