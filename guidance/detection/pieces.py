"""Connected pieces of a few voxels among many: without a picture of them all."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def pieces(index: IntArray) -> IntArray:
    """Return (n,) the number of the connected piece of each voxel, 26 neighbours.

    Args:
        index: (n, 3) slice, row, column, in rising order.
    """
    size = index.max(axis=0) + 3 if len(index) else np.ones(3, np.int64)
    flat = (index[:, 0] * size[1] + index[:, 1] + 1) * size[2] + index[:, 2] + 1
    offsets = np.array(
        [(a * size[1] + b) * size[2] + c for a in (-1, 0) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    )
    return np.asarray(_joined(flat, offsets[offsets < 0]))


@njit(cache=True, nogil=True)
def _joined(flat, offsets):  # type: ignore[no-untyped-def]
    """Join each voxel with its neighbours before it (union-find)."""
    parent = np.arange(len(flat))
    for o in offsets:
        other = 0
        for v in range(len(flat)):
            wanted = flat[v] + o
            while other < len(flat) and flat[other] < wanted:
                other += 1
            if other == len(flat) or flat[other] != wanted:
                continue
            a, b = v, other
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[max(a, b)] = min(a, b)
    for v in range(len(flat)):
        parent[v] = parent[parent[v]]
    return parent
