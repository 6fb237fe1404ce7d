"""What follows when objects arrive from the scanner and when they have been read."""

from __future__ import annotations

from dataclasses import replace

from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.procedure.asking import (
    blocking,
    hold_stranger,
    plan_age_doubt,
    plan_doubt,
    scan_doubt,
    structures_doubt,
)
from guidance.procedure.events import (
    NeedlesConfirmed,
    NeedlesTracked,
    ObjectRefused,
    PlanImported,
    ScanAnalysed,
    SeriesReceived,
    StructuresImported,
)
from guidance.procedure.matching import rematched, strays_held, without_questions_on_seeds
from guidance.procedure.state import CaseState, Scan
from guidance.tracking.implant import NeedleTrack, Sighting


def series_received(state: CaseState, fact: SeriesReceived) -> CaseState:
    """Take an object in, or hold it if it is another patient's."""
    state = replace(state, last_announcement=max(state.last_announcement, fact.number))
    if state.patient_id and fact.patient_id != state.patient_id:
        return hold_stranger(
            state,
            fact.series_instance_uid,
            f"{fact.modality} of patient {fact.patient_id or '(none)'} arrived and is held: "
            f"this case is of patient {state.patient_id}.",
        )
    if fact.modality in {"RTPLAN", "RTSTRUCT"}:
        return replace(state, objects=(*_without(state.objects, fact), fact))
    if fact.modality != "CT":
        return state.with_alarm(
            f"unused:{fact.series_instance_uid}",
            Priority.LOW,
            f"A {fact.modality} object arrived ({fact.description or 'no description'}); "
            "the procedure makes no use of it.",
        )
    # A late slice reopens its series: the scan is analysed anew.
    before = state.scan(fact.series_instance_uid)
    scans = tuple(s for s in state.scans if s.uid != fact.series_instance_uid)
    scan = Scan(fact, state.at)
    if before is not None:
        scan = replace(scan, purpose=before.purpose, held=before.held)
        state = without_questions_on_seeds(state, scan.uid)
    return _with_purposes(replace(state, scans=(*scans, scan)))


def _without(
    objects: tuple[SeriesReceived, ...], fact: SeriesReceived
) -> tuple[SeriesReceived, ...]:
    return tuple(o for o in objects if o.series_instance_uid != fact.series_instance_uid)


def _with_purposes(state: CaseState) -> CaseState:
    """Say of each scan what it is for, as far as the plan and the drops tell."""
    if state.plan is None:
        return state
    planning_frame = state.plan.frame_of_reference_uid

    def purpose(scan: Scan) -> str:
        if scan.purpose:
            return scan.purpose
        if scan.series.frame_of_reference_uid == planning_frame:
            return "planning"
        return "verification" if state.seeds else "needles"

    state = replace(state, scans=tuple(replace(s, purpose=purpose(s)) for s in state.scans))
    for scan in state.scans:
        current = state.scan(scan.uid)
        if current is not None:
            state = scan_doubt(state, current)
    return structures_doubt(state)


def object_refused(state: CaseState, fact: ObjectRefused) -> CaseState:
    """Set an unusable object aside, and say so."""
    scans = tuple(
        replace(s, refused=fact.reason) if s.uid == fact.series_instance_uid else s
        for s in state.scans
    )
    objects = tuple(o for o in state.objects if o.series_instance_uid != fact.series_instance_uid)
    state = replace(state, scans=scans, objects=objects)
    key = f"refused:{fact.series_instance_uid}"
    return state.with_alarm(key, Priority.MEDIUM, f"Cannot be used: {fact.reason}")


def plan_imported(state: CaseState, fact: PlanImported) -> CaseState:
    """Take the plan, and with it the patient if the case had none yet."""
    objects = tuple(o for o in state.objects if o.series_instance_uid != fact.series_instance_uid)
    state = replace(state, objects=objects)
    if state.patient_id and fact.plan.patient_id != state.patient_id:
        return hold_stranger(
            state,
            fact.series_instance_uid,
            f"Plan {fact.plan.label} is of patient {fact.plan.patient_id} and is held: "
            f"this case is of patient {state.patient_id}.",
        )
    held = plan_doubt(state, fact)
    if held is not None:
        return held
    state = replace(state, plan=fact.plan, patient_id=fact.plan.patient_id, tracked=None)
    return _with_purposes(without_strangers(state))


def without_strangers(state: CaseState) -> CaseState:
    """Hold what arrived before the patient was known and turns out to be another's."""
    for series in (*state.objects, *(s.series for s in state.scans)):
        if series.patient_id == state.patient_id:
            continue
        uid = series.series_instance_uid
        state = replace(
            state,
            objects=_without(state.objects, series),
            scans=tuple(s for s in state.scans if s.uid != uid),
        )
        state = hold_stranger(
            state,
            uid,
            f"{series.modality} of patient {series.patient_id or '(none)'} is held: "
            f"the plan is of patient {state.patient_id}.",
        )
    return state


