import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dose.dvh import Dvh, figures
from dose.errors import StructureError
from dose.structures import Structure, sample
from tests.dose.test_structures import circle, cylinder


def test_cylinder_in_a_linear_gradient() -> None:
    # After the analytic sets of Nelms et al., Med Phys 42:4435 (2015): along the axis of a
    # cylinder in a gradient of 1 Gy/mm every D_x is known.
    levels = np.arange(0.5, 24.0, 1.0)
    samples = sample(cylinder(12.0, levels), spacing_mm=0.5)
    dvh = Dvh(samples.points_mm[:, 2] + 10.0, samples.weight_cc)
    for percent in (5, 50, 90, 95):
        assert dvh.d_percent_gy(percent) == pytest.approx(34.0 - 0.24 * percent, rel=5e-3)
    assert dvh.mean_gy == pytest.approx(22.0, rel=1e-3)
    assert dvh.v_percent(22.0) == pytest.approx(50.0, abs=1.1)
    assert dvh.dmax_gy == pytest.approx(34.0, abs=0.3)


def test_sphere_in_an_inverse_square_field() -> None:
    # Dose k/r^2 from a point outside a sphere, beside two million random points in it.
    a, d = 10.0, 25.0
    levels = np.arange(-9.75, 10.0, 0.5)
    contours = tuple(circle(float(np.sqrt(a**2 - z**2)), float(z)) for z in levels)
    samples = sample(Structure("sphere", contours), spacing_mm=0.5)
    dose = 1e4 / ((samples.points_mm - (0, 0, d)) ** 2).sum(axis=1)
    rng = np.random.default_rng(0)
    points = rng.uniform(-a, a, (2_000_000, 3))
    points = points[(points**2).sum(axis=1) <= a**2]
    exact = Dvh(1e4 / ((points - (0, 0, d)) ** 2).sum(axis=1), np.ones(len(points)))
    dvh = Dvh(dose, samples.weight_cc)
    assert dvh.mean_gy == pytest.approx(exact.mean_gy, rel=5e-3)
    for percent in (2, 50, 90, 98):
        assert dvh.d_percent_gy(percent) == pytest.approx(exact.d_percent_gy(percent), rel=5e-3)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(1e-3, 1)), min_size=1, max_size=60))
def test_figures_are_ordered(samples: list[tuple[float, float]]) -> None:
    dvh = Dvh([d for d, _ in samples], [w for _, w in samples])
    found = figures(dvh, 100.0)
    assert found["Dmax_gy"] >= found["D90_gy"] >= found["D95_gy"] >= found["D100_gy"]
    assert found["V90_percent"] >= found["V100_percent"] >= found["V150_percent"]
    dose, volume = dvh.curve()
    assert (np.diff(volume) <= 1e-9).all()
    assert (np.diff(dose) > 0).all()
    assert volume[0] == pytest.approx(100.0)


def test_no_samples_is_an_error() -> None:
    with pytest.raises(StructureError, match="finite dose"):
        Dvh([], [])
    with pytest.raises(StructureError, match="finite dose"):
        Dvh([np.nan], [1.0])
