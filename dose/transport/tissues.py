"""From Hounsfield units to what the photons meet.

Mass density by the curve of Schneider, Bortfeld and Schlegel (Phys. Med. Biol. 45, 459, 2000)
unless the site gives its scanner's own; tissues by ranges of HU, as TG-186 (Beaulieu et al., Med.
Phys. 39, 6208, 2012) proposes, bone in four steps from spongiosa to cortical bone. What a
structure is known to be (a tumour, cement) can be said. Metal is not the patient's: needles and
seeds, and what they spoil around them, take the tissue nearby.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from dose.transport.media import Media

FloatArray = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]

# (HU, g/cm^3); straight lines between.
SCHNEIDER_CURVE: Curve = (
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
BLOOM_MM = 2.5
# A pocket near metal that looks like lung or air is a dark streak.
STREAK_MM, STREAK_BELOW_HU, STREAK_BECOMES_HU = 10.0, -150.0, 40.0
LEAST_DENSITY = 0.001
# In voxels.
EDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Cleaned:
    """A scan without the metal in it.

    Attributes:
        geometry: of the voxels.
        hu: (nz, ny, nx) float32.
        metal_cc: volume of metal and its blooming that took the HU of the nearest tissue.
        streak_cc: volume of dark streaks that became soft tissue.
    """

    geometry: GridGeometry
    hu: NDArray[np.float32]
    metal_cc: float
    streak_cc: float


def without_metal(
    hu: ArrayLike,
    geometry: GridGeometry,
    *,
    rods_mm: ArrayLike | None = None,
    metal_hu: float = METAL_HU,
) -> Cleaned:
    """Replace metal and dark streaks by tissue.

    Voxels of ``metal_hu`` and more, the rods that are known to be there, and what lies within
    2.5 mm (or one slice) of either take the HU of the nearest other voxel. What is below -150 HU
    and lies within 10 mm of them altogether becomes soft tissue of 40 HU; lung and air reach
    farther.

    Args:
        hu: (nz, ny, nx).
        geometry: of the scan; axes at right angles.
        rods_mm: (n, 2, 3) ends of seeds and needles, LPS mm. A seed between two slices may be
            no brighter than bone.
        metal_hu: no bone is denser; where the scanner clips lower, what it clips at.

    Raises:
        DoseError: the image does not fit the grid, or there is metal alone.
    """
    values = np.asarray(hu, dtype=np.float32)
    if values.shape != geometry.shape:
        raise DoseError(f"an image of {values.shape} does not fit a grid of {geometry.shape}")
    metal = values >= metal_hu
    if rods_mm is not None:
        _mark_rods(metal, geometry, np.asarray(rods_mm, dtype=np.float64).reshape(-1, 2, 3))
    if not metal.any():
        return Cleaned(geometry, values, 0.0, 0.0)
    spacing = geometry.spacing_mm[::-1]
    distance = ndimage.distance_transform_edt(~metal, sampling=spacing)
    spoiled = distance <= max(BLOOM_MM, float(spacing[0]))
    if spoiled.all():
        raise DoseError("the image is metal throughout")
    streak = _streaks((values < STREAK_BELOW_HU) & ~spoiled, distance > STREAK_MM)
    values = np.where(streak, np.float32(STREAK_BECOMES_HU), values)
    nearest = ndimage.distance_transform_edt(
        spoiled, sampling=spacing, return_distances=False, return_indices=True
    )
    voxel_cc = geometry.voxel_volume_cc
    return Cleaned(
        geometry,
        np.where(spoiled, values[tuple(nearest)], values),
        float(spoiled.sum()) * voxel_cc,
        float(streak.sum()) * voxel_cc,
    )


def _streaks(dark: NDArray[np.bool_], far: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the dark pockets that lie near metal altogether."""
    labels, count = ndimage.label(dark)
    if not count:
        return dark
    near = np.ones(count + 1, np.bool_)
    near[np.unique(labels[far])] = False
    near[0] = False
    return np.asarray(near[labels])


