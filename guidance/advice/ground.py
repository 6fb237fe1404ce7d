"""Where seeds could go and what each would do: dose tables at points of target and cord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dose.dvh import Dvh
from dose.errors import DoseError
from dose.points import DosePoints
from dose.radiobiology import CORD, Course, cumulative_eqd2_gy
from dose.sources import SourceModel
from dose.structures import Samples, Structure, sample, signed_distance_mm
from guidance.advice.medium import MediumFactor
from guidance.advice.proposal import Figures
from guidance.errors import RefusedError
from guidance.planning.protocol import Protocol

Point = tuple[float, float, float]
FloatArray = NDArray[np.float64]

# The search weighs thousands of sets of seeds; its points lie no closer than these. What is
# reported is computed again on points of the live dose.
TARGET_POINTS, CORD_POINTS = 4000, 3000
TARGET_SPACING_MM, CORD_SPACING_MM = 1.5, 1.5
# Seats along a needle, and how far outside the target a seat may still be of use.
SEAT_STEP_MM = 2.5
BEYOND_TARGET_MM = 4.0
# At full stroke the seed comes to rest half its length beyond the tip (docs/
# applicator-protocol.md, "Where a seed comes to rest").
SEED_AHEAD_OF_TIP_MM = 2.25
# A model-based dose may leave out so much of the target.
MOST_OUTSIDE = 0.001


@dataclass(frozen=True)
class Source:
    """A seed that is, or is still to come: centre, direction (None if unknown), strength."""

    position_mm: Point
    axis: Point | None
    strength_u: float


@dataclass(frozen=True)
class Reach:
    """A needle in place, and from where on seeds can leave it.

    Attributes:
        number: of the needle.
        tip_mm: its tip when last seen, LPS mm.
        entry_mm: where it passes the skin.
        retraction_mm: how far it has been drawn back since; it is only ever drawn back.
    """

    number: int
    tip_mm: Point
    entry_mm: Point
    retraction_mm: float = 0.0


@dataclass(frozen=True, eq=False)
class Situation:
    """What is asked: an implant as it is, in one frame of reference.

    Attributes:
        event_number: the event after which it was so.
        target: structure of the prescription.
        cord: None where none is drawn.
        source: seed model.
        strength_u: of a seed that would be added, at implant.
        seeds: all seeds in the patient.
        pending: planned seeds that are still to come.
        needles: in place.
        prescription_gy: of the target.
        protocol: the case's limits.
        courses: earlier external beam to the cord.
        spared: other organs at risk.
        remarks: what must be said with the answer.
        basis: which positions ``seeds`` are, in words.
        medium: what the patient's tissues make of the dose in water; None for TG-43 alone.
    """

    event_number: int
    target: Structure
    cord: Structure | None
    source: SourceModel
    strength_u: float
    seeds: tuple[Source, ...]
    pending: tuple[Source, ...]
    needles: tuple[Reach, ...]
    prescription_gy: float
    protocol: Protocol
    courses: tuple[Course, ...] = ()
    spared: tuple[Structure, ...] = ()
    remarks: tuple[str, ...] = ()
    basis: str = "seeds as seen, else as counted"
    medium: MediumFactor | None = None


@dataclass(frozen=True, eq=False)
class Seats:
    """Places where a seed could be left, with the dose that each would give.

    Attributes:
        needle: (m,) needle numbers.
        retraction_mm: (m,).
        position_mm: (m, 3) LPS mm.
        axis: (m, 3).
        target_gy: (m, n) at the target's points.
        cord_gy: (m, k) at the cord's points; k = 0 without a cord.
        cord_mm: (m,) distance to the cord; infinite without one.
        barred: why other places are none, in words.
    """

    needle: NDArray[np.int64]
    retraction_mm: FloatArray
    position_mm: FloatArray
    axis: FloatArray
    target_gy: FloatArray
    cord_gy: FloatArray
    cord_mm: FloatArray
    barred: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.needle)


class Ground:
    """Target and cord as points, and the doses of given seeds there."""

    def __init__(self, situation: Situation) -> None:
        """Sample the structures.

        Raises:
            RefusedError: the target cannot be sampled, or the model-based dose does not cover it.
        """
        self.situation = situation
        try:
            self.target = sample(
                situation.target, spacing_mm=TARGET_SPACING_MM, at_most=TARGET_POINTS
            )
        except DoseError as error:
            raise RefusedError(f"no advice: {error}") from error
        # Its surface counts for the largest dose only, which nobody asks of a target.
        self.target = _inside(self.target)
        self.cord: Samples | None = None
        if situation.cord is not None:
            self.cord = sample(
                _near(situation.cord, self.target), spacing_mm=CORD_SPACING_MM, at_most=CORD_POINTS
            )
        self._target_factor, outside = self._factor(self.target)
        if outside > MOST_OUTSIDE:
            raise RefusedError(
                f"no advice: {100 * outside:.0f} % of {situation.target.name} lies outside the "
                "model-based dose"
            )
        self._cord_factor, _ = self._factor(self.cord)
        self.remarks = tuple(
            f"For {100 * share:.0f} % of {name} the model-based dose says nothing; TG-43 is used "
            "there."
            for name, share in (
                (situation.target.name, self._unknown(self.target)),
                ("the cord near the target", self._unknown(self.cord)),
            )
            if share > MOST_OUTSIDE
        )

    def _factor(self, samples: Samples | None) -> tuple[FloatArray, float]:
        """Return what the medium makes of the dose at points, and the share outside of it."""
        medium = self.situation.medium
        if samples is None or medium is None:
            return np.ones(1), 0.0
        factor, inside = medium.at(samples.points_mm)
        return factor, float(np.mean(~inside))

    def _unknown(self, samples: Samples | None) -> float:
        """Return the share of a structure's points where TG-43 stands for the medium."""
        medium = self.situation.medium
        if samples is None or medium is None:
            return 0.0
        return float(np.mean(~medium.known_at(samples.points_mm)))

    def dose(self, seeds: Sequence[Source]) -> tuple[FloatArray, FloatArray]:
        """Return the dose of seeds at the points of the target and of the cord, Gy."""
        return (
            self._at(self.target, seeds) * self._target_factor,
            self._at(self.cord, seeds) * self._cord_factor,
        )

    def _at(self, samples: Samples | None, seeds: Sequence[Source]) -> FloatArray:
        if samples is None:
            return np.zeros(0)
        points = DosePoints(samples.points_mm, self.situation.source)
        for k, seed in enumerate(seeds):
            points.add(str(k), seed.position_mm, seed.axis, seed.strength_u)
        return points.dose_gy

    def figures(self, target_gy: FloatArray, cord_gy: FloatArray) -> Figures:
        """Return the figures of doses at the points."""
        situation = self.situation
        dvh = Dvh(target_gy, self.target.weight_cc)
        prescription = situation.prescription_gy
        cord = None if self.cord is None else Dvh(cord_gy, self.cord.weight_cc)
        return Figures(
            dvh.d_percent_gy(90),
            dvh.v_percent(prescription),
            dvh.v_percent(1.5 * prescription),
            None if cord is None else cord.dmax_gy,
            None if cord is None else cord.d_cc_gy(0.1),
            None if cord is None else self.eqd2_gy(cord.dmax_gy),
        )

    def eqd2_gy(self, dose_gy: float) -> float:
        """Return the cord's EQD2 of an implant dose with the earlier courses, Gy."""
        situation = self.situation
        days = situation.source.half_life_days
        return cumulative_eqd2_gy(dose_gy, days, situation.courses, CORD)

    def cord_limits_gy(self) -> tuple[float, float]:
        """Return the largest dose and D0.1cc that the cord may have from the implant, Gy.

        The cumulative EQD2 limit is turned into a physical dose by bisection; it grows with it.
        """
        protocol = self.situation.protocol
        again = bool(self.situation.courses)
        allowed = protocol.cord_eqd2_again_gy if again else protocol.cord_eqd2_gy
        low, high = 0.0, 1000.0
        if self.eqd2_gy(0.0) >= allowed:
            high = 0.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.eqd2_gy(middle) < allowed else (low, middle)
        dmax = min([x for x in (protocol.cord_dmax_gy, low) if x > 0] or [0.0])
        return dmax, protocol.cord_d01cc_gy or np.inf

    def seats(self) -> Seats:
        """Return every place along the needles where a seed could still be left."""
        situation = self.situation
        number, retraction, position, axis = _along(situation.needles)
        near_target = signed_distance_mm(situation.target, position) <= BEYOND_TARGET_MM
        cord_mm = np.full(len(number), np.inf)
        if situation.cord is not None and len(number):
            cord_mm = signed_distance_mm(situation.cord, position)
        clear = cord_mm >= situation.protocol.clearance_mm
        for organ in situation.spared:
            if len(number):
                away = signed_distance_mm(organ, position)
                clear &= away >= situation.protocol.clearance_mm
        there = [s.position_mm for s in (*situation.seeds, *situation.pending)]
        apart = np.ones(len(number), bool)
        if there:
            gaps = np.linalg.norm(position[:, None] - np.array(there)[None], axis=2)
            apart = gaps.min(axis=1) >= situation.protocol.seed_spacing_mm
        useful = near_target
        keep = useful & clear & apart
        limit, spacing = situation.protocol.clearance_mm, situation.protocol.seed_spacing_mm
        barred = tuple(
            f"{count} places {why}"
            for count, why in (
                (int((useful & ~clear).sum()), f"within {limit:.0f} mm of an organ at risk"),
                (int((useful & clear & ~apart).sum()), f"within {spacing:.0f} mm of a seed"),
            )
            if count
        )
        seeds = [
            Source(_point(p), _point(a), situation.strength_u)
            for p, a in zip(position[keep], axis[keep], strict=True)
        ]
        each = [self.dose((seed,)) for seed in seeds]
        cord_points = 0 if self.cord is None else len(self.cord.points_mm)
        return Seats(
            number[keep],
            retraction[keep],
            position[keep],
            axis[keep],
            np.array([t for t, _ in each]).reshape(len(seeds), len(self.target.points_mm)),
            np.array([c for _, c in each]).reshape(len(seeds), cord_points),
            cord_mm[keep],
            barred,
        )


