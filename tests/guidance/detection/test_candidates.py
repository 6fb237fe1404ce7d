"""Groups of voxels that stand out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from dose.geometry import GridGeometry
from guidance.detection.candidates import (
    FLOOR_HU,
    LEAST_HU,
    Contrast,
    Group,
    contrast,
    groups,
    split,
)
from guidance.detection.frame import ScanFrame
from guidance.imaging import Volume, read_series
from guidance.imaging.volume import Provenance

COLUMN_MM, ROW_MM, SLICE_MM = 0.8, 0.7, 2.0
# Contrast is kept in whole HU.
ROUNDED_HU = 0.5


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
    assert np.abs(found.hu[high] - wanted[high]).max() < ROUNDED_HU + 0.1
    assert not found.hu[wanted < FLOOR_HU - 0.1].any()
    assert np.array_equal(found.bright, np.flatnonzero(found.hu.ravel() > LEAST_HU))


def test_contrast_of_a_real_patient(data_dir: Path) -> None:
    volume = read_series(data_dir / "prone_slice")
    frame = ScanFrame.of(volume)
    wanted = np.array(plain(volume, frame))
    wanted[wanted < FLOOR_HU] = 0.0
    off = np.abs(contrast(volume, frame).hu - wanted)
    assert off[np.abs(wanted - FLOOR_HU) > 0.1].max() < ROUNDED_HU + 0.1


def test_contrast_beyond_what_is_kept_does_not_turn_over() -> None:
    hu = np.full((1, 30, 30), -32000)
    hu[0, 14:17, 14:17] = 32000
    volume = scan(hu)
    assert contrast(volume, ScanFrame.of(volume)).hu[0, 15, 15] == 32767


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


@pytest.mark.parametrize(("slice_mm", "whole"), [(1.0, False), (3.0, True)])
def test_in_thick_slices_the_parts_of_a_clump_share_all_its_voxels(
    slice_mm: float, whole: bool
) -> None:
    hu = np.zeros((3, 40, 40), np.int16)
    hu[1, 10:14, 10:30] = 1000
    hu[1, 11:13, 11:15] = hu[1, 11:13, 24:28] = 2000
    index = np.argwhere(hu > 500.0)
    stands_out = Contrast(hu, np.flatnonzero(hu > 280.0), 280.0)
    frame = replace(ScanFrame.of(scan(hu)), slice_mm=slice_mm)
    parts = split(Group(index, 1200.0, 500.0), stands_out, frame)
    assert len(parts) == 2
    voxels = {tuple(v) for part in parts for v in part.index}
    assert (voxels == {tuple(v) for v in index}) is whole
    assert sorted(len(p.index) for p in parts) == ([40, 40] if whole else [8, 8])
    assert {p.floor_hu for p in parts} == ({500.0} if whole else {parts[0].level_hu})
