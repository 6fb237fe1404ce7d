"""The library holds what its recipes say, and nothing lies where it cannot."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from guidance.imaging import read_series
from simulators.cases import HARD, LIBRARY, Case, draw_named, generate
from simulators.cases.background import laid_into
from simulators.cases.room import HALF_CORE_MM, between_segments
from simulators.metal.needle import OUTER_MM
from simulators.metal.seed import DIAMETER_MM, LENGTH_MM
from simulators.patient import read_background
from simulators.scanner import SeriesBody


def test_there_are_hard_cases_enough_and_in_both_positions() -> None:
    recipes = [LIBRARY[name] for name in HARD]
    assert len(recipes) >= 14
    assert all(50 <= r.seeds <= 100 and 3 <= r.needles <= 10 for r in recipes)
    assert {r.prone for r in recipes} == {True, False}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_case_holds_what_its_recipe_says(name: str) -> None:
    case, recipe = draw_named(name), LIBRARY[name]
    assert (len(case.seeds), len(case.needles)) == (recipe.seeds, recipe.needles)
    sorts = [s.sort for s in case.seeds]
    for sort, count in (
        ("in_bone", recipe.in_bone),
        ("beside_bone", recipe.beside_bone),
        ("side", 2 * recipe.side_pairs),
        ("end", 2 * recipe.end_pairs),
        ("cross", 2 * recipe.cross_pairs),
    ):
        assert sorts.count(sort) == count
    assert sorts.count("beyond") <= recipe.beyond_tip
    assert_nothing_runs_into_anything(case)
    assert_needles_keep_clear_of_the_canal(case)


def assert_nothing_runs_into_anything(case: Case) -> None:
    ends = [
        (s.centre - HALF_CORE_MM * s.axis, s.centre + HALF_CORE_MM * s.axis) for s in case.seeds
    ]
    for i, (a, b) in enumerate(ends):
        for c, d in ends[:i]:
            assert between_segments(a, b, c, d) >= DIAMETER_MM
        for needle in case.needles:
            points = needle.curve(60)
            away = min(between_segments(a, b, p, q) for p, q in pairwise(points))
            assert away >= (DIAMETER_MM + OUTER_MM) / 2 - 0.05


def assert_needles_keep_clear_of_the_canal(case: Case) -> None:
    for needle in case.needles:
        points = needle.curve(100)
        assert np.hypot(points[:, 0], points[:, 1]).min() > case.anatomy.canal_radius
        assert case.anatomy.tissue(needle.tip[None])[0] > -1000
        beyond = needle.along(np.array([1.02]))
        assert case.anatomy.tissue(beyond)[0] == -1000


def test_pairs_touch_as_they_are_called() -> None:
    for name, low, high in (("side", 0.8, 2.6), ("end", 4.5, 5.6), ("cross", 0.8, 1.8)):
        seeds = draw_named(name).seeds
        pairs = [(s, seeds[s.partner]) for s in seeds if s.sort == name]
        assert all(seeds[other.partner] is s for s, other in pairs)
        for s, other in pairs:
            assert low <= np.linalg.norm(s.centre - other.centre) <= high
    cosines = [abs(s.axis @ o.axis) for s, o in pairs]
    assert max(cosines) < np.cos(np.radians(29.9))


def test_the_same_name_and_seed_is_the_same_case_another_seed_another() -> None:
    one, again, other = draw_named("cruel", 3), draw_named("cruel", 3), draw_named("cruel", 4)
    assert np.array_equal([s.centre for s in one.seeds], [s.centre for s in again.seeds])
    assert not np.array_equal([s.centre for s in one.seeds], [s.centre for s in other.seeds])


@pytest.mark.parametrize(
    ("name", "slice_mm", "reason"),
    [("nonesuch", 2.0, "choose one of"), ("dozen", 0.1, "0.5 to 5"), ("dozen", 9.0, "0.5 to 5")],
)
def test_what_cannot_be_made_is_refused_by_name(name: str, slice_mm: float, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        generate(name, slice_mm)


def test_seeds_are_bright_where_the_truth_puts_them(tmp_path: Path) -> None:
    """On the way over DICOM files, tilted gantry and all."""
    scan = generate("tilted", 5.0)
    scan.write(tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    volume = read_series(tmp_path / "series")
    to_index = np.linalg.inv(volume.geometry.index_to_patient)
    assert truth["patient_position"] == "HFP"
    bright = []
    for seed in truth["seeds"]:
        x, y, z = np.rint((to_index @ (*seed["position_mm"], 1.0))[:3]).astype(int)
        bright.append(volume.hu[z, y - 1 : y + 2, x - 1 : x + 2].max())
    assert len(bright) == 50
    assert np.quantile(bright, 0.1) > 400
    assert LENGTH_MM == 4.5


def test_a_case_is_laid_into_a_real_scan_and_enters_through_its_skin(tmp_path: Path) -> None:
    generate("dozen", 5.0, physics="plain").write(tmp_path)
    hu, affine = read_background(tmp_path / "series")
    body = SeriesBody(hu, affine)
    case = draw_named("bone")
    target = (affine @ (255.0, 280.0, 6.0, 1.0))[:3]
    laid = laid_into(case, body, target)
    assert np.allclose(laid.to_scan(np.array(case.anatomy.lesion_centre)), target)
    assert {s.sort for s in laid.seeds} == {"free", "end"}
    for needle in laid.needles:
        out = needle.entry - needle.tip
        out = out / np.linalg.norm(out)
        points = np.array([laid.to_scan(needle.entry + s * out) for s in (-4.0, 4.0)])
        x, y, z = np.rint(points @ np.linalg.inv(affine)[:3, :3].T + np.linalg.inv(affine)[:3, 3]).T
        z = np.clip(z, 0, len(hu) - 1)
        inside, outside = hu[z.astype(int), y.astype(int), x.astype(int)]
        assert inside > -300 > outside


@pytest.mark.parametrize("far", [(0.0, 900.0, 0.0), (0.0, 0.0, 900.0)])
def test_a_target_outside_the_series_is_refused(far: tuple[float, float, float]) -> None:
    body = SeriesBody(np.zeros((4, 8, 8), np.float32), np.eye(4))
    with pytest.raises(ValueError, match="outside the series"):
        laid_into(draw_named("dozen"), body, np.array(far))


def test_a_folder_without_a_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exactly one CT series"):
        read_background(tmp_path)
