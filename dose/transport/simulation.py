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
from dose.transport.emission import Emission
from dose.transport.engine import (
    ABSORBED,
    EMITTED,
    ESCAPED,
    MADE_UP,
    PARTS,
    STEPS,
    collect,
    run_histories,
)
from dose.transport.laying import check, gy_per_score, seeds_of, world_of
from dose.transport.looking import aim_at, nowhere
from dose.transport.media import Media
from dose.transport.metal import Metal

FloatArray = NDArray[np.float64]
Regions = Mapping[str, tuple[NDArray[np.bool_], float]]

ROUND_HISTORIES, MOST_ROUND_HISTORIES = 400_000, 4_000_000
# Between two questions whether to go on: some 0.1 s.
SLICE_HISTORIES = 100_000


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
        balance: energy absorbed and escaped over energy emitted, what was made up set off.
        made_up: energy that rays to a region and chance made less what they took, over energy
            emitted; nothing in the mean.
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
    made_up: float
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

        def mean(one: float, another: float) -> float:
            return (one * self.histories + another * other.histories) / histories

        return replace(
            self,
            medium_gy=medium_gy,
            water_gy=self.water_gy + other.water_gy,
            uncertainty=np.divide(sigma, medium_gy, out=np.ones_like(sigma), where=medium_gy > 0),
            histories=histories,
            elapsed_s=self.elapsed_s + other.elapsed_s,
            balance=mean(self.balance, other.balance),
            made_up=mean(self.made_up, other.made_up),
            cancelled=self.cancelled or other.cancelled,
        )


def simulate(
    media: Media,
    seeds: Seeds,
    emission: Emission,
    half_life_days: float,
    *,
    regions: Regions | None = None,
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
        aim: name of the region that is looked at, such as a cord far off (``looking.py``).
        progress: told how much is done, 0 to 1.
        shown: given the dose as it is so far, after the first round and then now and again.
        every_s: at least this long between two of those.
        cancelled: asked while all is laid out, and some ten times a second; then what the whole
            rounds gave is returned.

    Raises:
        DoseError: there is no seed, or one lies outside the grid or in air.
    """
    check(media, seeds)
    start_s = time.perf_counter()
    asked = cancelled or (lambda: False)
    sums = _Sums(media, gy_per_score(media, seeds, emission, half_life_days), regions or {})

    def so_far(*, stopped: bool = False) -> TransportDose:
        return sums.dose(time.perf_counter() - start_s, stopped)

    world = world_of(media, metal, asked)
    if world is None:
        return so_far(stopped=True)
    looked_at = nowhere()
    if aim:
        region = sums.regions[aim][0]
        looked_at = aim_at(region, media.geometry, world.code, seeds.position_mm, seeds.strength_u)
    given = (world, looked_at, *seeds_of(seeds, media), emission.shining())
    each = _each(histories, len(seeds), media.geometry.size)
    show_at_s = 0.0
    while sums.round(each, run, given, asked):
        dose = so_far()
        part = _part_done(histories, dose, sums.regions, time_limit_s)
        if progress is not None:
            progress(part)
        if part >= 1.0:
            return dose
        if shown is not None and dose.elapsed_s >= show_at_s and not asked():
            shown(dose)
            show_at_s = time.perf_counter() - start_s + every_s
    return so_far(stopped=True)


class _Sums:
    """Scores of the round that is on, and sums over the rounds before."""

    def __init__(self, media: Media, gy: float, regions: Regions) -> None:
        """Begin with nothing.

        Args:
            media: on whose grid they are.
            gy: of a score of 1 for each history.
            regions: see ``simulate``.
        """
        self.regions = regions
        self._geometry, self._gy = media.geometry, gy
        n = media.geometry.size
        self._score = np.zeros((PARTS, n, 2), np.float32)
        self._medium, self._square, self._water = np.zeros(n), np.zeros(n), np.zeros(n)
        self._tally = np.zeros((PARTS, 5))
        self._done, self._rounds = 0, 0

    def round(
        self, each: int, run: int, given: tuple[object, ...], cancelled: Callable[[], bool]
    ) -> bool:
        """Run a round; return whether it was not cancelled. Nothing can be run after that."""
        step = max(1, SLICE_HISTORIES // PARTS)
        for begin in range(0, each, step):
            if cancelled():
                return False
            end = min(each, begin + step)
            run_histories(self._score, self._tally, self._done, each, begin, end, run, *given)
        collect(self._score, self._medium, self._square, self._water)
        self._done, self._rounds = self._done + PARTS * each, self._rounds + 1
        return True

    def dose(self, elapsed_s: float, stopped: bool) -> TransportDose:
        """Return what the whole rounds gave."""
        shape, scale = self._geometry.shape, self._gy / max(1, self._done)
        spread = _relative(self._medium, self._square, PARTS * self._rounds).reshape(shape)
        tally = self._tally.sum(axis=0)
        emitted = tally[EMITTED] or 1.0
        return TransportDose(
            self._geometry,
            (self._medium * scale).reshape(shape),
            (self._water * scale).reshape(shape),
            spread,
            self._done,
            elapsed_s,
            float((tally[ABSORBED] + tally[ESCAPED] - tally[MADE_UP]) / emitted),
            float(tally[MADE_UP] / emitted),
            float(tally[STEPS] / max(1, self._done)),
            stopped,
            {n: float(spread[mask].mean()) for n, (mask, _) in self.regions.items()},
        )


def _each(histories: int | None, seeds: int, voxels: int) -> int:
    """Return the histories of a part in a round: every seed as often.

    A round costs a pass over all voxels of all parts, so that more voxels want longer rounds.
    """
    usual = min(max(ROUND_HISTORIES, voxels), MOST_ROUND_HISTORIES)
    wanted = usual if histories is None else min(histories, usual)
    return max(1, round(wanted / PARTS / seeds)) * seeds


def part_known(dose: TransportDose, regions: Regions) -> float:
    """Return how many of the histories wanted in the regions there are, 0 to 1.

    Uncertainty falls with the square root of their number.
    """
    parts = [(wanted / max(dose.reached[n], 1e-9)) ** 2 for n, (_, wanted) in regions.items()]
    return min(1.0, *parts) if parts else 0.0


def _part_done(
    histories: int | None, dose: TransportDose, regions: Regions, time_limit_s: float
) -> float:
    """Return how much of what is wanted is done, 0 to 1."""
    if histories is not None:
        return min(1.0, dose.histories / histories)
    time_part = dose.elapsed_s / time_limit_s
    if not regions:
        return min(1.0, time_part)
    return max(part_known(dose, regions), 1.0 if time_part >= 1.0 else 0.0)


def _relative(total: FloatArray, square: FloatArray, batches: int) -> FloatArray:
    """Return the relative standard uncertainty of sums over batches, 1 where nothing came."""
    if not batches:
        return np.ones_like(total)
    variance = np.maximum(square - total**2 / batches, 0.0) * batches / (batches - 1)
    return np.divide(np.sqrt(variance), total, out=np.ones_like(total), where=total > 0)


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
