"""Planes through volumes; only the voxels of the plane are touched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.geometry import GridGeometry
from guidance.imaging.volume import Volume
from guidance.screen.sampling import sampled

FloatArray = NDArray[np.float64]

Voxel = TypeVar("Voxel", np.int16, np.float32)

AIR_HU = -1024
HEADWARD = np.array((0.0, 0.0, 1.0))

# Patient direction that points down on the screen, so that the table lies at the bottom as on
# the scanner: by the second half of PatientPosition (supine, prone, decubitus right, left).
_DOWN = {
    "S": (0.0, 1.0, 0.0),
    "P": (0.0, -1.0, 0.0),
    "DR": (-1.0, 0.0, 0.0),
    "DL": (1.0, 0.0, 0.0),
}


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane as it lies on the screen.

    Attributes:
        origin_mm: (3,) LPS point shown at (0, 0) of the plane.
        right: (3,) unit patient direction that points right on the screen.
        down: (3,) unit patient direction that points down, at right angles to ``right``.
    """

    origin_mm: FloatArray
    right: FloatArray
    down: FloatArray

    @cached_property
    def axes(self) -> FloatArray:
        """(3, 3) rows: right, down, and the normal into the screen."""
        return np.array((self.right, self.down, np.cross(self.right, self.down)))

    def project(self, points_mm: ArrayLike) -> FloatArray:
        """Map LPS points (..., 3) to (..., 3): right, down, and behind the screen, mm."""
        return np.asarray((np.asarray(points_mm, np.float64) - self.origin_mm) @ self.axes.T)

    def to_patient(self, right_mm: FloatArray, down_mm: FloatArray) -> FloatArray:
        """Return the LPS points of plane coordinates."""
        return self.origin_mm + right_mm[..., None] * self.right + down_mm[..., None] * self.down


@dataclass(frozen=True, eq=False)
class Slice:
    """Voxels of a plane.

    Attributes:
        plane: where they lie.
        hu: (rows, columns) int16, top left first; a view wherever possible.
        box_mm: left, top, width, height of the pixels' outer edges in the plane.
        number: of the acquired slice; -1 for a plane between slices.
    """

    plane: Plane
    hu: NDArray[np.int16]
    box_mm: tuple[float, float, float, float]
    number: int = -1


def screen_axes(patient_position: str) -> tuple[FloatArray, FloatArray]:
    """Return the patient directions right and down on the screen of an axial slice.

    Axial slices are seen from the feet and never mirrored: right x down points headward. An
    unknown position is shown as supine; the letters on the screen tell.
    """
    down = np.array(_DOWN.get(patient_position[2:].upper(), _DOWN["S"]))
    return np.cross(down, HEADWARD), down


def letters(direction: FloatArray) -> str:
    """Return one or two orientation letters (L R, P A, H F) for a patient direction."""
    names = ("LR", "PA", "HF")
    order = np.argsort(-np.abs(direction))
    return "".join(
        names[axis][0 if direction[axis] > 0 else 1]
        for axis in order[:2]
        if abs(direction[axis]) > 0.35
    )


def cut_axes(which: str, patient_position: str) -> tuple[FloatArray, FloatArray]:
    """Return the patient directions right and down of an axial, coronal or sagittal cut.

    The coronal cut keeps the sides of the axial one (seen from the front when supine, from
    above the table when prone), the sagittal one has anterior to the left; both head up.
    """
    right, down = screen_axes(patient_position)
    if which == "axial":
        return right, down
    if which == "coronal":
        across = right if abs(right[0]) > 0.5 else np.array((1.0, 0.0, 0.0))
        return across, -HEADWARD
    return np.array((0.0, 1.0, 0.0)), -HEADWARD


def cut_axis(volume: Volume, which: str, patient_position: str) -> int:
    """Return the index axis (0 columns, 1 rows, 2 slices) that a cut lies across."""
    right, down = cut_axes(which, patient_position)
    return int(np.argmax(np.abs(np.cross(right, down) @ volume.geometry.axes)))


def cut(volume: Volume, which: str, number: int, patient_position: str) -> Slice:
    """Return the voxels of an ``axial``, ``coronal`` or ``sagittal`` cut without resampling.

    Args:
        volume: may lie askew; the cut follows its voxels.
        which: of the three.
        number: index along the axis that the cut lies across.
        patient_position: decides which way is down.
    """
    geometry = volume.geometry
    wanted_right, wanted_down = cut_axes(which, patient_position)
    across = cut_axis(volume, which, patient_position)
    index_of: list[slice | int] = [slice(None)] * 3
    index_of[2 - across] = number
    hu = volume.hu[tuple(index_of)]
    slow, fast = (axis for axis in (2, 1, 0) if axis != across)
    if abs(geometry.axes[:, fast] @ wanted_right) < abs(geometry.axes[:, slow] @ wanted_right):
        slow, fast, hu = fast, slow, hu.T
    right, down = geometry.axes[:, fast], geometry.axes[:, slow]
    if right @ wanted_right < 0:
        right, hu = -right, hu[:, ::-1]
    if down @ wanted_down < 0:
        down, hu = -down, hu[::-1]
    # Across a tilted stack the slow axis leans; the picture stands straight all the same.
    down = down - (down @ right) * right
    down = down / np.linalg.norm(down)
    index = (np.array(geometry.shape[::-1]) - 1) / 2
    index[across] = number
    height, width = hu.shape
    step_x, step_y = (float(geometry.spacing_mm[axis]) for axis in (fast, slow))
    box = (-width * step_x / 2, -height * step_y / 2, width * step_x, height * step_y)
    return Slice(Plane(geometry.indices_to_patient(index), right, down), hu, box, number)


