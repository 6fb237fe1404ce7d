"""Photons through voxels: one history after another, the same on any number of threads.

Photoelectric absorption ends a history, Compton and Rayleigh scattering turn it; nothing is
biased. Dose is scored along tracks: every centimetre in a voxel adds energy times mu_en / rho,
once with the coefficients of its medium and once with those of water. Histories are dealt to a
fixed number of parts, each with its own memory and each history with random numbers of its own
(xoroshiro128+ of Blackman and Vigna, started from the history's number by splitmix64), so that
the parts are the batches of the uncertainty, and threads change nothing.

Voxels that metal reaches into are marked; there a photon meets the metal as it lies, not as
voxels (``metal.py``). The metal of its own seed it does not meet: the law of emission has it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from dose.transport.coefficients import (
    ANGLE_STEP_KEV,
    ELECTRON_REST_KEV,
    LOWEST_KEV,
    STEP_KEV,
)
from dose.transport.metal import MARK, next_metal

PARTS = 16
# Columns of the tally: energy emitted, absorbed, escaped (keV), steps.
EMITTED, ABSORBED, ESCAPED, STEPS = range(4)
_FAR = 1e30
# How a way through a voxel can end.
_PASSED, _MET, _LOST = range(3)
# Of a seed whose photons are aimed: the share that follows the law of emission alone, and how
# sharp the others are aimed (mean cosine).
NATURAL, AIM = 0.3, 0.6
_U = np.uint64


class Shining(NamedTuple):
    """What leaves a seed, as tables: p parts of k lines.

    Attributes:
        part_cdf: (p,) cumulative shares of the parts.
        reach: (p, 2) from where to where a part lies on the axis, cm from the middle.
        cosine: (p, m) cosines to the axis at equal steps of probability from -1 to 1.
        density: (p, n) photons for each solid angle over their mean, at equal steps of that
            cosine from -1 to 1.
        line_kev: (k,) energies.
        line_cdf: (p, k) cumulative shares.
    """

    part_cdf: NDArray[np.float64]
    reach: NDArray[np.float64]
    cosine: NDArray[np.float64]
    density: NDArray[np.float64]
    line_kev: NDArray[np.float64]
    line_cdf: NDArray[np.float64]


@njit(cache=True, nogil=True, inline="always")
def _split(x):  # type: ignore[no-untyped-def]
    z = (x ^ (x >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _U(27))) * _U(0x94D049BB133111EB)
    return z ^ (z >> _U(31))


@njit(cache=True, nogil=True, inline="always")
def _start(state, run, history):  # type: ignore[no-untyped-def]
    step = _U(0x9E3779B97F4A7C15)
    first = _split(_U(run) + step) ^ (_U(history) * step)
    state[0] = _split(first + step)
    state[1] = _split(first + step + step) | _U(1)


@njit(cache=True, nogil=True, inline="always")
def _uniform(state):  # type: ignore[no-untyped-def]
    """Return a number from 0 to 1, neither included at the upper end."""
    s0, s1 = state[0], state[1]
    result = s0 + s1
    s1 ^= s0
    state[0] = ((s0 << _U(24)) | (s0 >> _U(40))) ^ s1 ^ (s1 << _U(16))
    state[1] = (s1 << _U(37)) | (s1 >> _U(27))
    return np.float64(result >> _U(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, inline="always")
def _from_nodes(nodes, u):  # type: ignore[no-untyped-def]
    """Return a value at a probability, from values at equal steps of it."""
    place = u * (len(nodes) - 1)
    k = min(int(place), len(nodes) - 2)
    return nodes[k] + (place - k) * (nodes[k + 1] - nodes[k])


@njit(cache=True, nogil=True, inline="always")
def _turned(direction, cosine, azimuth):  # type: ignore[no-untyped-def]
    """Turn a unit direction (3,) in place."""
    x, y, z = direction[0], direction[1], direction[2]
    sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    if abs(z) > 0.99999:
        sign = 1.0 if z > 0 else -1.0
        direction[0], direction[1], direction[2] = a, b, cosine * sign
        return
    rho = np.sqrt(1.0 - z * z)
    direction[0] = x * cosine + (x * z * a - y * b) / rho
    direction[1] = y * cosine + (y * z * a + x * b) / rho
    direction[2] = z * cosine - rho * a
    length = np.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    direction[0] /= length
    direction[1] /= length
    direction[2] /= length


@njit(cache=True, nogil=True, inline="always")
def _emit(place, way, state, centre, axis, shining, towards):  # type: ignore[no-untyped-def]
    """Put a new photon on its seed's line, point it, and return its weight and energy.

    An unknown axis is any axis. Where a region is looked at, more photons go there, each
    weighing less: directions come from a mixture of the law of emission and a forward law
    (Henyey and Greenstein's), and the weight is the law over the mixture.
    """
    part = np.searchsorted(shining.part_cdf, _uniform(state))
    energy = shining.line_kev[np.searchsorted(shining.line_cdf[part], _uniform(state))]
    lie = np.empty(3)
    lie[0], lie[1], lie[2] = axis[0], axis[1], axis[2]
    if np.isnan(axis[0]):
        lie[0], lie[1], lie[2] = 0.0, 0.0, 1.0
        _turned(lie, 2.0 * _uniform(state) - 1.0, 2.0 * np.pi * _uniform(state))
    near, far = shining.reach[part, 0], shining.reach[part, 1]
    along = near + (far - near) * _uniform(state)
    looked_at = not np.isnan(towards[0])
    aimed = looked_at and _uniform(state) >= NATURAL
    for i in range(3):
        place[i] = centre[i] + along * lie[i]
        way[i] = towards[i] if aimed else lie[i]
    if aimed:
        spread = (1.0 - AIM * AIM) / (1.0 - AIM + 2.0 * AIM * _uniform(state))
        cosine = (1.0 + AIM * AIM - spread * spread) / (2.0 * AIM)
    else:
        cosine = _from_nodes(shining.cosine[part], _uniform(state))
    _turned(way, cosine, 2.0 * np.pi * _uniform(state))
    if not looked_at:
        return 1.0, energy
    to_axis = way[0] * lie[0] + way[1] * lie[1] + way[2] * lie[2]
    ahead = way[0] * towards[0] + way[1] * towards[1] + way[2] * towards[2]
    law = _from_nodes(shining.density[part], min(1.0, max(0.0, (to_axis + 1.0) / 2.0)))
    forward = (1.0 - AIM * AIM) / (1.0 + AIM * AIM - 2.0 * AIM * ahead) ** 1.5
    return law / (NATURAL * law + (1.0 - NATURAL) * forward), energy


@njit(cache=True, nogil=True, inline="always")
def _set_out(place, way, spacing, count):  # type: ignore[no-untyped-def]
    """Return voxel, turn, step from wall to wall and way to the first, on one axis (Siddon)."""
    voxel = min(int(place / spacing), count - 1)
    if way > 1e-12:
        return voxel, 1, spacing / way, ((voxel + 1) * spacing - place) / way
    if way < -1e-12:
        return voxel, -1, -spacing / way, (voxel * spacing - place) / way
    return voxel, 0, _FAR, _FAR


@njit(cache=True, nogil=True, inline="always")
def _scattered(way, state, energy, coherent, rayleigh_cos, compton_cos):  # type: ignore[no-untyped-def]
    """Turn a photon and return its energy afterwards."""
    if coherent:
        cosine = _from_nodes(rayleigh_cos, _uniform(state))
        after = energy
    else:
        cosine = _from_nodes(compton_cos, _uniform(state))
        after = energy / (1.0 + energy / ELECTRON_REST_KEV * (1.0 - cosine))
    _turned(way, cosine, 2.0 * np.pi * _uniform(state))
    return after


@njit(cache=True, nogil=True)
def _past_metal(place, way, gone, end, depth, thick, own, row, pieces, metal_mu):  # type: ignore[no-untyped-def]
    """Carry a photon through a voxel with metal in it.

    What metal takes is absorbed there: at these energies all but a few percent of what happens
    in titanium, steel or silver is the photoelectric effect.

    Returns:
        how it ended, depth left, and how far it came.
    """
    while True:
        start, stop, metal_depth = next_metal(place, way, gone, end, own, row, pieces, metal_mu)
        free = thick * (start - gone)
        if free >= depth:
            return _MET, 0.0, gone + depth / thick
        depth -= free
        if start >= end:
            return _PASSED, depth, end
        if metal_depth >= depth:
            return _LOST, 0.0, start + (stop - start) * depth / metal_depth
        depth -= metal_depth
        gone = stop


@njit(cache=True, nogil=True, parallel=True)
def run_histories(  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0915  one loop for the compiler
    score, tally, first, each, run,
    medium, density, count, spacing, seeds, axes, weights, shining, towards,
    tables, water_kept, photo, coherent, rayleigh_cos, compton_cos,
    metal_row, metal_rows, pieces, metal_mu, turn,
):  # fmt: skip
    """Run histories ``first`` to ``first + PARTS * each`` and score them.

    Args:
        score: (PARTS, voxels, 2) float32, keV/g times cm^3 of a voxel, of the medium and of
            water; added to.
        tally: (PARTS, 4) float64, added to.
        first: number of the first history.
        each: histories in a part; whole turns keep the seeds stratified.
        run: number of the run; other runs have other random numbers.
        medium: (voxels,) uint8, index of the medium, plus ``MARK`` where metal reaches in.
        density: (voxels,) float32, g/cm^3.
        count: (3,) voxels along x, y, z.
        spacing: (3,) cm along x, y, z.
        seeds: (n, 3) centres in cm from the corner of the grid, along its axes.
        axes: (n, 3) unit directions, NaN for unknown ones.
        weights: (n,) of a photon of each seed: its strength over the photons it gets.
        shining: what leaves each seed.
        towards: (n, 3) unit direction from each seed to what is looked at, NaN for nothing.
        tables: (energies, media, 2) cm^2/g, all that happens and what is deposited; a flight
            has one energy, so that all its media lie together.
        water_kept: (energies,) what is deposited in water.
        photo: (media, energies) cm^2/g, photoelectric.
        coherent: the same, Rayleigh.
        rayleigh_cos: (media, angle energies, nodes) cosines at equal steps of probability.
        compton_cos: the same.
        metal_row: (voxels,) int32, row in ``metal_rows`` of a marked voxel.
        metal_rows: (rows, k) int32, pieces of metal near it, -1 for none; the first n pieces
            are the seeds'.
        pieces: see ``dose.transport.metal``.
        metal_mu: the same.
        turn: (t,) the seeds in the order in which they shine, over and over.
    """
    nx, ny, nz = count[0], count[1], count[2]
    size = (nx * spacing[0], ny * spacing[1], nz * spacing[2])
    for part in prange(PARTS):
        state = np.empty(2, np.uint64)
        place, way = np.empty(3), np.empty(3)
        scores = score[part]
        emitted, absorbed, escaped, steps = 0.0, 0.0, 0.0, 0
        for history in range(first + part * each, first + (part + 1) * each):
            _start(state, run, history)
            s = turn[history % len(turn)]
            weight, energy = _emit(
                place, way, state, seeds[s], axes[s], shining, towards[s]
            )  # fmt: skip
            weight *= weights[s]
            emitted += weight * energy
            alive = True
            for i in range(3):
                alive = alive and 0.0 <= place[i] < size[i]
            if not alive:
                escaped += weight * energy
            while alive:
                ie = int((energy - LOWEST_KEV) / STEP_KEV + 0.5)
                depth = -np.log(1.0 - _uniform(state))
                ix, turn_x, step_x, wall_x = _set_out(place[0], way[0], spacing[0], nx)
                iy, turn_y, step_y, wall_y = _set_out(place[1], way[1], spacing[1], ny)
                iz, turn_z, step_z, wall_z = _set_out(place[2], way[2], spacing[2], nz)
                at = (iz * ny + iy) * nx + ix
                worth, worth_water = weight * energy, weight * energy * water_kept[ie]
                gone, fate, m = 0.0, _PASSED, 0
                while True:
                    end = max(gone, min(wall_x, wall_y, wall_z))
                    marked = medium[at] >= MARK
                    m = medium[at] % MARK
                    thick = tables[ie, m, 0] * density[at]
                    if marked:
                        row = metal_rows[metal_row[at]]
                        fate, depth, stop = _past_metal(
                            place, way, gone, end, depth, thick, s, row, pieces, metal_mu[:, :, ie]
                        )
                    elif thick * (end - gone) >= depth:
                        fate, stop = _MET, gone + depth / thick
                    else:
                        depth -= thick * (end - gone)
                        stop = end
                    length = stop - gone
                    scores[at, 0] += worth * length * tables[ie, m, 1]
                    scores[at, 1] += worth_water * length
                    gone = stop
                    steps += 1
                    if fate != _PASSED:
                        break
                    if wall_x <= wall_y and wall_x <= wall_z:
                        wall_x += step_x
                        ix += turn_x
                        at += turn_x
                        alive = 0 <= ix < nx
                    elif wall_y <= wall_z:
                        wall_y += step_y
                        iy += turn_y
                        at += turn_y * nx
                        alive = 0 <= iy < ny
                    else:
                        wall_z += step_z
                        iz += turn_z
                        at += turn_z * nx * ny
                        alive = 0 <= iz < nz
                    if not alive:
                        break
                if not alive:
                    escaped += weight * energy
                    break
                for i in range(3):
                    place[i] += gone * way[i]
                choice = _uniform(state) * tables[ie, m, 0] - photo[m, ie]
                after = 0.0
                if choice >= 0.0 and fate == _MET:
                    ia = int((energy - LOWEST_KEV) / ANGLE_STEP_KEV + 0.5)
                    after = _scattered(
                        way, state, energy, choice < coherent[m, ie],
                        rayleigh_cos[m, ia], compton_cos[m, ia],
                    )  # fmt: skip
                if after < LOWEST_KEV:
                    after, alive = 0.0, False
                absorbed += weight * (energy - after)
                energy = after
        tally[part, EMITTED] += emitted
        tally[part, ABSORBED] += absorbed
        tally[part, ESCAPED] += escaped
        tally[part, STEPS] += steps


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
