"""What photons of a given place, direction and energy leave in endless water, nearly free of noise.

What comes straight is worked out in closed form. What is scattered comes from one table for each
energy, the scatter around a pencil of photons, run once by Monte Carlo with the cross sections
and angles of the transport itself. Any source on an axis is a sum of the two, so that an emission
can be fitted by linear algebra.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from dose.transport.coefficients import (
    ANGLE_STEP_KEV,
    ENERGIES_KEV,
    LOWEST_KEV,
    STEP_KEV,
    Coefficients,
    coefficients,
)
from dose.transport.emission import ACROSS, GY_PER_KEV_G
from dose.transport.engine import _scattered, _start, _uniform
from dose.transport.materials import AIR, WATER

FloatArray = NDArray[np.float64]

PARTS, HISTORIES = 16, 8_000_000
# Table of the scatter: distances (cm) at equal steps of the logarithm beyond the first, and
# angles to the pencil. Beyond EDGE_CM a photon does not come back.
NEAR_CM, FAR_CM, SHELLS, WEDGES, EDGE_CM = 0.1, 14.0, 42, 36, 20.0
STEP = math.log(FAR_CM / NEAR_CM) / SHELLS
# Points of a scattered flight that are scored, and azimuths and places that are summed over.
SCORED, AZIMUTHS, PLACES = 4, 16, 10


@njit(cache=True, parallel=True)
def _pencil(energy, each, mu, kept, photo, coherent, rayleigh_cos, compton_cos):  # type: ignore[no-untyped-def]
    """Return (PARTS, SHELLS + 1, WEDGES) keV cm^3/g that scattered photons of a pencil leave.

    Nothing is absorbed: the photon loses weight instead, down to a roulette. A scattered flight
    is scored at points drawn from its law of depth, each worth the same.
    """
    out = np.zeros((PARTS, SHELLS + 1, WEDGES))
    for part in prange(PARTS):
        state, place, way = np.empty(2, np.uint64), np.empty(3), np.empty(3)
        for history in range(part * each, (part + 1) * each):
            _start(state, 1, history)
            place[:], way[:2], way[2] = 0.0, 0.0, 1.0
            now, weight, scattered = energy, 1.0, False
            while True:
                ie = int((now - LOWEST_KEV) / STEP_KEV + 0.5)
                if scattered:
                    worth = weight * now * kept[ie] / mu[ie] / SCORED
                    for k in range(SCORED):
                        away = -math.log(1.0 - (k + _uniform(state)) / SCORED) / mu[ie]
                        at = place + away * way
                        r = math.sqrt(at[0] ** 2 + at[1] ** 2 + at[2] ** 2)
                        if r < FAR_CM:
                            shell = 0 if r < NEAR_CM else 1 + int(math.log(r / NEAR_CM) / STEP)
                            cosine = max(-1.0, min(1.0, at[2] / max(r, 1e-9)))
                            wedge = min(WEDGES - 1, int(math.acos(cosine) / math.pi * WEDGES))
                            out[part, min(shell, SHELLS), wedge] += worth
                place += -math.log(1.0 - _uniform(state)) / mu[ie] * way
                if place[0] ** 2 + place[1] ** 2 + place[2] ** 2 > EDGE_CM**2:
                    break
                weight *= 1.0 - photo[ie] / mu[ie]
                if weight < 0.1:
                    if _uniform(state) < 0.5:
                        break
                    weight *= 2.0
                ia = int((now - LOWEST_KEV) / ANGLE_STEP_KEV + 0.5)
                is_coherent = _uniform(state) * (mu[ie] - photo[ie]) < coherent[ie]
                now = _scattered(way, state, now, is_coherent, rayleigh_cos[ia], compton_cos[ia])
                if now < LOWEST_KEV:
                    break
                scattered = True
    return out


@cache
def _scatter(energy_kev: float) -> tuple[FloatArray, FloatArray]:
    """Return distances (cm) and scatter times distance, (SHELLS + 1, WEDGES) keV cm/g."""
    w = coefficients(WATER)
    summed = _pencil(
        energy_kev, HISTORIES // PARTS,
        w.mu, w.kept, w.photo, w.coherent, w.rayleigh_cos, w.compton_cos,
    ).sum(axis=0)  # fmt: skip
    edges = np.concatenate(([0.0], np.geomspace(NEAR_CM, FAR_CM, SHELLS + 1)))
    volume = np.diff(edges**3)[:, None] / 3.0 * wedges()[1]
    middle = ((edges[1:] ** 3 + edges[:-1] ** 3) / 2.0) ** (1.0 / 3.0)
    return middle, summed / volume / HISTORIES * middle[:, None]


def wedges() -> tuple[FloatArray, FloatArray]:
    """Return the middle angles of the scatter's table, and their solid angles."""
    edges = np.linspace(0.0, np.pi, WEDGES + 1)
    return (edges[1:] + edges[:-1]) / 2.0, 2.0 * np.pi * -np.diff(np.cos(edges))


