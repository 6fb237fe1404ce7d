"""Groups of voxels that stand out."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from dose.geometry import GridGeometry
from guidance.detection.candidates import FLOOR_HU, LEAST_HU, contrast, groups
from guidance.detection.frame import ScanFrame
from guidance.imaging import Volume, read_series
from guidance.imaging.volume import Provenance

COLUMN_MM, ROW_MM, SLICE_MM = 0.8, 0.7, 2.0


def scan(hu: np.ndarray) -> Volume:
    affine = np.diag((COLUMN_MM, ROW_MM, SLICE_MM, 1.0))
    known = Provenance(slice_thickness_mm=SLICE_MM)
    return Volume(GridGeometry(hu.shape, affine), hu.astype(np.int16), known)


def plain(volume: Volume, frame: ScanFrame) -> np.ndarray:
    """Filters over the whole slice, another hand's."""
    column, row = frame.pixel_mm
    size = (2 * round(4.0 / row) + 1, 2 * round(4.0 / column) + 1)
    each = [
        ndimage.gaussian_filter(s, (0.5 / row, 0.5 / column), mode="nearest")
        - ndimage.uniform_filter(s, size, mode="nearest")
        for s in volume.hu.astype(np.float64)
    ]
    return np.array(each)


def test_contrast_is_a_narrow_average_less_a_wide_one_up_to_the_edges() -> None:
    rng = np.random.default_rng(2)
    hu = rng.integers(-1024, 3072, (3, 40, 52))
    hu[1] = 40
    volume = scan(hu)
    frame = ScanFrame.of(volume)
    wanted, found = plain(volume, frame), contrast(volume, frame)
    high = wanted > FLOOR_HU + 0.1
    assert np.abs(found.hu[high] - wanted[high]).max() < 0.1
    assert not found.hu[wanted < FLOOR_HU - 0.1].any()
    assert np.array_equal(found.bright, np.flatnonzero(found.hu.ravel() > LEAST_HU))


def test_contrast_of_a_real_patient(data_dir: Path) -> None:
    volume = read_series(data_dir / "prone_slice")
    frame = ScanFrame.of(volume)
    wanted = np.array(plain(volume, frame))
    wanted[wanted < FLOOR_HU] = 0.0
    off = np.abs(contrast(volume, frame).hu - wanted)
    assert off[np.abs(wanted - FLOOR_HU) > 0.1].max() < 0.1


def test_levels_below_what_is_listed_are_refused() -> None:
    volume = scan(np.zeros((2, 30, 30)))
    with pytest.raises(ValueError, match="listed from 280 HU"):
        contrast(volume, ScanFrame.of(volume)).above(200.0)


def test_voxels_that_touch_at_a_corner_are_one_group() -> None:
    hu = np.zeros((8, 60, 60))
    for at in ((1, 20, 20), (2, 23, 23), (4, 40, 40)):
        hu[at[0], at[1] - 1 : at[1] + 2, at[2] - 1 : at[2] + 2] = 3000
    volume = scan(hu)
    frame = ScanFrame.of(volume)
    found = groups(contrast(volume, frame), frame, lambda index: np.zeros(len(index), bool))
    assert sorted(len(np.unique(g.index[:, 0])) for g in found) == [1, 2]


def test_what_is_hidden_is_in_no_group() -> None:
    hu = np.zeros((4, 60, 60))
    hu[1, 19:22, 19:22] = hu[2, 39:42, 39:42] = 3000
    volume = scan(hu)
    frame = ScanFrame.of(volume)
    (left,) = groups(contrast(volume, frame), frame, lambda index: index[:, 0] == 1)
    assert set(left.index[:, 0]) == {2}
