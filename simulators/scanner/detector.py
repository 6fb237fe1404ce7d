"""From path lengths to what the detector reads, and to corrected projections.

Intensities, not attenuations, are averaged over the fine rays of a channel and a row
(non-linear partial volume); quanta follow Poisson's law, the electronics add noise of their own;
some scatter is left by its correction; what falls below a floor is lifted to it. The logarithm
is then corrected for beam hardening as in water.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.scanner.projection import chord, shadow
from simulators.scanner.spectrum import Spectrum

FloatArray = NDArray[np.float64]

# Longest water path that the correction is tabulated for, mm, and its step in the logarithm.
LONGEST_MM, LOG_STEP = 1000.0, 0.01


@dataclass(frozen=True)
class Detector:
    """How the detector counts.

    Attributes:
        quanta: photons for each channel, row and view in air, for a row of 0.6 mm; as many as a
            body scan of some 300 mAs has, chosen by its noise (docs/validation.md).
        electronic: noise of the electronics as a number of quanta, one standard deviation.
        scatter: what is left of the scattered rays after the scanner's own correction, as a
            share of what the patient takes out of a view. Behind a trunk they are about 1e-3
            of the beam before it.
        floor: lowest signal that is told from none, quanta.
    """

    quanta: float = 3.6e5
    electronic: float = 8.0
    scatter: float = 1e-4
    floor: float = 3.0


def water_correction(beam: Spectrum) -> FloatArray:
    """Return mm of water for each -ln of the signal, in steps of ``LOG_STEP`` from zero."""
    mm = np.arange(0.0, LONGEST_MM, 1.0)
    signal = np.exp(-np.outer(mm / 10.0, beam.mass_attenuation[0])) @ energy_weight(beam)
    logs = -np.log(signal)
    return np.asarray(np.interp(np.arange(0.0, float(logs[-1]), LOG_STEP), logs, mm))


def energy_weight(beam: Spectrum) -> FloatArray:
    """Return (bins,) shares of the signal in air: the detector adds energy up."""
    weight = beam.photons * beam.energies_kev
    return np.asarray(weight / weight.sum())


@njit(cache=True, nogil=True)
def _mix(state):  # type: ignore[no-untyped-def]
    """Return the next state and a number in (0, 1): SplitMix64 (Steele, Lea, Flood 2014)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return state, (np.float64(z >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16


@njit(cache=True, nogil=True)
def _normal(state):  # type: ignore[no-untyped-def]
    state, u = _mix(state)
    state, v = _mix(state)
    return state, np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)


@njit(cache=True, nogil=True)
def _count(state, mean):  # type: ignore[no-untyped-def]
    """Return the next state and a Poisson number; normal where the mean is large."""
    if mean > 40.0:
        state, g = _normal(state)
        return state, max(0.0, mean + np.sqrt(mean) * g)
    threshold, product, n = np.exp(-mean), 1.0, 0.0
    while True:
        state, u = _mix(state)
        product *= u
        if product <= threshold:
            return state, n
        n += 1.0


@njit(cache=True, nogil=True, fastmath=True)
def tissue_signal(paths, mass, weight, out):  # type: ignore[no-untyped-def]
    """Fill the signal behind the patient alone, (views, channels), from paths in g/cm2."""
    for a in range(out.shape[0]):
        for k in range(out.shape[1]):
            water, bone = paths[a, k, 0], paths[a, k, 1]
            total = np.float32(0.0)
            if water == 0.0 and bone == 0.0:
                out[a, k] = 1.0
                continue
            for b in range(len(weight)):
                total += weight[b] * np.exp(-mass[0, b] * water - mass[1, b] * bone)
            out[a, k] = total


@njit(cache=True, nogil=True, fastmath=True)
def metal_deficit(  # type: ignore[no-untyped-def]
    solids, paths, heights, shares, angles, first_mm, channel_mm, fine, response, mass, weight, out
):
    """Fill what metal takes from (or its hollows give to) the signal of each row.

    Args:
        solids: (n, 30) table, the slice's own frame.
        paths: (views, channels, 2) of the patient, g/cm2.
        heights: (samples,) z of the fine rays, mm.
        shares: (rows, samples) of each height in each row.
        angles: (views,).
        first_mm: position of the first channel.
        channel_mm: from channel to channel.
        fine: fine rays for each channel.
        response: weights of the fine rays around a channel.
        mass: (materials, bins) cm2/g.
        weight: (bins,) energy weights, summing to 1.
        out: (rows, views, channels) float32, zeros.
    """
    channels = out.shape[2]
    n = channels * fine
    step = channel_mm / fine
    along = np.zeros((n, mass.shape[0]))
    touched = np.zeros(n, np.bool_)
    before = np.empty((n, len(weight)))
    known = np.zeros(n, np.bool_)
    taken = np.zeros(channels)
    for a in range(len(angles)):
        c, s = np.cos(angles[a]), np.sin(angles[a])
        known[:] = False
        for h in range(len(heights)):
            low, high = n, -1
            for r in range(len(solids)):
                s0, s1 = shadow(solids[r], heights[h], c, s)
                i0 = max(0, int(np.ceil((s0 - first_mm) / step)))
                i1 = min(n - 1, int(np.floor((s1 - first_mm) / step)))
                if s0 > s1 or i1 < i0:
                    continue
                low, high = min(low, i0), max(high, i1)
                material = int(solids[r, 27])
                density, displaced = solids[r, 28] * 0.1, solids[r, 29] * 0.1
                for i in range(i0, i1 + 1):
                    at = first_mm + i * step
                    length = chord(solids[r], at * c, at * s, heights[h], -s, c)
                    if length > 0.0:
                        touched[i] = True
                        along[i, material] += density * length
                        along[i, 0] -= displaced * length
            if high < low:
                continue
            for i in range(low, high + 1):
                if not touched[i]:
                    continue
                if not known[i]:
                    _behind_tissue(paths[a], i / fine, mass, weight, before[i])
                    known[i] = True
                _spread(_loss(along[i], before[i], mass), i, fine, response, taken)
                touched[i] = False
                along[i, :] = 0.0
            k0, k1 = max(0, low // fine - 5), min(channels, high // fine + 6)
            _share_out(shares[:, h], taken[k0:k1], out[:, a, k0:k1])
            taken[k0:k1] = 0.0


@njit(cache=True, nogil=True, fastmath=True)
def _spread(loss, i, fine, response, taken):  # type: ignore[no-untyped-def]
    """Share the loss of a fine ray out to the channels around it."""
    reach = len(response) // 2
    middle = int(np.round(i / fine))
    for k in range(max(0, middle - 4), min(len(taken), middle + 5)):
        w = i - k * fine + reach
        if 0 <= w < len(response):
            taken[k] += response[w] * loss


@njit(cache=True, nogil=True, fastmath=True)
def _share_out(share, taken, out):  # type: ignore[no-untyped-def]
    """Add what was taken at one height to the rows that see it."""
    for r in range(len(share)):
        if share[r] > 0.0:
            for k in range(len(taken)):
                out[r, k] += share[r] * taken[k]


@njit(cache=True, nogil=True, fastmath=True)
def _behind_tissue(paths, at, mass, weight, out):  # type: ignore[no-untyped-def]
    """Fill the signal of a fine ray at a channel position behind the patient, by energy."""
    k = min(int(at), paths.shape[0] - 2)
    f = at - k
    water = (1.0 - f) * paths[k, 0] + f * paths[k + 1, 0]
    bone = (1.0 - f) * paths[k, 1] + f * paths[k + 1, 1]
    for b in range(len(weight)):
        out[b] = weight[b] * np.exp(-mass[0, b] * water - mass[1, b] * bone)


@njit(cache=True, nogil=True, fastmath=True)
def _loss(metal, before, mass):  # type: ignore[no-untyped-def]
    """Return the change of the signal of a fine ray by metal."""
    total = 0.0
    for b in range(len(before)):
        exponent = 0.0
        for m in range(len(metal)):
            exponent += mass[m, b] * metal[m]
        total += before[b] * (np.exp(-exponent) - 1.0)
    return total


@njit(cache=True, nogil=True)
def read_out(  # type: ignore[no-untyped-def]
    signal, deficits, quanta, electronic, scatter, floor, correction, seed, out
):
    """Fill the corrected projections of a slice, mm of water: the mean of its rows.

    Args:
        signal: (views, channels) behind the patient, 1 in air.
        deficits: (rows, views, channels) by metal.
        quanta: for each row in air.
        electronic: standard deviation, quanta.
        scatter: see ``Detector``.
        floor: quanta.
        correction: ``water_correction``.
        seed: uint64, of the slice's noise.
        out: (views, channels) float32.
    """
    rows = deficits.shape[0]
    channels = signal.shape[1]
    for a in range(signal.shape[0]):
        state = np.uint64(seed) + np.uint64(a) * np.uint64(0xD1342543DE82EF95)
        haze = 0.0
        for k in range(channels):
            haze += 1.0 - signal[a, k]
        haze *= scatter / channels
        for k in range(channels):
            metal = False
            for r in range(rows):
                metal = metal or deficits[r, a, k] != 0.0
            plain = quanta * (signal[a, k] + haze)
            if not metal and plain > 20.0 * electronic and plain > 400.0:
                # All rows are alike and the logarithm nearly straight: one number for them all.
                state, g = _normal(state)
                spread = np.sqrt((plain + electronic * electronic) / rows)
                out[a, k] = _water(-np.log((plain + g * spread) / quanta), correction)
                continue
            total = 0.0
            for r in range(rows):
                mean = quanta * (max(0.0, signal[a, k] + deficits[r, a, k]) + haze)
                state, counted = _count(state, mean)
                state, g = _normal(state)
                counted = max(floor, counted + electronic * g)
                total += _water(-np.log(counted / quanta), correction)
            out[a, k] = total / rows


@njit(cache=True, nogil=True)
def _water(logarithm, correction):  # type: ignore[no-untyped-def]
    """Return mm of water for a -ln of the signal; below zero as steep as at zero."""
    at = logarithm / LOG_STEP
    k = min(max(0, int(at)), len(correction) - 2)
    return correction[k] + (at - k) * (correction[k + 1] - correction[k])
