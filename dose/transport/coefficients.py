"""What a photon meets in a medium, tabulated for the transport.

Cross sections of the elements are those of Elam, Ravel and Sieber (Radiat. Phys. Chem. 63, 121,
2002) as xraydb has them; form factors those of Waasmaier and Kirfel (Acta Cryst. A51, 416, 1995).
Atoms scatter independently. What electrons get is deposited where they get it: their range is
microns. K fluorescence is not transported. NIST's mu_en lets it go, and so does ours; the dose
keeps it where it is softer than 5 keV, since calcium's (3.7 keV) is absorbed again within 0.1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import xraydb
from numpy.typing import NDArray

from dose.transport.materials import Material

FloatArray = NDArray[np.float64]

LOWEST_KEV, HIGHEST_KEV, STEP_KEV = 3.0, 40.0, 0.02
ENERGIES_KEV = LOWEST_KEV + STEP_KEV * np.arange(round((HIGHEST_KEV - LOWEST_KEV) / STEP_KEV) + 1)
# Angles are sampled for energies this far apart; their laws change slowly.
ANGLE_STEP_KEV = 1.0
ANGLE_ENERGIES_KEV = LOWEST_KEV + ANGLE_STEP_KEV * np.arange(
    round((HIGHEST_KEV - LOWEST_KEV) / ANGLE_STEP_KEV) + 1
)
ANGLE_NODES = 129
ELECTRON_REST_KEV = 510.99895
# Fluorescence up to this energy stays in the voxel.
LOCAL_FLUORESCENCE_KEV = 5.0
# hc in keV angstrom: sin(theta/2)/lambda is E sin(theta/2) / hc.
HC_KEV_ANGSTROM = 12.398420
_COARSE_KEV = np.unique(np.concatenate((np.geomspace(3.0, 40.0, 160), [3.0, 40.0])))


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients of one medium at ``ENERGIES_KEV``, cm^2/g, and its angles.

    Attributes:
        mu: (n,) total.
        photo: (n,) photoelectric.
        coherent: (n,) Rayleigh.
        mu_en: (n,) energy absorption: photoelectric without K fluorescence, and what Compton
            electrons get.
        kept: (n,) the same, with the fluorescence that stays nearby.
        rayleigh_cos: (m, ANGLE_NODES) cosines at equal steps of probability.
        compton_cos: the same for Compton scattering.
    """

    mu: FloatArray
    photo: FloatArray
    coherent: FloatArray
    mu_en: FloatArray
    kept: FloatArray
    rayleigh_cos: FloatArray
    compton_cos: FloatArray


@cache
def coefficients(material: Material) -> Coefficients:
    """Tabulate a medium; some 0.1 s, kept."""
    photo = _interpolated(material, "photo")
    coherent = _interpolated(material, "coh")
    incoherent = _interpolated(material, "incoh")
    cosine = np.cos(np.linspace(np.pi, 0.0, 721))
    f2, s = _form_factors(material)
    rayleigh, compton, transfer = [], [], []
    for energy in ANGLE_ENERGIES_KEV:
        x = energy / HC_KEV_ANGSTROM * np.sqrt((1.0 - cosine) / 2.0)
        rayleigh.append(_inverse(cosine, (1.0 + cosine**2) * f2(x)))
        ratio = 1.0 / (1.0 + energy / ELECTRON_REST_KEV * (1.0 - cosine))
        # Klein and Nishina, with the incoherent scattering function.
        law = ratio**2 * (ratio + 1.0 / ratio - 1.0 + cosine**2) * s(x)
        compton.append(_inverse(cosine, law))
        transfer.append(np.trapezoid(law * (1.0 - ratio), cosine) / np.trapezoid(law, cosine))
    electrons = photo + incoherent * np.interp(ENERGIES_KEV, ANGLE_ENERGIES_KEV, transfer)
    soft, hard = _fluorescence(material)
    return Coefficients(
        photo + coherent + incoherent,
        photo,
        coherent,
        electrons - soft - hard,
        electrons - hard,
        np.array(rayleigh),
        np.array(compton),
    )


def _interpolated(material: Material, kind: str) -> FloatArray:
    """Return a cross section by mass at ``ENERGIES_KEV``."""
    total = np.zeros(len(ENERGIES_KEV))
    for element, share in material.mass_fractions:
        total += share * _of_element(element, kind)
    return total


@cache
def _of_element(element: str, kind: str) -> FloatArray:
    """Return a cross section by mass at ``ENERGIES_KEV``, interpolated between the edges."""
    edges = [e.energy / 1e3 for e in xraydb.xray_edges(element).values()]
    inside = [e for e in edges if LOWEST_KEV < e < HIGHEST_KEV]
    nodes = np.unique(
        np.concatenate((_COARSE_KEV, *([[e * (1 - 1e-6), e * (1 + 1e-6)] for e in inside])))
    )
    values = xraydb.mu_elam(element, nodes * 1e3, kind=kind)
    return np.asarray(np.exp(np.interp(np.log(ENERGIES_KEV), np.log(nodes), np.log(values))))


def _fluorescence(material: Material) -> tuple[FloatArray, FloatArray]:
    """Return what K fluorescence takes, cm^2/g: in lines up to 5 keV, and in harder ones.

    Photoelectric effect in the K shell (from the jump at the edge), times fluorescence yield,
    times the mean energy of the K lines over that of the photon; yields, jumps and lines as
    xraydb has them.
    """
    parts = [np.zeros(len(ENERGIES_KEV)), np.zeros(len(ENERGIES_KEV))]
    for element, share in material.mass_fractions:
        edge = xraydb.xray_edges(element).get("K")
        lines = xraydb.xray_lines(element, "K").values()
        intensity = sum(line.intensity for line in lines)
        # Below 1 keV a line is no more than what its Auger electron would be.
        if edge is None or not 1e3 < edge.energy < HIGHEST_KEV * 1e3 or not intensity:
            continue
        mean_kev = sum(line.energy * line.intensity for line in lines) / intensity / 1e3
        taken = _of_element(element, "photo") * edge.fyield * (1.0 - 1.0 / edge.jump_ratio)
        taken = np.where(edge.energy / 1e3 < ENERGIES_KEV, taken * mean_kev / ENERGIES_KEV, 0.0)
        parts[mean_kev > LOCAL_FLUORESCENCE_KEV] += share * taken
    return parts[0], parts[1]


def _form_factors(material: Material):  # type: ignore[no-untyped-def]
    """Return squared form factor and incoherent scattering function for each gram, of x in 1/A.

    S is taken as Z - f0^2/Z, which is exact in both limits.
    """
    x = np.linspace(0.0, 6.0, 1201)
    f2, s = np.zeros(len(x)), np.zeros(len(x))
    for element, share in material.mass_fractions:
        z, mass = xraydb.atomic_number(element), xraydb.atomic_mass(element)
        f0 = np.clip(np.asarray(xraydb.f0(element, x), dtype=np.float64), 0.0, z)
        f2 += share / mass * f0**2
        s += share / mass * (z - f0**2 / z)
    return (lambda q: np.interp(q, x, f2)), (lambda q: np.interp(q, x, s))


def _inverse(cosine: FloatArray, law: FloatArray) -> FloatArray:
    """Return the cosines at equal steps of probability of a law of the cosine."""
    steps = np.diff(cosine) * (law[1:] + law[:-1]) / 2.0
    summed = np.concatenate(([0.0], np.cumsum(steps)))
    return np.interp(np.linspace(0.0, 1.0, ANGLE_NODES), summed / summed[-1], cosine)