def axial(volume: Volume, number: int) -> Slice:
    """Return an acquired slice without resampling, turned as the scanner shows it."""
    return cut(volume, "axial", number, volume.provenance.patient_position)


def nearest_slice(volume: Volume, point_mm: ArrayLike, axis: int = 2) -> int:
    """Return the number of the slice nearest to a point, along an index axis."""
    index = float(volume.geometry.patient_to_indices(point_mm)[axis])
    return int(np.clip(round(index), 0, volume.geometry.shape[2 - axis] - 1))


def needle_plane(tip_mm: ArrayLike, direction: FloatArray, patient_position: str) -> Plane:
    """Return the plane that holds a needle and is otherwise as axial as can be."""
    across = np.cross(HEADWARD, direction)
    if np.linalg.norm(across) < 1e-3:
        across = np.array((1.0, 0.0, 0.0))
    normal = np.cross(direction, across / np.linalg.norm(across))
    normal = normal / np.linalg.norm(normal) * (1.0 if normal @ HEADWARD >= 0 else -1.0)
    return _plane_across(tip_mm, normal, patient_position)


def across_needle(tip_mm: ArrayLike, direction: FloatArray, patient_position: str) -> Plane:
    """Return the plane at right angles to a needle through its tip, seen along the needle."""
    return _plane_across(tip_mm, direction, patient_position)


def _plane_across(origin_mm: ArrayLike, normal: FloatArray, patient_position: str) -> Plane:
    right, down = screen_axes(patient_position)
    # Keep that direction of the axial picture which the plane holds best.
    if abs(normal @ right) <= abs(normal @ down):
        right = right - (right @ normal) * normal
        right = right / np.linalg.norm(right)
        down = np.cross(normal, right)
    else:
        down = down - (down @ normal) * normal
        down = down / np.linalg.norm(down)
        right = np.cross(down, normal)
    return Plane(np.asarray(origin_mm, np.float64), right, down)


def reslice(volume: Volume, plane: Plane, *, half_mm: float, step_mm: float = 0.6) -> Slice:
    """Return the voxels of any plane around its origin, linearly interpolated."""
    count = len(np.arange(-half_mm, half_mm + step_mm / 2, step_mm))
    hu = on_plane(
        volume.hu, volume.geometry.index_to_patient, plane, (-half_mm, -half_mm),
        (step_mm, step_mm), (count, count), outside=AIR_HU,
    )  # fmt: skip
    left, size = -half_mm - step_mm / 2, count * step_mm
    return Slice(plane, hu, (left, left, size, size))


def dose_on(
    geometry: GridGeometry, dose_gy: NDArray[np.float32], plane: Plane, step_mm: float = 1.0
) -> tuple[NDArray[np.float32], FloatArray, FloatArray] | None:
    """Return the dose on a plane with its right and down coordinates, None if it misses."""
    corners = plane.project(geometry.corners_mm())
    if corners[:, 2].min() > 0 or corners[:, 2].max() < 0:
        return None
    low, high = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
    right, down = (np.arange(low[i], high[i] + step_mm, step_mm) for i in (0, 1))
    gray = on_plane(
        dose_gy, geometry.index_to_patient, plane, (right[0], down[0]), (step_mm, step_mm),
        (len(down), len(right)), outside=0.0,
    )  # fmt: skip
    return gray, right, down


def on_plane(
    voxels: NDArray[Voxel],
    index_to_patient: FloatArray,
    plane: Plane,
    first_mm: tuple[float, float],
    steps_mm: tuple[float, float],
    shape: tuple[int, int],
    *,
    outside: float,
) -> NDArray[Voxel]:
    """Return what a volume has at the points of a grid in a plane, linearly interpolated.

    Args:
        voxels: [z, y, x].
        index_to_patient: (4, 4) from their indices x, y, z to LPS mm.
        plane: in which the grid lies.
        first_mm: right and down of the first point.
        steps_mm: between columns and between rows.
        shape: rows and columns.
        outside: value beyond the outermost voxel centres.
    """
    to_index = np.linalg.inv(index_to_patient[:3, :3])
    right, down = to_index @ plane.right, to_index @ plane.down
    origin = to_index @ (plane.origin_mm - index_to_patient[:3, 3])
    start = origin + first_mm[0] * right + first_mm[1] * down
    return sampled(voxels, start, steps_mm[0] * right, steps_mm[1] * down, shape, outside=outside)
