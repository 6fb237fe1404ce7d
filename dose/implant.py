"""Seeds by name, and the edits that a dose follows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError
from dose.kernel import add_at_points
from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.table import DoseTable, line_table, point_table
from dose.tg43 import dose_to_full_decay_2d

FloatArray = NDArray[np.float64]

_ANY_DIRECTION = (0.0, 0.0, 1.0)


class Implant(ABC):
    """Seeds of one model, added, moved and taken away one at a time.

    What a seed adds to the dose is a whole number of a fixed quantum, so that taking it away
    leaves exactly what was there and no sequence of edits drifts. A refused edit changes nothing.
    """

    def __init__(self, source: SourceModel) -> None:
        """Start without seeds."""
        self.source = source
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
        self._apply(seed, np.ones(1))
        self._seeds[key] = seed

    def become(self, keys: Sequence[str], seeds: Seeds) -> None:
        """Make the implant these seeds: all that come, go or change in one pass.

        Raises:
            SeedError: keys and seeds do not belong together, or a seed cannot be dosed; the
                implant is as it was then.
        """
        if len(keys) != len(seeds) or len(set(keys)) != len(keys):
            raise SeedError(f"{len(seeds)} seeds need a key of their own each")
        wanted = dict(zip(keys, seeds, strict=True))
        comes = {k: s for k, s in wanted.items() if k not in self._seeds or s != self._seeds[k]}
        goes = [s for k, s in self._seeds.items() if k not in wanted or k in comes]
        for key, seed in comes.items():
            self._accept(key, seed)
        if goes or comes:
            signs = np.concatenate((np.full(len(goes), -1.0), np.ones(len(comes))))
            self._apply(Seeds.together((*goes, *comes.values())), signs)
        self._seeds = wanted

    def remove(self, key: str) -> None:
        """Take a seed away (SeedError if there is none of that key)."""
        self._apply(self._seed(key), -np.ones(1))
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
        self._apply(Seeds.together((old, new)), np.array((-1.0, 1.0)))
        self._seeds[key] = new

    def _seed(self, key: str) -> Seeds:
        if key not in self._seeds:
            raise SeedError(f"there is no seed {key} in the dose")
        return self._seeds[key]

    def _by_table(self, seeds: Seeds) -> Iterator[tuple[NDArray[np.intp], Seeds, DoseTable]]:
        """Part seeds into those of known axis and those taken as points, with their tables.

        Yields:
            which seeds (m,), those seeds with an axis each, their table.
        """
        known = ~np.isnan(seeds.axis[:, 0])
        if known.any():
            which = np.flatnonzero(known)
            yield which, seeds[which], line_table(self.source)
        if not known.all():
            which = np.flatnonzero(~known)
            axes = np.tile(_ANY_DIRECTION, (len(which), 1))
            turned = Seeds(seeds.position_mm[which], axes, seeds.strength_u[which])
            yield which, turned, point_table(self.source)

    def _of_seed(self, points_mm: FloatArray, seed: Seeds) -> FloatArray:
        """Return the dose to full decay in Gy of one seed at points (n, 3), C-contiguous."""
        ((_, one, table),) = self._by_table(seed)
        dose = from_table(points_mm, one, table)
        if table.exact_within_cm:
            near = near_ends(points_mm, one, self.source, table)
            dose[near] = exact_gy(points_mm[near], one, self.source)
        return dose

    def _accept(self, key: str, seed: Seeds) -> None:  # noqa: B027  everywhere will do
        """Raise SeedError where a seed must not lie."""

    @abstractmethod
    def _apply(self, seeds: Seeds, signs: FloatArray) -> None:
        """Add each seed's dose, or take it away, by its sign (n,)."""


def from_table(points_mm: FloatArray, seed: Seeds, table: DoseTable) -> FloatArray:
    """Return the dose to full decay, Gy, of one seed at points (n, 3), C-contiguous, by a table."""
    dose = np.zeros(len(points_mm))
    add_at_points(
        dose,
        points_mm,
        table.cells,
        seed.position_mm[0],
        seed.axis[0],
        table.half_length_cm,
        table.radius_cm,
        seed.strength_u[0],
    )
    return dose


def near_ends(
    points_mm: FloatArray, seed: Seeds, source: SourceModel, table: DoseTable
) -> NDArray[np.intp]:
    """Return which points (n, 3) are too near to an end of the line source for its table."""
    half_mm, within_mm = source.active_length_cm * 5.0, table.exact_within_cm * 10.0
    off = points_mm - seed.position_mm[0]
    along = off @ seed.axis[0]
    away2 = (off**2).sum(axis=1) - along**2
    return np.flatnonzero((np.abs(along) - half_mm) ** 2 + away2 < within_mm**2)


def exact_gy(points_mm: FloatArray, seed: Seeds, source: SourceModel) -> FloatArray:
    """Return the dose to full decay, Gy, of one seed at points (n, 3) by the reference."""
    off = points_mm - seed.position_mm[0]
    along = off @ seed.axis[0]
    away = np.sqrt(np.maximum((off**2).sum(axis=1) - along**2, 0.0))
    r_cm, theta = np.hypot(along, away) / 10.0, np.arctan2(away, along)
    return float(seed.strength_u[0]) * dose_to_full_decay_2d(r_cm, theta, source)


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
