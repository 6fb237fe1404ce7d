"""The implant as it was planned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from guidance.errors import ImportRefused

Point = tuple[float, float, float]


@dataclass(frozen=True)
class PlannedNeedle:
    """A needle of the plan.

    Attributes:
        number: its number in the plan, from 1.
        tip_mm: planned tip (x, y, z), LPS mm, in the plan's frame of reference.
        entry_mm: planned passage through the skin.
    """

    number: int
    tip_mm: Point
    entry_mm: Point

    @property
    def direction(self) -> NDArray[np.float64]:
        """(3,) unit vector from entry to tip."""
        along = np.subtract(self.tip_mm, self.entry_mm)
        return np.asarray(along / np.linalg.norm(along))


@dataclass(frozen=True)
class PlannedSeed:
    """A seed of the plan.

    Attributes:
        number: its number in the plan, from 1.
        needle: number of the needle it leaves through.
        position_mm: planned centre (x, y, z), LPS mm, in the plan's frame of reference.
        axis: planned unit direction.
        retraction_mm: how far the needle has been drawn back from its deepest point when
            this seed is dropped.
    """

    number: int
    needle: int
    position_mm: Point
    axis: Point
    retraction_mm: float


@dataclass(frozen=True)
class ImplantPlan:
    """Needles, seeds, strength and prescription of one implant.

    Attributes:
        label: RTPlanLabel.
        sop_instance_uid: of the RTPLAN; empty for a plan made here.
        patient_id: DICOM PatientID.
        frame_of_reference_uid: frame of all positions.
        structure_set_uid: SOP Instance UID of the structure set it refers to, may be empty.
        source_model: TG-43 name of the seed model, such as "6711".
        strength_u: air-kerma strength of one seed in U at ``strength_at``.
        strength_at: reference date and time of the strength (UTC); None if the plan has none.
        prescription_gy: prescribed dose to the target.
        target_name: name of the ROI that the prescription is for, may be empty.
        needles: planned needles.
        seeds: planned seeds.
        remarks: what the reader must know, full sentences.
        made_at: RTPlanDate and time; None if the plan has none.
    """

    label: str
    sop_instance_uid: str
    patient_id: str
    frame_of_reference_uid: str
    structure_set_uid: str
    source_model: str
    strength_u: float
    strength_at: datetime | None
    prescription_gy: float
    target_name: str
    needles: tuple[PlannedNeedle, ...]
    seeds: tuple[PlannedSeed, ...]
    remarks: tuple[str, ...] = ()
    made_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that contradicts itself."""
        numbers = [needle.number for needle in self.needles]
        if len(set(numbers)) != len(numbers):
            raise ImportRefused(f"plan {self.label}: two needles have the same number")
        for seed in self.seeds:
            if seed.needle not in numbers:
                raise ImportRefused(
                    f"plan {self.label}: seed {seed.number} leaves through needle {seed.needle}, "
                    "which the plan does not have"
                )
        if not self.strength_u > 0:
            raise ImportRefused(
                f"plan {self.label}: air-kerma strength must be positive, not {self.strength_u} U"
            )
        if not self.prescription_gy > 0:
            raise ImportRefused(
                f"plan {self.label}: the prescription must be positive, "
                f"not {self.prescription_gy} Gy"
            )

    def needle(self, number: int) -> PlannedNeedle:
        """Return the needle of that number (KeyError if the plan has none)."""
        for needle in self.needles:
            if needle.number == number:
                return needle
        raise KeyError(number)

    def seeds_of(self, needle: int) -> tuple[PlannedSeed, ...]:
        """Return the seeds of a needle in the order they are dropped (deepest first)."""
        seeds = (seed for seed in self.seeds if seed.needle == needle)
        return tuple(sorted(seeds, key=lambda seed: seed.retraction_mm))

    def transformed(self, matrix: NDArray[np.float64], frame_of_reference_uid: str) -> ImplantPlan:
        """Return the plan carried into another frame by a rigid 4x4 matrix (plan to other)."""
        rotation, shift = matrix[:3, :3], matrix[:3, 3]

        def point(p: Point) -> Point:
            x, y, z = rotation @ np.asarray(p) + shift
            return (float(x), float(y), float(z))

        def direction(d: Point) -> Point:
            x, y, z = rotation @ np.asarray(d)
            return (float(x), float(y), float(z))

        return replace(
            self,
            frame_of_reference_uid=frame_of_reference_uid,
            needles=tuple(
                replace(n, tip_mm=point(n.tip_mm), entry_mm=point(n.entry_mm)) for n in self.needles
            ),
            seeds=tuple(
                replace(s, position_mm=point(s.position_mm), axis=direction(s.axis))
                for s in self.seeds
            ),
        )
