"""What is held until a named person decides, and what follows from the answer.

Nothing that contradicts the case is mixed in: it is set beside it, with a question. The first
answer of every question leaves it out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from guidance.alarms import Priority
from guidance.procedure.acts import SET_ASIDE, Question
from guidance.procedure.events import PlanImported, Turned
from guidance.procedure.state import CaseState, Scan

ANEW, SAME_FRAME = "register anew", "same frame"
PLANNING, ROOM = "planning CT", "scan of the room"
USE = "use it"
RIGHT = "the position is right"
# What half a turn about an axis of the patient swaps.
SWAPS = {
    "front to back": "head and feet, left and right",
    "left to right": "head and feet, front and back",
    "head to feet": "front and back, left and right",
}
AGAIN = "run it again"
# Work that was stopped and without which the case cannot go on.
MISSED = ("work:read", "work:analyse", "work:register", "work:track", "work:measure")
LEAVE_OUT, IS_SEED = "leave it out", "it is a seed"
# A seed this far from every counted one was not left there by a needle of this implant.
FAR_MM = 60.0


def asked(
    state: CaseState,
    key: str,
    text: str,
    answers: tuple[str, ...],
    *,
    subject: str = "",
    place_mm: tuple[float, float, float] | None = None,
    priority: Priority = Priority.MEDIUM,
) -> CaseState:
    """Return the state with a question put, and said aloud as an alarm."""
    question = Question(key, text, answers, state.number, subject, place_mm)
    others = tuple(q for q in state.questions if q.key != key)
    return replace(state, questions=(*others, question)).with_alarm(key, priority, text)


def settled(state: CaseState, key: str) -> CaseState:
    """Return the state with a question no longer put."""
    questions = tuple(q for q in state.questions if q.key != key)
    if len(questions) == len(state.questions):
        return state
    return replace(state, questions=questions).without_alarm(key)


def hold_stranger(state: CaseState, uid: str, text: str) -> CaseState:
    """Hold what is another patient's; there is no answer that takes it in."""
    text = f"{text} If it is this patient's, correct its Patient ID at the source and send again."
    return asked(state, f"patient:{uid}", text, (SET_ASIDE,), subject=uid, priority=Priority.HIGH)


def scan_doubt(state: CaseState, scan: Scan) -> CaseState:
    """Hold a new CT that is in a frame where the case does not expect one."""
    plan, frame = state.plan, scan.series.frame_of_reference_uid
    if plan is None or scan.held or scan.refused or _answered(state, f"frame:{scan.uid}"):
        return state
    before = state.scans[: state.scans.index(scan)]
    others = [s for s in before if s.usable]
    if scan.purpose == "planning":
        if not any(s.purpose == "planning" for s in others):
            return state
        return _held(
            state,
            scan,
            f"A second CT in the planning CT's frame of reference arrived "
            f"({scan.series.description or 'no description'}). Is it a planning CT, or a scan "
            "of the room on the same table?",
            (SET_ASIDE, PLANNING, ROOM),
        )
    room = state.room_frame
    if not room or frame == room:
        return state
    said = "names no frame of reference" if not frame else "is in another frame of reference"
    return _held(
        state,
        scan,
        f"The scan {scan.series.description or scan.uid} {said} than the scans before: the "
        "patient was moved or the table was set anew. Register to it anew (needles and seeds "
        "are carried over), or take it as the same frame if nobody moved?",
        (SET_ASIDE, ANEW, SAME_FRAME),
    )


def _held(state: CaseState, scan: Scan, text: str, answers: tuple[str, ...]) -> CaseState:
    key = f"frame:{scan.uid}"
    scans = tuple(replace(s, held=key) if s.uid == scan.uid else s for s in state.scans)
    return asked(replace(state, scans=scans), key, text, answers, subject=scan.uid)


