"""When a series is whole: the evidence, with time as an argument."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.dicom.series import SeriesWatch, SliceEvidence

QUIET_S = 0.5


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[int, str]] = []
        self.watch = SeriesWatch(QUIET_S, lambda files, why: self.all.append((len(files), why)))

    def slice(self, n: int, of: int, now_s: float, *, place: float, acquisition: str = "1") -> None:
        evidence = SliceEvidence(acquisition, of, place)
        self.watch.stored("1.2", (Path(f"{n}.dcm"),), 7, now_s, evidence)


@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_counted_out_at_the_last_slice_in_any_order(n: int, random: object) -> None:
    told = Told()
    places = [2.5 * k for k in range(n)]
    random.shuffle(places)  # type: ignore[attr-defined]
    for k, place in enumerate(places):
        assert told.all == []
        told.slice(k, n, 0.01 * k, place=place)
    told.watch.tick(0.01 * n + 0.05)
    assert told.all == [], "another acquisition might follow"
    told.watch.tick(0.01 * n + 0.1)
    assert told.all == [(n, "count")]
    told.watch.released(7)
    told.watch.tick(100.0)
    assert told.all == [(n, "count")], "the release says nothing new"


def test_quiet_is_not_believed_soon_while_images_are_owed() -> None:
    told = Told()
    for k in range(3):
        told.slice(k, 5, 0.01 * k, place=2.0 * k)
    told.watch.tick(4.9)
    assert told.all == [], "the scanner holds on and owes two images"
    told.watch.tick(5.1)
    assert told.all == [(3, "quiet")], "it never let go"
    told.slice(3, 5, 6.0, place=6.0)
    told.watch.lost(7)
    told.watch.tick(6.6)
    assert told.all[1:] == [(4, "quiet")], "whoever is gone sends nothing more"
    told.slice(4, 5, 7.0, place=8.0)
    told.watch.tick(7.15)
    assert told.all[2:] == [(5, "count")], "the last of them came late"


def test_table_positions_that_follow_one_another_are_one_series() -> None:
    told = Told()
    for k in range(9):
        told.slice(k, 3, 0.05 * k, place=5.0 * k, acquisition=str(k // 3))
        told.watch.tick(0.05 * k + 0.04)
    assert told.all == []
    told.watch.tick(0.6)
    assert told.all == [(9, "count")]


def test_bursts_of_one_table_position_are_counted_out_each_time() -> None:
    """CT fluoroscopy: three images, again and again, with a needle moved in between."""
    told = Told()
    for burst in range(4):
        for k in range(3):
            told.slice(3 * burst + k, 3, burst, place=5.0 * k, acquisition=str(burst))
        told.watch.tick(burst + 0.12)
    assert told.all == [(3, "count")] * 4
    for k in range(4):
        told.slice(20 + k, 1, 10.0, place=7.5, acquisition=str(20 + k))
    told.watch.tick(10.12)
    assert told.all[-1] == (4, "count")


def test_what_could_not_be_announced_is_announced_later() -> None:
    said: list[int] = []
    failures = [OSError("the disk is full")] * 2

    def whole(files: tuple[Path, ...], evidence: str) -> None:
        if failures:
            raise failures.pop()
        said.append(len(files))

    watch = SeriesWatch(QUIET_S, whole)
    watch.stored("1.2", (Path("a.dcm"),), 7, 0.0)
    watch.released(7)
    watch.stored("1.2", (Path("b.dcm"),), None, 0.1)
    for now_s in (0.3, 0.6, 0.9, 1.2):
        watch.tick(now_s)
    assert said == [2]


def test_a_gap_waits_for_the_slice_or_for_quiet() -> None:
    told = Told()
    for k, place in enumerate((0.0, 2.0, 4.0, 8.0, 10.0)):
        told.slice(k, 5, 0.0, place=place)
    assert told.all == []
    told.watch.tick(QUIET_S)
    assert told.all == [(5, "quiet")]


def test_a_scanner_that_counts_more_than_it_sends_is_not_waited_for() -> None:
    told = Told()
    for k in range(4):
        told.slice(k, 200, 0.1 * k, place=2.0 * k)
    told.watch.tick(0.4)
    assert told.all == []
    told.watch.released(7)
    assert told.all == [(4, "release")]


def test_a_late_slice_opens_the_series_again() -> None:
    told = Told()
    for k in range(3):
        told.slice(k, 3, 0.0, place=float(k))
    told.watch.tick(0.2)
    told.watch.stored("1.2", (Path("late.dcm"),), 7, 1.0)
    assert told.all == [(3, "count")]
    told.watch.tick(1.0 + QUIET_S)
    assert told.all == [(3, "count"), (1, "quiet")]


def test_objects_without_evidence_are_never_counted_out() -> None:
    told = Told()
    told.slice(0, 2, 0.0, place=0.0)
    told.watch.stored("1.2", (Path("sr.dcm"),), 7, 0.0)
    told.slice(1, 2, 0.0, place=1.0)
    assert told.all == []
    for now_s in np.arange(0, 0.5, 0.1):
        told.watch.tick(float(now_s))
    assert told.all == []
    told.watch.lost(7)
    told.watch.tick(QUIET_S)
    assert told.all == [(3, "quiet")]
