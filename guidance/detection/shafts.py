"""Where the shaft of a needle runs, to a fraction of a slice.

A first line through its voxels is corrected twice: aside within the slices, towards the middle
of its image; and in height, by how its brightness is shared between neighbouring slices: wholly
in one as long as it runs within it, half and half where it passes from one to the next.
Both corrections are polynomials of low order along the needle, held small where the image is
silent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.curves import SCALE_MM, side_of
from guidance.detection.frame import ScanFrame
from guidance.detection.heights import THICK_MM, Shares, heights

FloatArray = NDArray[np.float64]

EVERY_MM = 1.0
# What is left of a needle in its bevel lies to one side. In thick slices that is lost in the rest,
# and where a needle is last seen may not be its tip yet.
BEVEL_MM = 2.5
ASIDE_MM, ASIDE_STEP_MM = 2.0, 0.5
# The middle of an image is that of its brighter part.
CORE = 0.4
# How far one middle is off, and over how many neighbours together.
ASIDE_SIGMA_MM, TOGETHER = 0.2, 5.0
# Needles bend by a radius of some 400 mm; as much in height as is seen in the plane.
FLATTEST_BEND, BEND_RATIO = 1.0 / 1500.0, 1.5
LOOSE_MM = np.array((np.inf, np.inf, 5.0, 0.5))


def settled(
    values: NDArray[np.int16], frame: ScanFrame, t: FloatArray, points: FloatArray,
    seen: tuple[int, int, int],
) -> FloatArray:  # fmt: skip
    """Return (n, 3) the points of a needle, moved onto its image.

    Args:
        values: HU (nz, ny, nx).
        frame: of the scan.
        t: (n,) mm along the needle, rising towards the tip.
        points: (n, 3) a first guess, scan frame, mm.
        seen: index where its metal begins, where it passes the skin, and where it ends; beyond
            that the needle is carried on.
    """
    rows, at = _rows(t, seen), _places(t, seen)
    if frame.slice_mm < THICK_MM:
        at = at[t[at] < max(t[seen[2]] - BEVEL_MM, t[seen[1]] + BEVEL_MM)]
    base, side = _chord(t, points, seen)
    moved = points
    for _ in range(2):
        off, weight = _middles(values, frame, moved[at], side)
        aside = _held(rows[at], (moved[at] - base[at]) @ side + off, weight, LOOSE_MM)
        moved = base + (rows @ aside)[:, None] * side
        moved[:, 2] = points[:, 2]
    return levelled(values, frame, t, moved, seen, np.empty((0, 3)))


def levelled(
    values: NDArray[np.int16], frame: ScanFrame, t: FloatArray, points: FloatArray,
    seen: tuple[int, int, int], others: FloatArray,
) -> FloatArray:  # fmt: skip
    """Return (n, 3) the points of a needle, moved to its height.

    Args:
        values: HU (nz, ny, nx).
        frame: of the scan.
        t: (n,) mm along the needle, rising towards the tip.
        points: (n, 3) in the middle of its image, scan frame, mm.
        seen: as of settled.
        others: (m, 3) points of other needles.
    """
    rows, at = _rows(t, seen), _places(t, seen)
    base, side = _chord(t, points, seen)
    aside = np.linalg.lstsq(rows[at], (points[at] - base[at]) @ side, rcond=None)[0]
    # The first guess' own bend in height is no better known than none.
    own = np.linalg.lstsq(rows[at], points[at, 2], rcond=None)[0]
    flat = np.linalg.lstsq(rows[at, :2], points[at, 2], rcond=None)[0]
    loose = LOOSE_MM.copy()
    loose[:2] = 10.0
    loose[2] = np.hypot(SCALE_MM**2 / 2.0 * FLATTEST_BEND, BEND_RATIO * aside[2])
    moved = points.copy()
    shares = Shares.of(values, frame, points[at], others)
    at, shares = at[shares.tells], shares.told()
    if len(at) > 1:
        moved[:, 2] = rows @ heights(shares, rows[at], own, np.append(flat, (0.0, 0.0)), loose)
    return moved


def _places(t: FloatArray, seen: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the indices of places along a needle's metal, evenly apart."""
    return np.arange(seen[0], seen[2] + 1, max(1, round(EVERY_MM / (t[1] - t[0]))))


