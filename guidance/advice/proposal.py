"""What advice consists of: values only, so that it can be recorded, shown and replayed."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float, float]

# The doses by which a case can be led. The words are the values: none is shown without its name.
TG43, MODELLED = "TG-43", "model-based, research"
ENGINES = (TG43, MODELLED)


@dataclass(frozen=True)
class ColdRegion:
    """A connected part of the target that receives less than the prescription.

    Attributes:
        volume_cc: its volume.
        centre_mm: (x, y, z) LPS mm, its centre weighted by how much is lacking.
        least_gy: the lowest dose in it.
        mean_gy: its mean dose.
        least_at_mm: where the lowest dose is.
        needle: the needle that passes nearest to its centre; None without needles.
        needle_distance_mm: how near.
    """

    volume_cc: float
    centre_mm: Point
    least_gy: float
    mean_gy: float
    least_at_mm: Point
    needle: int | None = None
    needle_distance_mm: float | None = None


@dataclass(frozen=True)
class Figures:
    """The dose figures that advice weighs; to full decay, Gy.

    Attributes:
        d90_gy: of the target.
        v100_percent: of the target.
        v150_percent: of the target.
        cord_dmax_gy: None where no cord is drawn.
        cord_d01cc_gy: the same.
        cord_eqd2_gy: of the largest dose of the cord, earlier courses included.
    """

    d90_gy: float
    v100_percent: float
    v150_percent: float
    cord_dmax_gy: float | None = None
    cord_d01cc_gy: float | None = None
    cord_eqd2_gy: float | None = None


@dataclass(frozen=True)
class Supplement:
    """A seed that would mend a cold region, through a needle already in place.

    Attributes:
        number: in the order in which the needles would be drawn back.
        needle: through which needle.
        position_mm: (x, y, z) LPS mm.
        axis: the needle's direction.
        retraction_mm: how far the needle is drawn back from its deepest point then.
        after: the dose figures with this seed and those before it in ``gain`` order.
        gain: place in the order of use: 1 mends most.
        cord_mm: distance of its centre to the cord; None where no cord is drawn.
    """

    number: int
    needle: int
    position_mm: Point
    axis: Point
    retraction_mm: float
    after: Figures
    gain: int
    cord_mm: float | None = None


@dataclass(frozen=True)
class ModelledUse:
    """The model-based dose by which advice was weighed: enough to know it and to have it again.

    Attributes:
        method: one line naming method, source model, seeds and grid.
        event_number: the event whose implant it is of; 0 outside any case.
        scan_uid: of the CT through which photons were carried.
        seeds: how many are in it.
        histories: that were run.
        uncertainty: (region, mean relative standard uncertainty) of target and cord.
    """

    method: str
    event_number: int = 0
    scan_uid: str = ""
    seeds: int = 0
    histories: int = 0
    uncertainty: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Advice:
    """One piece of advice, never an order.

    Attributes:
        event_number: the event after which the implant was so; other than the state's, it is
            out of date.
        verdict: ``continue``, ``adjust`` or ``stop``.
        reason: why, in one or two sentences with the numbers.
        prescription_gy: of the target.
        now: the figures of the implant as it is.
        predicted: with every seed proposed; None if none is.
        cold: regions of the target below the prescription, largest lack first.
        seeds: proposed.
        seats: how many reachable places were weighed.
        barred: how many more were barred, and by what, in words.
        remarks: what was assumed.
        elapsed_s: time it took.
        basis: which seed positions were used, in words.
        engine: the dose that all its figures are of, ``TG43`` or ``MODELLED``.
        modelled: which model-based dose that was; None for TG-43.
    """

    event_number: int
    verdict: str
    reason: str
    prescription_gy: float
    now: Figures
    predicted: Figures | None = None
    cold: tuple[ColdRegion, ...] = ()
    seeds: tuple[Supplement, ...] = ()
    seats: int = 0
    barred: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    elapsed_s: float = 0.0
    basis: str = ""
    engine: str = TG43
    modelled: ModelledUse | None = None
