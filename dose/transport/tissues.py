"""From Hounsfield units to what the photons meet.

Mass density by the curve of Schneider, Bortfeld and Schlegel (Phys. Med. Biol. 45, 459, 2000)
unless the site gives its scanner's own; tissues by ranges of HU, as TG-186 (Beaulieu et al., Med.
Phys. 39, 6208, 2012) proposes, bone in four steps from spongiosa to cortical bone. Metal is not
the patient's: needles and seeds, and what they spoil around them, take the tissue nearby.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.transport.materials import (
    ADIPOSE,
    AIR,
    CORTICAL,
    LUNG,
    MUSCLE,
    SPONGIOSA,
    Material,
    mixed,
)
from dose.transport.simulation import Media

# (HU, g/cm^3); straight lines between.
SCHNEIDER_CURVE = (
    *((-1000.0, 0.00121), (-98.0, 0.930), (14.0, 1.0305), (23.0, 1.0299)),
    *((100.0, 1.1199), (100.1, 1.0763), (1600.0, 1.9642), (3071.0, 2.8350)),
)
# (tissue, from this HU on).
TISSUES: tuple[tuple[Material, float], ...] = (
    (AIR, -np.inf),
    (LUNG, -900.0),
    (ADIPOSE, -150.0),
    (MUSCLE, -30.0),
    (SPONGIOSA, 130.0),
    (mixed("bone, one third cortical", SPONGIOSA, CORTICAL, 1 / 3), 350.0),
    (mixed("bone, two thirds cortical", SPONGIOSA, CORTICAL, 2 / 3), 600.0),
    (CORTICAL, 900.0),
)
# No bone is denser; blooming reaches a little farther than the metal itself.
METAL_HU = 2000.0
BLOOM_MM = 2.0
# Near metal, soft tissue that looks like lung or air is a dark streak.
STREAK_MM = 10.0
LEAST_DENSITY = 0.001


def media_from_hu(
    hu: ArrayLike, geometry: GridGeometry, *, curve: tuple[tuple[float, float], ...] | None = None
) -> Media:
    """Assign a medium and a density to every voxel.

    Voxels of 2000 HU and more, and those within 2 mm of them, take the HU of the nearest other
    voxel; within 10 mm of them, what is below -150 HU becomes muscle of density 1.05.

    Args:
        hu: (nz, ny, nx).
        geometry: of the grid.
        curve: (HU, g/cm^3) pairs of the scanner, ascending; Schneider's if left out.

    Raises:
        DoseError: the curve does not ascend, or the image does not fit the grid.
    """
    values = np.asarray(hu, dtype=np.float32)
    if values.shape != geometry.shape:
        raise DoseError(f"an image of {values.shape} does not fit a grid of {geometry.shape}")
    points = np.array(curve or SCHNEIDER_CURVE)
    if points.ndim != 2 or points.shape[1] != 2 or not (np.diff(points[:, 0]) > 0).all():
        raise DoseError("a calibration curve has ascending pairs of HU and g/cm3")
    values, streak = _without_metal(values, geometry)
    density = np.interp(values, points[:, 0], points[:, 1]).astype(np.float32)
    starts = np.array([start for _, start in TISSUES])
    index = (np.searchsorted(starts, values, side="right") - 1).astype(np.uint8)
    materials = tuple(m for m, _ in TISSUES)
    index[streak], density[streak] = materials.index(MUSCLE), MUSCLE.density_g_cm3
    return Media(geometry, materials, index, np.maximum(density, LEAST_DENSITY))


def _without_metal(
    values: NDArray[np.float32], geometry: GridGeometry
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return HU with metal replaced, and which voxels are dark streaks."""
    metal = values >= METAL_HU
    if not metal.any():
        return values, np.zeros(values.shape, np.bool_)
    spacing = geometry.spacing_mm[::-1]
    distance = ndimage.distance_transform_edt(~metal, sampling=spacing)
    spoiled = distance <= BLOOM_MM
    if spoiled.all():
        raise DoseError("the image is metal throughout")
    nearest = ndimage.distance_transform_edt(
        spoiled, sampling=spacing, return_distances=False, return_indices=True
    )
    streak = (distance <= STREAK_MM) & (values < TISSUES[2][1]) & ~spoiled
    replaced = np.where(streak, np.float32(40.0), values)[tuple(nearest)]
    return np.where(spoiled, replaced, values), streak
