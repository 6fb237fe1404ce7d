"""What fills the voxels: media and densities on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.transport.materials import Material
from dose.transport.walking import MOST_MEDIA


@dataclass(frozen=True, eq=False)
class Media:
    """What fills the voxels.

    Attributes:
        geometry: of the grid; axes at right angles.
        materials: the media.
        index: (nz, ny, nx) uint8, into ``materials``.
        density_g_cm3: (nz, ny, nx) float32.
    """

    geometry: GridGeometry
    materials: tuple[Material, ...]
    index: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check that all belongs together."""
        if self.geometry.is_sheared:
            raise DoseError("the transport wants a grid at right angles; straighten the scan first")
        shape = self.geometry.shape
        if self.index.shape != shape or self.density_g_cm3.shape != shape:
            raise DoseError(f"media and densities must have the shape of the grid, {shape}")
        if len(self.materials) > MOST_MEDIA:
            raise DoseError(f"there can be {MOST_MEDIA} media, not {len(self.materials)}")
        if int(self.index.max()) >= len(self.materials):
            raise DoseError("a voxel names a medium that there is not")
        if not (np.isfinite(self.density_g_cm3).all() and self.density_g_cm3.min() > 0):
            raise DoseError("every voxel needs a density above zero")

    @classmethod
    def of(cls, geometry: GridGeometry, material: Material) -> Media:
        """Return a grid of one medium."""
        shape = geometry.shape
        density = np.full(shape, material.density_g_cm3, np.float32)
        return cls(geometry, (material,), np.zeros(shape, np.uint8), density)
