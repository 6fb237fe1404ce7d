"""The facts of a procedure. Each is recorded in the journal before it is acted on.

An event is a frozen dataclass of plain values; its class name is the record's kind. Results of
long work (a detection, a registration) are facts too, so that replay needs no scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cattrs.errors import BaseValidationError
from cattrs.preconf.json import make_converter

from guidance.advice import TG43, Advice
from guidance.detection.detections import DetectedNeedle, DetectedSeed
from guidance.errors import BrokenError
from guidance.journal import Record
from guidance.ledger import Disposition
from guidance.planning.plan import ImplantPlan
from guidance.planning.protocol import Protocol
from guidance.tracking.implant import NeedleTrack

Matrix = tuple[tuple[float, ...], ...]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class CaseOpened:
    """A person opened the case; a blank patient is taken from the plan when it comes.

    From a worklist it carries the item's accession number and step; the protocol and earlier
    courses hold for the whole case.
    """

    by: str
    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    scheduled_step: str = ""
    protocol: Protocol = field(default_factory=Protocol)
    courses: tuple[str, ...] = ()


@dataclass(frozen=True)
class CourseNoted:
    """A person noted an earlier external course to the cord, written as ``10x3``."""

    course: str
    by: str


@dataclass(frozen=True)
class CartridgeReceived:
    """A person checked a cartridge in from its delivery note."""

    serial: str
    source_model: str
    strength_u: float
    seeds: int
    by: str
    lot: str = ""
    assay_u: float | None = None


@dataclass(frozen=True)
class SeriesReceived:
    """The listener announced a whole series (announcement ``number`` of its store)."""

    number: int
    modality: str
    patient_id: str
    patient_name: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    description: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class ObjectRefused:
    """A received object cannot be used, and why."""

    series_instance_uid: str
    reason: str


@dataclass(frozen=True)
class PlanImported:
    """The plan was read, in its own frame of reference."""

    series_instance_uid: str
    plan: ImplantPlan


@dataclass(frozen=True)
class StructuresImported:
    """A structure set was read; the contours stay in the file."""

    series_instance_uid: str
    sop_instance_uid: str
    label: str
    path: str
    frame_of_reference_uid: str
    names: tuple[str, ...]
    referenced_series_uid: str = ""


@dataclass(frozen=True)
class ScanAnalysed:
    """A scan became a volume and was searched for needles and seeds."""

    series_instance_uid: str
    acquired_at: datetime | None
    seeds: tuple[DetectedSeed, ...]
    needles: tuple[DetectedNeedle, ...]
    remarks: tuple[str, ...]
    elapsed_s: float


@dataclass(frozen=True)
class Turned:
    """The anatomy says that a scan of the room is turned by half against its coordinates.

    ``about`` is the axis; then the patient positions entered for planning CT and room.
    """

    about: str
    planning: str
    room: str


@dataclass(frozen=True)
class Registered:
    """The planning CT was registered to a scan of the room."""

    room_uid: str
    planning_uid: str
    plan_to_room: Matrix
    residual_mm: float
    remarks: tuple[str, ...]
    elapsed_s: float
    doubts: tuple[str, ...] = ()
    turned: Turned | None = None


@dataclass(frozen=True)
class RegistrationFailed:
    """Registration gave no result, and why."""

    room_uid: str
    planning_uid: str
    reason: str
    turned: Turned | None = None


@dataclass(frozen=True)
class RegistrationAccepted:
    """A person accepted the registration; an implausible one only with a reason."""

    by: str
    reason: str = ""


@dataclass(frozen=True)
class RegistrationNudged:
    """A person moved the registration by hand: turned about the target, then shifted."""

    shift_mm: Point
    turn_deg: Point
    about_mm: Point
    by: str
    reason: str


@dataclass(frozen=True)
class RegistrationMeasured:
    """The residual of a registration that was moved by hand."""

    registration_number: int
    residual_mm: float


@dataclass(frozen=True)
class SeedConfirmed:
    """A person confirmed a seed as the last scan shows it."""

    seed: int
    by: str
    reason: str


@dataclass(frozen=True)
class SeedMoved:
    """A person put a seen seed where the scan shows it in their eyes."""

    seed: int
    position_mm: Point
    axis: Point | None
    by: str
    reason: str


@dataclass(frozen=True)
class SeedAdded:
    """A person added a seed that the program had not seen in the last scan."""

    position_mm: Point
    axis: Point | None
    by: str
    reason: str


@dataclass(frozen=True)
class SeedDeleted:
    """A person said that what was seen is no seed."""

    seed: int
    by: str
    reason: str


@dataclass(frozen=True)
class NeedlePlaced:
    """A person confirmed, moved or added a needle; the next free number adds one."""

    needle: int
    tip_mm: Point
    entry_mm: Point
    by: str
    reason: str


@dataclass(frozen=True)
class NeedleDeleted:
    """A person said that what was seen is no needle."""

    needle: int
    by: str
    reason: str


@dataclass(frozen=True)
class QuestionAnswered:
    """A named person answered what was held."""

    key: str
    answer: str
    by: str
    reason: str


@dataclass(frozen=True)
class CheckAnswered:
    """A named person answered an item of the time-out."""

    item: str
    good: bool
    by: str
    note: str = ""


@dataclass(frozen=True)
class Advised:
    """The advice on the implant after the event it names."""

    advice: Advice


@dataclass(frozen=True)
class AdviceFailed:
    """There is no advice on the implant after an event, and why."""

    event_number: int
    reason: str


@dataclass(frozen=True)
class EngineChosen:
    """A named person chose the dose that leads: advice is weighed by it, its figures come first.

    ``engine`` is one of ``guidance.advice.ENGINES``; a case begins with TG-43.
    """

    engine: str
    by: str


@dataclass(frozen=True)
class SupplementAccepted:
    """A named person accepted one proposed seed; it is planned from now on."""

    advice_number: int
    supplement: int
    by: str


@dataclass(frozen=True)
class SupplementWithdrawn:
    """A named person took back a supplementary seed that has not been dropped."""

    seed: int
    by: str


@dataclass(frozen=True)
class Signed:
    """A named person signed the verified implant in a role."""

    role: str
    by: str


@dataclass(frozen=True)
class NeedlesTracked:
    """The needles seen in a scan were matched with the plan, under one registration."""

    series_instance_uid: str
    registration_number: int
    needles: tuple[NeedleTrack, ...]


@dataclass(frozen=True)
class NeedlesConfirmed:
    """A person confirmed the needles as they lie."""

    by: str


@dataclass(frozen=True)
class DeviceRecorded:
    """One record of the applicator's own journal."""

    jid: str
    eid: int
    boot: int
    ms: int
    kind: str
    args: tuple[str, ...]


