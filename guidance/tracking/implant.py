"""The implant as it is known: each needle and seed planned, counted and seen."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.planning.plan import PlannedNeedle

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Clearance:
    """Distance of a needle to an organ at risk.

    Attributes:
        structure: name of the organ.
        distance_mm: least distance from the needle's axis inside the body to the surface;
            negative inside.
        limit_mm: the case's limit.
    """

    structure: str
    distance_mm: float
    limit_mm: float

    @property
    def kept(self) -> bool:
        """Whether the limit is kept."""
        return self.distance_mm >= self.limit_mm


@dataclass(frozen=True)
class SeatClearance:
    """Distance of a seed that is to be dropped to the organ at risk nearest to it.

    Attributes:
        retraction_mm: total retraction at which it is dropped.
        structure: name of the organ.
        distance_mm: from its centre to the surface; negative inside.
        limit_mm: the case's limit.
    """

    retraction_mm: float
    structure: str
    distance_mm: float
    limit_mm: float

    @property
    def kept(self) -> bool:
        """Whether the limit is kept."""
        return self.distance_mm >= self.limit_mm


@dataclass(frozen=True)
class NeedleTrack:
    """One needle: where it was planned, where it is seen, and how far apart that is.

    All positions are LPS mm in the room's frame of reference.

    Attributes:
        number: number in the plan, or the next free number for one that was not planned.
        planned: the planned needle, None if it was not planned.
        tip_mm: seen tip, None if not seen.
        entry_mm: seen passage through the skin.
        confidence: of the detection.
        scan_uid: SeriesInstanceUID of the scan it was seen in.
        tip_deviation_mm: distance of the seen from the planned tip.
        lateral_deviation_mm: part of it at right angles to the planned needle.
        depth_deviation_mm: part of it along the planned needle, positive where too deep.
        entry_deviation_mm: distance of the seen entry from the planned needle's line.
        angle_deg: angle between the seen and the planned needle.
        clearances: to each organ at risk.
        seats: where each planned seed would lie, deepest first, and how near to an organ.
    """

    number: int
    planned: PlannedNeedle | None = None
    tip_mm: Point | None = None
    entry_mm: Point | None = None
    confidence: float = 0.0
    scan_uid: str = ""
    tip_deviation_mm: float | None = None
    lateral_deviation_mm: float | None = None
    depth_deviation_mm: float | None = None
    entry_deviation_mm: float | None = None
    angle_deg: float | None = None
    clearances: tuple[Clearance, ...] = ()
    seats: tuple[SeatClearance, ...] = ()


@dataclass(frozen=True)
class ImplantSeed:
    """One seed of the implant, from all its evidence.

    Attributes:
        number: order of the drop, from 1; seeds seen but never counted follow after them.
        needle: needle it was dropped through, None if unknown.
        planned_number: the planned seed it stands for, None if it was not planned.
        counted_mm: where needle and retraction predict it; None if it was never counted.
        counted_axis: unit direction of the needle.
        seen_mm: where the last scan shows it; None if not seen (yet).
        seen_axis: direction seen; None if not seen or undecided.
        seen_confidence: of the detection.
        scan_uid: SeriesInstanceUID of the scan it was last looked for in; empty before any.
        event_key: ``jid:eid`` of the drop record; empty if it was never counted.
    """

    number: int
    needle: int | None
    planned_number: int | None
    counted_mm: Point | None
    counted_axis: Point | None
    seen_mm: Point | None = None
    seen_axis: Point | None = None
    seen_confidence: float = 0.0
    scan_uid: str = ""
    event_key: str = ""

    @property
    def position_mm(self) -> Point:
        """The best known centre: seen before counted."""
        position = self.seen_mm or self.counted_mm
        assert position is not None
        return position

    @property
    def axis(self) -> Point | None:
        """The best known direction: seen before counted."""
        return self.seen_axis or self.counted_axis

    @property
    def status(self) -> str:
        """One word: ``counted`` (no scan yet), ``seen``, ``missing`` or ``extra``."""
        if self.counted_mm is None:
            return "extra"
        if self.seen_mm is not None:
            return "seen"
        return "missing" if self.scan_uid else "counted"