def structures_imported(state: CaseState, fact: StructuresImported) -> CaseState:
    """Take the structure set."""
    objects = tuple(o for o in state.objects if o.series_instance_uid != fact.series_instance_uid)
    return structures_doubt(replace(state, objects=objects, structures=fact, tracked=None))


def scan_analysed(state: CaseState, fact: ScanAnalysed) -> CaseState:
    """Keep what was seen in a scan; match the seeds if they were looked for."""

    def analysed(scan: Scan) -> Scan:
        if scan.uid != fact.series_instance_uid:
            return scan
        return replace(
            scan,
            analysed=True,
            acquired_at=fact.acquired_at,
            seeds=fact.seeds,
            needles=fact.needles,
            remarks=fact.remarks,
        )

    state = replace(state, scans=tuple(analysed(s) for s in state.scans))
    scan = state.scan(fact.series_instance_uid)
    if scan is None or not scan.usable:
        return state
    state = plan_age_doubt(state, scan)
    if scan.purpose != "verification":
        return state
    state = strays_held(state, scan)
    return rematched(state, state.scan(scan.uid) or scan)


def needles_tracked(state: CaseState, fact: NeedlesTracked) -> CaseState:
    """Take the matched needles, unless they were made with an outdated registration."""
    registration = state.registration
    if registration is None or registration.number != fact.registration_number:
        return state
    fact, state = _with_history(state, fact)
    state = replace(state, tracked=fact, needles_confirmed_by="", needles_changed_at=state.number)
    for needle in fact.needles:
        state = _judge_seats(_judge_clearance(state, needle), needle)
    unseen = [n.number for n in fact.needles if n.tip_mm is None]
    unplanned = [n.number for n in fact.needles if n.planned is None]
    state = state.without_alarm("needles:unseen").without_alarm("needles:unplanned")
    if unseen:
        state = state.with_alarm(
            "needles:unseen", Priority.MEDIUM, f"Planned but not seen: needle {_list(unseen)}."
        )
    if unplanned:
        state = state.with_alarm(
            "needles:unplanned",
            Priority.MEDIUM,
            f"Seen but not in the plan: needle {_list(unplanned)}.",
        )
    return state


def _with_history(state: CaseState, fact: NeedlesTracked) -> tuple[NeedlesTracked, CaseState]:
    """Give each needle what the scans before showed of it; the same scan again replaces itself."""
    known, needles = dict(state.sightings), []
    for needle in fact.needles:
        earlier = (s for s in known.get(needle.number, ()) if s.scan_uid != needle.scan_uid)
        now = Sighting(needle.scan_uid, needle.tip_mm, needle.confidence)
        needles.append(replace(needle, sightings=(*earlier, now)))
        known[needle.number] = needles[-1].sightings
    state = replace(state, sightings=tuple(sorted(known.items())))
    return replace(fact, needles=tuple(needles)), state


def _judge_clearance(state: CaseState, needle: NeedleTrack) -> CaseState:
    key = f"clearance:{needle.number}"
    broken = [c for c in needle.clearances if not c.kept]
    if not broken:
        return state.without_alarm(key)
    nearest = min(broken, key=lambda c: c.distance_mm)
    return state.with_alarm(
        key,
        Priority.MEDIUM,
        f"Needle {needle.number} lies {nearest.distance_mm:.1f} mm from {nearest.structure}; "
        f"the limit is {nearest.limit_mm:.1f} mm.",
    )


def _judge_seats(state: CaseState, needle: NeedleTrack) -> CaseState:
    """Say which seeds would land too near; they are not permitted before a person has seen it."""
    key = f"seats:{needle.number}"
    near = [seat for seat in needle.seats if not seat.kept]
    if not near:
        return state.without_alarm(key)
    told = ", ".join(
        f"at {s.retraction_mm:.1f} mm: {s.distance_mm:.1f} mm from {s.structure}" for s in near
    )
    return state.with_alarm(
        key,
        Priority.HIGH,
        f"Needle {needle.number}: {len(near)} of its seeds would land nearer than "
        f"{near[0].limit_mm:.1f} mm ({told}). The stylet is locked for them.",
    )


def needles_confirmed(state: CaseState, fact: NeedlesConfirmed) -> CaseState:
    """Let the implant begin with the needles as they lie."""
    _named(fact.by, "needles are confirmed")
    if state.registration is None or not state.registration.accepted_by:
        raise RefusedError("the registration must be accepted before the needles are confirmed")
    if question := blocking(state):
        raise RefusedError(f"answer first: {question}")
    if not any(n.tip_mm is not None for n in state.needles):
        raise RefusedError("no needle has been seen yet; send a scan of the needles")
    return replace(state, needles_confirmed_by=fact.by)


def _named(by: str, what: str) -> None:
    if not by.strip():
        raise RefusedError(f"{what} by a named person; give a name")


def _list(numbers: list[int]) -> str:
    return ", ".join(str(n) for n in numbers)
