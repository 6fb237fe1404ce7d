"""A Monte Carlo run: set up, go on until it is good enough, and say how good it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.strength import mean_life_h
from dose.transport.coefficients import coefficients
from dose.transport.emission import GY_PER_KEV_G, Emission
from dose.transport.engine import ABSORBED, EMITTED, ESCAPED, PARTS, STEPS, run_histories
from dose.transport.materials import WATER, Material

FloatArray = NDArray[np.float64]

ROUND_HISTORIES = 400_000
# Kerma strength is 1 cGy cm^2/h for 1 U.
GY_CM2_PER_H_U = 1e-2


@dataclass(frozen=True, eq=False)
class Media:
    """What fills the voxels.

    Attributes:
        geometry: of the grid; axes at right angles.
        materials: the media.
        index: (nz, ny, nx) uint8, into ``materials``.
        density_g_cm3: (nz, ny, nx) float32.
    """

    geometry: GridGeometry
    materials: tuple[Material, ...]
    index: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check that all belongs together."""
        if self.geometry.is_sheared:
            raise DoseError("the transport wants a grid at right angles; straighten the scan first")
        shape = self.geometry.shape
        if self.index.shape != shape or self.density_g_cm3.shape != shape:
            raise DoseError(f"media and densities must have the shape of the grid, {shape}")
        if int(self.index.max()) >= len(self.materials):
            raise DoseError("a voxel names a medium that there is not")
        if not (np.isfinite(self.density_g_cm3).all() and self.density_g_cm3.min() > 0):
            raise DoseError("every voxel needs a density above zero")

    @classmethod
    def of(cls, geometry: GridGeometry, material: Material) -> Media:
        """Return a grid of one medium."""
        shape = geometry.shape
        density = np.full(shape, material.density_g_cm3, np.float32)
        return cls(geometry, (material,), np.zeros(shape, np.uint8), density)


@dataclass(frozen=True, eq=False)
class TransportDose:
    """What came out, to full decay.

    Attributes:
        geometry: of the grid.
        medium_gy: (nz, ny, nx) dose to medium in medium.
        water_gy: (nz, ny, nx) dose to water in medium.
        uncertainty: (nz, ny, nx) relative standard uncertainty of ``medium_gy`` from the
            batches; 1 where nothing came.
        histories: that were run.
        elapsed_s: it took.
        balance: energy absorbed and escaped over energy emitted.
        steps_per_history: voxels that a history crossed in the mean.
        cancelled: whether it was ended from outside.
        reached: the mean uncertainty of each region that was asked for.
    """

    geometry: GridGeometry
    medium_gy: FloatArray
    water_gy: FloatArray
    uncertainty: FloatArray
    histories: int
    elapsed_s: float
    balance: float
    steps_per_history: float
    cancelled: bool
    reached: dict[str, float]


