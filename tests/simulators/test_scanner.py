"""The physics of the virtual scanner against published values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from simulators.metal import MATERIALS, attenuation, cylinder, needle_solids, seed_solids, straight
from simulators.metal.solid import table
from simulators.scanner import Protocol, Scanner, scan_sinogram
from simulators.scanner.detector import Detector, energy_weight, metal_deficit
from simulators.scanner.geometry import Geometry, rows_of
from simulators.scanner.spectrum import filter_mm, half_value_mm_al, spectrum

QUIET = Scanner(detector=Detector(quanta=1e9, electronic=0.0))


@dataclass(frozen=True)
class Disc:
    """A disc of water around the isocentre."""

    radius_mm: float

    def __call__(self, to_scan: np.ndarray, pixels: int, thickness_mm: float) -> Any:
        at = np.arange(pixels)
        x = to_scan[0, 0] * at + to_scan[0, 3]
        y = to_scan[1, 1] * at[:, None] + to_scan[1, 3]
        inside = x**2 + y**2 < self.radius_mm**2
        return np.where(inside, 0.0, -1000.0).astype(np.float32)


def protocol(**more: Any) -> Protocol:
    return Protocol(more.pop("slice_mm", 2.0), 0.5, 1, (0.0, 0.0, 0.0), False, **more)


def scanned(radius: float, solids: list[Any], used: Protocol, **more: Any) -> np.ndarray:
    rng = np.random.default_rng(4)
    return scan_sinogram(Disc(radius), table(solids), used, rng, **more)[0].astype(float)


# NIST X-Ray Mass Attenuation Coefficients (Hubbell and Seltzer), with coherent scattering, cm2/g.
@pytest.mark.parametrize(
    ("material", "at_60_kev"),
    [("water", 0.2059), ("bone", 0.3148), ("titanium", 0.7661), ("silver", 5.766)],
)
def test_attenuation_is_that_of_the_tables(material: str, at_60_kev: float) -> None:
    found = attenuation(np.array([60.0]))[list(MATERIALS).index(material), 0]
    assert found == pytest.approx(at_60_kev, rel=0.02)


def test_the_beam_is_the_standard_ct_beam() -> None:
    assert half_value_mm_al(120.0, filter_mm(120.0)) == pytest.approx(8.4, abs=0.01)
    assert spectrum().photons.sum() == pytest.approx(1.0)
    assert len(spectrum().photons) == 12


def test_water_is_zero_and_air_a_thousand_below() -> None:
    image = scanned(100.0, [], protocol(), scanner=QUIET)
    assert image[216:296, 216:296].mean() == pytest.approx(0.0, abs=4.0)
    assert image[86:96, 246:266].mean() == pytest.approx(0.0, abs=8.0)
    assert image[5:40, 5:40].mean() == pytest.approx(-1000.0, abs=8.0)


def test_noise_falls_as_the_root_of_the_dose() -> None:
    spreads = [scanned(100.0, [], protocol(dose=d))[206:306, 206:306].std() for d in (0.5, 2.0)]
    assert spreads[0] / spreads[1] == pytest.approx(2.0, rel=0.1)


def test_the_noise_is_the_seeds_and_not_the_threads() -> None:
    used = Protocol(2.0, 0.7, 3, (0.0, 0.0, 0.0), True)
    solids = table(seed_solids(np.array((5.0, 9.0, 0.5)), np.array((0.6, 0.8, 0.0))))
    one, two, other = (
        scan_sinogram(Disc(60.0), solids, used, np.random.default_rng(seed), workers=workers)
        for seed, workers in ((7, 1), (7, 2), (8, 2))
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("prone", [False, True])
def test_a_seed_lies_where_it_was_put(prone: bool) -> None:
    centre = np.array((31.3, -17.8, 0.0))
    used = Protocol(5.0, 0.5, 1, (0.0, 0.0, 0.0), prone, extended=True)
    image = scanned(70.0, seed_solids(centre, np.array((0.0, 0.0, 1.0))), used, scanner=QUIET)
    x, y = np.rint((np.linalg.inv(used.affine) @ (*centre, 1.0))[:2]).astype(int)
    v, u = np.mgrid[y - 6 : y + 7, x - 6 : x + 7]
    bright = np.clip(image[v, u] - 100.0, 0.0, None)
    middle = (bright * u).sum() / bright.sum(), (bright * v).sum() / bright.sum(), 0.0, 1.0
    assert np.linalg.norm((used.affine @ middle)[:2] - centre[:2]) < 0.05


def test_a_needle_in_plane_leaves_a_dark_band_ahead_of_its_tip() -> None:
    needle = straight(np.array((0.0, 0.0, 0.0)), np.array((0.0, 100.0, 0.0)))
    with_needle = scanned(110.0, needle_solids(needle), protocol(slice_mm=1.0))
    row = 255 - 16  # 8 mm ahead of the tip
    aside = with_needle[row, 180:215].mean()
    assert with_needle[row, 254:258].mean() < aside - 100.0


def test_intensities_are_averaged_and_not_attenuations() -> None:
    """A plate that is opaque and fills a third of a row leaves two thirds of the signal."""
    plate = cylinder(np.array((0.0, 0.0, 0.1)), np.array((0.0, 0.0, 0.3)), 60.0, "steel")
    geometry, beam = Geometry(), spectrum()
    paths = np.zeros((1, geometry.channels, 2), np.float32)
    deficit = np.zeros((2, 1, geometry.channels), np.float32)
    shares = np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0]]) / 3.0
    metal_deficit(
        table([plate]), paths, np.array((-0.2, 0.0, 0.2)), shares, geometry.angles[:1],
        geometry.first_mm, geometry.channel_mm, geometry.fine, geometry.response,
        beam.mass_attenuation, energy_weight(beam), deficit,
    )  # fmt: skip
    assert deficit[0, 0, geometry.channels // 2] == pytest.approx(-1 / 3, abs=1e-3)
    assert not deficit[1].any()


@pytest.mark.parametrize("slice_mm", [0.6, 1.0, 2.0, 3.0, 5.0])
def test_the_rows_of_a_slice_cover_it_evenly(slice_mm: float) -> None:
    geometry = Geometry()
    rows = rows_of(slice_mm, geometry)
    np.testing.assert_allclose(rows.shares.sum(axis=1), 1.0)
    assert np.ptp(np.diff(rows.heights_mm)) < 1e-9
    profile = rows.shares.mean(axis=0)
    np.testing.assert_allclose(profile, profile[::-1])
    # Its width at half its height, and its middle flat where blur does not reach.
    step = rows.heights_mm[1] - rows.heights_mm[0]
    assert profile.sum() / profile.max() * step == pytest.approx(slice_mm, abs=0.12)
    half = np.interp(
        profile.max() / 2.0, profile[: len(profile) // 2], rows.heights_mm[: len(profile) // 2]
    )
    assert -2.0 * half == pytest.approx(slice_mm, abs=0.1)
    reach = geometry.focus_along_mm / 2.0 + geometry.between_mm(slice_mm)
    inner = np.abs(rows.heights_mm) < slice_mm / 2.0 - reach - step
    np.testing.assert_allclose(profile[inner], step / slice_mm)
    assert inner.any() == (slice_mm > 3.0)


def test_a_slice_sees_a_little_beyond_its_edges() -> None:
    """The spot's shadow and the interpolation reach as far as they are long, and no further."""
    geometry = Geometry()
    rows = rows_of(5.0, geometry)
    profile = rows.shares.mean(axis=0)
    reach = 2.5 + geometry.focus_along_mm / 2.0 + geometry.between_mm(5.0)
    step = rows.heights_mm[1] - rows.heights_mm[0]
    furthest = rows.heights_mm[profile > 0].max() + step / 2.0
    assert furthest == pytest.approx(reach, abs=0.15)
    at_edge = np.interp(2.5, rows.heights_mm, profile) / profile.max()
    assert at_edge == pytest.approx(0.5, abs=0.02)
