"""What is outside the patient, coarsely: the air of each slice that reaches the image's edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.frame import ScanFrame
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

AIR_HU = -400.0
CELL_MM = 5.0
# What has the air outside this near beside it lies on the skin.
ON_SKIN_MM, DIRECTIONS = 3.0, 16


@dataclass(frozen=True, eq=False)
class Body:
    """Which cells of a coarse grid are outside.

    Attributes:
        outside: (nz, ny, nx) of the cells.
        deep: the same, inside with all neighbours in the slice.
        cell: pixels (column, row) of a cell.
    """

    outside: NDArray[np.bool_]
    deep: NDArray[np.bool_]
    cell: tuple[int, int]

    @classmethod
    def of(cls, volume: Volume, frame: ScanFrame) -> Body:
        """Look at every few pixels of each slice; lungs are closed in by the chest."""
        column, row = (max(1, round(CELL_MM / p)) for p in frame.pixel_mm)
        air = volume.hu[:, ::row, ::column] < AIR_HU
        flat = np.zeros((3, 3, 3), bool)
        flat[1] = True
        labels, count = ndimage.label(air, flat)
        edge = np.zeros(count + 1, bool)
        for side in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
            edge[np.unique(side)] = True
        edge[0] = False
        outside = edge[labels]
        return cls(outside, ~ndimage.binary_dilation(outside, flat), (column, row))

    def is_outside(self, index: FloatArray) -> NDArray[np.bool_]:
        """Return which (n, 3) indices (column, row, slice) lie outside."""
        return self._at(self.outside, index)

    def is_deep(self, index: FloatArray) -> NDArray[np.bool_]:
        """Return which (n, 3) indices lie inside with some tissue on all sides."""
        return self._at(self.deep, index)

    def on_skin(self, volume: Volume, frame: ScanFrame, points: FloatArray) -> NDArray[np.bool_]:
        """Return which (n, 3) points of the scan's frame have the air outside beside them.

        Air well inside, as in a lung or in the black streaks of metal, does not count.
        """
        angles = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False)
        ring = ON_SKIN_MM * np.column_stack((np.cos(angles), np.sin(angles), 0.0 * angles))
        around = frame.to_index((points[:, None] + ring).reshape(-1, 3))
        i, j, k = np.rint(around).astype(int).T
        nz, ny, nx = volume.hu.shape
        hu = volume.hu[k.clip(0, nz - 1), j.clip(0, ny - 1), i.clip(0, nx - 1)]
        air = (hu < AIR_HU) & ~self.is_deep(around)
        return np.asarray(air.reshape(len(points), DIRECTIONS).any(axis=1))

    def _at(self, cells: NDArray[np.bool_], index: FloatArray) -> NDArray[np.bool_]:
        i, j, k = np.rint(index / (*self.cell, 1.0)).astype(int).T
        nz, ny, nx = cells.shape
        return np.asarray(cells[k.clip(0, nz - 1), j.clip(0, ny - 1), i.clip(0, nx - 1)])
