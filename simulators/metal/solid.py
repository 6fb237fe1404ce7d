"""Convex solids that a ray crosses in one stretch: a quadric between two planes.

A point p is inside when |M (p - c)| <= 1 and n0.p <= d0 and n1.p <= d1. With M of rank two this
is a cylinder with ends cut at any angle (a bevel, the mitre of a bend), with M of rank three an
ellipsoid or part of one. Hollows are solids of negative density inside others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.metal.material import MATERIALS, index_of

FloatArray = NDArray[np.float64]

# No plane: everything is on the inner side.
_EVERYWHERE = (0.0, 0.0, 0.0, 1.0)
# Columns of `table`: M 0:9, c 9:12, plane 12:16, plane 16:20, bound 20:27, material 27,
# density 28, displaced 29.
COLUMNS = 30


@dataclass(frozen=True)
class Solid:
    """One convex solid, mm.

    Attributes:
        form: (3, 3) M.
        centre: (3,) c.
        planes: two of (nx, ny, nz, d).
        bound: (start, end, radius): a round-ended rod that holds the solid.
        material: name.
        density: g/cm3; negative where a hollow takes material away.
        displaced: g/cm3 of water-like tissue that lay here before.
    """

    form: FloatArray
    centre: FloatArray
    planes: tuple[tuple[float, float, float, float], ...]
    bound: tuple[FloatArray, FloatArray, float]
    material: str
    density: float
    displaced: float

    def row(self) -> FloatArray:
        """Return the solid as one row of `table`."""
        start, end, radius = self.bound
        return np.concatenate(
            [
                self.form.ravel(),
                self.centre,
                *self.planes,
                start,
                end,
                (radius, index_of(self.material), self.density, self.displaced),
            ]
        )

    def hollow(self, of: str) -> Solid:
        """Return the same shape as a hollow in a material."""
        return replace(self, material=of, density=-MATERIALS[of].density, displaced=0.0)


def table(solids: Sequence[Solid]) -> FloatArray:
    """Return (n, COLUMNS) float64, what the projector takes."""
    if not solids:
        return np.empty((0, COLUMNS))
    return np.array([s.row() for s in solids])


def moved(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return a `table` carried into another frame by a 4x4 rigid matrix."""
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    out = rows.copy()
    out[:, :9] = (rows[:, :9].reshape(-1, 3, 3) @ turn.T).reshape(-1, 9)
    for first in (9, 20, 23):
        out[:, first : first + 3] = rows[:, first : first + 3] @ turn.T + shift
    for first in (12, 16):
        normals = rows[:, first : first + 3] @ turn.T
        out[:, first : first + 3] = normals
        out[:, first + 3] += normals @ shift
    return out


def cylinder(
    start: FloatArray,
    end: FloatArray,
    diameter: float,
    material: str,
    *,
    planes: tuple[tuple[float, float, float, float] | None, ...] = (None, None),
    displaced: float = 1.0,
) -> Solid:
    """Return a cylinder from start to end; a plane given replaces the flat cut at that end."""
    start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    length = float(np.linalg.norm(end - start))
    axis = (end - start) / length
    across = np.eye(3) - np.outer(axis, axis)
    flat = ((*(-axis), -float(axis @ start)), (*axis, float(axis @ end)))
    cut = tuple(given or plain for given, plain in zip(planes, flat, strict=True))
    # A slanted end reaches beyond its middle: by a radius and a half where it is a mitre.
    reach = 0.75 * diameter if any(planes) else 0.0
    return Solid(
        form=across / (diameter / 2.0),
        centre=start,
        planes=cut,
        bound=(start - reach * axis, end + reach * axis, diameter / 2.0),
        material=material,
        density=MATERIALS[material].density,
        displaced=displaced,
    )


def ellipsoid(
    centre: FloatArray,
    radii: FloatArray,
    material: str,
    *,
    axes: FloatArray | None = None,
    density: float | None = None,
    beyond: FloatArray | None = None,
) -> Solid:
    """Return an ellipsoid.

    Args:
        centre: (3,) mm.
        radii: (3,) mm, along the rows of ``axes``.
        material: name.
        axes: (3, 3) unit rows; the frame's own if not given.
        density: g/cm3, if not the material's own.
        beyond: (3,) unit vector: keep the half on its side only.
    """
    centre, radii = np.asarray(centre, dtype=float), np.asarray(radii, dtype=float)
    turned = np.eye(3) if axes is None else np.asarray(axes, dtype=float)
    half = _EVERYWHERE if beyond is None else (*(-beyond), -float(beyond @ centre))
    return Solid(
        form=turned / radii[:, None],
        centre=centre,
        planes=(half, _EVERYWHERE),
        bound=(centre, centre, float(radii.max())),
        material=material,
        density=MATERIALS[material].density if density is None else density,
        displaced=1.0,
    )


def ball(centre: FloatArray, diameter: float, material: str) -> Solid:
    """Return a ball."""
    return ellipsoid(centre, np.full(3, diameter / 2.0), material)
