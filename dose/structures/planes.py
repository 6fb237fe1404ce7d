"""A structure as polygons in parallel planes: the frame in which it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dose.errors import StructureError
from dose.structures.structure import Structure

FloatArray = NDArray[np.float64]

# A vertex may leave its plane by this much (files round to 0.01 mm or coarser), mm.
PLANAR_WITHIN_MM = 0.1
# Contours closer than this along the normal lie in one plane, mm.
SAME_PLANE_MM = 0.05
# A loop's own crossings may change its area by this share: pixel tracing leaves small ones.
CROSSING_SHARE = 0.01
# Lines on which areas are integrated; 1000 give 1e-5.
SCANLINES = 1000


@dataclass(frozen=True, eq=False)
class Plane:
    """The loops of one plane.

    Attributes:
        offset_mm: position along the normal.
        below_mm: half the way to the plane below, or the end cap.
        above_mm: half the way to the plane above, or the end cap.
        loops: each (n, 2) vertices in the plane's coordinates, mm.
    """

    offset_mm: float
    below_mm: float
    above_mm: float
    loops: tuple[FloatArray, ...]

    @property
    def area_mm2(self) -> float:
        """Area of the loops combined by XOR (even-odd)."""
        return even_odd_area(self.loops)


@dataclass(frozen=True, eq=False)
class PlaneStack:
    """A structure in its own frame.

    Attributes:
        axes: (3, 3) rows are the unit directions u, v (in plane) and n (normal), LPS.
        planes: in ascending order along n.
    """

    axes: FloatArray
    planes: tuple[Plane, ...]

    def to_patient(self, uvn: FloatArray) -> FloatArray:
        """Map (n, 3) from the stack's frame to LPS mm."""
        return uvn @ self.axes

    def from_patient(self, points_mm: FloatArray) -> FloatArray:
        """Map (n, 3) from LPS mm to the stack's frame."""
        return points_mm @ self.axes.T

    def contains(self, points_mm: FloatArray) -> NDArray[np.bool_]:
        """Tell for points (n, 3) in LPS mm whether each lies inside."""
        uvn = self.from_patient(points_mm)
        inside = np.zeros(len(uvn), dtype=np.bool_)
        for plane in self.planes:
            height = uvn[:, 2] - plane.offset_mm
            here = np.flatnonzero((height >= -plane.below_mm) & (height < plane.above_mm))
            if len(here):
                inside[here] = in_loops(uvn[here, :2], plane.loops)
        return inside


def plane_stack(structure: Structure, *, end_cap: str = "half") -> PlaneStack:
    """Lay a structure's contours into parallel planes.

    Args:
        structure: with contours in at least two planes; one alone says nothing of its extent.
        end_cap: ``half`` lets the structure reach half a slice beyond its first and last
            contour, ``none`` ends it there.

    Raises:
        StructureError: names the structure, the contour and what is wrong.
    """
    if end_cap not in {"half", "none"}:
        raise StructureError(f"the end cap is half or none, not {end_cap}")
    if not structure.contours:
        raise StructureError(f"structure {structure.name} has no contour")
    axes = _axes(structure)
    layers: dict[float, list[FloatArray]] = {}
    for number, contour in enumerate(structure.contours, start=1):
        uvn = contour @ axes.T
        offset = float(np.median(uvn[:, 2]))
        if np.abs(uvn[:, 2] - offset).max() > PLANAR_WITHIN_MM:
            raise StructureError(
                f"structure {structure.name}: contour {number} is not planar, or not parallel "
                "to the others"
            )
        flat = np.ascontiguousarray(uvn[:, :2])
        filled = even_odd_area((flat,))
        if abs(abs(_signed_area(flat)) - filled) > CROSSING_SHARE * filled:
            raise StructureError(
                f"structure {structure.name}: contour {number} crosses itself; redraw it"
            )
        near = next((o for o in layers if abs(o - offset) < SAME_PLANE_MM), offset)
        layers.setdefault(near, []).append(flat)
    offsets = sorted(layers)
    if len(offsets) == 1:
        raise StructureError(
            f"structure {structure.name} is drawn in one plane only, which gives it no "
            "thickness; draw it in two slices or more"
        )
    halves = np.diff(offsets) / 2
    first, last = (halves[0], halves[-1]) if end_cap == "half" else (0.0, 0.0)
    below, above = np.concatenate(([first], halves)), np.concatenate((halves, [last]))
    planes = [
        Plane(offset, float(below[i]), float(above[i]), tuple(layers[offset]))
        for i, offset in enumerate(offsets)
    ]
    return PlaneStack(axes, tuple(planes))


