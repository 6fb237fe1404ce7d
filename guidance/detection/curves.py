"""Smooth lines, straight or bent, through voxels; and which of them lead into each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SCALE_MM = 50.0
# From so long on, a line may bend, and bend in two ways.
BENT_MM, TWICE_BENT_MM = 40.0, 80.0
# Needles bend by a radius of some 400 mm, evenly: coefficients of the square and the cube of
# t / SCALE_MM, standard deviation, mm. Against it stands one middle of the metal every few mm.
BEND_MM, TWIST_MM = 3.0, 0.7
MIDDLE_SIGMA_MM, MIDDLE_EVERY_MM = 0.4, 4.0


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth line: polynomials of the distance t along an axis, straight on beyond its ends.

    Attributes:
        origin: (3,) mm.
        along: (3,) unit vector.
        sides: (2, 3) unit vectors at right angles to it.
        shape: (degree + 1, 2) coefficients of t / SCALE_MM, lowest first, mm.
        low: where it begins.
        high: where it ends.
    """

    origin: FloatArray
    along: FloatArray
    sides: FloatArray
    shape: FloatArray
    low: float
    high: float

    def at(self, t: FloatArray) -> FloatArray:
        """Return (n, 3) points."""
        held = np.clip(t, self.low, self.high) / SCALE_MM
        aside = np.zeros((len(t), 2))
        slope = np.zeros((len(t), 2))
        for row in self.shape[::-1]:
            slope = slope * held[:, None] + aside
            aside = aside * held[:, None] + row
        aside += slope * (t / SCALE_MM - held)[:, None]
        return np.asarray(self.origin + t[:, None] * self.along + aside @ self.sides)

    def slope(self, t: float) -> FloatArray:
        """Return the (3,) direction at t, of unit length."""
        step = self.at(np.array((t - 0.5, t + 0.5)))
        along = step[1] - step[0]
        return np.asarray(along / np.linalg.norm(along))

    def split(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) t of points and (n, 3) how far they lie off the curve there, mm."""
        t = (points - self.origin) @ self.along
        return t, points - self.at(t)


def degree_of(length_mm: float) -> int:
    """Return the degree of the polynomials of a line of a length."""
    return 1 + (length_mm > BENT_MM) + (length_mm > TWICE_BENT_MM)


def fitted(
    points: FloatArray, value: FloatArray, degree: int, height_mm: float = MIDDLE_SIGMA_MM
) -> Curve:
    """Return the curve through voxels, each weighing as much as it stands out.

    Args:
        points: (n, 3) mm.
        value: (n,) contrast.
        degree: of the polynomials.
        height_mm: how far off one middle is in height, standard deviation.
    """
    weight = value / value.sum()
    origin = weight @ points
    off = points - origin
    along = np.linalg.eigh((off * weight[:, None]).T @ off)[1][:, 2]
    side = side_of(along)
    sides = np.array((side, np.cross(along, side)))
    t = off @ along
    rows = (t[:, None] / SCALE_MM) ** np.arange(degree + 1)
    middles = weight * np.ptp(t) / MIDDLE_EVERY_MM
    loose = np.array((np.inf, np.inf, BEND_MM, TWIST_MM))[: degree + 1]
    shape = np.empty((degree + 1, 2))
    for c, sigma in enumerate((MIDDLE_SIGMA_MM, height_mm)):
        heard = (rows * (middles / sigma**2)[:, None]).T
        shape[:, c] = np.linalg.solve(heard @ rows + np.diag(loose**-2.0), heard @ (off @ sides[c]))
    return Curve(origin, along, sides, shape, float(t.min()), float(t.max()))


def longest_stretch(t: FloatArray, gap: float) -> tuple[float, float]:
    """Return the first and last of the values in order that no gap parts, of most reach."""
    cuts = np.flatnonzero(np.diff(t) > gap)
    starts, stops = t[np.append(0, cuts + 1)], t[np.append(cuts, len(t) - 1)]
    best = int(np.argmax(stops - starts))
    return float(starts[best]), float(stops[best])


def side_of(along: FloatArray) -> FloatArray:
    """Return the direction in the plane at right angles to a line."""
    side = np.array((along[1], -along[0], 0.0))
    length = float(np.linalg.norm(side))
    return side / length if length > 0 else np.array((1.0, 0.0, 0.0))


# Two lines are one needle if they lead into each other: over a gap no longer than this, aside
# in the plane and in height (slices) by no more than that, and in direction.
BRIDGE_MM, OVERLAP_MM = 30.0, 40.0
MEET_MM, MEET_SLICES, MEET_DEG = 1.2, 1.3, 3.0
# Over the gap a needle may bend.
TIGHTEST_MM = 250.0


def mismatch(one: Curve, other: Curve, slice_mm: float) -> float:
    """Return how badly two lines lead into each other, 0 perfect; infinite from 1 on.

    Args:
        one: a line.
        other: another.
        slice_mm: thickness of the slices, which say little of height.
    """
    ends = other.at(np.array((other.low, other.high)))
    t = (ends - one.origin) @ one.along
    if t.min() < one.low and t.max() > one.high:
        return float("inf")
    after = t.max() > one.high
    mine = one.high if after else one.low
    theirs = float(t.min() if after else t.max())
    gap = (theirs - mine) if after else (mine - theirs)
    if not -OVERLAP_MM < gap < BRIDGE_MM:
        return float("inf")
    here = one.at(np.array((0.5 * (mine + theirs),)))
    their_t, off = other.split(here)
    slopes = [c.slope(x) for c, x in ((one, 0.5 * (mine + theirs)), (other, float(their_t[0])))]
    flat = [np.hypot(s[0], s[1]) for s in slopes]
    if min(flat) < 0.2:
        return float("inf")
    turn = abs(slopes[0][0] * slopes[1][1] - slopes[0][1] * slopes[1][0]) / (flat[0] * flat[1])
    aside = abs(float(off[0] @ side_of(slopes[0]))) / MEET_MM
    height = abs(float(off[0, 2])) / (MEET_SLICES * slice_mm + 0.05 * max(gap, 0.0))
    free = MEET_DEG + np.degrees(max(gap, 0.0) / TIGHTEST_MM)
    angle = np.degrees(np.arcsin(min(1.0, turn))) / free
    worst = max(aside, height, float(angle))
    return worst if worst < 1.0 else float("inf")