def _along(
    needles: Sequence[Reach],
) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray]:
    """Return number, retraction, position and axis of seats from the tip to the skin."""
    numbers, retractions, positions, axes = [], [], [], []
    for needle in needles:
        tip, entry = np.asarray(needle.tip_mm), np.asarray(needle.entry_mm)
        length = float(np.linalg.norm(tip - entry))
        axis = (tip - entry) / length
        for retraction in np.arange(needle.retraction_mm, length, SEAT_STEP_MM):
            numbers.append(needle.number)
            retractions.append(float(retraction))
            positions.append(tip + (SEED_AHEAD_OF_TIP_MM - retraction) * axis)
            axes.append(axis)
    return (
        np.array(numbers, dtype=np.int64),
        np.array(retractions),
        np.array(positions).reshape(-1, 3),
        np.array(axes).reshape(-1, 3),
    )


def _inside(samples: Samples) -> Samples:
    keep = samples.weight_cc > 0
    return Samples(
        np.ascontiguousarray(samples.points_mm[keep]),
        samples.weight_cc[keep],
        samples.volume_cc,
        samples.method,
    )


def _near(cord: Structure, target: Samples, margin_mm: float = 40.0) -> Structure:
    """Return the part of the cord that can matter: beyond 4 cm a seed gives under 0.5 Gy/U."""
    low = target.points_mm.min(axis=0) - margin_mm
    high = target.points_mm.max(axis=0) + margin_mm
    near = tuple(
        c for c in cord.contours if (c.max(axis=0) >= low).all() and (c.min(axis=0) <= high).all()
    )
    if len(near) < 2:
        return cord
    return Structure(cord.name, near, cord.role, cord.frame_of_reference_uid, cord.color)


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
