"""What lies beside needles: which voxels near one are its own image, and which outshine it.

A needle looks alike on both sides and along its length; a seed beside it does not. How bright
the scan's needles are at each distance from their middle, in the plane and in height, is read
from the scan itself. What is far brighter than that is no needle's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from guidance.detection.candidates import Contrast, faintest
from guidance.detection.curves import side_of
from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A needle's image reaches so far from its middle.
REACH_MM = 2.4
STEP_MM, SAMPLE_MM = 0.5, 1.0
# Distances are told apart by so much, in the plane and, in slices, along the normal.
ASIDE_MM, HEIGHT = 0.25, 0.25
# Of nine in ten places along the needles no brighter, a voxel that much brighter is none's.
USUAL, BRIGHTER = 0.9, 1.3
# A rod that lies so near a needle's middle, in the plane and within half a slice in height, is
# the needle's; of one further off, so much must be explained.
INSIDE_MM, SURE_BESIDE = 1.2, 0.965


@dataclass(frozen=True, eq=False)
class Beside:
    """What is known of the places beside needles.

    Attributes:
        frame: of the scan.
        stands_out: contrast.
        middle: (n, 3) points of all needles, scan frame, mm.
        tips: which of them are tips.
        reach: (3,) how far a needle's image reaches along columns, rows and normal, mm.
        tree: finds the nearest of the points, in units of the reach.
        usual: (aside, height) how bright needles are at a distance from their middle, HU.
    """

    frame: ScanFrame
    stands_out: Contrast
    middle: FloatArray
    tips: IntArray
    reach: FloatArray
    tree: cKDTree
    usual: FloatArray

    @classmethod
    def of(cls, paths: Sequence[FloatArray], stands_out: Contrast, frame: ScanFrame) -> Beside:
        """Look beside needles.

        Args:
            paths: each needle's (m, 3) points from its tip outwards, scan frame, mm.
            stands_out: contrast.
            frame: of the scan.
        """
        points = [every(path, STEP_MM) for path in paths]
        middle = np.concatenate([np.zeros((0, 3)), *points])
        tips = np.cumsum([0] + [len(p) for p in points])[:-1]
        # A slice shows what lies anywhere in it.
        reach = np.array((REACH_MM, REACH_MM, REACH_MM + 0.5 * frame.slice_mm))
        usual = _usual(paths, stands_out, frame) if paths else np.zeros((0, 0))
        return cls(frame, stands_out, middle, tips, reach, cKDTree(middle / reach), usual)

    def hidden(self, index: IntArray) -> NDArray[np.bool_]:
        """Return which voxels (n, 3), as (slice, row, column), show a needle or may do so."""
        off, of, near = self._near(self.frame.of_index(index[:, ::-1].astype(np.float64)))
        own = self.usual[_bins(np.hypot(off[:, 0], off[:, 1]), off[:, 2], self.frame)]
        value = self.stands_out.hu[tuple(index[near].T)]
        is_hidden = np.zeros(len(index), bool)
        # Ahead of a tip nothing tells how far it reaches.
        is_hidden[near] = (value <= BRIGHTER * own + faintest(self.frame)) | np.isin(of, self.tips)
        return is_hidden

    def doubtful(self, centres: FloatArray, within: FloatArray) -> NDArray[np.bool_]:
        """Return which (n,) rods are rather what a needle's model leaves of its image.

        Args:
            centres: (n, 3) scan frame, mm.
            within: (n,) share of what is bright that their group's rods explain.
        """
        off, _, near = self._near(centres)
        inside = np.hypot(off[:, 0], off[:, 1]) < INSIDE_MM
        inside &= np.abs(off[:, 2]) < 0.5 * self.frame.slice_mm
        is_doubtful = np.zeros(len(centres), bool)
        is_doubtful[near] = inside | (within[near] < SURE_BESIDE)
        return is_doubtful

    def _near(self, points: FloatArray) -> tuple[FloatArray, IntArray, IntArray]:
        """Return the way to points that needles reach, from which of the middle, and which."""
        apart, nearest = self.tree.query(points / self.reach, distance_upper_bound=1.0)
        near = np.flatnonzero(np.isfinite(apart))
        of = np.asarray(nearest)[near]
        return points[near] - self.middle[of], of, near


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
    most = _bins(np.array((2.0 * REACH_MM,)), np.array((2.0 * high,)), frame)
    usual = np.full((int(most[0][0]), int(most[1][0])), np.inf)
    flat = place[:, 0] * usual.shape[1] + place[:, 1]
    order = np.argsort(flat, kind="stable")
    cuts = np.flatnonzero(np.diff(flat[order])) + 1
    for part in np.split(order, cuts):
        usual.flat[flat[part[0]]] = np.quantile(value[part], USUAL)
    return usual
