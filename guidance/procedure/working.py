"""What follows when long work is stopped by a person or breaks off.

Work that broke off is tried once more by itself. What is stopped, or broke off twice, rests:
the case says what is missing for it, and runs it again when a person asks.
"""

from __future__ import annotations

from dataclasses import replace

from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.procedure.acts import Question
from guidance.procedure.asking import AGAIN, asked, settled
from guidance.procedure.events import WorkBrokeOff, WorkStopped
from guidance.procedure.jobs import key_of, model_dose, outstanding
from guidance.procedure.state import CaseState

# Work that nobody waits for.
ASIDE = ("advise", "model")


def work_broke_off(state: CaseState, fact: WorkBrokeOff) -> CaseState:
    """Try it once more, and say so; a second time, ask."""
    doing, missing = _in_words(fact.key)
    if fact.key in state.broken_off:
        return _resting(state, fact.key, f"{doing} broke off twice ({fact.reason}); {missing}")
    state = replace(state, broken_off=(*state.broken_off, fact.key))
    return state.with_alarm(
        _alarm(fact.key),
        Priority.LOW,
        f"{doing} broke off ({fact.reason}) and is tried once more.",
    )


def work_stopped(state: CaseState, fact: WorkStopped) -> CaseState:
    """Let it rest until a person asks for it again."""
    if not fact.by.strip():
        raise RefusedError("work is stopped by a named person; give a name")
    if fact.key not in _asked_for(state) or fact.key in state.stopped:
        raise RefusedError("there is no such work to stop")
    doing, missing = _in_words(fact.key)
    return _resting(state, fact.key, f"{doing} was stopped by {fact.by}; {missing}")


def run_again(state: CaseState, question: Question) -> CaseState:
    """Ask for it again, as if it had never been tried."""
    key = question.key.removeprefix("work:")
    return replace(
        state,
        stopped=tuple(k for k in state.stopped if k != key),
        broken_off=tuple(k for k in state.broken_off if k != key),
        # It can be stopped, and asked about, as often as anybody likes.
        answers=tuple(pair for pair in state.answers if pair[0] != question.key),
    )


def still_asked(state: CaseState) -> CaseState:
    """Forget what was stopped or broke off, and is no longer asked for."""
    if not state.stopped and not state.broken_off:
        return state
    wanted = _asked_for(state)
    for key in (*state.stopped, *state.broken_off):
        if key not in wanted:
            state = settled(state, f"work:{key}").without_alarm(_alarm(key))
    return replace(
        state,
        stopped=tuple(k for k in state.stopped if k in wanted),
        broken_off=tuple(k for k in state.broken_off if k in wanted),
    )


def _asked_for(state: CaseState) -> frozenset[str]:
    keys = {key_of(job) for job in outstanding(state)}
    dose = model_dose(state)
    if dose is not None and not state.closed_by:
        keys.add(key_of(dose))
    return frozenset(keys)


def _resting(state: CaseState, key: str, text: str) -> CaseState:
    state = replace(state, stopped=(*state.stopped, key)).without_alarm(_alarm(key))
    priority = Priority.LOW if key.startswith(ASIDE) else Priority.MEDIUM
    return asked(state, f"work:{key}", text, (AGAIN,), priority=priority)


def _alarm(key: str) -> str:
    return f"broke-off:{key}"


def _in_words(key: str) -> tuple[str, str]:
    """Return what was being done, and what the case lacks without it."""
    doing = {
        "read": "Reading a plan or structures",
        "analyse": "Looking for needles and seeds",
        "register": "Registering the plan to the room",
        "track": "Matching the needles with the plan",
        "measure": "Measuring the registration",
        "advise": "Weighing advice",
        "model": "The model-based dose",
    }
    missing = {
        "read": "it has not been read.",
        "analyse": "the scan has not been looked at.",
        "register": "the plan is not in the room's frame.",
        "track": "the needles are not matched with the plan.",
        "measure": "the residual of the moved registration is not known.",
        "advise": "there is no advice on the implant as it is.",
        "model": "there is none of the implant as it is.",
    }
    kind = key.partition(":")[0]
    return doing[kind], missing[kind]
