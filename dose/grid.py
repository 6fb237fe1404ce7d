"""A dose grid that follows the implant seed by seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError
from dose.geometry import GridGeometry
from dose.implant import Implant
from dose.kernel import QUANTUM_GY, add_to_grid
from dose.points import DosePoints, dose_of_seed
from dose.seeds import Seeds
from dose.sources import SourceModel, load

FloatArray = NDArray[np.float64]


class DoseGrid(Implant):
    """Dose to full decay (Gy, water in water) of seeds of one model on a regular grid."""

    def __init__(self, geometry: GridGeometry, source: SourceModel) -> None:
        """Start with no dose."""
        super().__init__(source)
        self.geometry = geometry
        self._total = np.zeros(geometry.shape, dtype=np.int64)

    @property
    def dose_gy(self) -> NDArray[np.float32]:
        """(nz, ny, nx) float32 dose in Gy to full decay, read-only, as of now."""
        dose = (self._total * QUANTUM_GY).astype(np.float32)
        dose.setflags(write=False)
        return dose

    def dose_at(self, points_mm: ArrayLike) -> FloatArray:
        """Return the dose in Gy at points (n, 3), from the formalism, not from the grid."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        total = np.zeros(len(points))
        for seed in self._seeds.values():
            total += dose_of_seed(points, seed, self._formalism(seed))
        return total

    def dose_of(self, key: str, points_mm: ArrayLike) -> FloatArray:
        """Return one seed's part of the dose in Gy at points (n, 3)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        seed = self._seed(key)
        return dose_of_seed(points, seed, self._formalism(seed))

    def volume_at_least_cc(self, dose_gy: float) -> float | None:
        """Return the volume of the patient that receives a dose, cc.

        Whole voxels are counted. None where the isodose surface leaves the grid, whose volume
        inside it would then be too small.
        """
        least = round(dose_gy / QUANTUM_GY)
        reached = self._total >= least
        faces = (reached[[0, -1]], reached[:, [0, -1]], reached[:, :, [0, -1]])
        if any(face.any() for face in faces):
            return None
        return float(np.count_nonzero(reached)) * self.geometry.voxel_volume_cc

    def _accept(self, key: str, seed: Seeds) -> None:
        if not self.geometry.contains(seed.position_mm)[0]:
            x, y, z = seed.position_mm[0]
            raise SeedError(
                f"seed {key} at ({x:.1f}, {y:.1f}, {z:.1f}) mm lies outside the dose grid; "
                "compute on a larger one"
            )

    def _apply(self, seed: Seeds, sign: int) -> None:
        formalism = self._formalism(seed)
        add_to_grid(
            self._total,
            formalism.cells,
            self.geometry.index_to_patient,
            seed.position_mm[0],
            formalism.axis,
            formalism.half_length_mm,
            formalism.radius_mm,
            sign * seed.strength_u[0] / QUANTUM_GY,
        )


def warm_up(progress: Callable[[str, float], None] | None = None) -> None:
    """Compile the kernels, or load them from numba's cache.

    The cache lies in the package's folder, or in the user's where that is read-only.

    Args:
        progress: told what comes next, and what part of the work is done, 0 to 1.
    """
    tell = progress or (lambda what, done: None)
    tell("seed data", 0.0)
    source = load("6711")
    geometry = GridGeometry.from_axes((0, 0, 0), 1.0, (2, 2, 2))
    tell("dose table", 0.1)
    grid, points = DoseGrid(geometry, source), DosePoints([(5.0, 0.0, 0.0)], source)
    tell("dose grid", 0.2)
    grid.add("warm-up", (0.5, 0.5, 0.5), (0.0, 0.0, 1.0), 1.0)
    tell("dose at points", 0.7)
    points.add("warm-up", (0.5, 0.5, 0.5), (0.0, 0.0, 1.0), 1.0)
    tell("ready", 1.0)
