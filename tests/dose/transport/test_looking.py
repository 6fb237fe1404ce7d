"""Rays to a region far off: less noise there, the same dose everywhere, and an honest figure."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from dose import sources
from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.transport.chance import density_of_nodes, from_nodes
from dose.transport.coefficients import coefficients
from dose.transport.emission import emission_of
from dose.transport.materials import CORTICAL, WATER
from dose.transport.media import Media
from dose.transport.metal import Metal, capsule_of
from dose.transport.simulation import TransportDose, simulate

HALF_LIFE = 59.4
SEED_6711 = sources.load("6711")
# Voxels of 3 mm; the region, and one that metal reaches into.
N = 21
GEOMETRY = GridGeometry.from_axes((-30.0, -30.0, -30.0), 3.0, (N, N, N))
FAR = np.zeros((N, N, N), np.bool_)
FAR[8:13, 8:13, 16:19] = True
PLACES = np.array([[-15.0, 0, 0], [-9.0, 6, 0], [-12.0, -6, 6], [23.0, 0, 0]])
AXES = np.array([[0, 0, 1.0], [np.nan] * 3, [1.0, 1, 0], [0, 1.0, 0]])


def run(
    aim: str, number: int, *, histories: int = 200_000, seeds: int = 3, metal: bool = True
) -> TransportDose:
    """Seeds in water on one side of a slab of bone, the region on the other; the 4th seed in it."""
    index = np.zeros(GEOMETRY.shape, np.uint8)
    density = np.ones(GEOMETRY.shape, np.float32)
    index[:, :, 12:14], density[:, :, 12:14] = 1, 1.6
    media = Media(GEOMETRY, (WATER, CORTICAL), index, density)
    axes = np.where(np.isnan(AXES[:seeds]), (0, 0, 1.0), AXES[:seeds])
    return simulate(
        media,
        Seeds(PLACES[:seeds], AXES[:seeds], np.array([1.0, 2.0, 0.5, 0.01])[:seeds]),
        emission_of(SEED_6711),
        HALF_LIFE,
        regions={"far": (FAR, 0.01)},
        histories=histories,
        run=number,
        metal=Metal.of_seeds(capsule_of(SEED_6711), PLACES[:seeds], axes) if metal else None,
        aim=aim,
    )


def test_the_density_of_a_law_is_that_of_what_is_drawn_from_it() -> None:
    nodes = coefficients(WATER).rayleigh_cos[25]
    drawn = np.array([from_nodes(nodes, u) for u in (np.arange(200_000) + 0.5) / 200_000])
    counted, edges = np.histogram(drawn, 50, (-1.0, 1.0))
    fine = np.linspace(-1.0, 1.0, 50_001)[:-1] + 2e-5
    law = np.array([density_of_nodes(nodes, c) for c in fine]).reshape(50, -1).mean(axis=1)
    np.testing.assert_allclose(counted / 200_000 / np.diff(edges), law, rtol=0.01)
    assert density_of_nodes(nodes, 1.1) == 0.0


@pytest.mark.parametrize("seeds", [3, 4])
def test_rays_to_a_region_change_the_noise_and_not_the_dose(seeds: int) -> None:
    """Before a slab of bone, and with a seed in the region, whose voxels are left to photons."""
    count = 12
    plain, sent = (
        [run(aim, first + n, histories=100_000, seeds=seeds) for n in range(count)]
        for aim, first in (("", 0), ("far", 100))
    )
    for dose in sent:
        assert dose.balance == pytest.approx(1.0, abs=1e-9)
    made_up = np.array([dose.made_up for dose in sent])
    assert abs(made_up.mean()) < 4 * made_up.std(ddof=1) / count**0.5 + 1e-6
    assert sent[0].made_up != 0.0
    assert {d.made_up for d in plain} == {0.0}
    if seeds == 3:
        assert sent[0].reached["far"] < 0.25 * plain[0].reached["far"]
    around = np.zeros_like(FAR)
    around[5:16, 5:16, 14:21] = True
    # Sums over what is looked at, what lies around it, and all else: voxels share histories, so
    # that only whole runs tell how well a sum is known.
    for mask in (FAR, around & ~FAR, ~around):
        for kind in ("medium_gy", "water_gy"):
            a, b = (
                np.array([getattr(d, kind)[mask].sum() for d in runs]) for runs in (plain, sent)
            )
            sigma = np.hypot(a.std(ddof=1), b.std(ddof=1)) / count**0.5
            assert abs(b.mean() - a.mean()) < 4 * sigma, (kind, b.mean() / a.mean() - 1)
    # Voxel by voxel the spread is that of a unit normal law; the mean is tested by the sums.
    means = [np.mean([d.medium_gy for d in runs], axis=0) for runs in (plain, sent)]
    spreads = [
        np.sqrt(np.sum([(d.uncertainty * d.medium_gy) ** 2 for d in runs], axis=0)) / count
        for runs in (plain, sent)
    ]
    for mask in (FAR, ~FAR):
        known = (spreads[0] < 0.2 * means[0]) & (spreads[1] < 0.2 * means[1]) & mask
        pull = ((means[1] - means[0]) / np.hypot(*spreads))[known]
        assert known.sum() > 50
        assert pull.std() == pytest.approx(1.0, abs=0.2)


def test_the_batches_tell_the_real_spread_of_what_is_looked_at() -> None:
    runs = [run("far", n, histories=48_000) for n in range(24)]
    doses = np.array([r.medium_gy[FAR] for r in runs])
    real = doses.std(axis=0, ddof=1) / doses.mean(axis=0)
    told = np.array([r.uncertainty[FAR] for r in runs])
    assert np.sqrt((told**2).mean() / (real**2).mean()) == pytest.approx(1.0, abs=0.1)


def test_rays_are_the_same_on_any_number_of_threads() -> None:
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = run("far", 1, histories=20_000)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(alone.medium_gy, run("far", 1, histories=20_000).medium_gy)


def test_a_region_that_is_metal_throughout_is_left_to_the_photons() -> None:
    at = tuple(np.rint(GEOMETRY.patient_to_indices(PLACES[0])).astype(int)[::-1])
    region = np.zeros_like(FAR)
    region[at] = True
    metal = Metal.of_seeds(capsule_of(SEED_6711), PLACES[:1], AXES[:1])
    found = [
        simulate(
            Media.of(GEOMETRY, WATER),
            Seeds(PLACES[:1], AXES[:1], np.array([1.0])),
            emission_of(SEED_6711),
            HALF_LIFE,
            regions={"seed": (region, 0.1)},
            histories=2000,
            metal=metal,
            aim=aim,
        ).medium_gy
        for aim in ("", "seed")
    ]
    np.testing.assert_array_equal(*found)
