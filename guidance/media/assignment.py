"""A CT volume becomes media on the grid of the transport, and says what was replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.structures import Samples, Structure
from dose.transport.materials import BY_NAME, Material
from dose.transport.media import Media
from dose.transport.tissues import METAL_HU, Cleaned, media_from_hu, without_metal
from guidance.errors import CommandError, RefusedError
from guidance.imaging import Volume
from guidance.imaging.straight import straightened
from guidance.media.calibration import Calibration

FloatArray = NDArray[np.float64]

# Around the seeds; photons of 28 keV that come back from farther off are few.
MARGIN_MM = 40.0
# Around the grid: what metal and streaks are judged by.
CROP_MM = 15.0
SEED_HALF_MM = 2.25
# Where the CT ends within the body nearer to a seed than this, it is said.
SCATTER_MM, BODY_HU = 20.0, -500
# No scanner has less for air.
AIR_HU = -1000.0


@dataclass(frozen=True)
class Assigned:
    """What a structure was said to be, such as ``GTV=muscle``."""

    structure: str
    material: Material

    @classmethod
    def parsed(cls, text: str) -> Assigned:
        """Read ``STRUCTURE=MATERIAL``.

        Raises:
            CommandError: it is not written so, or the material is not known.
        """
        name, equals, material = text.rpartition("=")
        if not equals or not name.strip():
            raise CommandError(f"--tissue {text!r} is not written as STRUCTURE=MATERIAL")
        if material.strip() not in BY_NAME:
            raise CommandError(
                f"--tissue {text!r}: the material {material.strip()!r} is not known; there are "
                f"{', '.join(BY_NAME)}"
            )
        return cls(name.strip(), BY_NAME[material.strip()])


@dataclass(frozen=True, eq=False)
class PatientMedia:
    """Media of a patient.

    Attributes:
        media: on the grid of the transport.
        cleaned: the CT around it, metal replaced.
        original_hu: (nz, ny, nx) of the same voxels before.
        volumes_cc: volume of each medium on the grid.
        metal_cc: volume that took the tissue nearby.
        streak_cc: volume of dark streaks that became soft tissue.
        remarks: full sentences.
    """

    media: Media
    cleaned: Cleaned
    original_hu: NDArray[np.int16]
    volumes_cc: dict[str, float]
    metal_cc: float
    streak_cc: float
    remarks: tuple[str, ...]


def assign(
    volume: Volume,
    seeds: Seeds,
    calibration: Calibration,
    *,
    spacing_mm: float,
    needles_mm: Sequence[tuple[FloatArray, FloatArray]] = (),
    assigned: Mapping[str, tuple[Samples, Material]] | None = None,
    covering_mm: FloatArray | None = None,
) -> PatientMedia:
    """Assign media around the seeds.

    Args:
        volume: the CT; gantry tilt is resampled.
        seeds: in the frame of the CT.
        calibration: HU to density.
        spacing_mm: of the transport's grid.
        needles_mm: tip and entry of needles that are in the CT.
        assigned: structures by name: where they are and what they are made of.
        covering_mm: (n, 3) points that the grid holds as well, as far as the CT reaches.

    Raises:
        RefusedError: the CT does not reach around the seeds.
    """
    straight = straightened(volume)
    grid = _grid(straight, seeds, spacing_mm, covering_mm)
    cropped, hu = _cropped(straight, grid)
    axis = np.where(np.isnan(seeds.axis), 0.0, seeds.axis)
    rods = [
        *np.stack(
            (seeds.position_mm - SEED_HALF_MM * axis, seeds.position_mm + SEED_HALF_MM * axis),
            axis=1,
        ),
        *(np.array(n) for n in needles_mm),
    ]
    clipped = volume.provenance.clipped_at_hu
    metal_hu = METAL_HU if clipped is None else min(METAL_HU, float(clipped))
    cleaned = without_metal(hu, cropped, rods_mm=np.array(rods), metal_hu=metal_hu)
    masks = [(region_mask(s, grid), m) for s, m in (assigned or {}).values()]
    media = media_from_hu(cleaned, grid, curve=calibration.curve, assigned=masks)
    counted = np.bincount(media.index.ravel(), minlength=len(media.materials))
    volumes = {
        m.name: round(float(n) * grid.voxel_volume_cc, 2)
        for m, n in zip(media.materials, counted, strict=True)
        if n
    }
    remarks = [calibration.said, *straight.provenance.remarks[len(volume.provenance.remarks) :]]
    if cleaned.metal_cc:
        remarks.append(
            f"{cleaned.metal_cc:.2f} cc of metal ({metal_hu:g} HU and more, the known seeds and "
            "needles, and 2.5 mm or a slice around them) took the tissue nearest to it."
        )
    if cleaned.streak_cc:
        remarks.append(
            f"{cleaned.streak_cc:.2f} cc in pockets below -150 HU that lie within 10 mm of metal "
            "were taken as dark streaks and became soft tissue."
        )
    if clipped is not None:
        remarks.append(
            f"The scanner clipped HU at {clipped}; what reaches that is taken as metal, bone too."
        )
    remarks += _beyond_the_curve(cleaned, calibration)
    for (name, (_, material)), (mask, _) in zip((assigned or {}).items(), masks, strict=True):
        volume_cc = float(mask.sum()) * grid.voxel_volume_cc
        if not volume_cc:
            raise CommandError(
                f"--tissue: {name} fills no voxel of the transport's grid around the seeds"
            )
        remarks.append(f"{name} is taken as {material.name}, {volume_cc:.1f} cc of it.")
    remarks += _cut_short(straight, seeds)
    return PatientMedia(
        media, cleaned, hu, volumes, cleaned.metal_cc, cleaned.streak_cc, tuple(remarks)
    )


def _beyond_the_curve(cleaned: Cleaned, calibration: Calibration) -> list[str]:
    """Say how much of the tissue lies beyond either end of the curve."""
    (lowest, least), (highest, most) = calibration.curve[0], calibration.curve[-1]
    # A curve that reaches down to air has nothing below it.
    parts = (
        ((cleaned.hu < lowest) & (lowest > AIR_HU), "less", lowest, least),
        (cleaned.hu > highest, "more", highest, most),
    )
    return [
        f"{float(beyond.sum()) * cleaned.geometry.voxel_volume_cc:.2f} cc have {which} HU than the "
        f"calibration curve, which ends at {hu:g} HU, and are taken as its {density:g} g/cm3."
        for beyond, which, hu, density in parts
        if beyond.any()
    ]


def _cut_short(volume: Volume, seeds: Seeds) -> list[str]:
    """Say where the CT ends in the body so near to a seed that scatter from beyond is missing."""
    geometry = volume.geometry
    index = geometry.patient_to_indices(seeds.position_mm)
    last = np.array(geometry.shape[::-1]) - 1
    nearest_mm, number = np.inf, 0
    for at_end in (np.zeros(3), last):
        away_mm = (np.abs(index - at_end) + 0.5) * geometry.spacing_mm
        for seed, axis in np.argwhere(away_mm < min(nearest_mm, SCATTER_MM)):
            i, j, k = np.clip(np.rint(np.where(np.arange(3) == axis, at_end, index[seed])), 0, last)
            in_body = volume.hu[int(k), int(j), int(i)] > BODY_HU
            if in_body and away_mm[seed, axis] < nearest_mm:
                nearest_mm, number = float(away_mm[seed, axis]), int(seed) + 1
    if not number:
        return []
    return [
        f"The CT ends {nearest_mm:.0f} mm from seed {number}, within the body: nothing is "
        "scattered back from beyond its end, and what lies there gets no dose."
    ]


def region_mask(samples: Samples, grid: GridGeometry) -> NDArray[np.bool_]:
    """Return the voxels that a structure fills by half or more."""
    inside = grid.contains(samples.points_mm)
    index = np.rint(grid.patient_to_indices(samples.points_mm[inside])).astype(int)
    index = np.clip(index, 0, np.array(grid.shape[::-1]) - 1)
    filled = np.zeros(grid.shape)
    np.add.at(filled, (index[:, 2], index[:, 1], index[:, 0]), samples.weight_cc[inside])
    return np.asarray(filled >= grid.voxel_volume_cc / 2)


def matched(structures: Sequence[Structure], wanted: Sequence[Assigned]) -> dict[str, Assigned]:
    """Return what was said of each structure, by name.

    Raises:
        CommandError: a structure is not there.
    """
    names = {s.name for s in structures}
    for one in wanted:
        if one.structure not in names:
            raise CommandError(
                f"--tissue: there is no structure {one.structure!r}; there are "
                f"{', '.join(sorted(names)) or 'none'}"
            )
    return {one.structure: one for one in wanted}


def _grid(
    volume: Volume, seeds: Seeds, spacing_mm: float, covering_mm: FloatArray | None
) -> GridGeometry:
    """Return a grid along the CT's axes, seeds and margin, as far as the CT reaches."""
    geometry = volume.geometry
    for number in np.flatnonzero(~geometry.contains(seeds.position_mm)):
        x, y, z = seeds.position_mm[number]
        raise RefusedError(
            f"seed {number + 1} at ({x:.1f}, {y:.1f}, {z:.1f}) mm lies outside the CT; seeds and "
            "CT do not belong together, or the CT is too short"
        )
    spacing = geometry.spacing_mm
    index = geometry.patient_to_indices(seeds.position_mm)
    upper = np.array(geometry.shape[::-1]) - 0.5
    low, high = index.min(axis=0) - MARGIN_MM / spacing, index.max(axis=0) + MARGIN_MM / spacing
    if covering_mm is not None and len(covering_mm):
        also = geometry.patient_to_indices(covering_mm)
        # A voxel more, so that none ends within a structure.
        low = np.minimum(low, also.min(axis=0) - spacing_mm / spacing)
        high = np.maximum(high, also.max(axis=0) + spacing_mm / spacing)
    low, high = np.maximum(low, -0.5) * spacing, np.minimum(high, upper) * spacing
    # Half a voxel of the grid on either side stays within the CT.
    count = np.floor((high - low) / spacing_mm + 1e-6).astype(int)
    if count.min() < 3:
        raise RefusedError(
            f"the CT covers too little around the seeds for voxels of {spacing_mm:g} mm"
        )
    first = (low + high - (count - 1) * spacing_mm) / 2 / spacing
    return GridGeometry.from_axes(
        geometry.indices_to_patient(first),
        spacing_mm,
        (int(count[2]), int(count[1]), int(count[0])),
        axes=geometry.axes,
        frame_of_reference_uid=geometry.frame_of_reference_uid,
    )


def _cropped(volume: Volume, grid: GridGeometry) -> tuple[GridGeometry, NDArray[np.int16]]:
    """Cut the part of the CT that holds the grid and a little more."""
    geometry = volume.geometry
    corners = geometry.patient_to_indices(grid.corners_mm())
    more = CROP_MM / geometry.spacing_mm
    limit = np.array(geometry.shape[::-1])
    low = np.clip(np.floor(corners.min(axis=0) - more).astype(int), 0, limit)
    high = np.clip(np.ceil(corners.max(axis=0) + more).astype(int) + 1, 0, limit)
    affine = geometry.index_to_patient.copy()
    affine[:3, 3] = geometry.indices_to_patient(low)
    hu = volume.hu[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    return GridGeometry(hu.shape, affine, geometry.frame_of_reference_uid), hu
