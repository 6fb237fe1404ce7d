"""Scans on plain grids: along the patient's axes, of one spacing, in a chosen box."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]


class WorkingImage:
    """A scan sampled on a grid along the patient's axes.

    Attributes:
        hu: (nz, ny, nx) float32; NaN outside the scan.
        origin: (3,) LPS mm of voxel (0, 0, 0).
        spacing_mm: of the grid.
    """

    def __init__(
        self, volume: Volume, spacing_mm: float, box: tuple[FloatArray, FloatArray] | None = None
    ) -> None:
        """Sample a scan; gantry tilt and oblique planes end here.

        Args:
            volume: the scan.
            spacing_mm: of the grid.
            box: lower and upper corner, LPS mm; the whole scan if left out.
        """
        affine = volume.geometry.index_to_patient
        nz, ny, nx = volume.geometry.shape
        corners = np.array(
            [(i, j, k, 1) for i in (0, nx - 1) for j in (0, ny - 1) for k in (0, nz - 1)]
        )
        reach = (corners @ affine.T)[:, :3]
        lower, upper = reach.min(axis=0), reach.max(axis=0)
        if box is not None:
            lower, upper = np.maximum(lower, box[0]), np.minimum(upper, box[1])
        shape = np.maximum(np.floor((upper - lower) / spacing_mm).astype(int) + 1, 1)
        # Indices run z, y, x in arrays, x, y, z in patients.
        to_index = np.linalg.inv(affine)
        matrix = np.asarray(to_index[:3, :3][::-1, ::-1] * spacing_mm, np.float64)
        offset = (to_index[:3, :3] @ lower + to_index[:3, 3])[::-1]
        # Averaged over what a voxel of the grid covers, so that nothing falls between.
        native = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
        hu, offset = _around(volume.hu, matrix, offset, shape[::-1])
        blur = np.where(native < spacing_mm, 0.4 * spacing_mm / native, 0.0)
        hu = ndimage.gaussian_filter(hu, blur, mode="nearest", truncate=2.0)
        self.hu = ndimage.affine_transform(
            hu, matrix, offset, tuple(int(n) for n in shape[::-1]), order=1, cval=np.nan
        )
        self.origin = lower
        self.spacing_mm = spacing_mm

    def clipped(self, lowest: float, highest: float) -> FloatArray:
        """Return HU between two limits, NaN outside the scan."""
        return np.clip(self.hu, lowest, highest).astype(np.float64)

    def image(self, lowest: float, highest: float) -> Any:
        """Return the clipped scan for SimpleITK; outside the scan it is the lower limit."""
        return self._as_image(np.nan_to_num(np.clip(self.hu, lowest, highest), nan=lowest))

    def mask(self, selected: NDArray[np.bool_]) -> Any:
        """Return a selection of voxels for SimpleITK."""
        return self._as_image(selected.astype(np.uint8))

    def _as_image(self, array: NDArray[Any]) -> Any:
        image = sitk.GetImageFromArray(array)
        image.SetOrigin([float(x) for x in self.origin])
        image.SetSpacing([self.spacing_mm] * 3)
        return image


def _around(
    hu: NDArray[np.int16], matrix: FloatArray, offset: FloatArray, shape: NDArray[np.int64]
) -> tuple[NDArray[np.float32], FloatArray]:
    """Cut out what a grid touches, with room for the blur; return it and the offset in it."""
    corners = np.array(np.meshgrid(*((0, n - 1) for n in shape))).reshape(3, -1)
    reach = matrix @ corners + offset[:, None]
    lower = np.maximum(np.floor(reach.min(axis=1)).astype(int) - 4, 0)
    upper = np.minimum(np.ceil(reach.max(axis=1)).astype(int) + 5, hu.shape)
    part = hu[tuple(slice(a, max(a + 1, b)) for a, b in zip(lower, upper, strict=True))]
    return part.astype(np.float32), offset - lower