@dataclass(frozen=True)
class SeedsPermitted:
    """A named person permitted a number of seeds through a needle."""

    permit: int
    needle: int
    cartridge: str
    count: int
    by: str


@dataclass(frozen=True)
class PermitEnded:
    """A permit did not come into force, or its fate is not known."""

    permit: int
    reason: str


@dataclass(frozen=True)
class Disarmed:
    """A named person ended the permit."""

    by: str


@dataclass(frozen=True)
class StrokeResolved:
    """A person found out what became of a stroke of unknown outcome (record ``eid``)."""

    eid: int
    dropped: bool
    by: str


@dataclass(frozen=True)
class LinkChanged:
    """The link to the applicator came up or went down."""

    state: str
    detail: str


@dataclass(frozen=True)
class AlarmAcknowledged:
    """A named person acknowledged an alarm."""

    key: str
    by: str


@dataclass(frozen=True)
class WorkBrokeOff:
    """Long work ended without a result: its process died, or there is a defect in it."""

    key: str
    reason: str


@dataclass(frozen=True)
class WorkStopped:
    """A named person stopped long work."""

    key: str
    by: str


@dataclass(frozen=True)
class DoseReported:
    """The figures of one dose that were on the screen when a person verified the implant.

    Those of the model-based dose are to medium; ``method`` says how well it was known.
    """

    event_number: int
    method: str
    figures: dict[str, dict[str, float]]
    engine: str = TG43


@dataclass(frozen=True)
class ImplantVerified:
    """A named person accepted the implant as seen on the verification scan."""

    by: str


@dataclass(frozen=True)
class CartridgeClosed:
    """A named person counted the seeds left in a cartridge and said where they go."""

    serial: str
    remaining: int
    disposition: Disposition
    by: str


@dataclass(frozen=True)
class CaseClosed:
    """A named person closed the case; unresolved seeds need a sentence."""

    by: str
    sentence: str


Event = (
    CaseOpened | CartridgeReceived | SeriesReceived | ObjectRefused | PlanImported
    | StructuresImported | ScanAnalysed | Registered | RegistrationFailed | RegistrationAccepted
    | NeedlesTracked | NeedlesConfirmed | DeviceRecorded | SeedsPermitted | PermitEnded | Disarmed
    | StrokeResolved | LinkChanged | AlarmAcknowledged | DoseReported | ImplantVerified
    | CartridgeClosed | CaseClosed | CourseNoted | RegistrationNudged | RegistrationMeasured
    | SeedConfirmed | SeedMoved | SeedAdded | SeedDeleted | NeedlePlaced | NeedleDeleted
    | QuestionAnswered | CheckAnswered | Advised | AdviceFailed | SupplementAccepted
    | SupplementWithdrawn | Signed | WorkBrokeOff | WorkStopped | EngineChosen
)  # fmt: skip

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in Event.__args__}
_converter = make_converter()


@dataclass(frozen=True)
class ProcedureEvent:
    """A fact with its place in the case.

    Attributes:
        number: its journal number, from 1 without gaps.
        at: UTC time it was recorded.
        fact: what happened.
    """

    number: int
    at: datetime
    fact: Event


def to_payload(fact: Event) -> tuple[str, dict[str, Any]]:
    """Return the record kind and JSON payload of a fact."""
    payload: dict[str, Any] = _converter.unstructure(fact)
    return type(fact).__name__, payload


def key_of(fact: Event) -> str:
    """Return the identity of a fact that may be offered more than once, else an empty string."""
    if isinstance(fact, DeviceRecorded):
        return f"device:{fact.jid}:{fact.eid}"
    if isinstance(fact, SeriesReceived):
        return f"series:{fact.number}"
    return ""


def from_record(record: Record) -> ProcedureEvent:
    """Return the event of a journal record.

    Raises:
        BrokenError: the record's kind or payload is not of this program's making.
    """
    kind = _KINDS.get(record.kind)
    if kind is None:
        raise BrokenError(
            f"journal record {record.number} of case {record.case_id} is a {record.kind}, "
            "which this version does not know; open the case with the version that wrote it"
        )
    try:
        fact = _converter.structure(record.payload, kind)
    except (BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise BrokenError(
            f"journal record {record.number} ({record.kind}) cannot be read: {error}"
        ) from error
    return ProcedureEvent(record.number, record.at, fact)
