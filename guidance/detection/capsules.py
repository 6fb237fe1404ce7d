"""How seeds' capsules can lie to one another: they are solid.

A capsule is 4.5 mm long and 0.8 mm wide with round ends: what lies within 0.4 mm of a line of
3.7 mm. Where two touch, their images say little of the distance between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LONG_MM, WIDE_MM = 4.5, 0.8
# Fitted rods may come this near, middle line to middle line: no fit is exact.
NEAREST_MM = 0.45
# Rods are next to each other in one line if they lie aside, follow and turn by no more.
ASIDE_MM, NEXT_MM, IN_LINE_COSINE = 1.0, 5.5, 0.94

# Where all moved together would share a place, each is moved alone, by so much of what is left.
UP, SHARES = np.array((0.0, 0.0, 1.0)), (1.0, 0.5, 0.5)


def between(a: FloatArray, u: FloatArray, b: FloatArray, v: FloatArray) -> FloatArray:
    """Return the (3,) shortest way from the middle line of one capsule to that of another.

    Args:
        a: (3,) centre of the first, mm.
        u: (3,) unit direction of the first.
        b: (3,) centre of the other, mm.
        v: (3,) unit direction of the other.
    """
    half, way, cosine = 0.5 * (LONG_MM - WIDE_MM), b - a, float(u @ v)
    ahead, ahead_other = float(way @ u), float(way @ v)
    # How far along each the lines are nearest, no further than to its ends.
    along = (ahead - cosine * ahead_other) / max(1.0 - cosine**2, 1e-9)
    along = min(max(along, -half), half)
    along_other = min(max(along * cosine - ahead_other, -half), half)
    along = min(max(along_other * cosine + ahead, -half), half)
    return np.asarray(way + along_other * v - along * u)


def apart(centres: FloatArray, axes: FloatArray) -> bool:
    """Tell whether no two of (n, 3) capsules share a place, but for the error of a fit."""
    return all(
        np.linalg.norm(between(centres[i], axes[i], centres[j], axes[j])) >= NEAREST_MM
        for i in range(len(centres))
        for j in range(i)
    )


def moved_apart(centres: FloatArray, axes: FloatArray) -> list[FloatArray]:
    """Return (n, 3) centres, those of capsules that share a place moved until they touch.

    Of two that cross either may be the upper one: both ways round, the nearer first.
    """
    return [_moved(centres, axes, side) for side in (1.0, -1.0)]


def _moved(centres: FloatArray, axes: FloatArray, side: float) -> FloatArray:
    """Return what ``moved_apart`` does, on the side where they are (1) or on the other (-1)."""
    moved = centres.copy()
    for i in range(len(centres)):
        for j in range(i):
            way = between(centres[i], axes[i], centres[j], axes[j])
            near = float(np.linalg.norm(way))
            if near < NEAREST_MM:
                way = np.cross(axes[i], axes[j]) if near < 1e-3 else way
                way = way * 0.5 * (side * WIDE_MM - near) / max(float(np.linalg.norm(way)), 1e-9)
                moved[i] -= way
                moved[j] += way
    return moved


def lifted(centres: FloatArray, axes: FloatArray, by_mm: FloatArray) -> FloatArray:
    """Return (n, 3) centres moved along the normal, as far as their capsules stay apart.

    All together if they may, or else one by one, wholly or in part.

    Args:
        centres: (n, 3) mm.
        axes: (n, 3) unit directions.
        by_mm: (n,) how far each is to move.
    """
    goal = centres + np.outer(by_mm, UP)
    if apart(goal, axes):
        return goal
    moved = centres.copy()
    for share in SHARES:
        for k in range(len(moved)):
            tried = moved.copy()
            tried[k] += share * (goal[k] - moved[k])
            moved = tried if apart(tried, axes) else moved
    return moved


def in_line(centres: FloatArray, axes: FloatArray) -> bool:
    """Tell whether three of (n, 3) capsules lie end to end in one line."""
    way = centres[None] - centres[:, None]
    along = np.einsum("ijc,ic->ij", way, axes)
    aside = np.sqrt(np.maximum((way**2).sum(axis=2) - along**2, 0.0))
    beside = (aside < ASIDE_MM) & (np.abs(axes @ axes.T) > IN_LINE_COSINE)
    # One that lies beside the half of another does not follow it.
    ahead, behind = ((d > 0.5 * LONG_MM) & (d < NEXT_MM) & beside for d in (along, -along))
    return bool((ahead.any(axis=1) & behind.any(axis=1)).any())
