"""Advice against exhaustive search, its limits, and the command line on files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.advice import situation
from dose.dvh import Dvh
from dose.points import DosePoints
from dose.structures import sample, signed_distance_mm
from guidance.advice import Reach, Situation, Source, advise
from guidance.advice.ground import Ground
from guidance.advice.search import Search
from guidance.commands import main
from guidance.exchange import ExportReference, write_structures
from guidance.planning.protocol import Protocol


def test_cold_regions_lie_where_the_seeds_are_missing_and_hold_what_lacks() -> None:
    asked = situation(20)
    found = advise(asked)
    assert found.verdict == "adjust"
    # The quarter at the greater x has no seeds.
    assert found.cold[0].centre_mm[0] > 0
    samples = sample(asked.target, spacing_mm=0.7)
    points = DosePoints(samples.points_mm, asked.source)
    for k, seed in enumerate(asked.seeds):
        points.add(str(k), seed.position_mm, seed.axis, seed.strength_u)
    cold_cc = samples.weight_cc[points.dose_gy < 100.0].sum()
    assert sum(r.volume_cc for r in found.cold) == pytest.approx(cold_cc, rel=0.05)
    dvh = Dvh(points.dose_gy, samples.weight_cc)
    assert found.now.d90_gy == pytest.approx(dvh.d_percent_gy(90), rel=0.02)
    assert found.now.v100_percent == pytest.approx(dvh.v_percent(100.0), abs=1.5)


def test_what_is_predicted_comes_true_when_the_seeds_are_there() -> None:
    asked = situation(20)
    found = advise(asked)
    assert found.predicted is not None
    more = tuple(Source(s.position_mm, s.axis, asked.strength_u) for s in found.seeds)
    after = advise(replace(asked, seeds=(*asked.seeds, *more)))
    assert after.now.d90_gy == pytest.approx(found.predicted.d90_gy, abs=1e-3)
    assert after.now.cord_dmax_gy == pytest.approx(found.predicted.cord_dmax_gy, abs=1e-3)
    assert after.verdict == "stop"
    assert "covered" in after.reason


def test_every_proposed_seed_keeps_the_limits_and_its_needle() -> None:
    asked = situation(50, missing=0.4)
    found = advise(asked)
    assert found.seeds
    places = [s.position_mm for s in (*asked.seeds, *found.seeds)]
    for k, seed in enumerate(found.seeds, len(asked.seeds)):
        needle = next(n for n in asked.needles if n.number == seed.needle)
        tip, entry = np.array(needle.tip_mm), np.array(needle.entry_mm)
        axis = (tip - entry) / np.linalg.norm(tip - entry)
        assert seed.position_mm == pytest.approx(tip + (2.25 - seed.retraction_mm) * axis)
        gaps = np.linalg.norm(np.delete(np.array(places), k, 0) - places[k], axis=1)
        assert gaps.min() >= asked.protocol.seed_spacing_mm
        assert asked.cord is not None
        assert signed_distance_mm(asked.cord, seed.position_mm)[0] >= 10.0


@pytest.mark.parametrize("count", [1, 2])
def test_the_search_finds_what_trying_everything_finds(count: int) -> None:
    asked = replace(situation(20), protocol=Protocol(supplements_at_most=count))
    ground = Ground(asked)
    target, cord = ground.dose(asked.seeds)
    search = Search(ground, ground.seats(), target, cord)
    apart = [search.allowed([seat]) for seat in range(len(search.seats))]
    lack = min(
        search.lack(list(chosen))
        for chosen in combinations(range(len(search.seats)), count)
        if count == 1 or apart[chosen[0]][chosen[1]]
    )
    found = list(search.best())
    assert search.lack(found) <= lack * 1.02


def test_the_cords_limit_is_never_crossed_by_a_proposal() -> None:
    asked = situation(20)
    before = advise(asked).now.cord_dmax_gy
    assert before is not None
    tight = replace(asked, protocol=Protocol(cord_dmax_gy=before + 0.3))
    found = advise(tight)
    after = (found.predicted or found.now).cord_dmax_gy
    assert after is not None
    assert after <= before + 0.3
    crossed = advise(replace(asked, protocol=Protocol(cord_dmax_gy=before - 0.3)))
    assert (crossed.verdict, crossed.seeds) == ("stop", ())
    assert f"{before - 0.3:.1f} Gy" in crossed.reason


def test_an_earlier_course_leaves_the_cord_less() -> None:
    asked = situation(20)
    from dose.radiobiology import Course

    again = replace(asked, courses=(Course(15, 3.0),))
    first, second = Ground(asked).cord_limits_gy()[0], Ground(again).cord_limits_gy()[0]
    assert second < first
    assert Ground(again).eqd2_gy(second) == pytest.approx(70.0, abs=0.01)
    assert Ground(asked).eqd2_gy(first) == pytest.approx(50.0, abs=0.01)


def test_planned_seeds_that_are_still_to_come_are_waited_for() -> None:
    asked = situation(20)
    found = advise(asked)
    rest = tuple(Source(s.position_mm, s.axis, asked.strength_u) for s in found.seeds)
    assert advise(replace(asked, pending=rest)).verdict == "continue"


def test_a_needle_drawn_back_leaves_seeds_only_behind_its_tip() -> None:
    asked = situation(20)
    drawn = tuple(replace(n, retraction_mm=12.0) for n in asked.needles)
    seats = Ground(replace(asked, needles=drawn)).seats()
    assert len(seats)
    assert seats.retraction_mm.min() >= 12.0


def test_without_a_needle_near_another_one_is_wanted() -> None:
    asked = situation(20)
    far = (Reach(1, (0.0, 0.0, 200.0), (0.0, -90.0, 200.0)),)
    found = advise(replace(asked, needles=far))
    assert (found.verdict, found.seeds) == ("adjust", ())
    assert "another needle" in found.reason


@settings(max_examples=5, deadline=None)
@given(st.sets(st.integers(0, 13), max_size=12))
def test_advice_never_makes_anything_worse(gone: set[int]) -> None:
    asked = situation(20)
    kept = tuple(s for k, s in enumerate(asked.seeds) if k not in gone)
    found = advise(replace(asked, seeds=kept))
    assert found.verdict in {"continue", "adjust", "stop"}
    if found.predicted is not None:
        assert found.predicted.d90_gy > found.now.d90_gy
        assert found.predicted.v100_percent >= found.now.v100_percent


REFERENCE = ExportReference("P", "N", "1.2", "1.3", "1.4", (), datetime(2026, 1, 1, tzinfo=UTC))


def command_for(asked: Situation, folder: Path) -> list[str]:
    """Write what is asked as files, and return the command that asks, its seeds and needles last.

    The last four words are ``--seeds``, their file, ``--needles`` and theirs.
    """
    assert asked.cord is not None
    structures = (replace(asked.target, role="GTV"), replace(asked.cord, role="ORGAN"))
    path = write_structures(folder / "RS.dcm", structures, REFERENCE)
    seeds = [
        {"position_mm": s.position_mm, "axis": s.axis, "strength_u": s.strength_u}
        for s in asked.seeds
    ]
    needles = [
        {"number": n.number, "tip_mm": n.tip_mm, "entry_mm": n.entry_mm} for n in asked.needles
    ]
    (folder / "seeds.json").write_text(json.dumps({"seeds": seeds}))
    (folder / "needles.json").write_text(json.dumps({"needles": needles}))
    command = ["advise", "--structures", str(path), "--source", "6711", "--strength-u", "0.7"]
    command += ["--seeds", str(folder / "seeds.json")]
    return [*command, "--needles", str(folder / "needles.json")]


def test_the_command_line_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = situation(20)
    command = command_for(asked, tmp_path)
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    found = advise(asked)
    assert content["verdict"] == found.verdict
    assert content["predicted"]["d90_gy"] == pytest.approx(
        (found.predicted or found.now).d90_gy, rel=0.01
    )
    assert len(content["seeds"]) == len(found.seeds)
    assert main([*command[:-1], str(tmp_path / "seeds.json")]) == 2
    assert "no needles" in capsys.readouterr().err
    assert main(command[:-2]) == 2
    assert "--needles, or a plan" in capsys.readouterr().err
