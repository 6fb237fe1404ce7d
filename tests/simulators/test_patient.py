"""The virtual patient keeps to its ranges at every level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulators.patient import draw_anatomy
from simulators.patient.anatomy import ENDPLATE_MM, SPONGIOSA


@pytest.mark.parametrize("level", ENDPLATE_MM)
def test_every_level_has_a_vertebra_of_its_width(level: str) -> None:
    widths = [
        2 * draw_anatomy(np.random.default_rng(n), level, 30.0).vertebra_half_width
        for n in range(40)
    ]
    # The body bulges beyond its endplates by a tenth or so.
    assert np.mean(widths) == pytest.approx(1.1 * ENDPLATE_MM[level], rel=0.06)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="T1 to L5"):
        draw_anatomy(np.random.default_rng(1), "S9", 30.0)


def test_trabeculae_scatter_about_their_mean_and_leave_the_rest_alone() -> None:
    plain = draw_anatomy(np.random.default_rng(1), "L2", 20.0)
    rough = replace(plain, trabeculae_hu=100.0)
    points = np.random.default_rng(2).uniform((-40, -60, -40), (40, 30, 40), (40000, 3))
    smooth, grainy = plain.tissue(points), rough.tissue(points)
    spongy = smooth == SPONGIOSA
    assert np.array_equal(smooth[~spongy], grainy[~spongy])
    assert grainy[spongy].mean() == pytest.approx(SPONGIOSA, abs=5.0)
    assert 20.0 < grainy[spongy].std() < 60.0


def test_a_chest_has_lungs_and_ribs_on_both_sides_and_none_in_the_spine() -> None:
    belly = draw_anatomy(np.random.default_rng(1), "T7", 20.0)
    chest = replace(belly, chest=1.0)
    points = np.random.default_rng(2).uniform((-170, -180, -40), (170, 60, 40), (60000, 3))
    hu, before = chest.tissue(points), belly.tissue(points)
    lung, rib = (hu < -500) & (before > -500), (hu > 150) & (before < 150)
    for side in (points[:, 0] < 0, points[:, 0] > 0):
        assert (lung & side).sum() > 2000
        assert (rib & side).sum() > 100
    assert np.array_equal(hu[before >= 150], before[before >= 150])
