"""The scan's own frame: millimetres along columns, rows and the slices' normal.

Images are formed slice by slice, so blur and partial volume are described in this frame. A
tilted gantry shears the stack: each slice has its own offset in the plane, which is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScanFrame:
    """Coordinates of a volume's voxels in its own frame, mm.

    Attributes:
        rotation: (3, 3), rows are the unit vectors along columns, rows and normal (LPS).
        origin: (3,) LPS point of voxel (0, 0, 0).
        pixel_mm: (column, row) pixel size.
        step: (3,) shift from slice to slice in this frame.
        slice_mm: thickness of a slice.
    """

    rotation: FloatArray
    origin: FloatArray
    pixel_mm: tuple[float, float]
    step: FloatArray
    slice_mm: float

    @classmethod
    def of(cls, volume: Volume) -> ScanFrame:
        """Take the frame of a volume."""
        affine = volume.geometry.index_to_patient
        pixel = np.linalg.norm(affine[:3, :2], axis=0)
        across, down = affine[:3, 0] / pixel[0], affine[:3, 1] / pixel[1]
        normal = np.cross(across, down)
        if normal @ affine[:3, 2] < 0:
            normal = -normal
        rotation = np.array((across, down, normal))
        step = rotation @ affine[:3, 2]
        thickness = volume.provenance.slice_thickness_mm or float(step[2])
        return cls(
            rotation,
            affine[:3, 3].copy(),
            (float(pixel[0]), float(pixel[1])),
            step,
            max(thickness, 0.3),
        )

    def to_patient(self, points: FloatArray) -> FloatArray:
        """Carry (n, 3) points of this frame to LPS mm."""
        return np.asarray(points @ self.rotation + self.origin)

    def from_patient(self, points: FloatArray) -> FloatArray:
        """Carry (n, 3) LPS points to this frame."""
        return np.asarray((points - self.origin) @ self.rotation.T)

    def of_index(self, index: FloatArray) -> FloatArray:
        """Carry (n, 3) indices (column, row, slice) to this frame."""
        scale = np.array((*self.pixel_mm, 0.0))
        return np.asarray(index * scale + index[:, 2:3] * self.step)

    def to_index(self, points: FloatArray) -> FloatArray:
        """Carry (n, 3) points of this frame to indices (column, row, slice)."""
        k = points[:, 2] / self.step[2]
        i = (points[:, 0] - k * self.step[0]) / self.pixel_mm[0]
        j = (points[:, 1] - k * self.step[1]) / self.pixel_mm[1]
        return np.column_stack((i, j, k))