def _axes(structure: Structure) -> FloatArray:
    largest, normal = 0.0, np.array((0.0, 0.0, 1.0))
    for number, contour in enumerate(structure.contours, start=1):
        if contour.ndim != 2 or contour.shape[1:] != (3,) or len(contour) < 3:
            raise StructureError(
                f"structure {structure.name}: contour {number} needs at least three points"
            )
        if not np.isfinite(contour).all():
            raise StructureError(f"structure {structure.name}: contour {number} is not finite")
        # Newell's formula: the area vector of a closed polygon.
        centred = contour - contour.mean(axis=0)
        vector = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)
        size = float(np.linalg.norm(vector))
        if size > largest:
            largest, normal = size, vector / size
    if largest <= 0.0:
        raise StructureError(f"structure {structure.name} encloses no area")
    normal = normal * np.sign(normal[np.argmax(np.abs(normal))])
    helper = np.eye(3)[np.argmin(np.abs(normal))]
    u = np.cross(helper, normal)
    u = u / np.linalg.norm(u)
    return np.array((u, np.cross(normal, u), normal))


def _signed_area(loop: FloatArray) -> float:
    x, y = loop[:, 0], loop[:, 1]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def in_loops(points: FloatArray, loops: tuple[FloatArray, ...]) -> NDArray[np.bool_]:
    """Tell for points (n, 2) whether each is inside, loops combined by XOR (even-odd)."""
    inside = np.zeros(len(points), dtype=np.bool_)
    for loop in loops:
        _toggle(np.ascontiguousarray(points), loop, inside)
    return inside


def even_odd_area(loops: tuple[FloatArray, ...]) -> float:
    """Return the area of loops (n, 2) combined by XOR, mm^2, within 1e-5."""
    ends = [np.stack((loop, np.roll(loop, -1, axis=0)), axis=1) for loop in loops]
    return float(_area(np.concatenate(ends)))


@njit(cache=True, nogil=True)
def _area(edges):  # type: ignore[no-untyped-def]
    """Return the even-odd area of edges (n, 2, 2): lengths inside, summed over lines across."""
    low, high = edges[:, :, 1].min(), edges[:, :, 1].max()
    step = (high - low) / SCANLINES
    crossings = np.empty(len(edges))
    total = 0.0
    for line in range(SCANLINES):
        y = low + (line + 0.5) * step
        count = 0
        for e in range(len(edges)):
            x0, y0, x1, y1 = edges[e, 0, 0], edges[e, 0, 1], edges[e, 1, 0], edges[e, 1, 1]
            if (y0 > y) != (y1 > y):
                crossings[count] = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                count += 1
        inside = np.sort(crossings[:count])
        for i in range(0, count - 1, 2):
            total += inside[i + 1] - inside[i]
    return total * step


@njit(cache=True, nogil=True)
def _toggle(points, loop, inside):  # type: ignore[no-untyped-def]
    """Flip ``inside`` for every point within one loop (crossing number)."""
    count = len(loop)
    low_x, high_x = loop[:, 0].min(), loop[:, 0].max()
    low_y, high_y = loop[:, 1].min(), loop[:, 1].max()
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        if x < low_x or x > high_x or y < low_y or y > high_y:
            continue
        odd = False
        j = count - 1
        for i in range(count):
            yi, yj = loop[i, 1], loop[j, 1]
            if (yi > y) != (yj > y):
                crossing = loop[i, 0] + (y - yi) * (loop[j, 0] - loop[i, 0]) / (yj - yi)
                if x < crossing:
                    odd = not odd
            j = i
        if odd:
            inside[n] = not inside[n]
