"""The state of a case: everything that the facts so far say, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from guidance.alarms import Alarms, Priority, raised, settled
from guidance.detection.detections import DetectedNeedle, DetectedSeed
from guidance.ledger import Account
from guidance.planning.plan import ImplantPlan
from guidance.procedure.events import (
    NeedlesTracked,
    Registered,
    SeriesReceived,
    StructuresImported,
)
from guidance.tracking.implant import ImplantSeed, NeedleTrack

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scan:
    """A CT series of the case.

    Attributes:
        series: as the listener announced it.
        received_at: UTC time.
        purpose: ``planning``, ``needles`` or ``verification``; empty until that is known.
        analysed: whether detection has run on it (the planning CT needs none).
        acquired_at: UTC time of the first slice, None if unknown.
        seeds: seeds seen.
        needles: needles seen.
        remarks: what could not be decided.
        refused: why it cannot be used, else empty.
    """

    series: SeriesReceived
    received_at: datetime
    purpose: str = ""
    analysed: bool = False
    acquired_at: datetime | None = None
    seeds: tuple[DetectedSeed, ...] = ()
    needles: tuple[DetectedNeedle, ...] = ()
    remarks: tuple[str, ...] = ()
    refused: str = ""

    @property
    def uid(self) -> str:
        """SeriesInstanceUID."""
        return self.series.series_instance_uid


@dataclass(frozen=True)
class Registration:
    """The registration in force.

    Attributes:
        number: event number of the registration; tells which one a result was made with.
        result: what was found.
        accepted_by: name, empty while nobody has accepted it.
    """

    number: int
    result: Registered
    accepted_by: str = ""


@dataclass(frozen=True)
class Device:
    """The applicator as its records tell.

    Attributes:
        jid: identity of its journal.
        eid: last record recorded here.
        cartridge: serial of the cartridge in place, empty if none.
        remaining: seeds in it as the device counts, None if unknown.
        needle: needle it is attached to, None if none.
        retraction_mm: how far each needle is drawn back, as (needle, mm).
        permit: last permit given.
        permit_needle: its needle.
        permitted: seeds it allows.
        dropped: seeds dropped under it.
        stops_mm: total retraction that each of its seeds belongs at, in order, mm.
        armed: whether it is in force.
        unknown: (eid, cartridge, needle) of strokes whose outcome nobody has resolved.
        link: last known state of the link.
        link_detail: one sentence on it.
    """

    jid: str = ""
    eid: int = 0
    cartridge: str = ""
    remaining: int | None = None
    needle: int | None = None
    retraction_mm: tuple[tuple[int, float], ...] = ()
    permit: int = 0
    permit_needle: int | None = None
    permitted: int = 0
    dropped: int = 0
    stops_mm: tuple[float, ...] = ()
    armed: bool = False
    unknown: tuple[tuple[int, str, int | None], ...] = ()
    link: str = "absent"
    link_detail: str = ""

    @property
    def next_stop_mm(self) -> float | None:
        """Total retraction for the permit's next seed, mm; None without one."""
        left = self.stops_mm[self.dropped :] if self.permitted else ()
        return left[0] if left else None

    def retraction_of(self, needle: int) -> float:
        """Return how far a needle is drawn back, mm (0 before any retraction)."""
        return dict(self.retraction_mm).get(needle, 0.0)


@dataclass(frozen=True)
class CaseState:
    """Everything the facts so far say.

    Attributes:
        case_id: identity of the case.
        number: number of the last event folded in; 0 before any.
        at: its time.
        opened_by: name.
        patient_id: DICOM PatientID; empty until known.
        patient_name: DICOM PatientName.
        plan: in its own frame of reference, None before it came.
        structures: the structure set in use, None before it came.
        objects: RT objects received and not yet read.
        scans: CT series of the case.
        registration: None before one.
        registration_failed: (room, planning) pairs that could not be registered.
        tracked: needles matched with the plan, None before.
        needles_confirmed_by: name, empty while nobody has.
        seeds: the implant.
        seeds_changed_at: number of the event that last changed a seed.
        dose_reported_at: number of the event that last recorded dose figures.
        account: the seed account.
        device: the applicator.
        alarms: newest first.
        verified_by: name, empty while nobody has.
        closed_by: name, empty while open.
        closing_sentence: what was signed at closing, may be empty.
        last_announcement: highest announcement number of the listener folded in.
    """

    case_id: str
    number: int = 0
    at: datetime = LONG_AGO
    opened_by: str = ""
    patient_id: str = ""
    patient_name: str = ""
    plan: ImplantPlan | None = None
    structures: StructuresImported | None = None
    objects: tuple[SeriesReceived, ...] = ()
    scans: tuple[Scan, ...] = ()
    registration: Registration | None = None
    registration_failed: tuple[tuple[str, str], ...] = ()
    tracked: NeedlesTracked | None = None
    needles_confirmed_by: str = ""
    seeds: tuple[ImplantSeed, ...] = ()
    seeds_changed_at: int = 0
    dose_reported_at: int = 0
    account: Account = field(default_factory=Account)
    device: Device = field(default_factory=Device)
    alarms: Alarms = ()
    verified_by: str = ""
    closed_by: str = ""
    closing_sentence: str = ""
    last_announcement: int = 0

    def scan(self, uid: str) -> Scan | None:
        """Return the CT series of that UID, None if the case has none."""
        return next((scan for scan in self.scans if scan.uid == uid), None)

    def latest(self, purpose: str) -> Scan | None:
        """Return the newest usable scan of a purpose."""
        fitting = [s for s in self.scans if s.purpose == purpose and not s.refused]
        return fitting[-1] if fitting else None

    @property
    def latest_room_scan(self) -> Scan | None:
        """The newest usable scan of the room."""
        return self.latest("verification") or self.latest("needles")

    @property
    def needles(self) -> tuple[NeedleTrack, ...]:
        """The needles as last tracked; those of an outdated registration do not count."""
        return self.tracked.needles if self.tracked else ()

    def needle(self, number: int) -> NeedleTrack | None:
        """Return the tracked needle of that number."""
        return next((n for n in self.needles if n.number == number), None)

    def counted_through(self, needle: int) -> int:
        """Return how many seeds were counted through a needle."""
        return sum(1 for s in self.seeds if s.needle == needle and s.event_key)

    def with_seeds(self, seeds: tuple[ImplantSeed, ...]) -> CaseState:
        """Return the state with another implant; a verification given before no longer holds."""
        return replace(self, seeds=seeds, seeds_changed_at=self.number, verified_by="")

    def with_alarm(self, key: str, priority: Priority, text: str) -> CaseState:
        """Return the state with an alarm raised."""
        return replace(self, alarms=raised(self.alarms, key, priority, text, self.at))

    def without_alarm(self, key: str) -> CaseState:
        """Return the state with an alarm's condition over."""
        return replace(self, alarms=settled(self.alarms, key))
