"""What follows when the seeds of a scan are known, from the program or from a person."""

from __future__ import annotations

from dataclasses import replace
from math import dist

from guidance.alarms import Priority
from guidance.procedure.asking import FAR_MM, IS_SEED, LEAVE_OUT, asked, settled
from guidance.procedure.state import CaseState, Scan
from guidance.tracking import match_seeds
from guidance.tracking.implant import ImplantSeed


def rematched(state: CaseState, scan: Scan) -> CaseState:
    """Match the implant with what a scan shows, except what is held; say what differs."""
    shown = tuple(s for k, s in enumerate(scan.seeds) if k not in scan.held_seeds)
    return _say_what_differs(state.with_seeds(match_seeds(state.seeds, shown, scan.uid)))


def strays_held(state: CaseState, scan: Scan) -> CaseState:
    """Hold what lies far from the implant or outside the body, with a question for each."""
    homes = [s.counted_mm for s in state.seeds if s.counted_mm is not None]
    held = []
    for k, seed in enumerate(scan.seeds):
        away = min((dist(seed.position_mm, home) for home in homes), default=0.0)
        if (away <= FAR_MM and not seed.outside) or seed.confirmed_by:
            continue
        held.append(k)
        place = ", ".join(f"{x:.0f}" for x in seed.position_mm)
        where = ", outside the body" if seed.outside else ""
        state = asked(
            state,
            f"seed:{scan.uid}:{k}",
            f"Something like a seed is seen at ({place}) mm, {away:.0f} mm from the nearest "
            f"counted seed{where}. It is left out until somebody says what it is.",
            (LEAVE_OUT, IS_SEED),
            subject=scan.uid,
            place_mm=seed.position_mm,
        )
    return state.with_scan(replace(scan, held_seeds=tuple(held)))


def without_questions_on_seeds(state: CaseState, uid: str) -> CaseState:
    """Return the state without what was asked of a scan's seeds: it is analysed anew."""
    for question in state.questions:
        if question.key.startswith(f"seed:{uid}:"):
            state = settled(state, question.key)
    return state


def _say_what_differs(state: CaseState) -> CaseState:
    missing = [s for s in state.seeds if s.status == "missing"]
    extra = [s for s in state.seeds if s.status == "extra"]
    strays = [s for s in state.seeds if s.fate in {"moved", "migrated"}]
    for key in ("seeds:missing", "seeds:extra", "seeds:moved"):
        state = state.without_alarm(key)
    if missing:
        counted = sum(1 for s in state.seeds if s.event_key)
        names = ", ".join(_name(s) for s in missing)
        state = state.with_alarm(
            "seeds:missing",
            Priority.HIGH,
            f"{len(missing)} of {counted} counted seeds are not seen on the scan: {names}.",
        )
    if extra:
        places = ", ".join("({:.0f}, {:.0f}, {:.0f})".format(*s.position_mm) for s in extra)
        state = state.with_alarm(
            "seeds:extra",
            Priority.MEDIUM,
            f"{len(extra)} seeds are seen that were not counted, at {places} mm (LPS).",
        )
    if strays:
        told = "; ".join(f"{_name(s)} {_how_far(s)}" for s in strays)
        state = state.with_alarm(
            "seeds:moved", Priority.MEDIUM, f"Not where they were before: {told}."
        )
    return state


def _how_far(seed: ImplantSeed) -> str:
    if seed.by_elimination:
        off = seed.off_counted_mm
        return f"by elimination, {off:.0f} mm from where it was counted" if off else "migrated"
    return f"by {seed.moved_mm:.1f} mm"


def _name(seed: ImplantSeed) -> str:
    return f"seed {seed.number} (needle {seed.needle})"
