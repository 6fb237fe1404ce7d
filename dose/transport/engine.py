"""Photons through voxels: one history after another, the same on any number of threads.

Photoelectric absorption ends a history, Compton and Rayleigh scattering turn it. Dose is scored
along tracks (``walking.py``). Nothing is biased, but where a region is looked at (``looking.py``).
Histories are dealt to a fixed number of parts, each with its own memory and each history with
random numbers of its own, so that the parts are the batches of the uncertainty, and threads
change nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from dose.transport.chance import begin, from_nodes, turn_about, uniform
from dose.transport.coefficients import ANGLE_STEP_KEV, ELECTRON_REST_KEV, LOWEST_KEV
from dose.transport.compiled import within
from dose.transport.looking import MOST_RAYS, WAITING, WAITS, look_around
from dose.transport.walking import LOST, MEDIUM, MET, NEAR, WATCHED, fly, row_of, voxel_of

PARTS = 16
# Columns of the tally, keV: energy emitted, absorbed, escaped, and made by rays and chance less
# what these took (nothing, in the mean); steps.
EMITTED, ABSORBED, ESCAPED, MADE_UP, STEPS = range(5)
_ROOM = WAITING - int(MOST_RAYS) - 1


class Shining(NamedTuple):
    """What leaves a seed, as tables: p parts of k lines.

    Attributes:
        part_cdf: (p,) cumulative shares of the parts.
        reach: (p, 2) from where to where a part lies on the axis, cm from the middle.
        cosine: (p, m) cosines to the axis at equal steps of probability from -1 to 1.
        line_kev: (k,) energies.
        line_cdf: (p, k) cumulative shares.
    """

    part_cdf: NDArray[np.float64]
    reach: NDArray[np.float64]
    cosine: NDArray[np.float64]
    line_kev: NDArray[np.float64]
    line_cdf: NDArray[np.float64]


@njit(cache=True, nogil=True, inline="always")
def _shine(place, pole, state, centre, axis, shining):  # type: ignore[no-untyped-def]
    """Put a new photon on its seed's line; return its part of the seed, and energy.

    ``pole`` becomes the axis; an unknown one is any axis.
    """
    part = np.searchsorted(shining.part_cdf, uniform(state))
    energy = shining.line_kev[np.searchsorted(shining.line_cdf[part], uniform(state))]
    pole[0], pole[1], pole[2] = axis[0], axis[1], axis[2]
    if np.isnan(axis[0]):
        place[0], place[1], place[2] = 0.0, 0.0, 1.0
        turn_about(pole, place, 2.0 * uniform(state) - 1.0, 2.0 * np.pi * uniform(state))
    near, far = shining.reach[part, 0], shining.reach[part, 1]
    along = near + (far - near) * uniform(state)
    for i in range(3):
        place[i] = centre[i] + along * pole[i]
    return part, energy


@within
def _play(  # type: ignore[no-untyped-def]
    world, scores, tally, state, place, way, pole, nodes, compton, energy, weight, own, unseen
):
    """Let a photon leave in a direction of its law, and carry it to where it meets matter.

    Args:
        world: a ``World``.
        scores: (voxels, 2) added to.
        tally: (5,) added to.
        state: of the random numbers.
        place: (3,) cm; becomes where it ends.
        way: (3,) becomes its direction.
        pole: (3,) what that turns about.
        nodes: law of the cosine to the pole.
        compton: whether the photon loses energy with the angle.
        energy: before that, keV.
        weight: of the photon.
        own: piece of metal that it does not meet.
        unseen: bits of the voxels that are not scored.

    Returns:
        Whether it meets matter, its energy, and the code of the voxel.
    """
    cosine = from_nodes(nodes, uniform(state))
    turn_about(way, pole, cosine, 2.0 * np.pi * uniform(state))
    if compton:
        after = energy / (1.0 + energy / ELECTRON_REST_KEV * (1.0 - cosine))
        if after < LOWEST_KEV:
            tally[ABSORBED] += weight * energy
            return False, 0.0, 0
        tally[ABSORBED] += weight * (energy - after)
        energy = after
    depth = -np.log(1.0 - uniform(state))
    fate, kind, steps = fly(world, scores, place, way, energy, weight, depth, own, unseen)
    tally[STEPS] += steps
    if fate == MET:
        return True, energy, kind
    tally[ABSORBED if fate == LOST else ESCAPED] += weight * energy
    return False, energy, kind


@within
def _history(  # type: ignore[no-untyped-def]
    world, aim, scores, tally, state, place, way, pole, nodes, energy, weight, own, passed, waiting
):
    """Play a photon from its seed, and all that is made of its rays, to the end."""
    looking = aim.watched > 0
    n, compton, made, leaves, m = 0, False, False, True, 0
    while True:
        met = False
        if leaves:
            looked = looking and n < _ROOM
            if looked:
                before = n
                n, steps = look_around(
                    world, aim, scores, state, place, pole, nodes, compton, energy, weight, own,
                    passed, waiting, n,
                )  # fmt: skip
                tally[STEPS] += steps
                for i in range(before, n):
                    tally[MADE_UP] += waiting[i, 6] * waiting[i, 7]
            if made and weight < 1.0:
                # Away from the region it counts as any other photon, or not at all.
                leaves = uniform(state) < weight
                tally[MADE_UP] += ((1.0 if leaves else 0.0) - weight) * energy
                weight = 1.0
        if leaves:
            met, energy, kind = _play(
                world, scores, tally, state, place, way, pole, nodes, compton, energy, weight, own,
                WATCHED if looked else 0,
            )  # fmt: skip
            m = kind & MEDIUM
            if met and looked and kind & NEAR:
                # Its rays have made what comes of this.
                met = False
                tally[MADE_UP] -= weight * energy
        if not met:
            if n == 0:
                return
            n -= 1
            for i in range(3):
                place[i], way[i] = waiting[n, i], waiting[n, 3 + i]
            energy, weight, m, made = waiting[n, 6], waiting[n, 7], int(waiting[n, 8]), True
        ie = row_of(energy)
        choice = uniform(state) * world.tables[ie, m, 0] - world.photo[m, ie]
        leaves = choice >= 0.0
        if not leaves:
            tally[ABSORBED] += weight * energy
            continue
        ia = int((energy - LOWEST_KEV) / ANGLE_STEP_KEV + 0.5)
        compton = choice >= world.coherent[m, ie]
        nodes = world.compton_cos[m, ia] if compton else world.rayleigh_cos[m, ia]
        pole[0], pole[1], pole[2] = way[0], way[1], way[2]


@njit(cache=True, nogil=True)
def _part(  # type: ignore[no-untyped-def]
    scores, tally, first, each, begin_at, end_at, run, world, aim, seeds, axes, weights, shining
):
    """Run histories of a part one after the other, those of a seed together.

    Photons of one seed cross the same voxels: their scores stay near the processor.
    """
    state = np.empty(2, np.uint64)
    place, way, pole = np.empty(3), np.empty(3), np.empty(3)
    waiting = np.empty((WAITING, WAITS))
    passed = np.empty((world.cells.sum() + 3, 4))
    own_tally = np.zeros(len(tally))
    for i in range(begin_at, end_at):
        begin(state, run, first + i)
        s = i * len(seeds) // each
        part, energy = _shine(place, pole, state, seeds[s], axes[s], shining)
        worth = weights[s] * energy
        own_tally[EMITTED] += worth
        if voxel_of(place, world) < 0:
            own_tally[ESCAPED] += worth
            continue
        _history(
            world, aim, scores, own_tally, state, place, way, pole, shining.cosine[part], energy,
            weights[s], s, passed, waiting,
        )  # fmt: skip
    for i in range(len(tally)):
        tally[i] += own_tally[i]


@njit(cache=True, nogil=True, parallel=True)
def run_histories(  # type: ignore[no-untyped-def]
    score, tally, first, each, begin_at, end_at, run, world, aim, seeds, axes, weights, shining
):
    """Run a slice of a round: of each part, histories ``begin_at`` to ``end_at``.

    Args:
        score: (PARTS, voxels, 2) float32, keV/g times cm^3 of a voxel, of the medium and of
            water; added to.
        tally: (PARTS, 5) float64, added to.
        first: number of the round's first history.
        each: histories of a part in the round, a multiple of the seeds: each has as many.
        begin_at: first of the slice in each part.
        end_at: where it ends.
        run: number of the run; other runs have other random numbers.
        world: what photons meet.
        aim: what is looked at.
        seeds: (n, 3) centres in cm from the corner of the grid, along its axes; they shine
            one after the other.
        axes: (n, 3) unit directions, NaN for unknown ones.
        weights: (n,) of a photon of each seed.
        shining: what leaves each seed.
    """
    for part in prange(PARTS):
        _part(
            score[part], tally[part], first + part * each, each, begin_at, end_at, run,
            world, aim, seeds, axes, weights, shining,
        )  # fmt: skip


@njit(cache=True, nogil=True, parallel=True)
def collect(score, medium_sum, medium_square, water_sum):  # type: ignore[no-untyped-def]
    """Add the scores of a round to the sums over all batches, and clear them.

    Args:
        score: (PARTS, voxels, 2) float32 of ``run_histories``.
        medium_sum: (voxels,) float64.
        medium_square: (voxels,) float64, of the squares of each part.
        water_sum: (voxels,) float64.
    """
    for at in prange(len(medium_sum)):
        total, square, water = 0.0, 0.0, 0.0
        for part in range(PARTS):
            one = np.float64(score[part, at, 0])
            total += one
            square += one * one
            water += score[part, at, 1]
            score[part, at, 0] = 0.0
            score[part, at, 1] = 0.0
        medium_sum[at] += total
        medium_square[at] += square
        water_sum[at] += water
