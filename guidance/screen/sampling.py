"""Voxels on any plane, linearly interpolated. Compiled: a picture waits for every one of them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

Voxel = TypeVar("Voxel", np.int16, np.float32)


def sampled(
    voxels: NDArray[Voxel],
    start: ArrayLike,
    across: ArrayLike,
    down: ArrayLike,
    shape: tuple[int, int],
    *,
    outside: float,
) -> NDArray[Voxel]:
    """Return the values of a volume at the points of a flat grid.

    Args:
        voxels: [z, y, x].
        start: (3,) index x, y, z of the first point.
        across: (3,) indices from one column to the next.
        down: (3,) indices from one row to the next.
        shape: rows and columns.
        outside: value beyond the outermost voxel centres.
    """
    # Of one kind for the compiler, whether it may be written to or not.
    still = voxels.view()
    still.flags.writeable = False
    found = np.empty(shape, voxels.dtype)
    first, right, below = (np.array(v, np.float64) for v in (start, across, down))
    _sample(still, first, right, below, voxels.dtype.type(outside), found)
    return found


def warm_up() -> None:
    """Compile for both kinds of voxels, or load from numba's cache."""
    x, y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    sampled(np.zeros((2, 2, 2), np.int16), (0.0, 0.0, 0.0), x, y, (2, 2), outside=0.0)
    sampled(np.zeros((2, 2, 2), np.float32), (0.0, 0.0, 0.0), x, y, (2, 2), outside=0.0)


@njit(cache=True, nogil=True)
def _sample(voxels, start, across, down, outside, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` (rows, columns); whole numbers are rounded to the nearest."""
    last_z, last_y, last_x = voxels.shape[0] - 1, voxels.shape[1] - 1, voxels.shape[2] - 1
    whole = voxels.dtype.type(0.5) == 0
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            x = start[0] + across[0] * column + down[0] * row
            y = start[1] + across[1] * column + down[1] * row
            z = start[2] + across[2] * column + down[2] * row
            if not (0 <= x <= last_x and 0 <= y <= last_y and 0 <= z <= last_z):
                found[row, column] = outside
                continue
            i, j, k = int(x), int(y), int(z)
            # On the last voxel there is no next one, and none of it would be taken.
            i1, j1, k1 = min(i + 1, last_x), min(j + 1, last_y), min(k + 1, last_z)
            u, v, w = x - i, y - j, z - k
            near = _mixed(
                _mixed(voxels[k, j, i], voxels[k, j, i1], u),
                _mixed(voxels[k, j1, i], voxels[k, j1, i1], u),
                v,
            )
            far = _mixed(
                _mixed(voxels[k1, j, i], voxels[k1, j, i1], u),
                _mixed(voxels[k1, j1, i], voxels[k1, j1, i1], u),
                v,
            )
            value = _mixed(near, far, w)
            found[row, column] = np.floor(value + 0.5) if whole else value


@njit(cache=True, nogil=True, inline="always")
def _mixed(first, second, part):  # type: ignore[no-untyped-def]
    return first + (second - first) * part
