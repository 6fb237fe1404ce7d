"""Where metal may be: small bright groups that stand out from their surroundings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from guidance.detection.frame import ScanFrame
from guidance.detection.pieces import pieces
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A seed lying wholly in one slice of this thickness peaks at about this much above tissue; in
# thicker slices it is thinned out in proportion.
PEAK_HU_MM = 2600.0
# The lowest level worth looking at, whatever the slice, unless two slices share what stands out
# and it is no larger than a seed's image. What stands out by less than the floor is not kept:
# pages of memory that hold only tissue are never touched. No more than the highest is, so that
# two bytes hold it: being given memory is much of what a first scan takes.
LEAST_HU, FLOOR_HU, MOST_HU = 280.0, 60.0, np.float32(32767.0)
NARROW_MM, WIDE_MM = 0.5, 4.0
# A Gaussian is cut off beyond so many sigma.
CUT_OFF = 4.0
# Larger groups are looked at again at a higher level. In thick slices seeds that lie further
# apart join, and what a higher level leaves of each is too little to tell it by.
LARGEST_MM, LARGEST_IN_THICK_MM, THICK_MM = 16.0, 20.0, 2.5
LARGEST_SHARED_MM = 14.0
SMALLEST_VOLUME_MM3 = 1.5
RAISE = 1.35
WORKERS = 2


@dataclass(frozen=True, eq=False)
class Contrast:
    """How much voxels stand out in their slice: a narrow average less a wide one.

    Attributes:
        hu: (nz, ny, nx) whole HU; 0 where it is below ``FLOOR_HU``.
        bright: (n,) flat indices, rising, of the voxels above ``least_hu``.
        least_hu: lowest level at which voxels are listed.
    """

    hu: NDArray[np.int16]
    bright: IntArray
    least_hu: float

    def above(self, level: float) -> tuple[IntArray, NDArray[np.int16]]:
        """Return (n, 3) indices (slice, row, column), rising, and (n,) HU above a level.

        Raises:
            ValueError: the level is below ``least_hu``.
        """
        if level < self.least_hu:
            raise ValueError(f"contrast is listed from {self.least_hu:.0f} HU on, not {level:.0f}")
        value = self.hu.ravel()[self.bright]
        high = value > level
        index = np.column_stack(np.unravel_index(self.bright[high], self.hu.shape))
        return index.astype(np.int64), value[high]


@dataclass(frozen=True, eq=False)
class Group:
    """Connected voxels that stand out.

    Attributes:
        index: (n, 3) indices (slice, row, column).
        level_hu: contrast at which they, or the brightest of them, were connected.
        floor_hu: contrast above which what lies around them belongs to others.
    """

    index: IntArray
    level_hu: float
    floor_hu: float


def contrast(volume: Volume, frame: ScanFrame) -> Contrast:
    """Return how much each voxel stands out in its slice.

    Difference of a narrow Gaussian and a wide plain average: flat and slowly varying tissue
    vanish. Beyond the edge of a slice its last voxels go on.
    """
    column, row = frame.pixel_mm
    across, down = _taps(NARROW_MM / column), _taps(NARROW_MM / row)
    half = np.array((_half(WIDE_MM / column), _half(WIDE_MM / row)))
    found = np.zeros(volume.hu.shape, np.int16)
    least = min(LEAST_HU, _shared_level(frame))

    def of_slice(k: int) -> IntArray:
        bright = np.empty(volume.hu[k].size, np.int64)
        count = _contrast(volume.hu[k], across, down, half, least, found[k], bright)
        return bright[:count] + k * bright.size

    # Slice by slice no more is held than is needed, and the filter lets threads run.
    with ThreadPoolExecutor(WORKERS) as pool:
        bright = list(pool.map(of_slice, range(len(found))))
    return Contrast(found, np.concatenate(bright), least)


def _half(size: float) -> int:
    return int(np.rint(size))


def _taps(sigma: float) -> NDArray[np.float32]:
    """Return (2 n + 1,) weights of a Gaussian average."""
    reach = int(CUT_OFF * sigma + 0.5)
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(weight / weight.sum(), np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _contrast(hu, across, down, half, least, found, bright):  # type: ignore[no-untyped-def]  # noqa: PLR0912
    """Write the contrast of one slice above the floor; return how many voxels are bright.

    Rows are cut out before they are run through: an index that cannot be negative lets the
    compiler take many voxels at once.
    """
    ny, nx = hu.shape
    pad = max(half[0] + 1, len(across) // 2)
    # Sums down the columns of the wide window, and the narrow average down; both padded.
    wide, narrow = np.zeros(nx + 2 * pad, np.int32), np.zeros(nx + 2 * pad, np.float32)
    own_wide, own_narrow = wide[pad : pad + nx], narrow[pad : pad + nx]
    summed, row = np.zeros(nx + 2 * pad + 1, np.int32), np.zeros(nx, np.float32)
    low = summed[pad - half[0] : pad - half[0] + nx]
    high = summed[pad + half[0] + 1 : pad + half[0] + 1 + nx]
    for j in range(-half[1], half[1] + 1):
        line = hu[min(max(j, 0), ny - 1)]
        for i in range(nx):
            own_wide[i] += line[i]
    count, share = 0, np.float32(1.0 / ((2 * half[0] + 1) * (2 * half[1] + 1)))
    for j in range(ny):
        own_narrow[:] = 0.0
        for t in range(len(down)):
            line, weight = hu[min(max(j + t - len(down) // 2, 0), ny - 1)], down[t]
            for i in range(nx):
                own_narrow[i] += weight * np.float32(line[i])
        narrow[:pad], narrow[pad + nx :] = own_narrow[0], own_narrow[nx - 1]
        wide[:pad], wide[pad + nx :] = own_wide[0], own_wide[nx - 1]
        total = np.int32(0)
        for i in range(len(wide)):
            summed[i] = total
            total += wide[i]
        summed[len(wide)] = total
        # Sums may run over, their differences do not.
        for i in range(nx):
            row[i] = -share * np.float32(np.int32(high[i] - low[i]))
        for t in range(len(across)):
            weight, first = across[t], pad - len(across) // 2 + t
            moved = narrow[first : first + nx]
            for i in range(nx):
                row[i] += weight * moved[i]
        highest = np.float32(0.0)
        for i in range(nx):
            highest = max(highest, row[i])
        if highest > FLOOR_HU:
            for i in range(nx):
                if row[i] > FLOOR_HU:
                    found[j, i] = np.int16(min(row[i] + np.float32(0.5), MOST_HU))
                    if found[j, i] > least:
                        bright[count] = j * nx + i
                        count += 1
        gone, coming = hu[max(j - half[1], 0)], hu[min(j + half[1] + 1, ny - 1)]
        for i in range(nx):
            own_wide[i] += np.int32(coming[i]) - np.int32(gone[i])
    return count


def groups(
    stands_out: Contrast, frame: ScanFrame, hidden: Callable[[IntArray], NDArray[np.bool_]]
) -> list[Group]:
    """Return what stands out, connected at the level of the faintest seed.

    Args:
        stands_out: contrast.
        frame: of the scan.
        hidden: tells which voxels, (n, 3) indices (slice, row, column), not to look at.
    """
    level, lower = faintest(frame), _shared_level(frame)
    found = _above(level, stands_out, frame, hidden)
    if lower < level:
        dim = _above(lower, stands_out, frame, hidden)
        found += [g for g in dim if _shared(g, stands_out, frame, level)]
    return found


def _above(
    level: float,
    stands_out: Contrast,
    frame: ScanFrame,
    hidden: Callable[[IntArray], NDArray[np.bool_]],
) -> list[Group]:
    index = stands_out.above(level)[0]
    return _connected(index[~hidden(index)], frame, level)


def _shared(group: Group, stands_out: Contrast, frame: ScanFrame, level: float) -> bool:
    """Tell whether a group may be a seed of which two slices show too little each."""
    return bool(
        np.ptp(group.index[:, 0]) == 1
        and stands_out.hu[tuple(group.index.T)].max() <= level
        and _extent_mm(group, frame) < LARGEST_SHARED_MM
    )


def faintest(frame: ScanFrame) -> float:
    """Return the contrast of the faintest seed in a slice of its own, HU."""
    return max(LEAST_HU, _shared_level(frame))


def _shared_level(frame: ScanFrame) -> float:
    """Return the contrast of the faintest seed that two slices share, HU."""
    return 0.35 * PEAK_HU_MM / max(frame.slice_mm, 1.0)


def split(group: Group, stands_out: Contrast, frame: ScanFrame) -> list[Group]:
    """Return the pieces that a group falls into at the next level.

    In thick slices each of several takes with it what lies nearest to it: metal between two is
    theirs. What is left of anything else has lost its clutter.
    """
    level = group.level_hu * RAISE
    high = stands_out.hu[tuple(group.index.T)] > level
    found = _connected(group.index[high], frame, level)
    if len(found) < 2 or frame.slice_mm < THICK_MM:
        return found
    size = _voxel(frame)
    cores = np.concatenate([p.index for p in found])
    owner = np.repeat(np.arange(len(found)), [len(p.index) for p in found])
    nearest = owner[cKDTree(cores * size).query(group.index * size)[1]]
    return [Group(group.index[nearest == k], level, group.floor_hu) for k in range(len(found))]


def small(group: Group, frame: ScanFrame) -> bool:
    """Tell whether a group is small enough to be a few seeds."""
    return _extent_mm(group, frame) <= (
        LARGEST_MM if frame.slice_mm < THICK_MM else LARGEST_IN_THICK_MM
    )


def uncut(group: Group, frame: ScanFrame) -> bool:
    """Tell whether of a large group, or of a part of one, no clutter was cut away."""
    return group.floor_hu < group.level_hu or _extent_mm(group, frame) > LARGEST_MM


def _extent_mm(group: Group, frame: ScanFrame) -> float:
    """Return the diagonal of the box around a group."""
    return float(np.linalg.norm((np.ptp(group.index, axis=0) + 1) * _voxel(frame)))


def _connected(index: IntArray, frame: ScanFrame, level: float) -> list[Group]:
    """Return the connected groups of (n, 3) voxels in rising order, but for the smallest."""
    if not len(index):
        return []
    least = max(2.0, SMALLEST_VOLUME_MM3 / float(_voxel(frame).prod()))
    piece = pieces(index)
    order = np.argsort(piece, kind="stable")
    parts = np.split(index[order], np.flatnonzero(np.diff(piece[order])) + 1)
    return [Group(part, level, level) for part in parts if len(part) >= least]


def _voxel(frame: ScanFrame) -> FloatArray:
    """Return the size of a voxel along slices, rows and columns, mm."""
    return np.array((float(frame.step[2]), frame.pixel_mm[1], frame.pixel_mm[0]))
