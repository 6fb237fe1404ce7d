"""Random numbers of a history, and what is drawn with them.

Each history has random numbers of its own (xoroshiro128+ of Blackman and Vigna, started from the
history's number by splitmix64), so that it is the same whoever runs it, and when.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dose.transport.compiled import within

_U = np.uint64


@njit(cache=True, nogil=True, inline="always")
def _split(x):  # type: ignore[no-untyped-def]
    z = (x ^ (x >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> _U(27))) * _U(0x94D049BB133111EB)
    return z ^ (z >> _U(31))


@njit(cache=True, nogil=True, inline="always")
def begin(state, run, history):  # type: ignore[no-untyped-def]
    """Set the state (2,) uint64 to that of a history of a run."""
    step = _U(0x9E3779B97F4A7C15)
    first = _split(_U(run) + step) ^ (_U(history) * step)
    state[0] = _split(first + step)
    state[1] = _split(first + step + step) | _U(1)


@njit(cache=True, nogil=True, inline="always")
def uniform(state):  # type: ignore[no-untyped-def]
    """Return a number from 0 to 1, 1 not included."""
    s0, s1 = state[0], state[1]
    result = s0 + s1
    s1 ^= s0
    state[0] = ((s0 << _U(24)) | (s0 >> _U(40))) ^ s1 ^ (s1 << _U(16))
    state[1] = (s1 << _U(37)) | (s1 >> _U(27))
    return np.float64(result >> _U(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, inline="always")
def from_nodes(nodes, u):  # type: ignore[no-untyped-def]
    """Return a value at a probability, from values at equal steps of it."""
    place = u * (len(nodes) - 1)
    k = min(int(place), len(nodes) - 2)
    return nodes[k] + (place - k) * (nodes[k + 1] - nodes[k])


@within
def density_of_nodes(nodes, value):  # type: ignore[no-untyped-def]
    """Return the probability density of what ``from_nodes`` draws, at a value."""
    low, high = 0, len(nodes) - 1
    if value < nodes[low] or value > nodes[high]:
        return 0.0
    while high - low > 1:
        middle = (low + high) // 2
        if nodes[middle] <= value:
            low = middle
        else:
            high = middle
    return 1.0 / ((len(nodes) - 1) * max(nodes[high] - nodes[low], 1e-12))


@njit(cache=True, nogil=True, inline="always")
def turn_about(way, pole, cosine, azimuth):  # type: ignore[no-untyped-def]
    """Set ``way`` (3,) to a unit direction at an angle to ``pole`` (3,), which stays."""
    x, y, z = pole[0], pole[1], pole[2]
    sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    a, b = sine * np.cos(azimuth), sine * np.sin(azimuth)
    if abs(z) > 0.99999:
        sign = 1.0 if z > 0 else -1.0
        way[0], way[1], way[2] = a, b, cosine * sign
        return
    rho = np.sqrt(1.0 - z * z)
    way[0] = x * cosine + (x * z * a - y * b) / rho
    way[1] = y * cosine + (y * z * a + x * b) / rho
    way[2] = z * cosine - rho * a
    length = np.sqrt(way[0] ** 2 + way[1] ** 2 + way[2] ** 2)
    way[0] /= length
    way[1] /= length
    way[2] /= length
