"""Needles where they are seen best: their straight shafts in the air outside the patient.

Nothing else there is so thin, straight and bright, and nothing dims it; so even a hollow needle
is seen, and each needle by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from guidance.detection.body import Body
from guidance.detection.candidates import Contrast
from guidance.detection.curves import MIDDLE_SIGMA_MM, Curve, fitted, longest_stretch, side_of
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
# Thick slices thin out what a hollow needle shows of itself to this, HU; in air it is enough.
# In them needles that share a slice are told apart better from the air inwards.
THICK_MM, DIM_HU = 1.5, 140.0
# A hub is 18 mm long, and its walls are seen this far from the needle's line.
HUB_MM = 5.0
SHORTEST_MM, COVERED = 15.0, 0.5
# A straight line is drawn through what lies within this of it, in the plane and in slices.
OFF_MM, OFF_SLICES, ROUNDS = 0.4, 0.5, 5


@dataclass(frozen=True, eq=False)
class Anchor:
    """A straight line of metal in the air outside.

    Attributes:
        line: scan frame, mm.
        bright: its median contrast, HU.
    """

    line: Curve
    bright: float


def anchors_in(
    stands_out: Contrast, frame: ScanFrame, body: Body, known: list[FloatArray]
) -> list[Anchor]:
    """Return the straight lines of metal in the air outside.

    Args:
        stands_out: contrast.
        frame: of the scan.
        body: what is outside.
        known: (n, 3) what lies outside of needles known already, mm; they are left out.
    """
    hu = stands_out.hu
    thick = frame.slice_mm >= THICK_MM
    bright = np.flatnonzero(hu.ravel() > DIM_HU) if thick else stands_out.bright
    index = np.column_stack(np.unravel_index(bright, hu.shape)).astype(np.int64)
    index, value, height = ridges(hu, index[_in_air(body.outside, index, np.array(body.cell))])
    points = frame.of_index(np.column_stack((index[:, 2], index[:, 1], height)))
    # Height is shortened, so that near means near in the plane.
    scale = np.array((1.0, 1.0, min(1.0, BESIDE_MM / (NEAR_SLICE * frame.slice_mm))))
    near = points * scale
    free = np.ones(len(near), bool)
    for path in known:
        if len(path) > 1:
            free[_of_needle(near, path[0] * scale, path[-1] * scale)] = False
    found: list[Anchor] = []
    for part in parts_of(index, np.flatnonzero(free)):
        if np.linalg.norm(np.ptp(points[part], axis=0)) >= SHORTEST_MM:
            found += _straight(points, near, value, part, frame.slice_mm)
    return found


def _of_needle(near: FloatArray, outer: FloatArray, entry: FloatArray) -> IntArray:
    """Return which points lie on the line of a needle, or on its hub beyond its outer end."""
    along = (entry - outer) / np.linalg.norm(entry - outer)
    hub = around_line(near, outer, along, HUB_MM)
    hub = hub[(near[hub] - outer) @ along < 0.0]
    return np.concatenate((around_line(near, outer, along, FLANK_MM), hub))


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
) -> list[Anchor]:
    """Take straight line after straight line from one connected piece."""
    rng = np.random.default_rng(0)
    found: list[Anchor] = []
    failed = 0
    while failed < MOST_FAILED and len(part) > SHORTEST_MM:
        pair = sampled_line(near[part], rng)
        if pair is None:
            break
        members = part[around_line(near[part], *pair, BESIDE_MM)]
        part = np.delete(part, around_line(near[part], *pair, FLANK_MM))
        t = _drawn(points[members], value[members], slice_mm).split(points[members])[0]
        low, high = longest_stretch(np.sort(t), LONGEST_GAP_MM)
        kept = members[(t >= low) & (t <= high)]
        covered = len(np.unique(np.floor(t[(t >= low) & (t <= high)])))
        if high - low < SHORTEST_MM or covered < COVERED * (high - low):
            failed += 1
            continue
        line = _drawn(points[kept], value[kept], slice_mm)
        found.append(Anchor(line, float(np.median(value[kept]))))
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
