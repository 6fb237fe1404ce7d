"""Photons in media: coefficients, balance, sources, uncertainty, and an independent reckoning."""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
import pytest
import xraydb

from dose import sources
from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.seeds import Seeds
from dose.strength import mean_life_h
from dose.tg43 import radial_dose_function
from dose.transport.coefficients import ENERGIES_KEV, coefficients
from dose.transport.emission import bare_iodine_125, emission_of, of_lines
from dose.transport.materials import (
    ADIPOSE,
    AIR,
    CORTICAL,
    LUNG,
    MUSCLE,
    SPONGIOSA,
    WATER,
    Material,
    mixed,
)
from dose.transport.media import Media
from dose.transport.simulation import TransportDose, corrected_gy, simulate
from dose.transport.tissues import checked_curve, media_from_hu, without_metal

HALF_LIFE = 59.4
SEED_6711 = sources.load("6711")


def box(half_mm: float, spacing_mm: float) -> GridGeometry:
    n = round(half_mm / spacing_mm)
    return GridGeometry.from_axes((-n * spacing_mm,) * 3, spacing_mm, (2 * n + 1,) * 3)


def one(axis: tuple[float, float, float] | None = (0, 0, 1)) -> Seeds:
    direction = np.full((1, 3), np.nan) if axis is None else np.array([axis], dtype=float)
    return Seeds(np.zeros((1, 3)), direction, np.array([1.0]))


# NIST XCOM / X-ray mass attenuation coefficient tables (Hubbell and Seltzer, NISTIR 5632):
# keV, mu/rho, mu_en/rho in cm^2/g.
NIST = {
    "water": (WATER, ((10, 5.329, 4.944), (20, 0.8096, 0.5503), (30, 0.3756, 0.1557))),
    "air": (AIR, ((10, 5.120, 4.742), (20, 0.7779, 0.5389), (30, 0.3538, 0.1537))),
    "cortical": (CORTICAL, ((20, 4.001, 3.601), (30, 1.331, 1.070))),
}


@pytest.mark.parametrize("name", NIST)
def test_coefficients_beside_nist(name: str) -> None:
    material, values = NIST[name]
    found = coefficients(material)
    for energy, mu, mu_en in values:
        at = int(np.argmin(np.abs(ENERGIES_KEV - energy)))
        assert found.mu[at] == pytest.approx(mu, rel=0.005)
        # Air wants its argon's fluorescence taken out (0.6 % at 10 keV), bone calcium's (2 %).
        assert found.mu_en[at] == pytest.approx(mu_en, rel=0.003)
        assert found.kept[at] >= found.mu_en[at]


def test_angles_are_those_of_their_laws() -> None:
    found = coefficients(WATER)
    for table in (found.rayleigh_cos, found.compton_cos):
        assert (np.diff(table, axis=1) >= 0).all()
        assert (table[:, 0], table[:, -1]) == (pytest.approx(-1.0), pytest.approx(1.0))
    # Coherent scattering goes forward the more the higher the energy.
    mean = np.trapezoid(found.rayleigh_cos, axis=1) / (found.rayleigh_cos.shape[1] - 1)
    assert (np.diff(mean) > 0).all()
    assert np.abs(np.mean(found.compton_cos, axis=1)).max() < 0.35


def test_compositions_are_wholes() -> None:
    half = mixed("half", SPONGIOSA, CORTICAL, 0.5)
    shares = dict(half.mass_fractions)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert SPONGIOSA.density_g_cm3 < half.density_g_cm3 < CORTICAL.density_g_cm3
    with pytest.raises(DoseError, match="sums to"):
        Material("half a thing", 1.0, (("H", 0.5),))


@cache
def bare_point() -> TransportDose:
    """A bare point in a box of 16 cm of water."""
    media = Media.of(box(80, 2.0), WATER)
    return simulate(media, one(None), bare_iodine_125(), HALF_LIFE, histories=1_500_000)


def rate_r2(dose: TransportDose, r_cm: float) -> tuple[float, float]:
    """Rate times r^2 in a shell, cGy cm^2/h for 1 U, and its relative uncertainty."""
    k, j, i = np.indices(dose.geometry.shape)
    r = np.linalg.norm(dose.geometry.indices_to_patient(np.stack((i, j, k), -1)), axis=-1) / 10
    shell = np.abs(r - r_cm) < 0.06
    rate = dose.medium_gy[shell] / mean_life_h(HALF_LIFE) * 100 * r[shell] ** 2
    # Voxels of a shell share their histories, so that they are not independent: no better than
    # half of what counting them would say.
    return float(rate.mean()), 2.0 * float(dose.uncertainty[shell].mean()) / shell.sum() ** 0.5