def _mark_rods(mask: NDArray[np.bool_], geometry: GridGeometry, rods_mm: FloatArray) -> None:
    """Mark the voxels that the rods' axes run through."""
    step_mm = float(geometry.spacing_mm.min()) / 2
    for tip, end in rods_mm:
        count = max(2, int(np.linalg.norm(end - tip) / step_mm) + 1)
        points = tip + np.linspace(0.0, 1.0, count)[:, None] * (end - tip)
        inside = points[geometry.contains(points)]
        index = np.rint(geometry.patient_to_indices(inside)).astype(int)
        index = np.clip(index, 0, np.array(geometry.shape[::-1]) - 1)
        mask[index[:, 2], index[:, 1], index[:, 0]] = True


def checked_curve(curve: Sequence[Sequence[float]]) -> Curve:
    """Return a calibration curve, checked.

    Raises:
        DoseError: it does not ascend in HU, or has a density that is not positive.
    """
    points = np.array(curve, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        raise DoseError("a calibration curve has at least two pairs of HU and g/cm3")
    if not np.isfinite(points).all() or not (np.diff(points[:, 0]) > 0).all():
        raise DoseError("a calibration curve has ascending pairs of HU and g/cm3")
    if points[:, 1].min() <= 0 or points[:, 1].max() > 25:
        raise DoseError("a calibration curve has densities above 0, in g/cm3")
    return tuple((float(a), float(b)) for a, b in points)


def media_from_hu(
    cleaned: Cleaned,
    grid: GridGeometry | None = None,
    *,
    curve: Curve = SCHNEIDER_CURVE,
    assigned: Sequence[tuple[NDArray[np.bool_], Material]] = (),
) -> Media:
    """Assign a medium and a density to every voxel.

    Args:
        cleaned: the scan.
        grid: to put it on, each voxel the mean of what it covers; the scan's if left out.
        curve: of the scanner.
        assigned: (mask on the grid, what it is): takes composition and nominal density; a later
            one goes before an earlier one.

    Raises:
        DoseError: the curve is none, a mask does not fit, or the grid reaches beyond the scan.
    """
    grid = grid or cleaned.geometry
    points = np.array(checked_curve(curve))
    values = _on_grid(cleaned, grid)
    density = np.interp(values, points[:, 0], points[:, 1]).astype(np.float32)
    starts = np.array([start for _, start in TISSUES])
    index = (np.searchsorted(starts, values, side="right") - 1).astype(np.uint8)
    materials = [m for m, _ in TISSUES]
    for mask, material in assigned:
        if mask.shape != grid.shape:
            raise DoseError(f"a mask of {mask.shape} does not fit a grid of {grid.shape}")
        if material not in materials:
            materials.append(material)
        index[mask] = materials.index(material)
        density[mask] = material.density_g_cm3
    return Media(grid, tuple(materials), index, np.maximum(density, np.float32(LEAST_DENSITY)))


def _on_grid(cleaned: Cleaned, grid: GridGeometry) -> NDArray[np.float32]:
    """Return HU on a grid: a moving mean as wide as its voxels, read at their centres."""
    if grid is cleaned.geometry:
        return cleaned.hu
    corners = cleaned.geometry.patient_to_indices(grid.corners_mm())
    upper = np.array(cleaned.geometry.shape[::-1]) - 0.5
    # A grid may end where the scan ends; rounding must not matter there.
    if (corners < -0.5 - EDGE).any() or (corners > upper + EDGE).any():
        raise DoseError("the grid of the transport reaches beyond the CT")
    wide = np.maximum(1, np.rint(grid.spacing_mm / cleaned.geometry.spacing_mm)).astype(int)
    smooth = ndimage.uniform_filter(cleaned.hu, tuple(wide[::-1]), mode="nearest")
    k, j, i = np.indices(grid.shape)
    patient = grid.indices_to_patient(np.stack((i, j, k), axis=-1))
    index = np.moveaxis(cleaned.geometry.patient_to_indices(patient)[..., ::-1], -1, 0)
    return np.asarray(ndimage.map_coordinates(smooth, index, np.float32, order=1, mode="nearest"))
