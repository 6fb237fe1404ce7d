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
from guidance.detection.heights import Shares, heights

FloatArray = NDArray[np.float64]

EVERY_MM = 1.0
ASIDE_MM, ASIDE_STEP_MM = 2.0, 0.5
# The middle of an image is that of its brighter part.
CORE = 0.4
# How far one middle is off, and over how many neighbours together.
ASIDE_SIGMA_MM, TOGETHER = 0.2, 5.0
# Needles bend by a radius of some 400 mm; as much in height as is seen in the plane.
FLATTEST_BEND, BEND_RATIO = 1.0 / 1500.0, 1.5
BEND_MM, TWIST_MM = 5.0, 0.5


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
    first, entry, last = seen
    at = np.arange(first, last + 1, max(1, round(EVERY_MM / (t[1] - t[0]))))
    rows = _rows(t, first, entry)
    chord = points[last] - points[first]
    side = side_of(chord)
    base = points[first] + ((t - t[first]) / (t[last] - t[first]))[:, None] * chord
    moved = points
    loose = np.array((np.inf, np.inf, BEND_MM, TWIST_MM))
    for _ in range(2):
        off, weight = _middles(values, frame, moved[at], side)
        aside = _held(rows[at], (moved[at] - base[at]) @ side + off, weight, loose)
        moved = base + (rows @ aside)[:, None] * side
        moved[:, 2] = points[:, 2]
    # The first guess' own bend in height is no better known than none.
    own = np.linalg.lstsq(rows[at], points[at, 2], rcond=None)[0]
    flat = np.linalg.lstsq(rows[at, :2], points[at, 2], rcond=None)[0]
    loose[:2] = 10.0
    loose[2] = np.hypot(SCALE_MM**2 / 2.0 * FLATTEST_BEND, BEND_RATIO * aside[2])
    # What is no brighter than water in any slice, dim metal in air, says nothing of height.
    at = at[Shares.of(values, frame, moved[at]).share.any(axis=1)]
    if len(at) > 1:
        shares = Shares.of(values, frame, moved[at])
        moved[:, 2] = rows @ heights(shares, rows[at], own, np.append(flat, (0.0, 0.0)), loose)
    return moved


def _rows(t: FloatArray, first: int, entry: int) -> FloatArray:
    """Return (n, 4) what a needle's course is made of.

    Outside the patient it is straight; in tissue it bends, evenly or nearly so.
    """
    s, h = (t - t[first]) / SCALE_MM, np.maximum(t - t[entry], 0.0) / SCALE_MM
    return np.column_stack((np.ones_like(s), s, h**2, h**3))


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


def brightest(values: NDArray[np.int16], frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return values at points, in the brighter of the two slices a point lies between."""
    index = frame.to_index(points)[:, ::-1].T
    slices = np.clip((np.floor(index[0]), np.ceil(index[0])), 0, len(values) - 1)
    both = [
        ndimage.map_coordinates(
            values, np.vstack((k, index[1:])), np.float64, order=1, mode="nearest"
        )
        for k in slices
    ]
    return np.asarray(np.maximum(*both))
