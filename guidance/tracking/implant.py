"""The implant as it is known: each needle and seed planned, counted and seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import dist

from guidance.planning.plan import PlannedNeedle

Point = tuple[float, float, float]

# A clearance this close to its limit is worth a look before it breaks.
CLOSE = 1.25
# A seed that lies this far from where the scan before showed it has moved. Two scans of one
# seed scatter by 0.1 to 0.7 mm (docs/validation.md), 2 mm in thick slices.
MOVED_MM = 3.0


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

    @property
    def word(self) -> str:
        """One word: ``clear``, ``close`` (to the limit), ``near`` (limit broken), ``inside``."""
        if self.distance_mm <= 0:
            return "inside"
        if not self.kept:
            return "near"
        return "close" if self.distance_mm < CLOSE * self.limit_mm else "clear"

    @property
    def color(self) -> str:
        """The colour that goes with the word: ``green``, ``yellow`` or ``red``."""
        return {"clear": "green", "close": "yellow"}.get(self.word, "red")


@dataclass(frozen=True)
class Encounter:
    """What a needle would meet if it were pushed on along its line.

    Attributes:
        what: ``bone``, ``gas`` (lung, bowel) or the name of a structure.
        kind: ``bone``, ``gas``, ``cord``, ``vessel``, ``organ`` or ``target``.
        distance_mm: from the tip to where it begins; 0 where the tip is in it already.
        length_mm: how far the line runs in it, as far as was looked.
        seen_in: ``structures`` or ``scan`` (told from Hounsfield units).
    """

    what: str
    kind: str
    distance_mm: float
    length_mm: float
    seen_in: str


@dataclass(frozen=True)
class Sighting:
    """A seed or needle as one scan showed it.

    Attributes:
        scan_uid: SeriesInstanceUID of the scan.
        position_mm: centre of the seed or tip of the needle, LPS mm; None where it was looked
            for and not seen.
        confidence: of the detection.
    """

    scan_uid: str
    position_mm: Point | None
    confidence: float


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
        ahead: what it would meet if pushed on, nearest first.
        sightings: in each scan looked at so far, oldest first.
        confirmed_by: who confirmed or placed it by hand; empty for the program alone.
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
    ahead: tuple[Encounter, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    confirmed_by: str = ""

    @property
    def moved_mm(self) -> float | None:
        """How far its tip lies from where the scan before showed it; None without two."""
        seen = [s.position_mm for s in self.sightings if s.position_mm is not None]
        return dist(seen[-1], seen[-2]) if len(seen) > 1 else None


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
        sightings: what each scan it was looked for in showed, oldest first.
        by_elimination: whether it was matched only because it was the one missing and this
            the one too many; it lies farther off than seeds are known to.
        confirmed_by: who confirmed or placed it by hand; empty for the program alone.
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
    sightings: tuple[Sighting, ...] = ()
    by_elimination: bool = False
    confirmed_by: str = ""

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

    @property
    def fate(self) -> str:
        """The status, where ``seen`` may be ``moved`` or ``migrated`` (by elimination)."""
        if self.status != "seen":
            return self.status
        if self.by_elimination:
            return "migrated"
        moved = self.moved_mm
        return "moved" if moved is not None and moved > MOVED_MM else "seen"

    @property
    def moved_mm(self) -> float | None:
        """How far it lies from where an earlier scan last showed it; None without two."""
        seen = [s.position_mm for s in self.sightings if s.position_mm is not None]
        return dist(seen[-1], seen[-2]) if len(seen) > 1 else None

    @property
    def off_counted_mm(self) -> float | None:
        """How far it is seen from where it was counted; None unless both are known."""
        if self.seen_mm is None or self.counted_mm is None:
            return None
        return dist(self.seen_mm, self.counted_mm)

    @property
    def evidence(self) -> tuple[str, ...]:
        """What it is known from, one sentence each."""
        told = []
        if self.event_key:
            told.append(f"Counted: record {self.event_key}, through needle {self.needle}.")
        for k, sighting in enumerate(self.sightings, 1):
            if sighting.position_mm is None:
                told.append(f"Scan {k}: not seen.")
            else:
                place = ", ".join(f"{x:.1f}" for x in sighting.position_mm)
                told.append(f"Scan {k}: at ({place}) mm, confidence {sighting.confidence:.2f}.")
        if self.off_counted_mm is not None:
            told.append(f"It lies {self.off_counted_mm:.1f} mm from where it was counted.")
        if self.by_elimination:
            told.append("Matched because no other seed was missing there and none else found.")
        if self.confirmed_by:
            told.append(f"Confirmed by {self.confirmed_by}.")
        return tuple(told)
