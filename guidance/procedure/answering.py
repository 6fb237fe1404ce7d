"""What follows when a person answers what was held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from guidance.errors import RefusedError
from guidance.procedure.acts import SET_ASIDE, Question
from guidance.procedure.asking import IS_SEED, PLANNING, SAME_FRAME, USE, settled
from guidance.procedure.events import (
    PlanImported,
    QuestionAnswered,
    RegistrationAccepted,
    StructuresImported,
)
from guidance.procedure.matching import rematched
from guidance.procedure.registering import registration_accepted, registration_set_aside
from guidance.procedure.state import CaseState, Scan
from guidance.procedure.working import run_again


def question_answered(state: CaseState, fact: QuestionAnswered) -> CaseState:
    """Do as a named person has decided."""
    if not fact.by.strip():
        raise RefusedError("a question is answered by a named person; give a name")
    question = next((q for q in state.questions if q.key == fact.key), None)
    if question is None:
        raise RefusedError(f"nothing is asked under {fact.key}")
    if fact.answer not in question.answers:
        raise RefusedError(f"answer one of: {', '.join(question.answers)}")
    if fact.answer != question.answers[0] and not fact.reason.strip():
        raise RefusedError("taking in what is in doubt needs a reason; give one")
    state = settled(state, fact.key)
    state = replace(state, answers=(*state.answers, (fact.key, fact.answer)))
    kind = fact.key.partition(":")[0]
    return _FOLLOWS.get(kind, _nothing)(state, question, fact)


def _nothing(state: CaseState, _question: Question, _fact: QuestionAnswered) -> CaseState:
    return state


def _frame(state: CaseState, question: Question, fact: QuestionAnswered) -> CaseState:
    def decided(scan: Scan) -> Scan:
        if scan.uid != question.subject:
            return scan
        purpose = "verification" if state.seeds else "needles"
        if fact.answer == SET_ASIDE:
            return replace(scan, held="", refused=f"set aside by {fact.by}")
        if fact.answer == PLANNING:
            return replace(scan, held="", purpose="planning")
        series = scan.series
        if fact.answer == SAME_FRAME:
            series = replace(series, frame_of_reference_uid=state.room_frame)
        return replace(scan, held="", purpose=purpose, series=series)

    return replace(state, scans=tuple(decided(s) for s in state.scans))


def _position(state: CaseState, question: Question, fact: QuestionAnswered) -> CaseState:
    """Leave a scan out whose patient position was entered wrongly, and what was made of it."""
    scan, registration = state.scan(question.subject), state.registration
    if fact.answer != SET_ASIDE or scan is None:
        return state
    if registration is not None and registration.result.room_uid == scan.uid:
        state = registration_set_aside(settled(state, "registration"))
    aside = replace(scan, refused=f"set aside by {fact.by}: wrong patient position")
    return state.with_scan(aside).without_alarm("registration")


def _structures(state: CaseState, question: Question, fact: QuestionAnswered) -> CaseState:
    held, state = _released(state, question.key)
    if fact.answer == USE and isinstance(held, StructuresImported):
        return replace(state, structures=held, tracked=None)
    return state


def _plan(state: CaseState, question: Question, fact: QuestionAnswered) -> CaseState:
    held, state = _released(state, question.key)
    if fact.answer == USE and isinstance(held, PlanImported):
        return replace(state, plan=held.plan, tracked=None)
    return state


def _plan_age(state: CaseState, _question: Question, fact: QuestionAnswered) -> CaseState:
    if fact.answer == USE:
        return state
    return replace(state, plan=None, tracked=None, needles_confirmed_by="", registration=None)


def _released(
    state: CaseState, key: str
) -> tuple[StructuresImported | PlanImported | None, CaseState]:
    held = next((what for k, what in state.held if k == key), None)
    return held, replace(state, held=tuple(pair for pair in state.held if pair[0] != key))


def _seed(state: CaseState, question: Question, fact: QuestionAnswered) -> CaseState:
    """Match the scan again, with the seed in it or without."""
    scan = state.scan(question.subject)
    if scan is None:
        return state
    index = int(question.key.rpartition(":")[2])
    left_out = tuple(k for k in scan.held_seeds if k != index)
    seeds = scan.seeds
    if fact.answer == IS_SEED:
        seeds = tuple(
            replace(s, confirmed_by=fact.by) if k == index else s for k, s in enumerate(seeds)
        )
    else:
        left_out = (*left_out, index)
    scan = replace(scan, held_seeds=tuple(sorted(left_out)), seeds=seeds)
    return rematched(state.with_scan(scan), scan)


def _registration(state: CaseState, _question: Question, fact: QuestionAnswered) -> CaseState:
    if fact.answer == SET_ASIDE:
        return registration_set_aside(state)
    return registration_accepted(state, RegistrationAccepted(fact.by, fact.reason))


_FOLLOWS: dict[str, Callable[[CaseState, Question, QuestionAnswered], CaseState]] = {
    "frame": _frame,
    "structures": _structures,
    "plan": _plan,
    "plan-age": _plan_age,
    "seed": _seed,
    "registration": _registration,
    "position": _position,
    "work": lambda state, question, _: run_again(state, question),
}
