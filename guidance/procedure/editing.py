"""What follows when a person confirms, moves, adds or deletes what the program saw.

The act changes the detections of the scan, and the scan is matched again; so it counts in
everything that follows, and stands in the record with name and reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from guidance.detection.detections import DetectedNeedle, DetectedSeed
from guidance.errors import RefusedError
from guidance.procedure.acts import Edit
from guidance.procedure.events import (
    NeedleDeleted,
    NeedlePlaced,
    SeedAdded,
    SeedConfirmed,
    SeedDeleted,
    SeedMoved,
)
from guidance.procedure.matching import rematched
from guidance.procedure.state import CaseState, Scan

T = TypeVar("T")
SeedAct = SeedConfirmed | SeedMoved | SeedDeleted


def seed_confirmed(state: CaseState, fact: SeedConfirmed) -> CaseState:
    """Put a name to a seed as it is seen."""
    scan, index = _seen(state, fact)
    seed = replace(scan.seeds[index], confirmed_by=fact.by)
    return _with_seeds(state, scan, _put(scan.seeds, index, seed), fact, "confirmed", fact.seed)


def seed_moved(state: CaseState, fact: SeedMoved) -> CaseState:
    """Put a seen seed somewhere else."""
    scan, index = _seen(state, fact)
    old = scan.seeds[index]
    seed = replace(
        old, position_mm=fact.position_mm, axis=fact.axis or old.axis, confidence=1.0,
        covariance_mm2=None, confirmed_by=fact.by,
    )  # fmt: skip
    return _with_seeds(state, scan, _put(scan.seeds, index, seed), fact, "moved", fact.seed)


def seed_added(state: CaseState, fact: SeedAdded) -> CaseState:
    """Add a seed to what the last scan shows."""
    scan = _scan(state, fact.by, fact.reason)
    seed = DetectedSeed(fact.position_mm, fact.axis, 1.0, None, fact.by)
    return _with_seeds(state, scan, (*scan.seeds, seed), fact, "added", None)


def seed_deleted(state: CaseState, fact: SeedDeleted) -> CaseState:
    """Take away what is no seed; a counted seed stays in the account, as not seen."""
    scan, index = _seen(state, fact)
    # Held ones are known by their index, so what is deleted joins them and none moves up.
    scan = replace(scan, held_seeds=tuple(sorted({*scan.held_seeds, index})))
    return _with_seeds(state, scan, scan.seeds, fact, "deleted", fact.seed)


def _with_seeds(
    state: CaseState,
    scan: Scan,
    seeds: tuple[DetectedSeed, ...],
    fact: SeedAct | SeedAdded,
    act: str,
    number: int | None,
) -> CaseState:
    scan = replace(scan, seeds=seeds)
    what = f"seed {number}" if number is not None else "seed"
    state = _noted(state, fact.by, act, what, fact.reason, scan.uid)
    return rematched(state.with_scan(scan), scan)


def _seen(state: CaseState, fact: SeedAct) -> tuple[Scan, int]:
    """Return the last scan and the index of a seed in its detections."""
    scan = _scan(state, fact.by, fact.reason)
    seed = next((s for s in state.seeds if s.number == fact.seed), None)
    if seed is None:
        raise RefusedError(f"there is no seed {fact.seed}")
    for index, detection in enumerate(scan.seeds):
        if detection.position_mm == seed.seen_mm and index not in scan.held_seeds:
            return scan, index
    raise RefusedError(f"seed {fact.seed} is not seen on the last scan; add it where it lies")


def _scan(state: CaseState, by: str, reason: str) -> Scan:
    _named(state, by, reason)
    scan = state.latest("verification")
    if scan is None or not scan.analysed:
        raise RefusedError("there is no analysed verification scan to change seeds in")
    return scan


def needle_placed(state: CaseState, fact: NeedlePlaced) -> CaseState:
    """Confirm, move or add a needle; the needles are matched with the plan again."""
    scan = _needle_scan(state, fact.by, fact.reason)
    if fact.tip_mm == fact.entry_mm:
        raise RefusedError("tip and entry of a needle must differ")
    placed = DetectedNeedle(fact.tip_mm, fact.entry_mm, 1.0, confirmed_by=fact.by)
    index = _needle_index(state, scan, fact.needle)
    if index is None:
        needles, act = (*scan.needles, placed), "added"
    else:
        same = (scan.needles[index].tip_mm, scan.needles[index].entry_mm) == (
            fact.tip_mm,
            fact.entry_mm,
        )
        needles, act = _put(scan.needles, index, placed), "confirmed" if same else "moved"
    return _with_needles(state, scan, needles, fact, act)


def needle_deleted(state: CaseState, fact: NeedleDeleted) -> CaseState:
    """Take away what is no needle."""
    scan = _needle_scan(state, fact.by, fact.reason)
    index = _needle_index(state, scan, fact.needle)
    if index is None:
        raise RefusedError(f"needle {fact.needle} is not seen on the last scan of needles")
    if state.counted_through(fact.needle):
        raise RefusedError(f"seeds were dropped through needle {fact.needle}; it stays")
    needles = scan.needles[:index] + scan.needles[index + 1 :]
    return _with_needles(state, scan, needles, fact, "deleted")


def _with_needles(
    state: CaseState,
    scan: Scan,
    needles: tuple[DetectedNeedle, ...],
    fact: NeedlePlaced | NeedleDeleted,
    act: str,
) -> CaseState:
    state = _noted(state, fact.by, act, f"needle {fact.needle}", fact.reason, scan.uid)
    state = state.with_scan(replace(scan, needles=needles))
    return replace(state, tracked=None, needles_confirmed_by="")


def _needle_scan(state: CaseState, by: str, reason: str) -> Scan:
    _named(state, by, reason)
    scan = state.latest("needles")
    if scan is None or not scan.analysed:
        raise RefusedError("there is no analysed scan of needles to change needles in")
    if state.device.armed:
        raise RefusedError("the applicator is armed; end the permit first")
    return scan


def _needle_index(state: CaseState, scan: Scan, number: int) -> int | None:
    track = state.needle(number)
    if track is None or track.tip_mm is None:
        return None
    for index, needle in enumerate(scan.needles):
        if needle.tip_mm == track.tip_mm:
            return index
    return None


def _named(state: CaseState, by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise RefusedError("a detection is changed by a named person for a reason; give both")
    if state.closed_by:
        raise RefusedError("the case is closed")


def _noted(state: CaseState, by: str, act: str, what: str, reason: str, scan_uid: str) -> CaseState:
    edit = Edit(state.number, state.at, by, act, what, reason, scan_uid)
    return replace(state, edits=(*state.edits, edit))


def _put(items: tuple[T, ...], index: int, item: T) -> tuple[T, ...]:
    return (*items[:index], item, *items[index + 1 :])
