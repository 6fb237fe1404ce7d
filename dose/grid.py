"""A dose grid that follows the implant seed by seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError
from dose.geometry import GridGeometry
from dose.implant import Implant, exact_gy, from_table, near_ends
from dose.kernel import QUANTUM_GY, add_to_grid
from dose.points import DosePoints
from dose.seeds import Seeds
from dose.sources import SourceModel, load
from dose.table import DoseTable

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
            total += self._of_seed(points, seed)
        return total

    def dose_of(self, key: str, points_mm: ArrayLike) -> FloatArray:
        """Return one seed's part of the dose in Gy at points (n, 3)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        return self._of_seed(points, self._seed(key))

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

    def _apply(self, seeds: Seeds, signs: FloatArray) -> None:
        affine_cm = np.vstack((self.geometry.index_to_patient[:3] / 10.0, (0.0, 0.0, 0.0, 1.0)))
        for which, some, table in self._by_table(seeds):
            add_to_grid(
                self._total,
                table.cells,
                affine_cm,
                some.position_mm / 10.0,
                some.axis,
                table.half_length_cm,
                table.radius_cm,
                signs[which] * some.strength_u / QUANTUM_GY,
            )
            if table.exact_within_cm:
                for seed, sign in zip(some, signs[which], strict=True):
                    self._mend_ends(seed, sign, table)

    def _mend_ends(self, seed: Seeds, sign: float, table: DoseTable) -> None:
        """Replace one seed's dose by the reference's where its table does not follow it."""
        for end in (-0.5, 0.5):
            middle = seed.position_mm[0] + end * 10.0 * self.source.active_length_cm * seed.axis[0]
            indices = self._voxels_around(middle, 10.0 * table.exact_within_cm)
            points = self.geometry.indices_to_patient(indices)
            near = near_ends(points, seed, self.source, table)
            points = np.ascontiguousarray(points[near])
            if not len(points):
                continue
            extra = exact_gy(points, seed, self.source) - from_table(points, seed, table)
            i, j, k = indices[near].T
            self._total[k, j, i] += np.rint(sign / QUANTUM_GY * extra).astype(np.int64)

    def _voxels_around(self, point_mm: FloatArray, within_mm: float) -> NDArray[np.intp]:
        """Return indices (n, 3) in order x, y, z of the voxels of a box around a point."""
        inverse = np.linalg.inv(self.geometry.index_to_patient[:3, :3])
        # How far along each index the sphere reaches, in any orientation of the grid.
        reach = within_mm * np.linalg.norm(inverse, axis=1)
        middle = self.geometry.patient_to_indices(point_mm)
        last = np.array(self._total.shape[::-1]) - 1
        low = np.maximum(np.ceil(middle - reach).astype(int), 0)
        high = np.minimum(np.floor(middle + reach).astype(int), last)
        axes = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


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