def _chord(
    t: FloatArray, points: FloatArray, seen: tuple[int, int, int]
) -> tuple[FloatArray, FloatArray]:
    """Return (n, 3) the straight line between a needle's ends, and (3,) what is aside of it."""
    first, _, last = seen
    chord = points[last] - points[first]
    return points[first] + ((t - t[first]) / (t[last] - t[first]))[:, None] * chord, side_of(chord)


def _rows(t: FloatArray, seen: tuple[int, int, int]) -> FloatArray:
    """Return (n, 4) what a needle's course is made of.

    Outside the patient it is straight; in tissue it bends, evenly or nearly so. Ahead of where
    it is seen it goes straight on.
    """
    first, entry, last = seen
    s, h = (t - t[first]) / SCALE_MM, np.maximum(t - t[entry], 0.0) / SCALE_MM
    end = h[last]
    held, ahead = np.minimum(h, end), np.maximum(h - end, 0.0)
    square, cube = held**2 + 2.0 * end * ahead, held**3 + 3.0 * end**2 * ahead
    return np.column_stack((np.ones_like(s), s, square, cube))


def _middles(
    values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, side: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return how far aside the image's middle lies at points, and which are to be trusted."""
    aside = np.arange(-ASIDE_MM, ASIDE_MM + 0.1, ASIDE_STEP_MM)
    lines = points[None] + aside[:, None, None] * side
    across = brightest(values, frame, lines.reshape(-1, 3)).reshape(len(aside), -1)
    peak = across.max(axis=0)
    part = np.clip(across - CORE * peak, 0.0, None)
    total = part.sum(axis=0)
    good = (total > 0) & (peak > 0.3 * np.median(peak))
    off = (aside @ part) / np.where(good, total, 1.0)
    return off, good.astype(np.float64)


def _held(
    rows: FloatArray, values: FloatArray, weight: FloatArray, loose: FloatArray
) -> FloatArray:
    """Return the coefficients of a polynomial, outliers heard less (Huber 1964)."""
    for _ in range(4):
        root = weight / (ASIDE_SIGMA_MM**2 * TOGETHER)
        normal = (rows * root[:, None]).T @ rows + np.diag(loose**-2.0)
        found = np.linalg.solve(normal, (rows * root[:, None]).T @ values)
        left = np.abs(values - rows @ found)
        weight = np.where(weight > 0, np.minimum(1.0, ASIDE_SIGMA_MM / np.maximum(left, 1e-6)), 0)
    return np.asarray(found)


def brightest(
    values: NDArray[np.int16], frame: ScanFrame, points: FloatArray,
    nearest: NDArray[np.bool_] | None = None,
) -> FloatArray:  # fmt: skip
    """Return values at points, in the brighter of the two slices a point lies between.

    Where told to, in the nearest.
    """
    index = frame.to_index(points)[:, ::-1].T
    slices = np.array((np.floor(index[0]), np.ceil(index[0])))
    if nearest is not None:
        slices = np.where(nearest, np.rint(index[0]), slices)
    slices = np.clip(slices, 0, len(values) - 1)
    both = [
        ndimage.map_coordinates(
            values, np.vstack((k, index[1:])), np.float64, order=1, mode="nearest"
        )
        for k in slices
    ]
    return np.asarray(np.maximum(*both))


def sampled(values: NDArray[np.int16], frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return values at (n, 3) points, air outside."""
    index = frame.to_index(points)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(values, index, np.float64, order=1, cval=-1024.0))
