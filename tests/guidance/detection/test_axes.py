"""Seeds whose ends lie in black streaks, as metal's do in thin slices: axes, and pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.detection import detect
from guidance.imaging import Volume
from guidance.imaging.volume import Provenance

FloatArray = NDArray[np.float64]

PIXEL_MM, SLICE_MM, SHAPE = 0.75, 1.0, (24, 150, 150)
CLIP_HU = (-1024, 3071)
# Metal of one seed, and the streaks around it: height of a Gaussian hill, its sigma, and how far
# from the seed's middle it lies along and across the seed.
METAL_HU_MM3, SPREAD_MM, SEEN_MM = 45000.0, 0.6, 3.2
BLACK_HU, BLACK_MM, OFF_END_MM = -2600.0, 1.1, 3.3
BRIGHT_HU, BRIGHT_MM, ASIDE_MM = 900.0, 1.0, 2.2


def _hill(at: FloatArray, sigma: float) -> FloatArray:
    """Return (ny, nx) a Gaussian of height 1 around a point in the plane."""
    x, y = np.arange(SHAPE[2]) * PIXEL_MM - at[0], np.arange(SHAPE[1]) * PIXEL_MM - at[1]
    return np.asarray(np.exp(-0.5 * (x**2 + y[:, None] ** 2) / sigma**2))


def _scan(centres: FloatArray, axes: FloatArray, slice_mm: float = SLICE_MM) -> Volume:
    """Draw seeds that lie flat in their slices, black off the ends and bright aside."""
    rng = np.random.default_rng(3)
    hu = np.full(SHAPE, 180.0) + rng.normal(0.0, 25.0, SHAPE)
    for centre, axis in zip(centres, axes, strict=True):
        across = np.array((-axis[1], axis[0], 0.0))
        metal = np.zeros(SHAPE[1:])
        points = np.linspace(-0.5, 0.5, 41) * SEEN_MM
        for t in points:
            metal += _hill(centre + t * axis, SPREAD_MM) / len(points)
        metal *= METAL_HU_MM3 / slice_mm / (2.0 * np.pi * SPREAD_MM**2)
        streaks = np.zeros(SHAPE[1:])
        for side in (-1.0, 1.0):
            streaks += BLACK_HU * _hill(centre + side * OFF_END_MM * axis, BLACK_MM)
            streaks += BRIGHT_HU * _hill(centre + side * ASIDE_MM * across, BRIGHT_MM)
        # The capsule is 0.8 mm high: it lies in two slices wherever it meets their border.
        for k in range(SHAPE[0]):
            low, high = (k - 0.5) * slice_mm, (k + 0.5) * slice_mm
            share = min(high, centre[2] + 0.4) - max(low, centre[2] - 0.4)
            hu[k] += max(0.0, share / 0.8) * (metal + streaks / slice_mm)
    clipped = np.clip(np.rint(hu), *CLIP_HU).astype(np.int16)
    affine = np.diag((PIXEL_MM, PIXEL_MM, slice_mm, 1.0))
    known = Provenance(slice_thickness_mm=slice_mm, clipped_at_hu=CLIP_HU[1])
    return Volume(GridGeometry(SHAPE, affine), clipped, known)


def _angles(axes: FloatArray, centres: FloatArray, volume: Volume) -> FloatArray:
    """Return the error of each axis, degrees; each seed must be found within 1 mm."""
    found = detect(volume).seeds
    assert len(found) == len(centres)
    said = np.array([s.position_mm for s in found])
    nearest = np.linalg.norm(centres[:, None] - said[None], axis=2)
    assert nearest.min(axis=1).max() < 1.0
    lie = np.array([s.axis for s in found])[nearest.argmin(axis=1)]
    return np.degrees(np.arccos(np.clip(np.abs((axes * lie).sum(axis=1)), 0.0, 1.0)))


def _places() -> FloatArray:
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid((20, 46, 72, 96), (20, 46, 72, 96)), axis=-1).reshape(-1, 2)
    heights = 11.0 + rng.uniform(-5.0, 5.0, len(grid))
    return np.column_stack((grid + rng.uniform(-0.4, 0.4, grid.shape), heights))


def _flat(angles_deg: FloatArray) -> FloatArray:
    along = np.radians(angles_deg)
    return np.column_stack((np.cos(along), np.sin(along), np.zeros(len(along))))


def test_black_streaks_off_the_ends_do_not_turn_an_axis() -> None:
    """Each seed lies in a direction of its own."""
    centres = _places()
    axes = _flat(np.linspace(0.0, 170.0, len(centres)))
    off = _angles(axes, centres, _scan(centres, axes))
    assert off.mean() < 6.0
    assert off.max() < 15.0


def test_one_seed_that_lies_across_the_others_is_not_turned_to_them() -> None:
    centres = _places()
    directions = np.full(len(centres), 108.0) + np.linspace(-8.0, 8.0, len(centres))
    directions[6] = 20.0
    axes = _flat(directions)
    off = _angles(axes, centres, _scan(centres, axes))
    assert off.mean() < 6.0
    assert off[6] < 10.0


def test_of_two_seeds_whose_images_touch_at_a_corner_neither_is_left_out() -> None:
    """One rod explains all that is bright around it, yet the group holds the metal of two."""
    centres = _places()
    beside = np.array((2.0, 3.0, 1.0))
    pairs = np.vstack((centres[::2], centres[::2] + beside, centres[1::2]))
    axes = _flat(np.full(len(pairs), 90.0))
    found = detect(_scan(pairs, axes)).seeds
    said = np.array([s.position_mm for s in found])
    assert len(said) == len(pairs)
    assert np.linalg.norm(pairs[:, None] - said[None], axis=2).min(axis=1).max() < 1.0


@pytest.mark.parametrize("which", [10, 12])
def test_three_side_by_side_are_three(which: int) -> None:
    """Two rods would hold too much metal each; that is no reason not to try a third."""
    centres = _places()
    beside = np.array(((1.4, 0.3, 0.0), (-1.4, 0.2, 0.0)))
    clump = np.vstack((centres, centres[which] + beside))
    found = detect(_scan(clump, _flat(np.full(len(clump), 90.0)))).seeds
    said = np.array([s.position_mm for s in found])
    assert len(said) == len(clump)
    assert np.linalg.norm(clump[:, None] - said[None], axis=2).min(axis=1).max() < 1.0


def test_seeds_across_each_other_are_two_where_one_slice_holds_both() -> None:
    """Nothing says which is the upper one, so that the fit lays them through each other."""
    centres = _places()
    centres[:, 2] = 12.0
    pairs = np.vstack((centres, centres[[5, 10]] + (0.3, 0.2, 0.8)))
    directions = np.append(np.full(len(centres), 90.0), np.full(2, 155.0))
    found = detect(_scan(pairs, _flat(directions), 3.0)).seeds
    said = np.array([s.position_mm for s in found])
    assert len(said) == len(pairs)
    assert np.linalg.norm(pairs[:, None] - said[None], axis=2).min(axis=1).max() < 1.0
