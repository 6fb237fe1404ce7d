"""Seeds as the scanner sees them: capsule, hollow, marker.

Sizes: Rivard et al. (2004), AAPM TG-43U1, Med Phys 31:633, section on each model: 6711 has a
titanium capsule of 4.5 x 0.8 mm, wall 0.06 mm, and a silver rod of 3.0 x 0.5 mm; 6702 carries
its iodine on resin spheres without a marker; 3631-A/M has two gold-copper spheres of 0.56 mm
between resin spheres in a double wall of 0.1 mm altogether; CS-1 a gold wire of 0.36 mm.
Lengths of markers that the report does not give are those of the 6711's rod or shorter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.metal.solid import Solid, ball, cylinder, ellipsoid

FloatArray = NDArray[np.float64]

LENGTH_MM, DIAMETER_MM, WALL_MM = 4.5, 0.8, 0.06
# The welded ends are hemispheres, solid all through.
WELD_MM = DIAMETER_MM / 2.0
SEED_MODELS = ("6711", "6702", "3631", "CS-1")


def seed_solids(centre: FloatArray, axis: FloatArray, model: str = "6711") -> list[Solid]:
    """Return a seed.

    Args:
        centre: (3,) mm.
        axis: (3,) unit vector.
        model: one of ``SEED_MODELS``.

    Raises:
        ValueError: the model is not known.
    """
    if model not in SEED_MODELS:
        raise ValueError(f"seed model {model!r}: choose one of {', '.join(SEED_MODELS)}")
    centre, axis = np.asarray(centre, dtype=float), np.asarray(axis, dtype=float)
    half = (LENGTH_MM / 2.0 - WELD_MM) * axis
    tube = cylinder(centre - half, centre + half, DIAMETER_MM, "titanium")
    wall = 0.1 if model == "3631" else WALL_MM
    inner = cylinder(centre - half, centre + half, DIAMETER_MM - 2 * wall, "titanium")
    ends = [
        ellipsoid(centre + side * half, np.full(3, WELD_MM), "titanium", beyond=side * axis)
        for side in (-1.0, 1.0)
    ]
    return [tube, inner.hollow("titanium"), *ends, *_marker(centre, axis, model)]


def _marker(centre: FloatArray, axis: FloatArray, model: str) -> list[Solid]:
    if model == "6711":
        return [_undisplaced(centre, axis, 3.0, 0.5, "silver")]
    if model == "CS-1":
        return [_undisplaced(centre, axis, 3.4, 0.36, "gold")]
    if model == "3631":
        return [ball(centre + side * 0.4 * axis, 0.56, "gold") for side in (-1.0, 1.0)]
    return []


def _undisplaced(
    centre: FloatArray, axis: FloatArray, length: float, diameter: float, material: str
) -> Solid:
    """Return a rod inside a hollow, where no tissue was."""
    half = length / 2.0 * axis
    return cylinder(centre - half, centre + half, diameter, material, displaced=0.0)