def test_a_bare_point_in_water() -> None:
    """6702 has no silver: its radial function is nearly the bare nuclide's."""
    source = next(m for m in sources.available() if m.model == "6702")
    dose = bare_point()
    at_1, _ = rate_r2(dose, 1.0)
    assert at_1 == pytest.approx(source.dose_rate_constant_cgy_per_h_u, rel=0.025)
    for r in (2.0, 3.0, 4.0):
        ours, sigma = rate_r2(dose, r)
        g = float(radial_dose_function(r, source))
        assert ours / at_1 == pytest.approx(g, abs=0.012 * g + 3 * sigma * g)


def test_energy_is_neither_lost_nor_made() -> None:
    assert bare_point().balance == pytest.approx(1.0, abs=1e-5)
    bone = Media.of(box(40, 4.0), CORTICAL)
    assert simulate(bone, one(), emission_of(SEED_6711), HALF_LIFE, histories=20_000).balance == (
        pytest.approx(1.0, abs=1e-5)
    )


def test_the_same_run_is_the_same_dose_on_any_number_of_threads() -> None:
    media = Media.of(box(20, 2.0), WATER)
    emission = emission_of(SEED_6711)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = simulate(media, one(), emission, HALF_LIFE, histories=30_000)
    finally:
        numba.set_num_threads(before)
    together = simulate(media, one(), emission, HALF_LIFE, histories=30_000)
    np.testing.assert_array_equal(alone.medium_gy, together.medium_gy)
    other = simulate(media, one(), emission, HALF_LIFE, histories=30_000, run=2)
    assert not np.array_equal(alone.medium_gy, other.medium_gy)


def test_the_batches_tell_the_real_spread() -> None:
    media = Media.of(box(20, 4.0), WATER)
    emission = bare_iodine_125()
    runs = [
        simulate(media, one(None), emission, HALF_LIFE, histories=40_000, run=n) for n in range(12)
    ]
    doses = np.array([r.medium_gy for r in runs])
    near = doses.mean(axis=0) > np.quantile(doses.mean(axis=0), 0.5)
    real = (doses.std(axis=0, ddof=1) / doses.mean(axis=0))[near]
    told = np.array([r.uncertainty[near] for r in runs]).mean(axis=0)
    assert np.sqrt((real**2).mean() / (told**2).mean()) == pytest.approx(1.0, abs=0.12)


def test_the_6711_in_water_is_what_tg43_says() -> None:
    """The effective source: 5 to 20 mm from it, away from its ends, within 5 %."""
    geometry = box(60, 2.0)
    dose = simulate(
        Media.of(geometry, WATER), one(), emission_of(SEED_6711), HALF_LIFE, histories=1_500_000
    )
    grid = DoseGrid(geometry, SEED_6711)
    grid.add("s", (0, 0, 0), (0, 0, 1), 1.0)
    k, j, i = np.indices(geometry.shape)
    points = geometry.indices_to_patient(np.stack((i, j, k), -1))
    r = np.linalg.norm(points, axis=-1)
    theta = np.degrees(np.arccos(np.abs(points[..., 2]) / np.maximum(r, 1e-9)))
    for low, high in ((20, 40), (40, 60), (60, 90)):
        for near, far in ((8, 12), (18, 22)):
            ring = (r >= near) & (r < far) & (theta >= low) & (theta <= high)
            ratio = dose.medium_gy[ring].sum() / grid.dose_gy[ring].sum()
            assert ratio == pytest.approx(1.0, abs=0.02)


# --- an independent reckoning: float64, other cross section calls, rejection, collisions scored


