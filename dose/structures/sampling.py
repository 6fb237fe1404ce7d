"""Sample points that carry a structure's volume, and distances to its surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from dose.errors import StructureError
from dose.structures.planes import Plane, PlaneStack, in_loops, plane_stack
from dose.structures.structure import Structure

FloatArray = NDArray[np.float64]

SURFACE_STEP_MM = 0.5
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class Samples:
    """Points inside a structure, each standing for a part of its volume.

    Attributes:
        points_mm: (n, 3) LPS mm.
        weight_cc: (n,) volume of each; they add up to the structure's.
        volume_cc: the structure's volume: exact polygon areas times slab heights.
        method: one line on how it was sampled, for the report.
    """

    points_mm: FloatArray
    weight_cc: FloatArray
    volume_cc: float
    method: str


def sample(structure: Structure, *, spacing_mm: float = 0.5, end_cap: str = "half") -> Samples:
    """Fill a structure with sample points.

    Each contour stands for the slab half-way to its neighbours. Within a slab the points lie
    on a regular lattice; their weight is the slab's exact volume shared equally, so that the
    total volume carries no lattice error.

    Args:
        structure: closed parallel planar contours.
        spacing_mm: distance of the points.
        end_cap: see ``plane_stack``.

    Raises:
        StructureError: names the structure and what is wrong.
    """
    stack = plane_stack(structure, end_cap=end_cap)
    points, weights = [], []
    for plane in stack.planes:
        height = plane.below_mm + plane.above_mm
        area = plane.area_mm2
        if height <= 0 or area <= 0:
            continue
        flat = _lattice(plane, spacing_mm, area)
        layers = max(1, int(np.ceil(height / spacing_mm)))
        bottom = plane.offset_mm - plane.below_mm
        # Golden-ratio stagger within each layer: samples at one height would make stairs in
        # every histogram across the slices.
        stagger = (np.arange(len(flat)) * GOLDEN) % 1.0
        uvn = np.concatenate(
            [
                np.column_stack((flat, bottom + height * (layer + stagger) / layers))
                for layer in range(layers)
            ]
        )
        points.append(stack.to_patient(uvn))
        weights.append(np.full(len(uvn), area * height / len(uvn) / 1000.0))
    if not points:
        raise StructureError(f"structure {structure.name} encloses no volume")
    weight_cc = np.concatenate(weights)
    caps = "half a slice" if end_cap == "half" else "none"
    return Samples(
        np.concatenate(points),
        weight_cc,
        float(weight_cc.sum()),
        f"points every {spacing_mm:g} mm, end caps: {caps}",
    )


def _lattice(plane: Plane, spacing_mm: float, area_mm2: float) -> FloatArray:
    """Return (n, 2) lattice points inside the plane's loops; finer where few would fit."""
    spacing = min(spacing_mm, np.sqrt(area_mm2 / 16.0))
    low = np.min([loop.min(axis=0) for loop in plane.loops], axis=0)
    high = np.max([loop.max(axis=0) for loop in plane.loops], axis=0)
    counts = np.maximum(np.ceil((high - low) / spacing).astype(int), 1)
    u = low[0] + (np.arange(counts[0]) + 0.5) * (high[0] - low[0]) / counts[0]
    v = low[1] + (np.arange(counts[1]) + 0.5) * (high[1] - low[1]) / counts[1]
    grid = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = grid[in_loops(grid, plane.loops)]
    return inside if len(inside) else plane.loops[0].mean(axis=0)[None]


def signed_distance_mm(structure: Structure, points_mm: ArrayLike) -> FloatArray:
    """Return the distance of points (n, 3) to a structure's surface, negative inside, mm.

    The surface is taken as points every 0.5 mm; the error is at most 0.2 mm at distances
    over 1 mm.

    Raises:
        StructureError: the structure is malformed.
    """
    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    stack = plane_stack(structure)
    distance, _ = cKDTree(_surface(stack)).query(points)
    return np.asarray(np.where(stack.contains(points), -distance, distance))


def _surface(stack: PlaneStack) -> FloatArray:
    parts = []
    for i, plane in enumerate(stack.planes):
        height = plane.below_mm + plane.above_mm
        layers = max(2, int(np.ceil(height / SURFACE_STEP_MM)) + 1)
        levels = np.linspace(
            plane.offset_mm - plane.below_mm, plane.offset_mm + plane.above_mm, layers
        )
        outline = np.concatenate([_densified(loop) for loop in plane.loops])
        parts += [np.column_stack((outline, np.full(len(outline), level))) for level in levels]
        ends = []
        if i == 0:
            ends.append(levels[0])
        if i == len(stack.planes) - 1:
            ends.append(levels[-1])
        cap = _lattice(plane, SURFACE_STEP_MM, max(plane.area_mm2, 1e-6)) if ends else None
        if cap is not None:
            parts += [np.column_stack((cap, np.full(len(cap), level))) for level in ends]
    return stack.to_patient(np.concatenate(parts))


def _densified(loop: FloatArray) -> FloatArray:
    following = np.roll(loop, -1, axis=0)
    steps = np.maximum(
        np.ceil(np.linalg.norm(following - loop, axis=1) / SURFACE_STEP_MM).astype(int), 1
    )
    pieces = [
        start + (end - start) * (np.arange(n) / n)[:, None]
        for start, end, n in zip(loop, following, steps, strict=True)
    ]
    return np.concatenate(pieces)
