"""BED and EQD2 against closed forms, an integral, and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad

from dose.errors import DoseError
from dose.radiobiology import (
    CORD,
    Course,
    Tissue,
    bed_fractions_gy,
    bed_implant_gy,
    cumulative_eqd2_gy,
    eqd2_gy,
)

I125_DAYS = 59.4


def late(half_time_h: float) -> Tissue:
    return Tissue("late", 2.0, ((half_time_h, 1.0),))


@given(st.floats(0.1, 300), st.floats(0.2, 10), st.floats(1, 20), st.floats(5, 100))
def test_full_decay_is_dales_closed_form(
    dose: float, repair: float, ab: float, days: float
) -> None:
    """BED = D [1 + D lambda / ((mu + lambda) alpha/beta)]."""
    tissue = Tissue("t", ab, ((repair, 1.0),))
    decay, mu = math.log(2) / (24 * days), math.log(2) / repair
    closed = dose * (1 + dose * decay / ((mu + decay) * ab))
    assert bed_implant_gy(dose, days, tissue) == pytest.approx(closed, rel=1e-9)


def test_against_the_integral_over_pairs_of_instants() -> None:
    """The quadratic term counts damage of two instants, less what was repaired between."""
    dose, days, repair = 40.0, 10.0, 5.0
    decay, mu = math.log(2) / (24 * days), math.log(2) / repair
    rate = dose * decay
    horizon = 24 * days * 12

    def pairs(s: float, t: float) -> float:
        return rate * math.exp(-decay * t) * rate * math.exp(-decay * s) * math.exp(-mu * (t - s))

    # The kernel is gone after some repair times; integrate over the lag.
    value, _ = dblquad(
        lambda lag, t: pairs(t - lag, t), 0, horizon, 0, lambda t: min(t, 12 * repair)
    )
    expected = dose + 2 * value / 2.0
    assert bed_implant_gy(dose, days, late(repair)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("dose", "repair", "eqd2"),
    [(39, 1.0, 19.8), (39, 1.5, 19.9), (39, 4.0, 20.6), (60, 1.0, 30.6), (60, 4.0, 32.5),
     (110, 1.0, 57.1), (110, 1.5, 58.2), (110, 4.0, 63.5)],
)  # fmt: skip
def test_worked_values_of_i125(dose: float, repair: float, eqd2: float) -> None:
    tissue = late(repair)
    assert eqd2_gy(bed_implant_gy(dose, I125_DAYS, tissue), tissue) == pytest.approx(eqd2, abs=0.06)


def test_two_components_of_repair_in_the_cord() -> None:
    assert eqd2_gy(bed_implant_gy(39, I125_DAYS, CORD), CORD) == pytest.approx(20.2, abs=0.06)


@pytest.mark.parametrize(
    ("course", "bed"), [("10x3", 75.0), ("20x2", 80.0), ("5x4", 60.0), ("1x8", 40.0)]
)
def test_courses_of_external_beam(course: str, bed: float) -> None:
    assert bed_fractions_gy(Course.parsed(course), CORD) == pytest.approx(bed)


def test_reirradiated_cord() -> None:
    total = cumulative_eqd2_gy(39, I125_DAYS, [Course(10, 3.0)], late(1.5))
    assert total == pytest.approx(57.4, abs=0.06)


def test_repopulation_takes_from_the_prostates_implant() -> None:
    """TG-137's set for I-125: the loss is real, and a dose too slow to outrun growth is none."""
    prostate = Tissue("prostate", 2.0, ((0.27, 1.0),), 0.15, 42.0)
    still = Tissue("prostate", 2.0, ((0.27, 1.0),))
    growing = bed_implant_gy(145.0, I125_DAYS, prostate)
    assert 80.0 < growing < bed_implant_gy(145.0, I125_DAYS, still)
    assert bed_implant_gy(1.0, I125_DAYS, prostate) == 0.0
    doses = np.linspace(20, 200, 30)
    beds = [bed_implant_gy(float(d), I125_DAYS, prostate) for d in doses]
    assert (np.diff(beds) > 0).all()


@pytest.mark.parametrize("text", ["", "10", "10x", "x3", "10x0", "0x3", "ten x three"])
def test_what_is_no_course(text: str) -> None:
    with pytest.raises(DoseError):
        Course.parsed(text)


def test_parameters_are_checked() -> None:
    with pytest.raises(DoseError, match="alpha/beta"):
        Tissue("t", 0.0, ((1.0, 1.0),))
    with pytest.raises(DoseError, match="sum to 1"):
        Tissue("t", 2.0, ((1.0, 0.5),))
    with pytest.raises(DoseError, match="needs alpha"):
        Tissue("t", 2.0, ((1.0, 1.0),), doubling_days=40.0)
    with pytest.raises(DoseError, match="no BED"):
        bed_implant_gy(-1.0, I125_DAYS, CORD)