def _reference(
    material: Material, density: float, energy: float, radii_cm: np.ndarray, n: int, run: int
) -> np.ndarray:
    """Energy absorbed in shells around a point, for each photon, keV; vectorised numpy."""
    rng = np.random.default_rng(run)
    kinds = ("photo", "coh", "incoh")
    grid = np.geomspace(2.0, 41.0, 400)
    log_of = {
        kind: np.log(
            sum(s * xraydb.mu_elam(z, grid * 1e3, kind=kind) for z, s in material.mass_fractions)
        )
        for kind in kinds
    }

    def cross(kind: str, e_kev: np.ndarray) -> np.ndarray:
        return np.exp(np.interp(np.log(e_kev), np.log(grid), log_of[kind]))

    x_grid = np.linspace(0.0, 4.0, 8001)
    form_of = {True: np.zeros(len(x_grid)), False: np.zeros(len(x_grid))}
    for element, share in material.mass_fractions:
        z = xraydb.atomic_number(element)
        f0 = np.clip(xraydb.f0(element, x_grid), 0, z)
        form_of[True] += share / xraydb.atomic_mass(element) * f0**2
        form_of[False] += share / xraydb.atomic_mass(element) * (z - f0**2 / z)

    def form(cosine: np.ndarray, e_kev: np.ndarray, coherent: bool) -> np.ndarray:
        x = e_kev / 12.39842 * np.sqrt((1 - cosine) / 2)
        return np.interp(x, x_grid, form_of[coherent])

    def angles(e_kev: np.ndarray, coherent: bool) -> np.ndarray:
        """By rejection, each from its own energy."""
        found = np.full(len(e_kev), np.nan)
        most = sum(
            s / xraydb.atomic_mass(z) * xraydb.atomic_number(z) ** (2 if coherent else 1)
            for z, s in material.mass_fractions
        )
        while np.isnan(found).any():
            todo = np.flatnonzero(np.isnan(found))
            c = rng.uniform(-1, 1, len(todo))
            ratio = 1 / (1 + e_kev[todo] / 510.99895 * (1 - c))
            law = (1 + c**2) / 2 if coherent else ratio**2 * (ratio + 1 / ratio - 1 + c**2) / 2
            keep = rng.uniform(0, 1, len(todo)) < law * form(c, e_kev[todo], coherent) / most
            found[todo[keep]] = c[keep]
        return found

    place, e_kev = np.zeros((n, 3)), np.full(n, energy)
    way = rng.normal(size=(n, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    absorbed = np.zeros(len(radii_cm) - 1)
    while len(e_kev):
        parts = np.array([cross(k, e_kev) for k in kinds])
        total = parts.sum(axis=0)
        place = place + way * (rng.exponential(1.0, len(e_kev)) / (total * density))[:, None]
        r = np.linalg.norm(place, axis=1)
        pick = rng.uniform(0, 1, len(e_kev)) * total
        photo, coherent = pick < parts[0], (pick >= parts[0]) & (pick < parts[0] + parts[1])
        cosine = np.ones(len(e_kev))
        for which, kind in ((coherent, True), (~photo & ~coherent, False)):
            if which.any():
                cosine[which] = angles(e_kev[which], kind)
        after = np.where(coherent, e_kev, e_kev / (1 + e_kev / 510.99895 * (1 - cosine)))
        after = np.where(photo, 0.0, after)
        absorbed += np.histogram(r, radii_cm, weights=e_kev - after)[0]
        alive = (after > 3.0) & (r < radii_cm[-1] * 3)
        perpendicular = np.cross(way, rng.normal(size=way.shape))
        perpendicular /= np.linalg.norm(perpendicular, axis=1, keepdims=True)
        sine = np.sqrt(np.maximum(0, 1 - cosine**2))[:, None]
        way = (way * cosine[:, None] + perpendicular * sine)[alive]
        place, e_kev = place[alive], after[alive]
    return absorbed / n


@pytest.mark.parametrize(("material", "density"), [(WATER, 1.0), (ADIPOSE, 0.95), (CORTICAL, 1.92)])
def test_shells_beside_an_independent_code(material: Material, density: float) -> None:
    """Cortical bone wants voxels of 0.5 mm: at 1 mm a shell's partial volume alone is 1 %."""
    radii = np.array([0.5, 1.0, 1.5, 2.0]) if material is CORTICAL else np.array([1.0, 2, 3, 4])
    batches = np.array([_reference(material, density, 28.0, radii, 60_000, n) for n in range(8)])
    theirs, spread = batches.mean(axis=0), batches.std(axis=0, ddof=1) / 8**0.5
    lines = of_lines("28 keV", ((28.0, 1.0),))
    spacing = 0.5 if material is CORTICAL else 2.0
    geometry = box(radii[-1] * 10 * (1.25 if material is CORTICAL else 2), spacing)
    media = Media.of(geometry, material)
    dose = simulate(media, one(None), lines, HALF_LIFE, histories=1_000_000)
    # Back from Gy to the energy a photon leaves in a shell.
    kerma = lines.air_kerma_gy_cm2()
    photons = 1e-2 / kerma * mean_life_h(HALF_LIFE)
    energy = dose.medium_gy * density * geometry.voxel_volume_cc / 1.602176634e-13 / photons
    k, j, i = np.indices(geometry.shape)
    fine = (np.arange(3) - 1) / 3.0
    ours = np.zeros(3)
    for a in fine:
        for b in fine:
            for c in fine:
                index = np.stack((i + a, j + b, k + c), -1)
                r = np.linalg.norm(geometry.indices_to_patient(index), axis=-1) / 10
                ours += np.histogram(r, radii, weights=energy / 27)[0]
    # Three standard deviations of the reference, and half a percent of partial volume.
    assert (np.abs(ours - theirs) < 3 * spread + 0.005 * theirs).all(), ours / theirs - 1
    assert (spread < 0.015 * theirs).all()


def test_media_of_a_scan() -> None:
    geometry = box(20, 2.0)
    hu = np.full(geometry.shape, 40.0)
    hu[:4] = -1000
    hu[4:8] = -90
    hu[12:15] = 300
    hu[15:18] = 1200
    hu[10, 10, 10] = 3071
    hu[10, 10, 13] = -400
    cleaned = without_metal(hu, geometry)
    media = media_from_hu(cleaned)

    def at(k: int, j: int = 2, i: int = 2) -> tuple[str, float]:
        name = media.materials[media.index[k, j, i]].name
        return name, float(media.density_g_cm3[k, j, i])

    assert at(0) == ("air", pytest.approx(0.0012, abs=2e-4))
    assert at(5)[0] == ADIPOSE.name
    assert at(5)[1] == pytest.approx(0.94, abs=0.01)
    assert at(9)[0] == MUSCLE.name
    assert at(13)[0] == SPONGIOSA.name
    assert at(16) == (CORTICAL.name, pytest.approx(1.73, abs=0.01))
    assert at(10, 10, 10)[0] == MUSCLE.name, "metal takes the tissue nearby"
    assert at(10, 10, 13)[0] == MUSCLE.name, "a dark streak beside metal is no lung"
    with pytest.raises(DoseError, match="ascending"):
        checked_curve(((0.0, 1.0), (-10.0, 0.9)))
    with pytest.raises(DoseError, match="does not fit"):
        without_metal(hu[:3], geometry)
    # One voxel of 2 mm and its six neighbours; one voxel of streak.
    assert cleaned.metal_cc == pytest.approx(7 * 0.008)
    assert cleaned.streak_cc == pytest.approx(0.008)


def test_bone_takes_dose_from_what_lies_behind_it() -> None:
    """5 mm of cortical bone beside the seed: about a quarter of the primary passes."""
    geometry = box(30, 2.0)
    hu = np.full(geometry.shape, 40.0)
    hu[:, :, 18:21] = 1400.0
    emission = emission_of(SEED_6711)
    behind = (slice(13, 18), slice(13, 18), slice(22, 25))
    regions = {"behind": (np.zeros(geometry.shape, np.bool_), 0.03)}
    regions["behind"][0][behind] = True
    bone = simulate(
        media_from_hu(without_metal(hu, geometry)),
        one(),
        emission,
        HALF_LIFE,
        regions=regions,
        time_limit_s=60,
    )
    assert bone.reached["behind"] <= 0.03
    water = simulate(
        Media.of(geometry, WATER), one(), emission, HALF_LIFE, regions=regions, time_limit_s=60
    )
    share = bone.water_gy[behind].sum() / water.water_gy[behind].sum()
    assert 0.15 < share < 0.45
    in_bone = (slice(13, 18), slice(13, 18), slice(18, 21))
    assert bone.medium_gy[in_bone].sum() > 3 * bone.water_gy[in_bone].sum()
    fixed = corrected_gy(water.water_gy, bone.medium_gy, water.medium_gy)
    np.testing.assert_allclose(fixed, bone.medium_gy, rtol=1e-9)


def test_lung_lets_more_through() -> None:
    geometry = box(30, 3.0)
    far = (slice(9, 12), slice(9, 12), slice(17, 20))
    emission = bare_iodine_125()
    doses = [
        simulate(Media.of(geometry, m), one(None), emission, HALF_LIFE, histories=100_000)
        for m in (LUNG, WATER)
    ]
    assert doses[0].water_gy[far].sum() > 1.2 * doses[1].water_gy[far].sum()


def test_a_run_can_be_ended_and_tells_how_far_it_is() -> None:
    geometry = box(20, 4.0)
    told: list[float] = []
    dose = simulate(
        Media.of(geometry, WATER),
        one(),
        emission_of(SEED_6711),
        HALF_LIFE,
        regions={"all": (np.ones(geometry.shape, np.bool_), 1e-6)},
        progress=told.append,
        cancelled=lambda: len(told) == 2,
    )
    assert dose.cancelled
    assert len(told) == 2
    assert 0 < told[0] < told[1] < 1
    assert dose.medium_gy.max() > 0


def test_a_run_can_be_ended_while_it_is_laid_out_and_within_a_round() -> None:
    geometry = box(20, 4.0)
    media = Media.of(geometry, WATER)
    emission = emission_of(SEED_6711)
    told: list[float] = []

    def ended_at(question: int) -> TransportDose:
        asked = iter(range(question))
        return simulate(
            media, one(), emission, HALF_LIFE, histories=2_000_000, progress=told.append,
            regions={"all": (np.ones(geometry.shape, np.bool_), 0.01)},
            cancelled=lambda: next(asked, None) is None,
        )  # fmt: skip

    for question in (0, 1, 3):
        nothing = ended_at(question)
        assert nothing.cancelled
        assert nothing.histories == 0
        assert nothing.medium_gy.max() == 0.0
        assert nothing.reached == {"all": 1.0}
    assert not told
    # What a round had begun is left out.
    some = ended_at(7)
    assert some.cancelled
    assert some.histories == 400_000
    assert len(told) == 1
    whole = simulate(media, one(), emission, HALF_LIFE, histories=400_000)
    np.testing.assert_array_equal(some.medium_gy, whole.medium_gy)


def test_one_more_seed_is_a_run_for_itself_alone() -> None:
    geometry = box(20, 4.0)
    media = Media.of(geometry, WATER)
    emission = emission_of(SEED_6711)
    places, axes = np.array([[-6.0, 0, 0], [6.0, 2, 0]]), np.array([[0, 0, 1.0], [0, 1.0, 0]])

    def run(which: slice, histories: int, number: int) -> TransportDose:
        seeds = Seeds(places[which], axes[which], np.array([1.0, 0.7])[which])
        return simulate(media, seeds, emission, HALF_LIFE, histories=histories, run=number)

    both = run(slice(0, 2), 400_000, 1)
    added = run(slice(0, 1), 200_000, 2).plus(run(slice(1, 2), 200_000, 3))
    sigma = np.hypot(both.uncertainty, added.uncertainty) * both.medium_gy
    known = both.uncertainty < 0.1
    pull = ((added.medium_gy - both.medium_gy) / sigma)[known]
    assert pull.std() == pytest.approx(1.0, abs=0.15)
    assert abs(pull.mean()) < 0.3
    assert added.uncertainty[known].mean() == pytest.approx(both.uncertainty[known].mean(), rel=0.1)
    other = simulate(Media.of(box(16, 4.0), WATER), one(), emission, HALF_LIFE, histories=100)
    with pytest.raises(DoseError, match="different grids"):
        both.plus(other)


def test_a_seed_of_unknown_axis_shines_as_the_mean_of_all() -> None:
    geometry = box(24, 2.0)
    media = Media.of(geometry, WATER)
    dose = simulate(media, one(None), emission_of(SEED_6711), HALF_LIFE, histories=1_000_000)
    grid = DoseGrid(geometry, SEED_6711)
    grid.add("s", (0, 0, 0), None, 1.0)
    k, j, i = np.indices(geometry.shape)
    r = np.linalg.norm(geometry.indices_to_patient(np.stack((i, j, k), -1)), axis=-1)
    ring = (r > 8) & (r < 12)
    ratio = dose.medium_gy[ring].sum() / grid.dose_gy[ring].sum()
    assert ratio == pytest.approx(1.0, abs=0.02)


def test_what_cannot_be_run_is_refused() -> None:
    geometry = box(20, 4.0)
    media = Media.of(geometry, WATER)
    emission = emission_of(SEED_6711)
    far = Seeds(np.array([[500.0, 0, 0]]), np.array([[0, 0, 1.0]]), np.array([1.0]))
    none = Seeds(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(DoseError, match=r"seed 1 at \(0.0, 0.0, 0.0\) mm lies in air"):
        simulate(Media.of(geometry, AIR), one(), emission, HALF_LIFE, histories=10)
    for seeds, words in ((far, "outside the CT"), (none, "no seed")):
        with pytest.raises(DoseError, match=words):
            simulate(media, seeds, emission, HALF_LIFE, histories=10)
    with pytest.raises(DoseError, match="density above zero"):
        Media(geometry, (WATER,), media.index, np.zeros(geometry.shape, np.float32))
