"""Needles where they are seen best: their straight shafts in the air outside the patient.

Nothing else there is so thin, straight and bright, and nothing dims it; so even a hollow needle
is seen, and each needle by itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from guidance.detection.body import Body
from guidance.detection.candidates import LEAST_HU, Contrast
from guidance.detection.curves import MIDDLE_SIGMA_MM, Curve, fitted, side_of
from guidance.detection.frame import ScanFrame
from guidance.detection.lines import (
    BESIDE_MM,
    FLANK_MM,
    LONGEST_GAP_MM,
    MOST_FAILED,
    NEAR_SLICE,
    around_line,
    parts_of,
    ridges,
    sampled_line,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# So much of the coarse cells around a voxel, those within so many of it, is air outside.
AROUND_CELLS, AIR_SHARE = 2, 0.6
# A hub is 18 mm long.
SHORTEST_MM, COVERED = 15.0, 0.5
# A straight line is drawn through what lies within this of it, in the plane and in slices.
OFF_MM, OFF_SLICES, ROUNDS = 0.4, 0.5, 5


def anchors_in(
    stands_out: Contrast, frame: ScanFrame, body: Body, known: list[FloatArray]
) -> list[tuple[Curve, float]]:
    """Return the straight lines of metal in the air outside, each with its median contrast, HU.

    Args:
        stands_out: contrast.
        frame: of the scan.
        body: what is outside.
        known: (n, 3) what lies outside of needles known already, mm; they are left out.
    """
    index, value, height = ridges(stands_out, LEAST_HU)
    air = _in_air(body.outside, index, np.array(body.cell))
    index, value, height = index[air], value[air], height[air]
    points = frame.of_index(np.column_stack((index[:, 2], index[:, 1], height)))
    # Height is shortened, so that near means near in the plane.
    scale = np.array((1.0, 1.0, min(1.0, BESIDE_MM / (NEAR_SLICE * frame.slice_mm))))
    near = points * scale
    free = np.ones(len(near), bool)
    for path in known:
        if len(path) > 1:
            ends = path[[0, -1]] * scale
            along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
            free[around_line(near, ends[0], along, FLANK_MM)] = False
    found = []
    for part in parts_of(index, np.flatnonzero(free)):
        if np.linalg.norm(np.ptp(points[part], axis=0)) >= SHORTEST_MM:
            found += _straight(points, near, value, part, frame.slice_mm)
    return found


@njit(cache=True, nogil=True)
def _in_air(outside, index, cell):  # type: ignore[no-untyped-def]
    """Return which voxels have mostly air around them."""
    ny, nx = outside.shape[1:]
    found = np.zeros(len(index), np.bool_)
    reach = AROUND_CELLS
    wanted = AIR_SHARE * (2 * reach + 1) ** 2
    for v in range(len(index)):
        k = index[v, 0]
        j, i = round(index[v, 1] / cell[1]), round(index[v, 2] / cell[0])
        count = 0
        for b in range(j - reach, j + reach + 1):
            for a in range(i - reach, i + reach + 1):
                count += outside[k, min(max(b, 0), ny - 1), min(max(a, 0), nx - 1)]
        found[v] = count >= wanted
    return found


def _straight(
    points: FloatArray, near: FloatArray, value: FloatArray, part: IntArray, slice_mm: float
) -> list[tuple[Curve, float]]:
    """Take straight line after straight line from one connected piece."""
    rng = np.random.default_rng(0)
    found: list[tuple[Curve, float]] = []
    failed = 0
    while failed < MOST_FAILED and len(part) > SHORTEST_MM:
        line = sampled_line(near[part], rng)
        if line is None:
            break
        members = part[around_line(near[part], *line, BESIDE_MM)]
        part = np.delete(part, around_line(near[part], *line, FLANK_MM))
        t = _drawn(points[members], value[members], slice_mm).split(points[members])[0]
        low, high = _longest(np.sort(t))
        kept = members[(t >= low) & (t <= high)]
        covered = len(np.unique(np.floor(t[(t >= low) & (t <= high)])))
        if high - low < SHORTEST_MM or covered < COVERED * (high - low):
            failed += 1
            continue
        found.append((_drawn(points[kept], value[kept], slice_mm), float(np.median(value[kept]))))
    return found


def _drawn(points: FloatArray, value: FloatArray, slice_mm: float) -> Curve:
    """Return the straight line through most of the voxels."""
    height = MIDDLE_SIGMA_MM + 0.25 * slice_mm
    line = fitted(points, value, 1, height)
    for _ in range(ROUNDS):
        off = line.split(points)[1]
        far = ((off @ side_of(line.along)) / OFF_MM) ** 4
        far += (off[:, 2] / (OFF_SLICES * (slice_mm + 1.0))) ** 4
        line = fitted(points, value / (1.0 + far), 1, height)
    return line


def _longest(t: FloatArray) -> tuple[float, float]:
    """Return the longest stretch without long gaps."""
    cuts = np.flatnonzero(np.diff(t) > LONGEST_GAP_MM)
    starts, stops = t[np.append(0, cuts + 1)], t[np.append(cuts, len(t) - 1)]
    best = int(np.argmax(stops - starts))
    return float(starts[best]), float(stops[best])