def _scatter_at(energy_kev: float, away_cm: FloatArray) -> FloatArray:
    """Return (n, WEDGES) keV/g for each photon of a pencil, at distances (n,)."""
    middle, table = _scatter(energy_kev)
    x, nodes, logs = np.log(away_cm), np.log(middle), np.log(np.maximum(table, 1e-30))
    i = np.clip(np.searchsorted(nodes, x) - 1, 0, len(nodes) - 2)
    part = ((x - nodes[i]) / (nodes[i + 1] - nodes[i]))[:, None]
    return np.asarray(np.exp((1 - part) * logs[i] + part * logs[i + 1]) / away_cm[:, None])


@dataclass(frozen=True)
class Basis:
    """A stretch of a seed's axis and its mirror image, for any law of direction.

    Attributes:
        from_cm: where it begins, from the middle of the seed.
        to_cm: where it ends; the same for a point.
        angle_deg: nodes of the law, to the axis that points to this side; beyond the last
            nothing leaves.
    """

    from_cm: float
    to_cm: float
    angle_deg: tuple[float, ...]

    def tents(self, angle: FloatArray) -> FloatArray:
        """Return (..., nodes) what each node adds to a law that is linear between them."""
        degrees = np.degrees(angle)
        out = np.stack(
            [np.interp(degrees, self.angle_deg, one) for one in np.eye(len(self.angle_deg))], -1
        )
        out[degrees > self.angle_deg[-1]] = 0.0
        return out

    def kerma_u(self, energy_kev: float) -> FloatArray:
        """Return (nodes,) strength, U, of a photon an hour for each steradian at a node."""
        across = np.arccos(np.linspace(-ACROSS, ACROSS, 41))
        worth = energy_kev * _at(coefficients(AIR), "mu_en", energy_kev) * GY_PER_KEV_G * 100.0
        return np.asarray(worth * self.tents(across).mean(axis=0))

    def rate(self, r_cm: FloatArray, theta: FloatArray, energies_kev: FloatArray) -> FloatArray:
        """Return (points, energies, nodes) cGy/h of a photon an hour for each steradian.

        The photons are those of both sides together.
        """
        x, z = r_cm * np.sin(theta), r_cm * np.cos(theta)
        places, weights = np.polynomial.legendre.leggauss(
            PLACES if self.to_cm > self.from_cm else 1
        )
        middle, half = (self.from_cm + self.to_cm) / 2.0, (self.to_cm - self.from_cm) / 2.0
        out = np.zeros((len(x), len(energies_kev), len(self.angle_deg)))
        for place, weight in zip(middle + half * places, weights / weights.sum(), strict=True):
            for side in (1.0, -1.0):
                along = side * z - place
                away, angle = np.hypot(x, along), np.arctan2(x, along)
                straight, around = self.tents(angle), self._seen_around(angle)
                for k, energy in enumerate(energies_kev):
                    primary = _primary(float(energy), away)[:, None] * straight
                    scatter = np.einsum("pw,pwn->pn", _scatter_at(float(energy), away), around)
                    out[:, k] += weight / 2.0 * (primary + scatter)
        return out * GY_PER_KEV_G * 100.0

    def _seen_around(self, angle: FloatArray) -> FloatArray:
        """Return (points, WEDGES, nodes) photons in each wedge around the way to each point."""
        wedge, solid = wedges()
        azimuth = (np.arange(AZIMUTHS) + 0.5) * np.pi / AZIMUTHS
        cosine = np.cos(angle)[:, None, None] * np.cos(wedge)[:, None]
        cosine = cosine + np.sin(angle)[:, None, None] * np.sin(wedge)[:, None] * np.cos(azimuth)
        tents = self.tents(np.arccos(np.clip(cosine, -1.0, 1.0)))
        return np.asarray(tents.mean(axis=2) * solid[:, None])


def _at(table: Coefficients, kind: str, energy_kev: float) -> float:
    """Return a coefficient at an energy, as the transport looks it up."""
    place = int((energy_kev - LOWEST_KEV) / STEP_KEV + 0.5)
    assert abs(ENERGIES_KEV[place] - energy_kev) <= STEP_KEV / 2 + 1e-9
    return float(getattr(table, kind)[place])


def _primary(energy_kev: float, away_cm: FloatArray) -> FloatArray:
    """Return keV/g of a photon for each steradian that comes straight."""
    w = coefficients(WATER)
    depth = _at(w, "mu", energy_kev) * away_cm
    return np.asarray(energy_kev * _at(w, "kept", energy_kev) * np.exp(-depth) / away_cm**2)
