"""A Monte Carlo run: set up, go on until it is good enough, and say how good it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.strength import mean_life_h
from dose.transport.coefficients import ENERGIES_KEV, coefficients
from dose.transport.emission import GY_PER_KEV_G, Emission
from dose.transport.engine import (
    ABSORBED,
    EMITTED,
    ESCAPED,
    PARTS,
    STEPS,
    collect,
    run_histories,
)
from dose.transport.materials import WATER, Material
from dose.transport.metal import COLUMNS, MARK, Metal

FloatArray = NDArray[np.float64]

ROUND_HISTORIES, MOST_ROUND_HISTORIES = 400_000, 4_000_000
# Lung is denser than this, air is not.
LEAST_SEED_DENSITY = 0.05
# Aiming at a region: how near is near, how photons fade in water, the share of photons that all
# seeds have alike, and how often each shines in a turn in the mean.
AIM_MM, FADE_MM, EVEN, TURNS = 10.0, 28.0, 0.6, 8
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
        if len(self.materials) > MARK:
            raise DoseError(f"there can be {MARK} media, not {len(self.materials)}")
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

    def plus(self, other: TransportDose) -> TransportDose:
        """Return the dose of both runs' seeds: one more seed needs a run for itself alone.

        What its metal takes from the photons of the seeds before it is left out until all are
        run again.

        Args:
            other: of other seeds, on the same grid, with another run number.

        Raises:
            DoseError: the grids differ.
        """
        if not self.geometry.same_grid(other.geometry):
            raise DoseError("doses on different grids cannot be added")
        medium_gy = self.medium_gy + other.medium_gy
        sigma = np.hypot(self.uncertainty * self.medium_gy, other.uncertainty * other.medium_gy)
        histories = self.histories + other.histories
        return replace(
            self,
            medium_gy=medium_gy,
            water_gy=self.water_gy + other.water_gy,
            uncertainty=np.divide(sigma, medium_gy, out=np.ones_like(sigma), where=medium_gy > 0),
            histories=histories,
            elapsed_s=self.elapsed_s + other.elapsed_s,
            balance=(self.balance * self.histories + other.balance * other.histories) / histories,
            cancelled=self.cancelled or other.cancelled,
        )


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
    metal: Metal | None = None,
    aim: str = "",
    progress: Callable[[float], None] | None = None,
    shown: Callable[[TransportDose], None] | None = None,
    every_s: float = 0.5,
    cancelled: Callable[[], bool] | None = None,
) -> TransportDose:
    """Run photons until every region is known well enough, or time or histories are over.

    Args:
        media: of the patient.
        seeds: one with an unknown axis shines as the mean over all axes.
        emission: of the seed model.
        half_life_days: of the nuclide.
        regions: (mask, wanted mean relative uncertainty) by name.
        time_limit_s: no further round begins after it.
        histories: run so many instead, whatever the regions say.
        run: other numbers give independent runs; the same gives the same dose.
        metal: met beside the tissues; its first pieces are those of the seeds, in their order.
        aim: name of the region to which more photons are sent, such as a cord far off.
        progress: told how much is done, 0 to 1.
        shown: given the dose as it is so far, after the first round and then now and again.
        every_s: at least this long between two of those.
        cancelled: asked between rounds.

    Raises:
        DoseError: there is no seed, or one lies outside the grid or in air.
    """
    _check(media, seeds)
    towards, turn = _aimed(media, seeds, (regions or {})[aim][0] if aim else None)
    arguments = _arguments(media, seeds, emission, metal, towards, turn)
    voxels = media.geometry.size
    score = np.zeros((PARTS, voxels, 2), np.float32)
    medium_sum, medium_square, water_sum = np.zeros(voxels), np.zeros(voxels), np.zeros(voxels)
    tally = np.zeros((PARTS, 4))
    each = _each(histories, len(turn), voxels)
    done, rounds, stopped = 0, 0, False
    # Strengths are weights over their mean, so that the scores are of the mean seed.
    scale = _gy_per_score(media, seeds, emission, half_life_days)
    shape = media.geometry.shape

    def so_far() -> TransportDose:
        return TransportDose(
            media.geometry,
            (medium_sum * (scale / done)).reshape(shape),
            (water_sum * (scale / done)).reshape(shape),
            spread,
            done,
            elapsed_s,
            float(tally[:, (ABSORBED, ESCAPED)].sum() / tally[:, EMITTED].sum()),
            float(tally[:, STEPS].sum() / done),
            stopped,
            reached,
        )

    start_s = time.perf_counter()
    show_at_s = 0.0
    while True:
        run_histories(score, tally, done, each, run, *arguments)
        collect(score, medium_sum, medium_square, water_sum)
        done, rounds = done + PARTS * each, rounds + 1
        spread = _relative(medium_sum, medium_square, PARTS * rounds).reshape(shape)
        reached = {n: _mean(spread, mask) for n, (mask, _) in (regions or {}).items()}
        elapsed_s = time.perf_counter() - start_s
        part = _part_done(histories, done, regions, reached, elapsed_s / time_limit_s)
        if progress is not None:
            progress(part)
        stopped = cancelled is not None and cancelled()
        if part >= 1.0 or stopped:
            return so_far()
        if shown is not None and elapsed_s >= show_at_s:
            shown(so_far())
            show_at_s = time.perf_counter() - start_s + every_s


def _check(media: Media, seeds: Seeds) -> None:
    """Refuse what has no right answer.

    Raises:
        DoseError: no seed, or one outside the grid or in air.
    """
    if not len(seeds):
        raise DoseError("there is no seed to transport")
    inside = media.geometry.contains(seeds.position_mm)
    for number in np.flatnonzero(~inside):
        raise DoseError(
            f"seed {number + 1} at {_mm(seeds.position_mm[number])} lies outside the CT"
        )
    index = np.rint(media.geometry.patient_to_indices(seeds.position_mm)).astype(int)
    index = np.clip(index, 0, np.array(media.geometry.shape[::-1]) - 1)
    density = media.density_g_cm3[index[:, 2], index[:, 1], index[:, 0]]
    for number in np.flatnonzero(density < LEAST_SEED_DENSITY):
        raise DoseError(
            f"seed {number + 1} at {_mm(seeds.position_mm[number])} lies in air; it is "
            "not where it is said to be, or seeds and CT do not belong together"
        )


def _mm(position_mm: FloatArray) -> str:
    x, y, z = position_mm
    return f"({x:.1f}, {y:.1f}, {z:.1f}) mm"


def _each(histories: int | None, turn: int, voxels: int) -> int:
    """Return the histories of a part in a round: whole turns of the seeds.

    A round costs a pass over all voxels of all parts, so that more voxels want longer rounds.
    """
    usual = min(max(ROUND_HISTORIES, voxels), MOST_ROUND_HISTORIES)
    wanted = usual if histories is None else min(histories, usual)
    return max(1, round(wanted / PARTS / turn)) * turn


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


def _arguments(
    media: Media,
    seeds: Seeds,
    emission: Emission,
    metal: Metal | None,
    towards: FloatArray,
    turn: NDArray[np.int64],
) -> tuple[object, ...]:
    geometry = media.geometry
    shares = np.bincount(turn, minlength=len(seeds))
    spacing_cm = geometry.spacing_mm / 10.0
    # From the corner of the first voxel, along the grid's axes.
    local_cm = (geometry.patient_to_indices(seeds.position_mm) + 0.5) * spacing_cm
    tables = [coefficients(m) for m in media.materials]
    medium = media.index.ravel()
    row, listed = np.zeros(1, np.int32), np.full((1, 1), -1, np.int32)
    pieces, metal_mu = np.zeros((1, COLUMNS)), np.zeros((1, 2, len(ENERGIES_KEV)))
    if metal is not None:
        row, listed = metal.rows(geometry)
        row = row.ravel()
        medium = np.where(row >= 0, medium + MARK, medium).astype(np.uint8)
        pieces, metal_mu = metal.pieces(geometry), metal.mu()
    return (
        np.ascontiguousarray(medium),
        np.ascontiguousarray(media.density_g_cm3.ravel()),
        np.array(geometry.shape[::-1]),
        spacing_cm,
        np.ascontiguousarray(local_cm),
        np.ascontiguousarray(seeds.axis @ geometry.axes),
        seeds.strength_u / seeds.strength_u.mean() * len(turn) / len(seeds) / shares,
        emission.shining(),
        towards,
        np.ascontiguousarray(np.stack([(t.mu, t.kept) for t in tables]).transpose(2, 0, 1)),
        coefficients(WATER).kept,
        np.stack([t.photo for t in tables]),
        np.stack([t.coherent for t in tables]),
        np.stack([t.rayleigh_cos for t in tables]),
        np.stack([t.compton_cos for t in tables]),
        row,
        listed,
        pieces,
        np.ascontiguousarray(metal_mu),
        turn,
    )


def _aimed(
    media: Media, seeds: Seeds, region: NDArray[np.bool_] | None
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return where each seed's photons are aimed, (n, 3), and in which order the seeds shine.

    Photons go rather to the nearest part of the region, and come rather from the seeds that
    reach it, by primary fluence in water of 28 keV. Weights make up for both.
    """
    n = len(seeds)
    if region is None:
        return np.full((n, 3), np.nan), np.arange(n)
    k, j, i = np.nonzero(region)
    geometry = media.geometry
    points = geometry.indices_to_patient(np.stack((i, j, k), axis=-1))
    away = points[None] - seeds.position_mm[:, None]
    distance = np.maximum(np.linalg.norm(away, axis=-1), 1.0)
    # The middle of what is nearly as near as the nearest.
    close = np.exp((distance.min(axis=1)[:, None] - distance) / AIM_MM)
    mean = (away * close[..., None]).sum(axis=1)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    towards = np.where(length > 1e-6, mean / np.maximum(length, 1e-6), np.nan) @ geometry.axes
    reaching = seeds.strength_u * (np.exp(-distance / FADE_MM) / distance**2).sum(axis=1)
    wanted = EVEN / n + (1.0 - EVEN) * reaching / reaching.sum()
    times = np.maximum(1, np.rint(wanted * TURNS * n)).astype(int)
    return towards, np.repeat(np.arange(n), times)


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
