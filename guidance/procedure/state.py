"""The state of a case: everything that the facts so far say, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from guidance.advice import TG43, Advice
from guidance.alarms import Alarms, Priority, raised, settled
from guidance.detection.detections import DetectedNeedle, DetectedSeed
from guidance.ledger import Account
from guidance.planning.plan import ImplantPlan, PlannedSeed
from guidance.planning.protocol import Protocol
from guidance.procedure.acts import Addition, Check, Edit, Nudge, Question, Signature
from guidance.procedure.events import (
    DoseReported,
    NeedlesTracked,
    PlanImported,
    Registered,
    SeriesReceived,
    StructuresImported,
)
from guidance.tracking.implant import ImplantSeed, NeedleTrack, Sighting

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
        held: key of the question that must be answered before it is used, else empty.
        held_seeds: indices in ``seeds`` of those left out until a person decides, or for good.
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
    held: str = ""
    held_seeds: tuple[int, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it is neither refused nor held."""
        return not self.refused and not self.held

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
        despite: the reason for accepting it in spite of doubts.
        doubts: why it is implausible, one sentence each.
        nudges: moves by hand, in ``result`` already.
        measured: whether the residual is that of the nudged one.
    """

    number: int
    result: Registered
    accepted_by: str = ""
    despite: str = ""
    doubts: tuple[str, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    measured: bool = True


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
        pulled: needle of a stroke that has begun and not ended yet, None without one.
        unknown: (eid, cartridge, needle) of strokes whose outcome nobody has resolved.
        unknown_at_mm: (eid, total retraction) of those strokes, mm.
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
    pulled: int | None = None
    unknown: tuple[tuple[int, str, int | None], ...] = ()
    unknown_at_mm: tuple[tuple[int, float], ...] = ()
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
        modelled_reported: the figures of the model-based dose that were last recorded.
        needles_changed_at: number of the event that last changed needles or supplements.
        account: the seed account.
        device: the applicator.
        alarms: newest first.
        verified_by: name, empty while nobody has.
        closed_by: name, empty while open.
        closing_sentence: what was signed at closing, may be empty.
        last_announcement: highest announcement number of the listener folded in.
        protocol: limits and formalities agreed when the case was opened.
        courses: earlier external courses to the cord, such as ``10x3``.
        accession_number: of the worklist item it was opened from, empty if by hand.
        questions: what is held until somebody answers.
        answers: (key, answer) of what was answered; nothing is asked twice.
        held: (key, fact) of plans and structure sets that wait for an answer.
        edits: what people said of detections.
        checks: answered items of the time-out.
        signatures: under the implant as it is; a seed that changes voids them.
        advice: the last, None before any.
        advice_failed_at: number of the event whose implant no advice could be had on.
        supplements: seeds accepted beyond the plan, in the room's frame.
        additions: who planned them and when, those taken back too, oldest first.
        sightings: (needle, sightings) over all scans in the room's frame.
        engine: the dose that leads, one of ``guidance.advice.ENGINES``.
        engine_chosen_by: name; empty while nobody has chosen.
        engine_chosen_at: number of the event that last chose it.
        stopped: keys of outstanding work that is not done until somebody asks for it again.
        broken_off: keys of outstanding work that broke off once.
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
    modelled_reported: DoseReported | None = None
    needles_changed_at: int = 0
    account: Account = field(default_factory=Account)
    device: Device = field(default_factory=Device)
    alarms: Alarms = ()
    verified_by: str = ""
    closed_by: str = ""
    closing_sentence: str = ""
    last_announcement: int = 0
    protocol: Protocol = field(default_factory=Protocol)
    courses: tuple[str, ...] = ()
    accession_number: str = ""
    questions: tuple[Question, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, StructuresImported | PlanImported], ...] = ()
    edits: tuple[Edit, ...] = ()
    checks: tuple[Check, ...] = ()
    signatures: tuple[Signature, ...] = ()
    advice: Advice | None = None
    advice_failed_at: int = 0
    supplements: tuple[PlannedSeed, ...] = ()
    additions: tuple[Addition, ...] = ()
    sightings: tuple[tuple[int, tuple[Sighting, ...]], ...] = ()
    engine: str = TG43
    engine_chosen_by: str = ""
    engine_chosen_at: int = 0
    stopped: tuple[str, ...] = ()
    broken_off: tuple[str, ...] = ()

    def scan(self, uid: str) -> Scan | None:
        """Return the CT series of that UID, None if the case has none."""
        return next((scan for scan in self.scans if scan.uid == uid), None)

    def latest(self, purpose: str) -> Scan | None:
        """Return the newest usable scan of a purpose."""
        fitting = [s for s in self.scans if s.purpose == purpose and s.usable]
        return fitting[-1] if fitting else None

    def with_scan(self, scan: Scan) -> CaseState:
        """Return the state with a scan of the same UID replaced."""
        return replace(self, scans=tuple(scan if s.uid == scan.uid else s for s in self.scans))

    @property
    def room_frame(self) -> str:
        """Frame of reference of needles and seeds; empty before a scan of the room."""
        known = self.scan(self.registration.result.room_uid) if self.registration else None
        if known is None:
            rooms = (s for s in self.scans if s.purpose in {"needles", "verification"} and s.usable)
            known = next(rooms, None)
        return known.series.frame_of_reference_uid if known else ""

    def seats_of(self, needle: int) -> tuple[PlannedSeed, ...]:
        """Return the seeds of a needle, planned and supplementary, deepest first."""
        planned = self.plan.seeds_of(needle) if self.plan else ()
        more = tuple(s for s in self.supplements if s.needle == needle)
        return tuple(sorted((*planned, *more), key=lambda s: s.retraction_mm))

    def free_seats(self, needle: int) -> tuple[PlannedSeed, ...]:
        """Return the seats of a needle that no seed was dropped for, deepest first."""
        taken = {s.planned_number for s in self.seeds}
        return tuple(s for s in self.seats_of(needle) if s.number not in taken)

    @property
    def stops_left_mm(self) -> tuple[float, ...]:
        """Total retraction of each seed still to be dropped through the applicator's needle.

        Those of the permit while one is in force, in order; mm.
        """
        device = self.device
        if device.armed:
            return device.stops_mm[device.dropped :]
        return tuple(s.retraction_mm for s in self.free_seats(device.needle or 0))

    @property
    def wanted(self) -> int:
        """How many seeds are planned, supplementary ones included."""
        return (len(self.plan.seeds) if self.plan else 0) + len(self.supplements)

    @property
    def checklist(self) -> tuple[Check, ...]:
        """Return the time-out, each item with its answer if it has one."""
        answered = {c.item: c for c in self.checks}
        return tuple(answered.get(item, Check(item)) for item in self.protocol.checklist)

    @property
    def implant_at(self) -> int:
        """Number of the event that last changed what advice depends on."""
        tracked = self.registration.number if self.registration else 0
        changed = max(self.seeds_changed_at, self.needles_changed_at, tracked)
        return max(changed, self.engine_chosen_at)

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
        """Return the state with another implant; what was verified and signed no longer holds."""
        return replace(
            self, seeds=seeds, seeds_changed_at=self.number, verified_by="", signatures=()
        )

    def with_alarm(self, key: str, priority: Priority, text: str) -> CaseState:
        """Return the state with an alarm raised."""
        return replace(self, alarms=raised(self.alarms, key, priority, text, self.at))

    def without_alarm(self, key: str) -> CaseState:
        """Return the state with an alarm's condition over."""
        return replace(self, alarms=settled(self.alarms, key))
