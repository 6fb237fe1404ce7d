"""Solids are what they say: volumes by rays against closed forms, ends where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.metal import NeedleShape, Solid, ball, cylinder, needle_solids, seed_solids
from simulators.metal.solid import moved, table
from simulators.scanner.projection import chord, shadow

DIRECTIONS = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


def mass_mg(solids: list[Solid], spacing: float = 0.02) -> float:
    """Weigh by parallel rays along y through all solids."""
    rows = table(solids)
    low = np.minimum(rows[:, 20:23], rows[:, 23:26]).min(axis=0) - rows[:, 26].max()
    high = np.maximum(rows[:, 20:23], rows[:, 23:26]).max(axis=0) + rows[:, 26].max()
    total = 0.0
    for x in np.arange(low[0], high[0], spacing):
        for z in np.arange(low[2], high[2], spacing):
            for row in rows:
                total += row[28] * chord(row, x, 0.0, z, 0.0, 1.0)
    return total * spacing**2


@settings(max_examples=15, deadline=None)
@given(DIRECTIONS)
def test_a_cylinder_weighs_what_it_should_however_it_lies(direction: tuple[float, ...]) -> None:
    axis = np.array(direction) / np.linalg.norm(direction)
    solid = cylinder(-1.5 * axis, 1.5 * axis, 1.0, "gold")
    assert mass_mg([solid], 0.05) == pytest.approx(19.3 * np.pi * 0.25 * 3.0, rel=0.03)


def test_a_ball_and_a_seed_weigh_what_they_should() -> None:
    assert mass_mg([ball(np.zeros(3), 2.0, "steel")]) == pytest.approx(
        7.93 * 4 / 3 * np.pi, rel=2e-3
    )
    titanium = 4.51 * np.pi * ((0.4**2 - 0.34**2) * 3.7 + 4 / 3 * 0.4**3)
    silver = 10.49 * np.pi * 0.25**2 * 3.0
    axis = np.array((0.6, 0.0, 0.8))
    assert mass_mg(seed_solids(np.zeros(3), axis)) == pytest.approx(titanium + silver, rel=1e-2)


@given(DIRECTIONS, st.floats(0.0, 360.0), st.sampled_from([0.0, 1 / 400.0]))
@settings(max_examples=20, deadline=None)
def test_no_metal_lies_ahead_of_a_needles_tip(
    direction: tuple[float, ...], turn: float, bend: float
) -> None:
    axis = np.array(direction) / np.linalg.norm(direction)
    aside = np.cross(axis, (0.36, 0.48, -0.8))
    aside = aside / np.linalg.norm(aside)
    shape = NeedleShape(np.zeros(3), 90.0 * axis, bend * aside, bevel_turn_deg=turn)
    rows = table(needle_solids(shape))
    backward = shape.along(np.array([0.01]))[0]
    backward = backward / np.linalg.norm(backward)
    # Every chord near the tip, end to end, lies behind the plane through the tip.
    rng = np.random.default_rng(0)
    foremost = np.inf
    for x, z in rng.uniform(-2.0, 2.0, (400, 2)):
        for row in rows[:3]:
            if not chord(row, x, 0.0, z, 0.0, 1.0):
                continue
            for y in np.linspace(-3, 3, 61):
                point = np.array((x, y, z))
                if _inside(row, point):
                    foremost = min(foremost, float(backward @ point))
    assert foremost > -0.02


def _inside(row: np.ndarray, point: np.ndarray) -> bool:
    form = row[:9].reshape(3, 3)
    return bool(
        np.linalg.norm(form @ (point - row[9:12])) <= 1
        and row[12:15] @ point <= row[15]
        and row[16:19] @ point <= row[19]
    )


def test_a_bent_needle_has_the_radius_that_it_was_given() -> None:
    shape = NeedleShape(np.zeros(3), np.array((0.0, 100.0, 0.0)), np.array((1 / 300.0, 0, 0)))
    a, b, c = shape.curve(3)
    sagitta = np.linalg.norm(b - (a + c) / 2)
    # For a chord of 100 mm: R = c^2 / 8 s + s / 2.
    assert 100.0**2 / (8 * sagitta) + sagitta / 2 == pytest.approx(300.0, rel=0.01)


def test_a_shadow_holds_every_ray_that_meets_the_solid() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        ends = rng.uniform(-6, 6, (2, 3))
        row = table([cylinder(*ends, 1.3, "steel")])[0]
        height, angle = rng.uniform(-3, 3), rng.uniform(0, np.pi)
        c, s = np.cos(angle), np.sin(angle)
        low, high = shadow(row, height, c, s)
        for at in np.linspace(-12, 12, 200):
            if chord(row, at * c, at * s, height, -s, c) > 0:
                assert low <= at <= high


def test_moving_a_solid_moves_its_chords() -> None:
    turn, shift = np.radians(30.0), np.array((3.0, -2.0, 5.0))
    matrix = np.eye(4)
    matrix[:3, 3] = shift
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    rows = table(seed_solids(np.zeros(3), np.array((0.0, 0.6, 0.8))))
    start = matrix @ (0.1, -8.0, 0.5, 1.0)
    way = matrix[:3, :3] @ (0.0, 1.0, 0.0)
    for before, after in zip(rows, moved(rows, matrix), strict=True):
        assert chord(after, *start[:3], *way[:2]) == pytest.approx(
            chord(before, 0.1, -8.0, 0.5, 0.0, 1.0), abs=1e-9
        )
