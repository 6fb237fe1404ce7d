"""Photons through voxels: one history after another, the same on any number of threads.

Photoelectric absorption ends a history, Compton and Rayleigh scattering turn it; nothing is
biased. Dose is scored along tracks: every centimetre in a voxel adds energy times mu_en / rho,
once with the coefficients of its medium and once with those of water. Histories are dealt to a
fixed number of parts, each with its own memory and each history with random numbers of its own
(xoroshiro128+ of Blackman and Vigna, started from the history's number by splitmix64), so that
the parts are the batches of the uncertainty, and threads change nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from dose.transport.coefficients import (
    ANGLE_STEP_KEV,
    ELECTRON_REST_KEV,
    LOWEST_KEV,
    STEP_KEV,
)

PARTS = 16
# Columns of the tally: energy emitted, absorbed, escaped (keV), steps.
EMITTED, ABSORBED, ESCAPED, STEPS = range(4)
_FAR = 1e30
_U = np.uint64


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
def _emit(place, way, state, centre, axis, half_length, emission_cos):  # type: ignore[no-untyped-def]
    """Put a new photon on its seed's line, and point it."""
    along = half_length * (2.0 * _uniform(state) - 1.0)
    for i in range(3):
        place[i] = centre[i] + along * axis[i]
        way[i] = axis[i]
    cosine = _from_nodes(emission_cos, _uniform(state))
    _turned(way, cosine, 2.0 * np.pi * _uniform(state))


@njit(cache=True, nogil=True, inline="always")
def _set_out(place, way, spacing, count, voxel, turn, wall_step, to_wall):  # type: ignore[no-untyped-def]
    """Find the voxel of a place, and how far its walls are along each axis (Siddon's walk)."""
    for i in range(3):
        voxel[i] = min(int(place[i] / spacing[i]), count[i] - 1)
        if way[i] > 1e-12:
            turn[i], wall_step[i] = 1, spacing[i] / way[i]
            to_wall[i] = ((voxel[i] + 1) * spacing[i] - place[i]) / way[i]
        elif way[i] < -1e-12:
            turn[i], wall_step[i] = -1, -spacing[i] / way[i]
            to_wall[i] = (voxel[i] * spacing[i] - place[i]) / way[i]
        else:
            turn[i], wall_step[i], to_wall[i] = 0, _FAR, _FAR


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


@njit(cache=True, nogil=True, parallel=True)
def run_histories(  # type: ignore[no-untyped-def]  # noqa: PLR0915  one loop for the compiler
    medium_dose, water_dose, tally, first, each, run,
    medium, density, spacing, seeds, axes, weights, half_length,
    emission_cos, line_kev, line_cdf,
    mu, photo, coherent, mu_en, water_mu_en, rayleigh_cos, compton_cos,
):  # fmt: skip
    """Run histories ``first`` to ``first + PARTS * each`` and score them.

    Args:
        medium_dose: (PARTS, nz, ny, nx) float64, keV/g times cm^3 of a voxel; added to.
        water_dose: the same.
        tally: (PARTS, 4) float64, added to.
        first: number of the first history.
        each: histories in a part; a multiple of the number of seeds keeps them stratified.
        run: number of the run; other runs have other random numbers.
        medium: (nz, ny, nx) uint8, index of the medium.
        density: (nz, ny, nx) float32, g/cm^3.
        spacing: (3,) cm along x, y, z.
        seeds: (n, 3) centres in cm from the corner of the grid, along its axes.
        axes: (n, 3) unit directions.
        weights: (n,) strength of each over their mean.
        half_length: of the line source, cm.
        emission_cos: (m,) cosines to the seed's axis at equal steps of probability.
        line_kev: (k,) energies of the photons.
        line_cdf: (k,) cumulative shares.
        mu: (media, energies) cm^2/g, total.
        photo: the same, photoelectric.
        coherent: the same, Rayleigh.
        mu_en: the same, what is deposited.
        water_mu_en: (energies,) of water.
        rayleigh_cos: (media, angle energies, nodes) cosines at equal steps of probability.
        compton_cos: the same.
    """
    nz, ny, nx = medium.shape
    size = (nx * spacing[0], ny * spacing[1], nz * spacing[2])
    count = np.array((nx, ny, nz))
    for part in prange(PARTS):
        state = np.empty(2, np.uint64)
        place, way = np.empty(3), np.empty(3)
        to_wall, wall_step = np.empty(3), np.empty(3)
        voxel, turn = np.empty(3, np.int64), np.empty(3, np.int64)
        of_medium, of_water = medium_dose[part], water_dose[part]
        emitted, absorbed, escaped, steps = 0.0, 0.0, 0.0, 0
        for history in range(first + part * each, first + (part + 1) * each):
            _start(state, run, history)
            s = history % len(seeds)
            weight = weights[s]
            energy = line_kev[np.searchsorted(line_cdf, _uniform(state))]
            _emit(place, way, state, seeds[s], axes[s], half_length, emission_cos)
            emitted += weight * energy
            alive = True
            for i in range(3):
                alive = alive and 0.0 <= place[i] < size[i]
            if not alive:
                escaped += weight * energy
            while alive:
                ie = int((energy - LOWEST_KEV) / STEP_KEV + 0.5)
                depth = -np.log(1.0 - _uniform(state))
                _set_out(place, way, spacing, count, voxel, turn, wall_step, to_wall)
                gone, met, alive = 0.0, False, True
                m = 0
                while alive and not met:
                    k = 0 if to_wall[0] < to_wall[1] else 1
                    k = k if to_wall[k] < to_wall[2] else 2
                    length = max(0.0, to_wall[k] - gone)
                    m = medium[voxel[2], voxel[1], voxel[0]]
                    thick = mu[m, ie] * density[voxel[2], voxel[1], voxel[0]]
                    met = thick * length >= depth
                    length = depth / thick if met else length
                    scored = weight * energy * length
                    of_medium[voxel[2], voxel[1], voxel[0]] += scored * mu_en[m, ie]
                    of_water[voxel[2], voxel[1], voxel[0]] += scored * water_mu_en[ie]
                    gone += length
                    steps += 1
                    if not met:
                        depth -= thick * length
                        to_wall[k] += wall_step[k]
                        voxel[k] += turn[k]
                        alive = 0 <= voxel[k] < count[k]
                if not alive:
                    escaped += weight * energy
                    break
                for i in range(3):
                    place[i] += gone * way[i]
                choice = _uniform(state) * mu[m, ie] - photo[m, ie]
                after = 0.0
                if choice >= 0.0:
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
