"""Grid geometry: where the voxels of an image or a dose grid lie in the patient.

The one geometry type of the program. It holds no voxels, may be sheared (gantry tilt is kept
exact), and is validated here once, so that nobody downstream has to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import GeometryError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridGeometry:
    """A regular grid in the DICOM patient frame (LPS, mm).

    Attributes:
        shape: number of voxels ``(nz, ny, nx)``, the shape of an array on this grid.
        index_to_patient: 4x4 affine; maps the index ``(i_x, i_y, i_z, 1)`` (column, row, slice)
            to the patient point ``(x, y, z, 1)`` of the voxel's centre. Shear is allowed.
        frame_of_reference_uid: DICOM FrameOfReferenceUID; empty where the source had none.
    """

    shape: tuple[int, int, int]
    index_to_patient: FloatArray
    frame_of_reference_uid: str = ""

    def __post_init__(self) -> None:
        """Validate, and freeze the affine."""
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"a grid needs three extents of at least 1 voxel, not {self.shape}")
        affine = np.array(self.index_to_patient, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("index_to_patient must be a finite 4x4 matrix")
        if not np.array_equal(affine[3], (0.0, 0.0, 0.0, 1.0)):
            raise GeometryError("the last row of index_to_patient must be 0 0 0 1")
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        if spacing.min() <= 0 or abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
            raise GeometryError("index_to_patient does not span three dimensions")
        affine.setflags(write=False)
        object.__setattr__(self, "index_to_patient", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @classmethod
    def from_axes(
        cls,
        origin_mm: ArrayLike,
        spacing_mm: ArrayLike,
        shape: tuple[int, int, int],
        *,
        axes: ArrayLike | None = None,
        frame_of_reference_uid: str = "",
    ) -> Self:
        """Build from the centre of voxel (0, 0, 0) and the spacing along x, y, z.

        Args:
            origin_mm: (3,) patient position of the first voxel's centre.
            spacing_mm: (3,) or scalar, spacing along the index directions x, y, z.
            shape: ``(nz, ny, nx)``.
            axes: (3, 3), columns are the unit directions of the index axes x, y, z;
                the patient axes if left out.
            frame_of_reference_uid: DICOM FrameOfReferenceUID.
        """
        directions = np.eye(3) if axes is None else np.asarray(axes, dtype=np.float64)
        affine = np.eye(4)
        affine[:3, :3] = directions * np.broadcast_to(np.asarray(spacing_mm, np.float64), 3)
        affine[:3, 3] = np.asarray(origin_mm, dtype=np.float64)
        return cls(shape, affine, frame_of_reference_uid)

    @classmethod
    def around(
        cls,
        lower_mm: ArrayLike,
        upper_mm: ArrayLike,
        spacing_mm: float,
        *,
        axes: ArrayLike | None = None,
        frame_of_reference_uid: str = "",
    ) -> Self:
        """Build an isotropic grid whose voxel centres cover a box.

        Args:
            lower_mm: (3,) least corner of the box, along the axes.
            upper_mm: (3,) greatest corner of the box.
            spacing_mm: isotropic spacing.
            axes: (3, 3), columns are the unit directions of the box, at right angles; the
                patient axes if left out.
            frame_of_reference_uid: DICOM FrameOfReferenceUID.

        Raises:
            GeometryError: the box has no extent, or the spacing is not positive.
        """
        lower = np.asarray(lower_mm, dtype=np.float64)
        upper = np.asarray(upper_mm, dtype=np.float64)
        if not (np.isfinite(lower).all() and np.isfinite(upper).all() and (upper > lower).all()):
            raise GeometryError(f"the box from {lower} to {upper} mm has no extent")
        if not spacing_mm > 0:
            raise GeometryError(f"the spacing must be positive, not {spacing_mm} mm")
        counts = np.ceil((upper - lower) / spacing_mm).astype(int) + 1
        origin = (lower + upper) / 2 - (counts - 1) * spacing_mm / 2
        shape = (int(counts[2]), int(counts[1]), int(counts[0]))
        directions = np.eye(3) if axes is None else np.asarray(axes, dtype=np.float64)
        return cls.from_axes(
            directions @ origin,
            spacing_mm,
            shape,
            axes=directions,
            frame_of_reference_uid=frame_of_reference_uid,
        )

    @property
    def spacing_mm(self) -> FloatArray:
        """(3,) distance between neighbouring voxel centres along the index axes x, y, z."""
        return np.asarray(np.linalg.norm(self.index_to_patient[:3, :3], axis=0))

    @property
    def axes(self) -> FloatArray:
        """(3, 3) unit directions of the index axes x, y, z as columns."""
        return np.asarray(self.index_to_patient[:3, :3] / self.spacing_mm)

    @property
    def origin_mm(self) -> FloatArray:
        """(3,) patient position of the centre of voxel (0, 0, 0)."""
        return np.asarray(self.index_to_patient[:3, 3])

    @property
    def voxel_volume_cc(self) -> float:
        """Volume of one voxel in cm^3."""
        return float(abs(np.linalg.det(self.index_to_patient[:3, :3]))) / 1000.0

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    @property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles (gantry tilt)."""
        axes = self.axes
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4)

    def indices_to_patient(self, indices: ArrayLike) -> FloatArray:
        """Map continuous indices (..., 3) in order x, y, z to patient points (..., 3) in mm."""
        affine = self.index_to_patient
        return np.asarray(indices, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3]

    def patient_to_indices(self, points_mm: ArrayLike) -> FloatArray:
        """Map patient points (..., 3) in mm to continuous indices (..., 3) in order x, y, z."""
        affine = self.index_to_patient
        inverse = np.linalg.inv(affine[:3, :3])
        return (np.asarray(points_mm, dtype=np.float64) - affine[:3, 3]) @ inverse.T

    def contains(self, points_mm: ArrayLike) -> NDArray[np.bool_]:
        """Tell for points (..., 3) whether each lies inside the grid's outermost voxel faces."""
        indices = self.patient_to_indices(points_mm)
        upper = np.array(self.shape[::-1]) - 0.5
        return np.asarray(((indices >= -0.5) & (indices <= upper)).all(axis=-1))

    def corners_mm(self) -> FloatArray:
        """(8, 3) patient positions of the outermost voxel corners."""
        nz, ny, nx = self.shape
        corners = [
            (i, j, k) for k in (-0.5, nz - 0.5) for j in (-0.5, ny - 0.5) for i in (-0.5, nx - 0.5)
        ]
        return self.indices_to_patient(corners)

    def same_grid(self, other: GridGeometry, tolerance_mm: float = 1e-3) -> bool:
        """Tell whether another geometry has the same voxels (frame of reference included)."""
        if self.shape != other.shape:
            return False
        if self.frame_of_reference_uid != other.frame_of_reference_uid:
            return False
        difference = np.abs(self.corners_mm() - other.corners_mm())
        return bool(difference.max() <= tolerance_mm)
