"""Planned, counted and seen, matched: over random implants and disturbed detections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dose.structures import Structure
from guidance.detection import DetectedNeedle, DetectedSeed, Detections
from guidance.planning.plan import ImplantPlan, PlannedNeedle
from guidance.tracking import counted_position, match_seeds, track_needles
from guidance.tracking.implant import ImplantSeed, NeedleTrack


def grid_of_needles(count: int) -> tuple[PlannedNeedle, ...]:
    """Needles one centimetre apart, as they are put in."""
    return tuple(
        PlannedNeedle(
            n + 1, (10.0 * (n % 4), 0.0, 10.0 * (n // 4)), (10.0 * (n % 4), 80.0, 10.0 * (n // 4))
        )
        for n in range(count)
    )


def plan_of(needles: tuple[PlannedNeedle, ...]) -> ImplantPlan:
    return ImplantPlan("P", "", "P1", "F", "", "6711", 0.8, None, 100.0, "GTV", needles, ())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), missing=st.integers(0, 3), shift=st.floats(0, 3))
def test_needles_keep_their_numbers(seed: int, missing: int, shift: float) -> None:
    """Errors of 3 mm at the tip and 2 degrees never swap needles one centimetre apart."""
    rng = np.random.default_rng(seed)
    planned = grid_of_needles(8)
    common = rng.normal(size=3)
    common *= shift / np.linalg.norm(common)
    seen = {}
    for needle in planned:
        off = rng.uniform(-1, 1, 3) + common
        tilt = rng.uniform(-1, 1, 3)
        seen[needle.number] = DetectedNeedle(
            tuple(np.add(needle.tip_mm, off)), tuple(np.add(needle.entry_mm, off + tilt)), 0.9
        )
    for number in rng.choice(8, missing, replace=False):
        del seen[int(number) + 1]
    order = rng.permutation(list(seen))
    tracks = track_needles(plan_of(planned), Detections(needles=tuple(seen[n] for n in order)), ())
    assert [t.number for t in tracks] == list(range(1, 9))
    for track in tracks:
        expected = seen.get(track.number)
        assert track.tip_mm == (expected.tip_mm if expected else None)
        if expected:
            assert track.tip_deviation_mm == pytest.approx(
                np.hypot(track.lateral_deviation_mm, track.depth_deviation_mm)
            )


def test_a_needle_nobody_planned_gets_the_next_number() -> None:
    stray = DetectedNeedle((200.0, 0.0, 0.0), (200.0, 80.0, 0.0), 0.9)
    tracks = track_needles(plan_of(grid_of_needles(2)), Detections(needles=(stray,)), ())
    assert [(t.number, t.tip_mm is None, t.planned is None) for t in tracks] == [
        (1, True, False),
        (2, True, False),
        (3, False, True),
    ]


def test_depth_is_positive_where_a_needle_is_too_deep() -> None:
    needle = DetectedNeedle((0.0, -4.0, 0.0), (0.0, 80.0, 0.0), 0.9)
    (track,) = track_needles(plan_of(grid_of_needles(1)), Detections(needles=(needle,)), ())
    assert track.depth_deviation_mm == pytest.approx(4.0)
    assert track.lateral_deviation_mm == pytest.approx(0.0)
    assert track.angle_deg == pytest.approx(0.0)


def test_clearance_to_a_cylinder_is_its_distance() -> None:
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    rings = tuple(
        np.column_stack((30 + 5 * np.cos(angle), 5 * np.sin(angle), np.full(90, z)))
        for z in np.arange(-20.0, 21.0, 2.0)
    )
    cord = Structure("Spinal cord", rings, "ORGAN")
    needle = DetectedNeedle((0.0, -10.0, 0.0), (0.0, 80.0, 0.0), 0.9)
    (track,) = track_needles(plan_of(grid_of_needles(1)), Detections(needles=(needle,)), (cord,))
    (clearance,) = track.clearances
    assert clearance.distance_mm == pytest.approx(25.0, abs=0.6)
    assert clearance.kept
    inside = DetectedNeedle((30.0, 0.0, 0.0), (30.0, 80.0, 0.0), 0.9)
    (track,) = track_needles(None, Detections(needles=(inside,)), (cord,))
    assert track.clearances[0].distance_mm < 0
    assert not track.clearances[0].kept


def test_a_counted_seed_lies_half_its_length_beyond_the_tip() -> None:
    track = NeedleTrack(1, None, (0.0, 0.0, 0.0), (0.0, 80.0, 0.0))
    position, axis = counted_position(track, 10.0)
    assert position == pytest.approx((0.0, 10.0 - 2.25, 0.0))
    assert axis == pytest.approx((0.0, -1.0, 0.0))


def implant(rng: np.random.Generator, needles: int = 6, each: int = 4) -> list[ImplantSeed]:
    return [
        ImplantSeed(
            n * each + k + 1, n + 1, None, (10.0 * n, 10.0 * k, 0.0), (0.0, 1.0, 0.0),
            event_key=f"J:{n * each + k}",
        )
        for n in range(needles)
        for k in range(each)
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), lost=st.integers(0, 5), extra=st.integers(0, 3))
def test_seeds_are_matched_one_to_one(seed: int, lost: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    counted = implant(rng)
    kept = sorted(rng.choice(len(counted), len(counted) - lost, replace=False))
    seen = [
        DetectedSeed(tuple(np.add(counted[i].counted_mm, rng.uniform(-1.2, 1.2, 3))), None, 0.9)
        for i in kept
    ]
    seen += [DetectedSeed((10.0 * k, -60.0, 5.0), None, 0.9) for k in range(extra)]
    rng.shuffle(seen)  # type: ignore[arg-type]
    found = match_seeds(counted, seen, "scan")
    assert [s.number for s in found] == list(range(1, len(counted) + extra + 1))
    assert sum(s.status == "missing" for s in found) == lost
    assert sum(s.status == "extra" for s in found) == extra
    places = [s.seen_mm for s in found if s.seen_mm is not None]
    assert len(set(places)) == len(places) == len(seen)
    for i in kept:
        assert np.linalg.norm(np.subtract(found[i].seen_mm, counted[i].counted_mm)) < 2.1


def test_a_second_scan_starts_from_what_was_counted() -> None:
    counted = implant(np.random.default_rng(0), 1, 2)
    ghost = DetectedSeed((0.0, -40.0, 0.0), None, 0.5)
    first = match_seeds(counted, [ghost], "scan 1")
    assert [s.status for s in first] == ["missing", "missing", "extra"]
    seen = [DetectedSeed(s.counted_mm, None, 0.9) for s in counted if s.counted_mm]
    second = match_seeds(first, seen, "scan 2")
    assert [s.status for s in second] == ["seen", "seen"]
    assert {s.scan_uid for s in second} == {"scan 2"}
