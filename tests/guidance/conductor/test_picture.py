"""The picture of a state: what each dose in it stands on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from guidance.conductor.dosing import Placed
from guidance.conductor.library import Library
from guidance.conductor.picture import Picture, _seen_in
from guidance.procedure.events import SeriesReceived
from guidance.procedure.snapshot import DoseView
from guidance.procedure.state import CaseState, Scan
from guidance.tracking.implant import ImplantSeed
from tests.screen.room_case import dose

NOW = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
HERE, AXIS = (1.0, 2.0, 3.0), (0.0, 0.0, 1.0)


def scan(uid: str) -> Scan:
    return Scan(SeriesReceived(1, "CT", "P", "", "1.1", uid, "1.3", "", ()), NOW)


def seed(number: int, scan_uid: str = "", *, seen: bool = False) -> ImplantSeed:
    at = HERE if seen else None
    return ImplantSeed(number, 1, number, HERE, AXIS, at, AXIS if seen else None, 0.9, scan_uid)


class Counting:
    """Counts how often a dose is computed."""

    def __init__(self) -> None:
        self.times = 0

    def update(self, _seeds: object, number: int) -> DoseView:
        self.times += 1
        return replace(dose(1, event=number), seen_in=())


def test_only_seeds_that_lie_where_a_scan_shows_them_stand_on_it() -> None:
    seeds = (
        seed(1, "2.0", seen=True),
        seed(2, "1.9", seen=True),
        seed(3, "2.0", seen=True),
        seed(4, "2.0"),  # looked for there, not seen: it lies where it was counted
        seed(5),
    )
    state = replace(CaseState("case"), scans=(scan("1.9"), scan("2.0")), seeds=seeds)
    assert _seen_in(state) == (("1.9", 1), ("2.0", 2))
    assert _seen_in(replace(state, seeds=())) == ()


def test_a_seed_seen_again_in_the_same_place_gives_the_dose_its_new_scan_without_computing() -> (
    None
):
    picture, live = Picture(Library()), Counting()
    seeds = {1: Placed(HERE, AXIS, 0.6)}

    def at(number: int, *seen_in: tuple[str, int]) -> DoseView:
        return picture._dose_of("known", live, seeds, number, seen_in)  # type: ignore[arg-type]

    first = at(7, ("1.9", 1))
    assert first.seen_in == (("1.9", 1),)
    assert at(8, ("1.9", 1)) is first
    again = at(9, ("2.0", 1))
    assert (again.seen_in, again.event_number) == ((("2.0", 1),), 7)
    assert live.times == 1
