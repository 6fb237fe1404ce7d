"""A dose grid that follows the implant seed by seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError
from dose.geometry import GridGeometry
from dose.kernel import QUANTUM_GY, add_at_points, add_to_grid, dose_table
from dose.seeds import Seeds
from dose.sources import SourceModel, load

FloatArray = NDArray[np.float64]

_ANY_DIRECTION = (0.0, 0.0, 1.0)


class DoseGrid:
    """Dose to full decay (Gy, water in water) of seeds of one model on a regular grid.

    Adding a seed and taking it away again leaves exactly what was there: contributions are
    whole numbers of a fixed quantum, so no sequence of edits drifts. A refused edit changes
    nothing.
    """

    def __init__(self, geometry: GridGeometry, source: SourceModel) -> None:
        """Start with no dose."""
        self.geometry = geometry
        self.source = source
        self._table = dose_table(source)
        self._total = np.zeros(geometry.shape, dtype=np.int64)
        self._seeds: dict[str, Seeds] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the seeds, in the order they were added."""
        return tuple(self._seeds)

    @property
    def dose_gy(self) -> NDArray[np.float32]:
        """(nz, ny, nx) float32 dose in Gy to full decay, read-only, as of now."""
        dose = (self._total * QUANTUM_GY).astype(np.float32)
        dose.setflags(write=False)
        return dose

    def add(
        self, key: str, position_mm: ArrayLike, axis: ArrayLike | None, strength_u: float
    ) -> None:
        """Add a seed.

        Args:
            key: its name.
            position_mm: (3,) centre, LPS mm.
            axis: (3,) direction; None asks for the point-source (1D) formalism.
            strength_u: air-kerma strength in U at implant.

        Raises:
            SeedError: the key is taken, or the seed cannot be dosed.
        """
        if key in self._seeds:
            raise SeedError(f"seed {key} is already in the dose grid")
        seed = _one(key, position_mm, axis, strength_u)
        if not self.geometry.contains(seed.position_mm)[0]:
            x, y, z = seed.position_mm[0]
            raise SeedError(
                f"seed {key} at ({x:.1f}, {y:.1f}, {z:.1f}) mm lies outside the dose grid; "
                "compute on a larger one"
            )
        self._apply(seed, +1)
        self._seeds[key] = seed

    def remove(self, key: str) -> None:
        """Take a seed away (SeedError if there is none of that key)."""
        self._apply(self._seed(key), -1)
        del self._seeds[key]

    def move(self, key: str, position_mm: ArrayLike, axis: ArrayLike | None) -> None:
        """Move and turn a seed; the old one stays if the new place is refused."""
        self._replace(key, position_mm, axis, float(self._seed(key).strength_u[0]))

    def replace_strength(self, key: str, strength_u: float) -> None:
        """Give a seed another strength."""
        old = self._seed(key)
        axis = None if np.isnan(old.axis[0, 0]) else old.axis[0]
        self._replace(key, old.position_mm[0], axis, strength_u)

    def dose_at(self, points_mm: ArrayLike) -> FloatArray:
        """Return the dose in Gy at points (n, 3), from the formalism, not from the grid."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        total = np.zeros(len(points))
        for seed in self._seeds.values():
            self._add_at(points, seed, total)
        return total

    def dose_of(self, key: str, points_mm: ArrayLike) -> FloatArray:
        """Return one seed's part of the dose in Gy at points (n, 3)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        total = np.zeros(len(points))
        self._add_at(points, self._seed(key), total)
        return total

    def _seed(self, key: str) -> Seeds:
        if key not in self._seeds:
            raise SeedError(f"there is no seed {key} in the dose grid")
        return self._seeds[key]

    def _replace(
        self, key: str, position_mm: ArrayLike, axis: ArrayLike | None, strength_u: float
    ) -> None:
        old = self._seed(key)
        new = _one(key, position_mm, axis, strength_u)
        if not self.geometry.contains(new.position_mm)[0]:
            raise SeedError(f"seed {key} would lie outside the dose grid")
        self._apply(old, -1)
        self._apply(new, +1)
        self._seeds[key] = new

    def _apply(self, seed: Seeds, sign: int) -> None:
        table, axis = self._formalism(seed)
        add_to_grid(
            self._total,
            table,
            self.geometry.index_to_patient,
            seed.position_mm[0],
            axis,
            self._table.capsule_half_length_mm,
            self._table.capsule_radius_mm,
            sign * seed.strength_u[0] / QUANTUM_GY,
        )

    def _add_at(self, points: FloatArray, seed: Seeds, total: FloatArray) -> None:
        table, axis = self._formalism(seed)
        add_at_points(
            total,
            points,
            table,
            seed.position_mm[0],
            axis,
            self._table.capsule_half_length_mm,
            self._table.capsule_radius_mm,
            seed.strength_u[0],
        )

    def _formalism(self, seed: Seeds) -> tuple[NDArray[np.int64], FloatArray]:
        if np.isnan(seed.axis[0, 0]):
            return self._table.point, np.array(_ANY_DIRECTION)
        return self._table.line, seed.axis[0]


def _one(key: str, position_mm: ArrayLike, axis: ArrayLike | None, strength_u: float) -> Seeds:
    direction = np.full(3, np.nan) if axis is None else np.asarray(axis, dtype=np.float64)
    try:
        return Seeds(
            np.asarray(position_mm, dtype=np.float64).reshape(1, 3),
            direction.reshape(1, 3),
            np.array([strength_u], dtype=np.float64),
        )
    except (SeedError, ValueError) as error:
        raise SeedError(f"seed {key}: {error}") from error


def warm_up(progress: Callable[[str], None] | None = None) -> None:
    """Compile the kernels, or load them from numba's cache.

    The cache lies in the package's folder, or in the user's where that is read-only.
    """
    if progress is not None:
        progress("preparing the dose engine")
    grid = DoseGrid(GridGeometry.from_axes((0, 0, 0), 1.0, (2, 2, 2)), load("6711"))
    grid.add("warm-up", (0.5, 0.5, 0.5), (0.0, 0.0, 1.0), 1.0)
    grid.dose_at([(5.0, 0.0, 0.0)])
