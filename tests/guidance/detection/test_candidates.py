"""Groups of voxels that stand out."""

import numpy as np

from guidance.detection.candidates import connected


def test_groups_beyond_what_small_numbers_count_are_numbered_too() -> None:
    mask = np.zeros((3, 400, 400), bool)
    mask[::2, ::2, ::2] = True
    numbered, count = connected(mask)
    assert count == mask.sum() == 80000
    assert len(np.unique(numbered[mask])) == count


def test_voxels_that_touch_at_a_corner_are_one_group() -> None:
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    numbered, count = connected(mask)
    assert count == 2
    assert numbered[0, 0, 0] == numbered[1, 1, 1] != numbered[3, 3, 3]
