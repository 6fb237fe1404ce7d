"""Values of a grid at points between its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.geometry import GridGeometry

FloatArray = NDArray[np.float64]


def interpolated(
    values: NDArray[np.float32], geometry: GridGeometry, points_mm: FloatArray, *, outside: float
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return values at points, linearly between voxels, and which points lie in the grid.

    Args:
        values: (nz, ny, nx).
        geometry: of the grid.
        points_mm: (n, 3) in its frame of reference, LPS mm.
        outside: value of the points beyond the grid.
    """
    inside = geometry.contains(points_mm)
    found = np.full(len(points_mm), outside)
    index = geometry.patient_to_indices(points_mm[inside])[:, ::-1].T
    found[inside] = ndimage.map_coordinates(values, index, np.float64, order=1, mode="nearest")
    return found, inside