def structures_doubt(state: CaseState) -> CaseState:
    """Hold a structure set that was drawn on another series, or lies in another frame."""
    structures, planning = state.structures, state.latest("planning")
    if structures is None:
        return state
    key = f"structures:{structures.sop_instance_uid}"
    if _answered(state, key):
        return state
    points_to, frame = structures.referenced_series_uid, structures.frame_of_reference_uid
    if planning is not None and points_to and points_to != planning.uid:
        others = [s for s in state.scans if s.uid == points_to and s.purpose == "planning"]
        if others:
            return state
        why = f"was drawn on series {points_to}, not on the planning CT of this case"
    elif state.plan is not None and frame and frame != state.plan.frame_of_reference_uid:
        why = "lies in another frame of reference than the plan"
    else:
        return state
    state = replace(state, structures=None, tracked=None, held=(*state.held, (key, structures)))
    return asked(
        state,
        key,
        f"Structure set {structures.label or '(no label)'} {why}. Use it all the same?",
        (SET_ASIDE, USE),
        subject=structures.series_instance_uid,
        priority=Priority.HIGH,
    )


def plan_doubt(state: CaseState, fact: PlanImported) -> CaseState | None:
    """Hold a plan that is not this case's newest; None where there is no doubt."""
    plan, now = fact.plan, state.plan
    key = f"plan:{fact.series_instance_uid}"
    if _answered(state, key):
        return None
    if now is not None and plan.made_at and now.made_at and plan.made_at < now.made_at:
        why = (
            f"was made {plan.made_at:%Y-%m-%d %H:%M}, before plan {now.label} that is in use "
            f"({now.made_at:%Y-%m-%d %H:%M})"
        )
    elif now is not None and state.seeds:
        why = "arrived after the first seed"
    elif (
        state.structures is not None
        and plan.structure_set_uid
        and plan.structure_set_uid != state.structures.sop_instance_uid
    ):
        why = f"was made on another structure set than {state.structures.label or 'the one here'}"
    else:
        return None
    answers = (SET_ASIDE,) if now is not None and state.seeds else (SET_ASIDE, USE)
    text = f"Plan {plan.label} {why} and is held."
    state = replace(state, held=(*state.held, (key, fact)))
    return asked(state, key, text, answers, subject=fact.series_instance_uid)


def plan_age_doubt(state: CaseState, scan: Scan) -> CaseState:
    """Ask about a plan that was made long before the scan of the room."""
    plan, days = state.plan, state.protocol.plan_days
    if plan is None or plan.made_at is None or scan.acquired_at is None:
        return state
    key = f"plan-age:{plan.sop_instance_uid}"
    age = scan.acquired_at - plan.made_at
    if age <= timedelta(days=days) or _answered(state, key):
        return state
    return asked(
        state,
        key,
        f"Plan {plan.label} was made {age.days} days before this scan ({plan.made_at:%Y-%m-%d}); "
        f"the case allows {days}. The target may have grown. Use it all the same?",
        (SET_ASIDE, USE),
    )


def position_doubt(state: CaseState, scan_uid: str, turned: Turned | None) -> CaseState:
    """Hold what was made of a scan whose anatomy contradicts the patient position entered."""
    key = f"position:{scan_uid}"
    if turned is None or _answered(state, key):
        return state
    swaps = SWAPS.get(turned.about, turned.about)
    return asked(
        state,
        key,
        f"In the scan of the room {swaps} seem to be swapped: it matches the planning CT better "
        f"turned by half about the axis from {turned.about}. Patient position entered: planning "
        f"CT {turned.planning or '(none)'}, this scan {turned.room or '(none)'}. Set it aside, "
        "correct the position and scan again; or is the position right?",
        (SET_ASIDE, RIGHT),
        subject=scan_uid,
        priority=Priority.HIGH,
    )


def blocking(state: CaseState) -> str:
    """Return the question that must be answered before needles are confirmed, else empty."""
    keys = ("position:", "plan-age:", "structures:", "registration", *MISSED)
    return next((q.text for q in state.questions if q.key.startswith(keys)), "")


def _answered(state: CaseState, key: str) -> bool:
    return any(k == key for k, _ in state.answers)
