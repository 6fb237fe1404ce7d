"""One simulated case: patient, plan, frames of reference, delivery. All drawn from one seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.identity import Identity
from simulators.patient import Anatomy, draw_anatomy, draw_placement
from simulators.planner import Directive, Needle, plan_needles
from simulators.scanner import Protocol, SeriesLabel

FloatArray = NDArray[np.float64]

LEVELS = ("lumbar", "thoracic")
# Target volume that a seed is planned for, and how it grows until all seeds fit.
CC_PER_SEED = 1.4
# mCi (apparent) to U for I-125: AAPM TG-43U1, 1.270 U/mCi.
U_PER_MCI = 1.270
CARTRIDGE_SEEDS = 15
# What a department orders beyond the plan.
SPARE = 0.1
SCAN_MARGIN_MM = 40.0


@dataclass(frozen=True)
class Cartridge:
    """A cartridge as delivered."""

    serial: str
    seeds: int


@dataclass(frozen=True)
class Case:
    """A simulated case; all positions in the patient's frame unless said otherwise.

    Attributes:
        identity: names and UIDs.
        anatomy: the patient.
        needles: as planned.
        directive: what the plan prescribes.
        patient_to_planning: 4x4 rigid.
        patient_to_room: 4x4 rigid.
        cartridges: the delivery.
        misfire_at: order number of the drop that misfires first.
        slice_mm: of all scans.
    """

    identity: Identity
    anatomy: Anatomy
    needles: tuple[Needle, ...]
    directive: Directive
    patient_to_planning: FloatArray
    patient_to_room: FloatArray
    cartridges: tuple[Cartridge, ...]
    misfire_at: int
    slice_mm: float

    @property
    def planning_to_room(self) -> FloatArray:
        """4x4 rigid."""
        return np.asarray(self.patient_to_room @ np.linalg.inv(self.patient_to_planning))

    @property
    def planning_protocol(self) -> Protocol:
        """The planning CT: patient supine."""
        return self._protocol(self.patient_to_planning, prone=False)

    @property
    def room_protocol(self) -> Protocol:
        """The scans of the implant: patient prone."""
        return self._protocol(self.patient_to_room, prone=True)

    def label(self, name: str) -> SeriesLabel:
        """Return how the planning, needles or verification series is called."""
        start = self.identity.implant_at
        return {
            "planning": SeriesLabel(
                "planning", 1, "Planning CT", "planning", start - timedelta(days=6)
            ),
            "needles": SeriesLabel("needles", 2, "Needles", "implant", start),
            "verification": SeriesLabel(
                "verification", 3, "Verification", "implant", start + timedelta(minutes=50)
            ),
        }[name]

    def _protocol(self, frame: FloatArray, *, prone: bool) -> Protocol:
        """Scan the target and a margin around it, the whole width of the body."""
        length = 2 * (max(self.anatomy.lesion_radii) + SCAN_MARGIN_MM)
        middle = np.array((0.0, -35.0, self.anatomy.lesion_centre[2]))
        # Where the slices fall is chance, as it is with a patient on a table.
        middle[2] += (self.identity.seed * 0.37) % self.slice_mm
        x, y, z = (float(v) for v in frame[:3, :3] @ middle + frame[:3, 3])
        slices = math.ceil(length / self.slice_mm)
        return Protocol(self.slice_mm, 0.75, slices, (x, y, z), prone)


def draw_case(seed: int, *, seeds: int, slice_mm: float, level: str) -> Case:
    """Draw a case; the same arguments give the same case.

    Args:
        seed: of all randomness.
        seeds: number of seeds planned.
        slice_mm: slice thickness of the scans.
        level: ``lumbar`` or ``thoracic``.

    Raises:
        ValueError: an argument is out of range.
    """
    if level not in LEVELS:
        raise ValueError(f"case {level!r}: choose one of {', '.join(LEVELS)}")
    if not 4 <= seeds <= 110:
        raise ValueError(f"{seeds} seeds: choose 4 to 110")
    if not 0.5 <= slice_mm <= 5.0:
        raise ValueError(f"slices of {slice_mm} mm: choose 0.5 to 5 mm")
    identity = Identity(seed)
    rng = np.random.default_rng((seed, 1))
    anatomy, needles = _patient_with_room(rng, seeds, level)
    directive = Directive(
        source_model="6711",
        strength_u=round(float(rng.uniform(0.74, 0.84)) * U_PER_MCI, 3),
        strength_at=identity.implant_at.replace(hour=12) - timedelta(days=2),
        prescription_gy=100.0,
        target_roi=1,
        outlines=3,
    )
    return Case(
        identity=identity,
        anatomy=anatomy,
        needles=needles,
        directive=directive,
        patient_to_planning=draw_placement(rng),
        patient_to_room=draw_placement(rng),
        cartridges=_delivery(seed, seeds),
        misfire_at=int(rng.integers(1, seeds)),
        slice_mm=slice_mm,
    )


def _patient_with_room(
    rng: np.random.Generator, seeds: int, level: str
) -> tuple[Anatomy, tuple[Needle, ...]]:
    target_cc = CC_PER_SEED * seeds
    while True:
        anatomy = draw_anatomy(rng, level, target_cc)
        try:
            return anatomy, plan_needles(anatomy, seeds, rng)
        except ValueError:
            target_cc *= 1.08


def _delivery(seed: int, seeds: int) -> tuple[Cartridge, ...]:
    left = math.ceil(seeds * (1 + SPARE))
    cartridges: list[Cartridge] = []
    while left > 0:
        count = min(left, CARTRIDGE_SEEDS)
        cartridges.append(Cartridge(f"S{seed}-{len(cartridges) + 1}", count))
        left -= count
    return tuple(cartridges)


def moved(needle: Needle, matrix: FloatArray) -> Needle:
    """Return a needle carried into another frame by a 4x4 rigid matrix."""
    tip, entry = (matrix[:3, :3] @ p + matrix[:3, 3] for p in (needle.tip, needle.entry))
    return replace(needle, tip=tip, entry=entry)