def simulate(
    media: Media,
    seeds: Seeds,
    emission: Emission,
    half_life_days: float,
    *,
    regions: Mapping[str, tuple[NDArray[np.bool_], float]] | None = None,
    time_limit_s: float = 60.0,
    histories: int | None = None,
    run: int = 1,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TransportDose:
    """Run photons until every region is known well enough, or time or histories are over.

    Args:
        media: of the patient.
        seeds: with known axes, or unknown ones where the emission is a point's.
        emission: of the seed model.
        half_life_days: of the nuclide.
        regions: (mask, wanted mean relative uncertainty) by name.
        time_limit_s: no further round begins after it.
        histories: run so many instead, whatever the regions say.
        run: other numbers give independent runs; the same gives the same dose.
        progress: told how much is done, 0 to 1.
        cancelled: asked between rounds.

    Raises:
        DoseError: there is no seed, or one lies outside the grid.
    """
    if not len(seeds):
        raise DoseError("there is no seed to transport")
    if not media.geometry.contains(seeds.position_mm).all():
        raise DoseError("a seed lies outside the grid of the transport")
    arguments = _arguments(media, seeds, emission)
    shape = media.geometry.shape
    medium_sum, medium_square = np.zeros(shape), np.zeros(shape)
    water_sum, tally = np.zeros(shape), np.zeros((PARTS, 4))
    each = _each(histories, len(seeds))
    done, rounds, stopped = 0, 0, False
    start_s = time.perf_counter()
    while True:
        of_medium, of_water = np.zeros((PARTS, *shape)), np.zeros((PARTS, *shape))
        run_histories(of_medium, of_water, tally, done, each, run, *arguments)
        medium_sum += of_medium.sum(axis=0)
        medium_square += (of_medium**2).sum(axis=0)
        water_sum += of_water.sum(axis=0)
        done, rounds = done + PARTS * each, rounds + 1
        spread = _relative(medium_sum, medium_square, PARTS * rounds)
        reached = {n: _mean(spread, mask) for n, (mask, _) in (regions or {}).items()}
        elapsed_s = time.perf_counter() - start_s
        part = _part_done(histories, done, regions, reached, elapsed_s / time_limit_s)
        if progress is not None:
            progress(part)
        stopped = cancelled is not None and cancelled()
        if part >= 1.0 or stopped:
            break
    # Strengths are weights over their mean, so that the scores are of the mean seed.
    scale = _gy_per_score(media, seeds, emission, half_life_days) / done
    return TransportDose(
        media.geometry,
        medium_sum * scale,
        water_sum * scale,
        spread,
        done,
        elapsed_s,
        float(tally[:, (ABSORBED, ESCAPED)].sum() / tally[:, EMITTED].sum()),
        float(tally[:, STEPS].sum() / done),
        stopped,
        reached,
    )


def _each(histories: int | None, seeds: int) -> int:
    """Return the histories of a part in a round: whole turns of the seeds."""
    wanted = ROUND_HISTORIES if histories is None else min(histories, ROUND_HISTORIES)
    return max(1, round(wanted / PARTS / seeds)) * seeds


def _part_done(
    histories: int | None,
    done: int,
    regions: Mapping[str, tuple[NDArray[np.bool_], float]] | None,
    reached: Mapping[str, float],
    time_part: float,
) -> float:
    """Return how much of what is wanted is done, 0 to 1."""
    if histories is not None:
        return min(1.0, done / histories)
    if not regions:
        return min(1.0, time_part)
    # Uncertainty falls with the square root of the histories.
    known = min((wanted / max(reached[n], 1e-9)) ** 2 for n, (_, wanted) in regions.items())
    return min(1.0, max(known, time_part if time_part >= 1.0 else 0.0))


def _arguments(media: Media, seeds: Seeds, emission: Emission) -> tuple[object, ...]:
    geometry = media.geometry
    spacing_cm = geometry.spacing_mm / 10.0
    # From the corner of the first voxel, along the grid's axes.
    local_cm = (geometry.patient_to_indices(seeds.position_mm) + 0.5) * spacing_cm
    axes = np.where(np.isnan(seeds.axis), (0.0, 0.0, 1.0), seeds.axis) @ geometry.axes
    tables = [coefficients(m) for m in media.materials]
    return (
        np.ascontiguousarray(media.index),
        np.ascontiguousarray(media.density_g_cm3),
        spacing_cm,
        np.ascontiguousarray(local_cm),
        np.ascontiguousarray(axes),
        seeds.strength_u / seeds.strength_u.mean(),
        emission.half_length_cm,
        emission.cosine,
        emission.line_kev,
        np.cumsum(emission.line_share) * (1.0 + 1e-12),
        np.stack([t.mu for t in tables]),
        np.stack([t.photo for t in tables]),
        np.stack([t.coherent for t in tables]),
        np.stack([t.kept for t in tables]),
        coefficients(WATER).mu_en,
        np.stack([t.rayleigh_cos for t in tables]),
        np.stack([t.compton_cos for t in tables]),
    )


def _gy_per_score(media: Media, seeds: Seeds, emission: Emission, half_life_days: float) -> float:
    """Return Gy to full decay, for one history's score (keV cm^3/g) in a voxel."""
    volume_cm3 = media.geometry.voxel_volume_cc
    per_history_gy = GY_PER_KEV_G / volume_cm3
    total_u = float(seeds.strength_u.sum())
    # Photons in an hour, of all seeds, of this strength.
    per_hour = total_u * GY_CM2_PER_H_U / emission.air_kerma_gy_cm2()
    return per_history_gy * per_hour * mean_life_h(half_life_days)


def _relative(total: FloatArray, square: FloatArray, batches: int) -> FloatArray:
    """Return the relative standard uncertainty of sums over batches."""
    variance = np.maximum(square - total**2 / batches, 0.0) * batches / (batches - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, np.sqrt(variance) / total, 1.0)


def _mean(spread: FloatArray, mask: NDArray[np.bool_]) -> float:
    return float(spread[mask].mean())


def corrected_gy(
    tg43_gy: FloatArray, in_medium: FloatArray, in_water: FloatArray, *, smooth: int = 1
) -> FloatArray:
    """Return TG-43 dose times what the medium changes, D_TG43 MC(medium) / MC(water).

    Both runs are of the same effective source, so that what it misses of the seed cancels.
    Where the water run has nothing, the TG-43 dose stays.

    Args:
        tg43_gy: (nz, ny, nx) on the grid of the runs.
        in_medium: dose of the run in the patient.
        in_water: dose of the run in water.
        smooth: voxels along each side over which the ratio is averaged; 1 for none.
    """
    size = (smooth,) * 3
    above = ndimage.uniform_filter(in_medium, size) if smooth > 1 else in_medium
    below = ndimage.uniform_filter(in_water, size) if smooth > 1 else in_water
    ratio = np.divide(above, below, out=np.ones_like(above), where=below > 0)
    return np.asarray(tg43_gy * ratio)
