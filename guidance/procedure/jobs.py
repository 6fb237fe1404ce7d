"""The work that the facts so far call for and whose result is not yet a fact."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.advice import TG43
from guidance.procedure.events import SeriesReceived
from guidance.procedure.state import CaseState, Scan


@dataclass(frozen=True)
class ReadPlan:
    """Read an RTPLAN."""

    series: SeriesReceived


@dataclass(frozen=True)
class ReadStructures:
    """Read an RTSTRUCT."""

    series: SeriesReceived


@dataclass(frozen=True)
class AnalyseScan:
    """Build the volume of a scan of the room and find needles and seeds in it."""

    scan: Scan
    expected_seeds: int | None


@dataclass(frozen=True)
class RegisterPlan:
    """Register the planning CT to a scan of the room."""

    room: Scan
    planning: Scan


@dataclass(frozen=True)
class TrackNeedles:
    """Match the needles of a scan with the plan under the registration in force."""

    scan: Scan
    registration_number: int


@dataclass(frozen=True)
class MeasureRegistration:
    """Measure the residual of the registration in force, which was moved by hand."""

    room: Scan
    planning: Scan
    registration_number: int


@dataclass(frozen=True)
class Advise:
    """Weigh the implant after an event: where it is cold, and what would mend it."""

    event_number: int


@dataclass(frozen=True)
class ModelDose:
    """Carry photons through a scan for the implant after an event.

    It is asked when no other work is, but for advice that waits for it. What it gives is never
    recorded; advice that was weighed by it names it.

    Attributes:
        event_number: that last changed a seed or the registration.
        registration_number: of the registration that places the structures.
        structures_uid: of the structure set.
        scan_uid: of the CT in which the implant lies.
    """

    event_number: int
    registration_number: int
    structures_uid: str
    scan_uid: str


Job = (
    ReadPlan | ReadStructures | AnalyseScan | RegisterPlan | TrackNeedles | MeasureRegistration
    | Advise
)  # fmt: skip


def key_of(job: Job | ModelDose) -> str:
    """Return what names a piece of work: the same work asked again has the same key."""
    match job:
        case ReadPlan(series) | ReadStructures(series):
            return f"read:{series.series_instance_uid}"
        case AnalyseScan(scan, _):
            # A late slice makes another scan of it.
            return f"analyse:{scan.uid}:{len(scan.series.files)}"
        case RegisterPlan(room, planning):
            return f"register:{room.uid}:{planning.uid}"
        case TrackNeedles(scan, number):
            return f"track:{scan.uid}:{number}"
        case MeasureRegistration(_, _, number):
            return f"measure:{number}"
        case Advise(number):
            return f"advise:{number}"
        case ModelDose():
            return f"model:{job.event_number}:{job.registration_number}:{job.scan_uid}"


def scans_of(job: Job | ModelDose, state: CaseState) -> tuple[Scan, ...]:
    """Return the scans whose voxels a piece of work looks at."""
    match job:
        case AnalyseScan(scan, _) | TrackNeedles(scan, _):
            return (scan,)
        case RegisterPlan(room, planning) | MeasureRegistration(room, planning, _):
            return (room, planning)
        case ModelDose():
            known = state.scan(job.scan_uid)
            return (known,) if known is not None else ()
        case _:
            return ()


def jobs(state: CaseState) -> tuple[Job, ...]:
    """Return all outstanding work that nobody has stopped, most urgent first."""
    # Advice is asked for between needles, not under a permit: drops come first.
    return tuple(
        job
        for job in outstanding(state)
        if key_of(job) not in state.stopped and not (isinstance(job, Advise) and state.device.armed)
    )


def outstanding(state: CaseState) -> tuple[Job, ...]:
    """Return all work whose result the case lacks, stopped or not, most urgent first."""
    if state.closed_by:
        return ()
    # A plan names the structure set it belongs to, so structures are read first.
    found: list[Job] = [ReadStructures(o) for o in state.objects if o.modality == "RTSTRUCT"]
    if not found:
        found += [ReadPlan(o) for o in state.objects if o.modality == "RTPLAN"]
    registration = _registration(state)
    # Seeds of a new frame are matched only after the implant was carried into it.
    found += [
        AnalyseScan(scan, len(state.seeds) or None if scan.purpose == "verification" else None)
        for scan in state.scans
        if scan.purpose in {"needles", "verification"}
        and not scan.analysed
        and scan.usable
        and (not state.seeds or scan.series.frame_of_reference_uid == state.room_frame)
    ]
    found += registration
    found += _measurement(state)
    found += _tracking(state)
    found += _advice(state)
    return tuple(found)


def _measurement(state: CaseState) -> list[Job]:
    registration = state.registration
    if registration is None or registration.measured:
        return []
    room = state.scan(registration.result.room_uid)
    planning = state.scan(registration.result.planning_uid)
    if room is None or planning is None:
        return []
    return [MeasureRegistration(room, planning, registration.number)]


def advice_lacks(state: CaseState) -> bool:
    """Return whether the implant as it is has to be weighed and has not been."""
    registration, due = state.registration, state.implant_at
    if registration is None or not registration.accepted_by or not state.needles_confirmed_by:
        return False
    if state.verified_by or state.structures is None:
        return False
    if state.advice_failed_at >= due:
        return False
    return state.advice is None or state.advice.event_number < due


def _advice(state: CaseState) -> list[Job]:
    # Before the first seed there is no model-based dose to weigh by.
    possible = state.engine == TG43 or model_dose(state) is not None
    return [Advise(state.implant_at)] if possible and advice_lacks(state) else []


def model_dose(state: CaseState) -> ModelDose | None:
    """Return the model-based dose of the implant as it is, None where there can be none."""
    registration, structures = state.registration, state.structures
    scan = state.latest_room_scan
    if not state.seeds or state.plan is None or scan is None:
        return None
    if registration is None or structures is None:
        return None
    if not scan.analysed or scan.series.frame_of_reference_uid != state.room_frame:
        return None
    changed = max(state.seeds_changed_at, registration.number)
    return ModelDose(changed, registration.number, structures.sop_instance_uid, scan.uid)


def _registration(state: CaseState) -> list[Job]:
    room, planning = state.latest_room_scan, state.latest("planning")
    if room is None or planning is None or state.structures is None:
        return []
    if (room.uid, planning.uid) in state.registration_failed:
        return []
    if state.registration is not None:
        known = state.scan(state.registration.result.room_uid)
        same_frame = (
            known is not None
            and known.series.frame_of_reference_uid == room.series.frame_of_reference_uid
        )
        if same_frame and state.registration.result.planning_uid == planning.uid:
            return []
    return [RegisterPlan(room, planning)]


def _tracking(state: CaseState) -> list[Job]:
    scan, registration = state.latest("needles"), state.registration
    if scan is None or not scan.analysed or registration is None:
        return []
    tracked = state.tracked
    if (
        tracked is not None
        and tracked.series_instance_uid == scan.uid
        and tracked.registration_number == registration.number
    ):
        return []
    return [TrackNeedles(scan, registration.number)]
