import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dose import sources
from dose.errors import SeedError
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.strength import mean_life_h
from dose.tg43 import dose_rate_1d, dose_rate_2d

SEED_6711 = sources.load("6711")
TO_GY = mean_life_h(59.4) / 100.0


def geometry(seed: int, shape: tuple[int, int, int] = (14, 16, 18)) -> GridGeometry:
    """A small grid, turned and sheared at random."""
    rng = np.random.default_rng(seed)
    axes = Rotation.random(random_state=seed).as_matrix()
    axes[:, 2] += 0.3 * axes[:, 1]
    affine = np.eye(4)
    affine[:3, :3] = axes * rng.uniform(0.5, 2.5, 3)
    affine[:3, 3] = rng.uniform(-50, 50, 3)
    return GridGeometry(shape, affine)


def reference(points: np.ndarray, centre: np.ndarray, axis: np.ndarray) -> np.ndarray:
    off = points - centre
    r = np.linalg.norm(off, axis=-1)
    theta = np.arccos(np.clip(off @ axis / np.maximum(r, 1e-9), -1, 1))
    return dose_rate_2d(r / 10.0, theta, SEED_6711) * TO_GY


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_every_voxel_agrees_with_the_reference(seed: int) -> None:
    grid_geometry = geometry(seed)
    rng = np.random.default_rng(seed)
    nz, ny, nx = grid_geometry.shape
    centre = grid_geometry.indices_to_patient(rng.uniform(1, (nx - 2, ny - 2, nz - 2)))
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    grid = DoseGrid(grid_geometry, SEED_6711)
    grid.add("s", centre, axis, 0.7)
    k, j, i = np.indices(grid_geometry.shape)
    points = grid_geometry.indices_to_patient(np.stack((i, j, k), axis=-1))
    off = points - centre
    along = off @ axis
    away = np.sqrt(np.maximum((off**2).sum(-1) - along**2, 0))
    outside = ~((np.abs(along) < 2.3) & (away < 0.45))
    expected = 0.7 * reference(points, centre, axis)
    assert np.abs(grid.dose_gy / expected - 1)[outside].max() < 1e-3
    at_points = grid.dose_at(points.reshape(-1, 3)).reshape(points.shape[:-1])
    assert np.abs(at_points / expected - 1)[outside].max() < 1e-3


def test_ten_thousand_random_edits_leave_no_trace() -> None:
    rng = np.random.default_rng(7)
    grid_geometry = GridGeometry.around((-8, -8, -8), (8, 8, 8), 2.0)
    grid = DoseGrid(grid_geometry, SEED_6711)
    for n in range(10_000):
        keys = grid.keys
        act = rng.integers(4) if keys else 0
        place, axis = rng.uniform(-7, 7, 3), rng.normal(size=3)
        if act == 0 and len(keys) < 12:
            grid.add(f"{n}", place, None if rng.random() < 0.2 else axis, rng.uniform(0.4, 0.9))
        elif act == 1:
            grid.remove(keys[rng.integers(len(keys))])
        elif act == 2:
            grid.move(keys[rng.integers(len(keys))], place, axis)
        elif keys:
            grid.replace_strength(keys[rng.integers(len(keys))], rng.uniform(0.4, 0.9))
    fresh = DoseGrid(grid_geometry, SEED_6711)
    for key, seed in grid._seeds.items():
        axis = None if np.isnan(seed.axis[0, 0]) else seed.axis[0]
        fresh.add(key, seed.position_mm[0], axis, seed.strength_u[0])
    np.testing.assert_array_equal(grid.dose_gy, fresh.dose_gy)
    for key in grid.keys:
        grid.remove(key)
    assert not grid.dose_gy.any()


def test_unknown_axis_takes_the_point_source() -> None:
    grid = DoseGrid(GridGeometry.around((-20, -20, -20), (20, 20, 20), 2.0), SEED_6711)
    grid.add("s", (0.0, 0.0, 0.0), None, 1.0)
    rng = np.random.default_rng(0)
    near = rng.normal(size=(200, 3)) * 2
    near = near[np.linalg.norm(near, axis=1) > 0.6]
    assert np.isfinite(grid.dose_gy).all()
    for point in ((10.0, 0, 0), (0, 10.0, 0), (0, 0, 2.27), (0.1, 0.5, 0.1), *near):
        r_cm = np.linalg.norm(point) / 10
        expected = dose_rate_1d(r_cm, SEED_6711) * TO_GY
        assert grid.dose_at([point])[0] == pytest.approx(float(expected), rel=1e-3)


def test_a_refused_edit_changes_nothing() -> None:
    grid = DoseGrid(GridGeometry.around((-8, -8, -8), (8, 8, 8), 2.0), SEED_6711)
    grid.add("s", (0.0, 0.0, 0.0), (0, 0, 1), 1.0)
    before = grid.dose_gy
    nan = float("nan")
    for act, words in (
        (lambda: grid.add("s", (1, 1, 1), (0, 0, 1), 1.0), "already"),
        (lambda: grid.add("t", (1, 1, 1), (0, 0, 1), 0.0), "seed t.*positive"),
        (lambda: grid.add("t", (1, nan, 1), (0, 0, 1), 1.0), "seed t.*not a point"),
        (lambda: grid.add("t", (1, 1, 1), (0, 0, 0), 1.0), "seed t.*not a direction"),
        (lambda: grid.add("t", (100, 1, 1), (0, 0, 1), 1.0), "outside the dose grid"),
        (lambda: grid.move("s", (100, 1, 1), (0, 0, 1)), "outside"),
        (lambda: grid.replace_strength("s", -1.0), "positive"),
        (lambda: grid.remove("t"), "no seed t"),
    ):
        with pytest.raises(SeedError, match=words):
            act()
    np.testing.assert_array_equal(grid.dose_gy, before)
    assert grid.keys == ("s",)
