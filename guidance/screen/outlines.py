"""Outlines of structures in a plane: loops near it, or the cut through a stack of loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dose.structures import Structure
from guidance.screen.overlays import Line
from guidance.screen.reslice import Plane

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

# Contour planes tilted less than this to the view are drawn as loops, others as cuts.
NEARLY_PARALLEL = 0.95


@dataclass(frozen=True, eq=False)
class _Stack:
    """The contours of a structure in one piece, since a spinal cord has hundreds of them.

    Attributes:
        points: (n, 3) of all loops, LPS mm.
        following: (n,) number of the next point of the same loop.
        loop_of: (n,) number of a point's loop.
        middles: (loops, 3) mean of each loop's points.
        normal: (3,) of the loops.
        gap_mm: between neighbouring loops.
    """

    points: FloatArray
    following: IntArray
    loop_of: IntArray
    middles: FloatArray
    normal: FloatArray
    gap_mm: float


def structure_lines(
    structures: Iterable[Structure], plane: Plane, *, target: str = ""
) -> Iterator[Line]:
    """Yield the outlines of structures in a plane."""
    for number, structure in enumerate(structures):
        colour = "#{:02x}{:02x}{:02x}".format(*structure.color)
        width = 2.6 if structure.name == target else 1.8
        stack = _stacked(structure)
        if abs(float(stack.normal @ plane.axes[2])) > NEARLY_PARALLEL:
            depths = (stack.middles - plane.origin_mm) @ plane.axes[2]
            near = np.flatnonzero(np.abs(depths) <= stack.gap_mm / 2)
            shown = [plane.project(structure.contours[i])[:, :2] for i in near]
        else:
            shown = _cut(stack, plane)
        for points in shown:
            # Neighbours in the list often lie in one another: their names must not.
            beside = int(points[:, number % 2].argmax())
            yield Line(points, colour, width, closed=True, name=structure.name, name_at=beside)


@lru_cache(maxsize=64)
def _stacked(structure: Structure) -> _Stack:
    contours = structure.contours
    if not contours:
        nothing = np.empty(0, np.intp)
        flat = np.empty((0, 3))
        return _Stack(flat, nothing, nothing, flat, np.array((0.0, 0.0, 1.0)), 0.0)
    lengths = np.array([len(c) for c in contours])
    first = np.cumsum(lengths) - lengths
    following = np.arange(1, lengths.sum() + 1)
    following[first + lengths - 1] = first
    points = np.concatenate(contours)
    middles = np.add.reduceat(points, first) / lengths[:, None]
    normal, gap_mm = _stacking(max(contours, key=len), middles)
    loop_of = np.repeat(np.arange(len(contours)), lengths)
    return _Stack(points, following, loop_of, middles, normal, gap_mm)


def _stacking(largest: FloatArray, middles: FloatArray) -> tuple[FloatArray, float]:
    """Return the normal of a structure's contours and the distance between them."""
    if len(largest) < 3:
        return np.array((0.0, 0.0, 1.0)), 0.0
    centred = largest - largest.mean(axis=0)
    normal = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
    normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
    gaps = np.diff(np.unique(np.round(middles @ normal, 2)))
    return normal, float(np.median(gaps)) if len(gaps) else 3.0


def _cut(stack: _Stack, plane: Plane) -> list[FloatArray]:
    """Return outlines (n, 2) of the cut through a stack of loops.

    Where every loop is cut in one chord, the ends of the chords make one outline; else the
    chords themselves are returned.
    """
    behind = (stack.points - plane.origin_mm) @ plane.axes[2]
    beyond = behind > 0
    crossing = np.flatnonzero(beyond != beyond[stack.following])
    if not len(crossing):
        return []
    following = stack.following[crossing]
    part = behind[crossing] / (behind[crossing] - behind[following])
    here, there = stack.points[crossing], stack.points[following]
    met = plane.project(here + part[:, None] * (there - here))[:, :2]
    # Along the line in which contour planes and view meet, loop by loop.
    along = (plane.axes @ np.cross(stack.normal, plane.axes[2]))[:2]
    loops = stack.loop_of[crossing]
    met = met[np.lexsort((met @ along, loops))]
    # A closed loop crosses a plane an even number of times.
    chords = met.reshape(-1, 2, 2)
    owners = loops[::2]
    if len(chords) > 1 and len(np.unique(owners)) == len(owners):
        order = np.argsort(chords.mean(axis=1) @ (-along[1], along[0]), kind="stable")
        return [np.concatenate((chords[order, 0], chords[order[::-1], 1]))]
    return list(chords)
