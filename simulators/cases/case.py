"""A case: a patient with everything in it, and how it is scanned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.cases.recipe import Recipe
from simulators.metal import NeedleShape, Solid, needle_solids, seed_solids
from simulators.patient import Anatomy

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PlacedSeed:
    """A seed where it lies, patient frame, mm.

    Attributes:
        centre: (3,).
        axis: (3,) unit vector.
        sort: ``free``, ``in_bone``, ``beside_bone``, ``side``, ``end``, ``cross``, ``beyond``.
        partner: index of the other seed of a touching pair; -1 if none.
    """

    centre: FloatArray
    axis: FloatArray
    sort: str = "free"
    partner: int = -1


@dataclass(frozen=True)
class Lookalike:
    """Something that is no seed and no needle.

    Attributes:
        sort: such as ``screw``.
        position: (3,) its middle, patient frame, mm.
        solids: its parts.
    """

    sort: str
    position: FloatArray
    solids: tuple[Solid, ...]


@dataclass(frozen=True)
class Case:
    """A named case; positions in the patient's frame.

    Attributes:
        name: in the library.
        seed: of all randomness.
        recipe: what it was made from.
        anatomy: the patient.
        patient_to_scan: 4x4 rigid.
        needles: left in.
        seeds: dropped.
        others: look-alikes.
    """

    name: str
    seed: int
    recipe: Recipe
    anatomy: Anatomy
    patient_to_scan: FloatArray
    needles: tuple[NeedleShape, ...]
    seeds: tuple[PlacedSeed, ...]
    others: tuple[Lookalike, ...]

    def solids(self) -> list[Solid]:
        """Return all metal and mineral as solids of the patient's frame."""
        return list(self._solids())

    def _solids(self) -> Iterator[Solid]:
        for needle in self.needles:
            yield from needle_solids(needle)
        for seed in self.seeds:
            yield from seed_solids(seed.centre, seed.axis, self.recipe.model)
        for other in self.others:
            yield from other.solids

    def to_scan(self, point: FloatArray) -> FloatArray:
        """Return a point carried to the scan's frame."""
        return np.asarray(self.patient_to_scan[:3, :3] @ point + self.patient_to_scan[:3, 3])

    def turned(self, vector: FloatArray) -> FloatArray:
        """Return a vector turned to the scan's frame."""
        return np.asarray(self.patient_to_scan[:3, :3] @ vector)
