"""Where metal may be: small bright groups that stand out from their surroundings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.frame import ScanFrame
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# A seed lying wholly in one slice of this thickness peaks at about this much above tissue; in
# thicker slices it is thinned out in proportion.
PEAK_HU_MM = 2600.0
# The lowest level worth looking at, whatever the slice.
LEAST_HU = 280.0
NARROW_MM, WIDE_MM = 0.5, 4.0
# Larger groups are looked at again at a higher level.
LARGEST_MM = 16.0
SMALLEST_VOLUME_MM3 = 1.5
RAISE = 1.35
WORKERS = 2


@dataclass(frozen=True, eq=False)
class Group:
    """Connected voxels that stand out.

    Attributes:
        index: (n, 3) indices (slice, row, column).
        level_hu: contrast at which they were connected.
    """

    index: NDArray[np.int64]
    level_hu: float


def contrast(volume: Volume, frame: ScanFrame) -> NDArray[np.float32]:
    """Return how much each voxel stands out in its slice, HU (nz, ny, nx).

    Difference of a narrow and a wide Gaussian average: flat and slowly varying tissue vanish.
    """
    column, row = frame.pixel_mm
    sigma = (NARROW_MM / row, NARROW_MM / column)
    size = (_odd(2 * WIDE_MM / row), _odd(2 * WIDE_MM / column))
    found = np.empty(volume.hu.shape, np.float32)

    def of_slice(k: int) -> None:
        hu = volume.hu[k].astype(np.float32)
        wide = ndimage.uniform_filter(hu, size, mode="nearest")
        np.subtract(ndimage.gaussian_filter(hu, sigma), wide, out=found[k])

    # Slice by slice no more is held than is needed, and the filters let threads run.
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(of_slice, range(len(found))))
    return found


def _odd(size: float) -> int:
    return 2 * round(size / 2) + 1


def groups(
    stands_out: NDArray[np.float32], frame: ScanFrame, excluded: NDArray[np.bool_] | None = None
) -> list[Group]:
    """Return what stands out, connected at the level of the faintest seed.

    Args:
        stands_out: contrast.
        frame: of the scan.
        excluded: voxels not to look at.
    """
    level = max(LEAST_HU, 0.35 * PEAK_HU_MM / max(frame.slice_mm, 1.0))
    mask = stands_out > level
    if excluded is not None:
        mask &= ~excluded
    return _pieces(mask, np.zeros(3, np.int64), frame, level)


def split(group: Group, stands_out: NDArray[np.float32], frame: ScanFrame) -> list[Group]:
    """Return the pieces that a group falls into at the next level."""
    level = group.level_hu * RAISE
    corner = group.index.min(axis=0)
    mask = np.zeros(group.index.max(axis=0) - corner + 1, bool)
    higher = group.index[stands_out[tuple(group.index.T)] > level]
    mask[tuple((higher - corner).T)] = True
    return _pieces(mask, corner, frame, level)


def small(group: Group, frame: ScanFrame) -> bool:
    """Tell whether a group is small enough to be a few seeds."""
    extent = (np.ptp(group.index, axis=0) + 1) * _voxel(frame)
    return float(np.linalg.norm(extent)) <= LARGEST_MM


def connected(mask: NDArray[np.bool_]) -> tuple[NDArray[np.integer], int]:
    """Return the number of the connected group of each voxel, 0 for none, and how many there are.

    In half the memory where the groups are few enough to be numbered so.
    """
    touching = np.ones((3, 3, 3))
    try:
        labels, count = ndimage.label(mask, touching, output=np.uint16)  # type: ignore[call-overload]
    except RuntimeError:
        labels, count = ndimage.label(mask, touching)
    return labels, int(count)


def _pieces(
    mask: NDArray[np.bool_], corner: NDArray[np.int64], frame: ScanFrame, level: float
) -> list[Group]:
    least = max(2.0, SMALLEST_VOLUME_MM3 / float(_voxel(frame).prod()))
    labels, count = connected(mask)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels, count), start=1):
        index = np.argwhere(labels[box] == number)
        if len(index) >= least:
            found.append(Group(index + [s.start for s in box] + corner, level))
    return found


def _voxel(frame: ScanFrame) -> FloatArray:
    """Return the size of a voxel along slices, rows and columns, mm."""
    return np.array((float(frame.step[2]), frame.pixel_mm[1], frame.pixel_mm[0]))
