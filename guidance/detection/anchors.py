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
    FLANK_MM,
    LONGEST_GAP_MM,
    MOST_FAILED,
    around_line,
    parts_of,
    ridges,
    sampled_line,
)
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# So much of the coarse cells around a voxel, those within so many of it, is air outside.
AROUND_CELLS, AIR_SHARE = 2, 0.6
# Thick slices thin out what a hollow needle shows of itself to this, HU; in air it is enough.
# In them needles that share a slice are told apart better from the air inwards.
THICK_MM, DIM_HU = 1.5, 140.0
# What a dim needle's ridge stands out by in air at least; below lies the floor of contrast.
IN_AIR_HU = 80.0
# A needle falls to this share of its brightness, above what lies twice as far, within that
# distance to either side.
NARROW, NARROW_MM = 0.5, 2.3
# A hub is 18 mm long, and its walls are seen this far from the needle's line.
HUB_MM = 5.0
SHORTEST_MM, COVERED = 15.0, 0.5
# Ridges lie this near to a needle's axis, aside and in slices; what it takes with it. So narrow a
# line is met by few pairs of voxels.
AXIS_MM, ASIDE_MM, NEAR_SLICES = 0.9, 1.4, 0.5
TRIALS = 1000
# Needles dim towards the skin, where rays along them lose more: this percentile is their contrast.
DIM_PART = 20.0
# A straight line is drawn through what lies within this of it, in the plane and in slices.
OFF_MM, OFF_SLICES, ROUNDS = 0.4, 0.5, 5


@dataclass(frozen=True, eq=False)
class Anchor:
    """A straight line of metal in the air outside.

    Attributes:
        line: scan frame, mm.
        bright: contrast that most of it has, HU.
    """

    line: Curve
    bright: float


def anchors_in(
    volume: Volume,
    stands_out: Contrast,
    frame: ScanFrame,
    body: Body,
    known: list[FloatArray],
) -> list[Anchor]:
    """Return the straight lines of metal in the air outside.

    Args:
        volume: the scan.
        stands_out: its contrast.
        frame: of the scan.
        body: what is outside.
        known: (n, 3) what lies outside of needles known already, mm; they are left out.
    """
    hu = stands_out.hu
    thick = frame.slice_mm >= THICK_MM
    bright = np.flatnonzero(hu.ravel() > IN_AIR_HU) if thick else stands_out.bright
    index = np.column_stack(np.unravel_index(bright, hu.shape)).astype(np.int64)
    index = index[_in_air(body.outside, index, np.array(body.cell))]
    aside = np.array([round(NARROW_MM / p) for p in frame.pixel_mm])
    index, value, height = ridges(hu, index[_narrow(volume.hu, index, aside)])
    points = frame.of_index(np.column_stack((index[:, 2], index[:, 1], height)))
    # Height is shortened, so that near means near in the plane.
    scale = np.array((1.0, 1.0, min(1.0, AXIS_MM / (NEAR_SLICES * frame.slice_mm))))
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


@njit(cache=True, nogil=True)
def _at(hu, j, i):  # type: ignore[no-untyped-def]
    """Return a value of a slice, beyond its edge that of the edge."""
    return np.float64(hu[min(max(j, 0), hu.shape[0] - 1), min(max(i, 0), hu.shape[1] - 1)])


@njit(cache=True, nogil=True)
def _narrow(hu, index, aside):  # type: ignore[no-untyped-def]
    """Return which voxels are ridges that fall off to both sides as a needle's do."""
    found = np.zeros(len(index), np.bool_)
    for v in range(len(index)):
        k, j, i = index[v]
        own = hu[k, j, i]
        for b, a in ((0, 1), (1, 0), (1, 1), (1, -1)):
            share = 0.71 if a and b else 1.0
            dj, di = round(share * b * aside[1]), round(share * a * aside[0])
            narrow = True
            for way in (-1, 1):
                beside = _at(hu[k], j + way * b, i + way * a)
                near = _at(hu[k], j + way * dj, i + way * di)
                far = _at(hu[k], j + 2 * way * dj, i + 2 * way * di)
                narrow &= beside <= own and near - far < NARROW * (own - far)
            found[v] |= narrow
    return found


def _straight(
    points: FloatArray, near: FloatArray, value: FloatArray, part: IntArray, slice_mm: float
) -> list[Anchor]:
    """Take straight line after straight line from one connected piece."""
    rng = np.random.default_rng(0)
    found: list[Anchor] = []
    failed = 0
    while failed < MOST_FAILED and len(part) > SHORTEST_MM:
        pair = sampled_line(near[part], rng, AXIS_MM, TRIALS)
        if pair is None:
            break
        members = part[around_line(near[part], *pair, AXIS_MM)]
        part = np.delete(part, around_line(near[part], *pair, ASIDE_MM))
        t = _drawn(points[members], value[members], slice_mm).split(points[members])[0]
        low, high = longest_stretch(np.sort(t), LONGEST_GAP_MM)
        kept = members[(t >= low) & (t <= high)]
        covered = len(np.unique(np.floor(t[(t >= low) & (t <= high)])))
        if high - low < SHORTEST_MM or covered < COVERED * (high - low):
            failed += 1
            continue
        line = _drawn(points[kept], value[kept], slice_mm)
        found.append(Anchor(line, float(np.percentile(value[kept], DIM_PART))))
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
