"""Where the target is cold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from dose.structures import Samples
from guidance.advice.ground import Reach
from guidance.advice.proposal import ColdRegion

FloatArray = NDArray[np.float64]
Point = tuple[float, float, float]

# Less than this is the rim that every implant leaves.
LEAST_CC = 0.05
AT_MOST = 6


def cold_regions(
    samples: Samples, dose_gy: FloatArray, prescription_gy: float, needles: Sequence[Reach] = ()
) -> tuple[ColdRegion, ...]:
    """Return the connected parts of a target below the prescription, largest lack first.

    Args:
        samples: of the target.
        dose_gy: (n,) at its points.
        prescription_gy: the dose it shall have.
        needles: in place; the nearest to each region is named.
    """
    cold = (dose_gy < prescription_gy) & (samples.weight_cc > 0)
    if not cold.any():
        return ()
    points, dose, weight = samples.points_mm[cold], dose_gy[cold], samples.weight_cc[cold]
    inside = samples.weight_cc[samples.weight_cc > 0]
    # Neighbours on the lattice and across its shifted layers: a little over its spacing.
    reach = 1.8 * float(np.cbrt(1000.0 * inside.mean()))
    tree = cKDTree(points)
    near = tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix")
    _, label = connected_components(near, directed=False)
    found = []
    for part in np.unique(label):
        mine = label == part
        volume = float(weight[mine].sum())
        if volume < LEAST_CC:
            continue
        lacking = (prescription_gy - dose[mine]) * weight[mine]
        centre = (points[mine] * lacking[:, None]).sum(axis=0) / max(lacking.sum(), 1e-12)
        lowest = int(np.argmin(dose[mine]))
        number, away = _nearest(centre, needles)
        region = ColdRegion(
            volume,
            _point(centre),
            float(dose[mine].min()),
            float((dose[mine] * weight[mine]).sum() / volume),
            _point(points[mine][lowest]),
            number,
            away,
        )
        found.append((float(lacking.sum()), region))
    found.sort(key=lambda pair: -pair[0])
    return tuple(region for _, region in found[:AT_MOST])


def _nearest(centre: FloatArray, needles: Sequence[Reach]) -> tuple[int | None, float | None]:
    best: tuple[float, int] | None = None
    for needle in needles:
        tip, entry = np.asarray(needle.tip_mm), np.asarray(needle.entry_mm)
        along = tip - entry
        part = np.clip((centre - entry) @ along / (along @ along), 0.0, 1.0)
        away = float(np.linalg.norm(centre - (entry + part * along)))
        if best is None or away < best[0]:
            best = (away, needle.number)
    return (None, None) if best is None else (best[1], best[0])


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
