"""The x-ray spectrum of the virtual scanner: 120 kVp from tungsten, in a dozen bins.

Bremsstrahlung by Kramers' law (Kramers 1923, Phil Mag 46:836: photons per keV fall as E0/E - 1),
the tungsten K lines on top, filtered by aluminium until the half-value layer is that of the
standard CT beam RQT 9 of IEC 61267: 8.4 mm Al at 120 kV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import xraydb
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulators.metal.material import attenuation

FloatArray = NDArray[np.float64]

HALF_VALUE_MM_AL = 8.4
LOWEST_KEV = 15.0
# K lines of tungsten, keV, and their relative strengths (xraydb, Elam 2002); all of them
# together carry about a tenth of the photons of a filtered 120 kV beam (e.g. Poludniowski 2007,
# Med Phys 34:2175, figure 3).
K_LINES_KEV, K_STRENGTHS = (57.98, 59.32, 67.24, 69.07), (0.29, 0.50, 0.16, 0.05)
K_SHARE = 0.1
ALUMINIUM_G_CM3 = 2.70


@dataclass(frozen=True)
class Spectrum:
    """A spectrum in bins, and what the scanner knows about its materials.

    Attributes:
        energies_kev: (bins,) mean energy of each bin.
        photons: (bins,) share of the photons, summing to 1.
        mass_attenuation: (materials, bins) cm2/g.
    """

    energies_kev: FloatArray
    photons: FloatArray
    mass_attenuation: FloatArray

    @property
    def mean_kev(self) -> float:
        """Mean energy of a photon."""
        return float(self.photons @ self.energies_kev)


@cache
def spectrum(kvp: float = 120.0, bins: int = 12) -> Spectrum:
    """Return the spectrum behind the tube's filter.

    Args:
        kvp: peak voltage, kV.
        bins: number of energies; each holds the same share of the photons.
    """
    energies, photons = _filtered(kvp, filter_mm(kvp))
    edges = np.searchsorted(np.cumsum(photons) / photons.sum(), np.arange(1, bins) / bins)
    groups = np.split(np.arange(len(energies)), edges)
    mass = attenuation(energies)
    weight = np.array([photons[g].sum() for g in groups])
    mean = np.array([photons[g] @ energies[g] for g in groups]) / weight
    means = np.array([[m[g] @ photons[g] for g in groups] for m in mass]) / weight
    return Spectrum(mean, weight / weight.sum(), means)


def half_value_mm_al(kvp: float, filter_mm: float) -> float:
    """Return the half-value layer of air kerma, mm of aluminium."""
    energies, photons = _filtered(kvp, filter_mm)
    absorbed = photons * energies * air_absorption(energies)
    mu = xraydb.mu_elam("Al", energies * 1000.0) * ALUMINIUM_G_CM3 / 10.0

    def above_half(mm: float) -> float:
        return float(absorbed @ np.exp(-mu * mm) / absorbed.sum()) - 0.5

    return float(brentq(above_half, 0.01, 30.0))


def air_absorption(energies_kev: FloatArray) -> FloatArray:
    """Return about the mass energy absorption of air, cm2/g.

    Photoabsorption, and of Compton scattering the mean share of energy that the electron takes,
    which Klein and Nishina's formula puts at E / (mc2 + 2.2 E) within 2 % up to 120 keV.
    """
    volts = energies_kev * 1000.0
    shares = (("N", 0.755), ("O", 0.232), ("Ar", 0.013))
    photo = sum(w * xraydb.mu_elam(e, volts, kind="photo") for e, w in shares)
    compton = sum(w * xraydb.mu_elam(e, volts, kind="incoh") for e, w in shares)
    return np.asarray(photo + compton * energies_kev / (511.0 + 2.2 * energies_kev))


@cache
def filter_mm(kvp: float) -> float:
    """Return the aluminium, mm, that gives 120 kV its half-value layer; the same at any kV."""
    if kvp != 120.0:
        return filter_mm(120.0)
    return float(
        brentq(lambda mm: half_value_mm_al(120.0, mm) - HALF_VALUE_MM_AL, 1.0, 60.0, xtol=1e-3)
    )


def _filtered(kvp: float, filter_mm: float) -> tuple[FloatArray, FloatArray]:
    energies = np.arange(LOWEST_KEV + 0.5, kvp, 1.0)
    mu = xraydb.mu_elam("Al", energies * 1000.0) * ALUMINIUM_G_CM3 / 10.0
    photons = (kvp / energies - 1.0) * np.exp(-mu * filter_mm)
    if kvp > 70.0:
        lines = np.bincount(
            np.searchsorted(energies, K_LINES_KEV), weights=K_STRENGTHS, minlength=len(energies)
        )
        photons = photons / photons.sum() * (1 - K_SHARE) + K_SHARE * lines
    return energies, photons / photons.sum()
