"""What comes out of a seed: lines, and the directions in which they leave.

The inside of a seed is not transported. Its photons start on a line of the active length, with
the spectrum that the seed lets out and a law of direction that makes its TG-43 anisotropy in
water. What this reaches, and where it misses, stands in docs/validation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.sources import SourceModel
from dose.transport.coefficients import ENERGIES_KEV, coefficients
from dose.transport.materials import AIR

FloatArray = NDArray[np.float64]

# I-125: energies (keV) and photons for each decay, X rays of tellurium and the gamma line
# (AAPM TG-43U1, Rivard et al., Med. Phys. 31, 633, 2004, table XIII).
I125_LINES = ((27.202, 0.406), (27.472, 0.757), (30.98, 0.202), (31.71, 0.0439), (35.492, 0.0668))
# K lines of silver that a 6711 adds (ibid.; energies as in CLRP's spectra).
SILVER_LINES = ((22.1, 0.83), (25.0, 0.17))
# Photons for each solid angle at 0, 5 ... 90 degrees to the axis, and silver's share: fitted to
# F at 1 cm and to g_L by ``python -m benchmarks.emission``.
LAWS: dict[str, tuple[float, tuple[float, ...]]] = {
    "6711": (
        0.2,
        (
            *(0.178, 0.265, 0.422, 0.513, 0.643, 0.694, 0.794, 0.841, 0.911, 0.941),
            *(0.968, 1.003, 0.998, 0.995, 0.979, 1.026, 1.000, 1.002, 1.000),
        ),
    ),
}
# Air kerma for the strength does not count what lies below (U1S1, delta = 5 keV).
CUT_KEV = 5.0
GY_PER_KEV_G = 1.602176634e-13


@dataclass(frozen=True, eq=False)
class Emission:
    """An effective source.

    Attributes:
        name: of the seed model or spectrum.
        half_length_cm: half the line that photons start on; 0 for a point.
        line_kev: (k,) energies.
        line_share: (k,) photons of each; they sum to 1.
        cosine: (m,) cosines to the axis at equal steps of probability, from -1 to 1.
    """

    name: str
    half_length_cm: float
    line_kev: FloatArray
    line_share: FloatArray
    cosine: FloatArray

    def air_kerma_gy_cm2(self) -> float:
        """Return air kerma times squared distance for each photon, across the axis, in vacuum.

        That is the air-kerma strength of one photon (TG-43U1 Eq. 2): fluence across the axis
        times energy times mu_en/rho of air. 1 U is 1e-2 Gy cm^2/h.
        """
        per_steradian = self._density_across() / (2.0 * np.pi)
        mu_en = np.interp(self.line_kev, ENERGIES_KEV, coefficients(AIR).mu_en)
        counted = self.line_kev > CUT_KEV
        kerma = (self.line_share * self.line_kev * mu_en)[counted].sum()
        return float(per_steradian * kerma * GY_PER_KEV_G)

    def _density_across(self) -> float:
        """Return the probability density of the cosine near 0 (within 5 degrees)."""
        steps = np.linspace(0.0, 1.0, len(self.cosine))
        low, high = np.interp((-0.087, 0.087), self.cosine, steps)
        return float((high - low) / 0.174)


def isotropic_cosine() -> FloatArray:
    """Return the nodes of an isotropic law."""
    return np.linspace(-1.0, 1.0, 3)


def bare_iodine_125() -> Emission:
    """Return a bare point of iodine-125."""
    return _emission("bare I-125", 0.0, I125_LINES, isotropic_cosine())


def emission_of(source: SourceModel) -> Emission:
    """Return the effective source of a seed model.

    Raises:
        DoseError: none was fitted to this model.
    """
    if source.model not in LAWS:
        raise DoseError(
            f"no effective source was fitted to seed model {source.model}; "
            f"there is one for {', '.join(LAWS)}"
        )
    silver_share, law = LAWS[source.model]
    return seed(source.model, source.active_length_cm, silver_share, np.array(law))


def seed(name: str, active_length_cm: float, silver_share: float, relative: FloatArray) -> Emission:
    """Return the effective line source of an iodine seed.

    Args:
        name: of the model.
        active_length_cm: of the line.
        silver_share: share of silver's K lines in the photons that leave.
        relative: (n,) photons for each solid angle at equally spaced angles from 0 to 90
            degrees to the axis, any unit.

    Raises:
        DoseError: the law is not positive.
    """
    law = np.asarray(relative, dtype=np.float64)
    if law.ndim != 1 or len(law) < 2 or not (law > 0).all() or not 0 <= silver_share < 1:
        raise DoseError(f"{name}: a law of emission has positive values from 0 to 90 degrees")
    cosine = np.linspace(-1.0, 1.0, 2001)
    angle = np.degrees(np.arccos(np.abs(cosine)))
    density = np.interp(angle, np.linspace(0.0, 90.0, len(law)), law)
    summed = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2.0)))
    nodes = np.interp(np.linspace(0.0, 1.0, 1025), summed / summed[-1], cosine)
    total = sum(share for _, share in I125_LINES)
    lines = [(e, (1 - silver_share) * share / total) for e, share in I125_LINES]
    lines += [(e, silver_share * share) for e, share in SILVER_LINES]
    return _emission(name, active_length_cm / 2.0, tuple(lines), nodes)


def _emission(
    name: str, half_length_cm: float, lines: tuple[tuple[float, float], ...], cosine: FloatArray
) -> Emission:
    energy, share = np.array(sorted(lines)).T
    return Emission(name, half_length_cm, energy, share / share.sum(), cosine)
