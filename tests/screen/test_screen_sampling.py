"""Voxels on a plane: linear in every direction, rounded, and none made up outside."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from guidance.screen.sampling import sampled

SHAPE = (9, 14, 11)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_values_are_those_of_linear_interpolation(kind):
    rng = np.random.default_rng(5)
    voxels = rng.uniform(-1000, 3000, SHAPE).astype(kind)
    start, across, down = rng.uniform((-1, -1, -1), (3, 3, 3)), (0.31, 0.11, 0.17), (-0.1, 0.4, 0.2)
    rows, columns = np.mgrid[:30, :25]
    index = [s + a * columns + d * rows for s, a, d in zip(start, across, down, strict=True)]
    wanted = map_coordinates(
        voxels.astype(np.float64), index[::-1], order=1, mode="constant", cval=-1024.0
    )
    found = sampled(voxels, start, across, down, (30, 25), outside=-1024.0)
    assert found.dtype == kind
    assert 0.1 < (wanted == -1024.0).mean() < 0.9
    np.testing.assert_allclose(found, wanted, atol=0.5001 if kind is np.int16 else 1e-3)


def test_the_outermost_voxels_are_taken_and_nothing_beyond_them():
    voxels = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    last = np.array(SHAPE[::-1]) - 1.0
    (found,) = sampled(voxels, last, (1e-9, 0, 0), (0, 0, 0), (1, 2), outside=-7)
    assert found.tolist() == [voxels[-1, -1, -1], -7]


def test_a_volume_that_may_not_be_written_to_can_be_looked_at():
    voxels = np.full(SHAPE, 40, np.int16)
    voxels.flags.writeable = False
    assert (sampled(voxels, (1, 1, 1), (1, 0, 0), (0, 1, 0), (3, 3), outside=0) == 40).all()
