"""Seeds by name, and the edits that a dose follows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError
from dose.kernel import DoseTable, dose_table
from dose.seeds import Seeds
from dose.sources import SourceModel

FloatArray = NDArray[np.float64]

_ANY_DIRECTION = (0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Formalism:
    """How one seed is dosed: as a line source, or as a point where its axis is not known.

    Attributes:
        cells: the part of the ``DoseTable``.
        axis: (3,) unit direction.
        half_length_mm: of the capsule inside which the dose is that of its side wall; of a
            point as much as its radius.
        radius_mm: of the capsule.
    """

    cells: NDArray[np.int64]
    axis: FloatArray
    half_length_mm: float
    radius_mm: float


class Implant(ABC):
    """Seeds of one model, added, moved and taken away one at a time.

    What a seed adds to the dose is a whole number of a fixed quantum, so that taking it away
    leaves exactly what was there and no sequence of edits drifts. A refused edit changes nothing.
    """

    def __init__(self, source: SourceModel) -> None:
        """Start without seeds."""
        self.source = source
        self._table: DoseTable = dose_table(source)
        self._seeds: dict[str, Seeds] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the seeds, in the order they were added."""
        return tuple(self._seeds)

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
            raise SeedError(f"seed {key} is already in the dose")
        seed = _one(key, position_mm, axis, strength_u)
        self._accept(key, seed)
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

    def _replace(
        self, key: str, position_mm: ArrayLike, axis: ArrayLike | None, strength_u: float
    ) -> None:
        old = self._seed(key)
        new = _one(key, position_mm, axis, strength_u)
        self._accept(key, new)
        self._apply(old, -1)
        self._apply(new, +1)
        self._seeds[key] = new

    def _seed(self, key: str) -> Seeds:
        if key not in self._seeds:
            raise SeedError(f"there is no seed {key} in the dose")
        return self._seeds[key]

    def _formalism(self, seed: Seeds) -> Formalism:
        """Return what a seed is dosed from."""
        table = self._table
        if np.isnan(seed.axis[0, 0]):
            radius = table.capsule_radius_mm
            return Formalism(table.point, np.array(_ANY_DIRECTION), radius, radius)
        return Formalism(
            table.line, seed.axis[0], table.capsule_half_length_mm, table.capsule_radius_mm
        )

    def _accept(self, key: str, seed: Seeds) -> None:  # noqa: B027  everywhere will do
        """Raise SeedError where a seed must not lie."""

    @abstractmethod
    def _apply(self, seed: Seeds, sign: int) -> None:
        """Add a seed's dose, or take it away."""


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
