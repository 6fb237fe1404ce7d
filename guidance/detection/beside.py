"""What lies beside needles: which voxels near one are its own image, and which outshine it.

A needle looks alike on both sides and along its length; a seed beside it does not. How bright
the scan's needles are at each distance from their middle, in the plane and in height, is read
from the scan itself. What is far brighter than that is no needle's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from guidance.detection.candidates import Contrast, faintest
from guidance.detection.curves import side_of
from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Hidden = Callable[[IntArray], NDArray[np.bool_]]

# A needle's image reaches so far from its middle.
REACH_MM = 2.4
STEP_MM, SAMPLE_MM = 0.5, 1.0
# Distances are told apart by so much, in the plane and, in slices, along the normal.
ASIDE_MM, HEIGHT = 0.25, 0.25
# Of nine in ten places along the needles no brighter, a voxel that much brighter is none's.
USUAL, BRIGHTER = 0.9, 1.3


def hidden_by(paths: Sequence[FloatArray], stands_out: Contrast, frame: ScanFrame) -> Hidden:
    """Return what tells which voxels (n, 3), as (slice, row, column), needles hide.

    Args:
        paths: each needle's (m, 3) points from its tip outwards, scan frame, mm.
        stands_out: contrast.
        frame: of the scan.
    """
    if not paths:
        return lambda index: np.zeros(len(index), bool)
    points = [every(path, STEP_MM) for path in paths]
    tips = np.cumsum([0] + [len(p) for p in points[:-1]])
    middle = np.concatenate(points)
    # A slice shows what lies anywhere in it.
    reach = np.array((REACH_MM, REACH_MM, REACH_MM + 0.5 * frame.slice_mm))
    tree = cKDTree(middle / reach)
    usual = _usual(paths, stands_out, frame)
    least = faintest(frame)

    def hidden(index: IntArray) -> NDArray[np.bool_]:
        at = frame.of_index(index[:, ::-1].astype(np.float64))
        apart, nearest = tree.query(at / reach, distance_upper_bound=1.0)
        near = np.flatnonzero(np.isfinite(apart))
        of = np.asarray(nearest)[near]
        off = at[near] - middle[of]
        own = usual[_bins(np.hypot(off[:, 0], off[:, 1]), off[:, 2], frame)]
        value = stands_out.hu[tuple(index[near].T)]
        is_hidden = np.zeros(len(index), bool)
        # Ahead of a tip nothing tells how far it reaches.
        is_hidden[near] = (value <= BRIGHTER * own + least) | np.isin(of, tips)
        return is_hidden

    return hidden


def every(path: FloatArray, step_mm: float) -> FloatArray:
    """Return points along a path, a step apart."""
    lengths = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))))
    at = np.arange(0.0, lengths[-1], step_mm)
    return np.column_stack([np.interp(at, lengths, path[:, c]) for c in range(3)])


def _bins(
    aside: FloatArray, height: FloatArray, frame: ScanFrame
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where (n,) distances in the plane and in height are kept."""
    return (
        np.rint(aside / ASIDE_MM).astype(np.intp),
        np.rint(np.abs(height) / (HEIGHT * frame.slice_mm)).astype(np.intp),
    )


def _usual(paths: Sequence[FloatArray], stands_out: Contrast, frame: ScanFrame) -> FloatArray:
    """Return (aside, height) how bright needles are; infinite where nothing tells."""
    high = REACH_MM + 0.5 * frame.slice_mm
    aside = np.arange(-REACH_MM, REACH_MM + ASIDE_MM, ASIDE_MM)
    reach = int(np.ceil(high / frame.step[2]))
    size = np.array(stands_out.hu.shape[::-1])
    seen, bins = [], []
    for path in paths:
        middle = every(path, SAMPLE_MM)
        side = side_of(middle[-1] - middle[0])
        places = (middle[:, None] + aside[:, None] * side).reshape(-1, 3)
        for shift in range(-reach, reach + 1):
            at = places.copy()
            at[:, 2] = (np.rint(places[:, 2] / frame.step[2]) + shift) * frame.step[2]
            index = np.rint(frame.to_index(at)).astype(np.int64)
            inside = ((index >= 0) & (index < size)).all(axis=1)
            seen.append(stands_out.hu[tuple(index[inside, ::-1].T)])
            off = np.tile(np.abs(aside), len(middle))
            bins.append(np.column_stack(_bins(off, at[:, 2] - places[:, 2], frame))[inside])
    value, place = np.concatenate(seen), np.concatenate(bins)
    far = _bins(np.array((2.0 * REACH_MM,)), np.array((2.0 * high,)), frame)
    usual = np.full((int(far[0][0]), int(far[1][0])), np.inf)
    flat = place[:, 0] * usual.shape[1] + place[:, 1]
    order = np.argsort(flat, kind="stable")
    cuts = np.flatnonzero(np.diff(flat[order])) + 1
    for part in np.split(order, cuts):
        usual.flat[flat[part[0]]] = np.quantile(value[part], USUAL)
    return usual
