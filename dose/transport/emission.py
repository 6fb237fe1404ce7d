"""What comes out of a seed: lines, and the directions in which they leave.

The inside of a seed is not transported. Its photons start on a line of the active length, with
the spectrum that the seed lets out and a law of direction that makes its TG-43 anisotropy in
water. What this reaches, and where it misses, stands in docs/validation.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.sources import SourceModel
from dose.transport.coefficients import ENERGIES_KEV, coefficients
from dose.transport.engine import Shining
from dose.transport.materials import AIR

FloatArray = NDArray[np.float64]

Lines = tuple[tuple[float, float], ...]

# Energies (keV) and photons for each decay. I-125 and Pd-103 from TG-43U1 (Rivard et al., Med.
# Phys. 31, 633, 2004, table XIII), lines above 40 keV left out (4e-4 of Pd-103's photons); Cs-131
# from NuDat 2.6 (Khazov et al. 2006), as CLRP's spectra have it.
LINES: dict[str, Lines] = {
    "I-125": ((27.202, 0.406), (27.472, 0.757), (30.98, 0.202), (31.71, 0.0439), (35.492, 0.0668)),
    "Pd-103": ((20.074, 0.224), (20.216, 0.423), (22.72, 0.104), (23.18, 0.0194), (39.75, 0.00068)),
    "Cs-131": (
        *((29.461, 0.211), (29.782, 0.389)),
        *((33.562, 0.0363), (33.624, 0.0702), (34.419, 0.0213)),
    ),
}
# Lines that soften the spectrum, their share fitted to g_L: the K lines of silver for I-125 (the
# 6711 has a silver rod; in other seeds they stand in for what the capsule does), the K-alpha
# lines alone for the others.
SOFT_LINES: dict[str, Lines] = {
    "I-125": ((22.1, 0.83), (25.0, 0.17)),
    "Pd-103": ((20.074, 0.224), (20.216, 0.423)),
    "Cs-131": ((29.461, 0.211), (29.782, 0.389)),
}
# Air kerma for the strength does not count what lies below (U1S1, delta = 5 keV).
CUT_KEV = 5.0
# Sine of half the angle that NIST's wide-angle free-air chamber sees, 7.6 degrees (Seltzer et
# al., J. Res. Natl. Inst. Stand. Technol. 108, 337, 2003).
ACROSS = 0.132
GY_PER_KEV_G = 1.602176634e-13


@dataclass(frozen=True, eq=False)
class Part:
    """Photons that leave a stretch of the axis of a seed evenly.

    Attributes:
        photons: how many, in the unit of the other parts.
        from_cm: where it begins, from the middle of the seed along its axis.
        to_cm: where it ends; the same for a point.
        line_share: (k,) photons of each line; they sum to 1.
        cosine: (m,) cosines to the axis at equal steps of probability from -1 to 1.
    """

    photons: float
    from_cm: float
    to_cm: float
    line_share: FloatArray
    cosine: FloatArray

    def density(self) -> FloatArray:
        """Return photons for each solid angle over their mean, at 401 cosines from -1 to 1."""
        at = np.linspace(-1.0, 1.0, 401)
        edges = np.clip(np.stack((at - 0.0025, at + 0.0025)), -1.0, 1.0)
        steps = np.linspace(0.0, 1.0, len(self.cosine))
        low, high = np.interp(edges, self.cosine, steps)
        return np.asarray(2.0 * (high - low) / (edges[1] - edges[0]))

    def density_across(self) -> float:
        """Return the probability density of the cosine near 0, as wide as strength is measured."""
        steps = np.linspace(0.0, 1.0, len(self.cosine))
        low, high = np.interp((-ACROSS, ACROSS), self.cosine, steps)
        return float((high - low) / (2.0 * ACROSS))


@dataclass(frozen=True, eq=False)
class Emission:
    """An effective source.

    Attributes:
        name: of the seed model or spectrum.
        line_kev: (k,) energies.
        parts: where the photons start, with which energies, and how they point.
    """

    name: str
    line_kev: FloatArray
    parts: tuple[Part, ...]

    def air_kerma_gy_cm2(self) -> float:
        """Return air kerma times squared distance for each photon, across the axis, in vacuum.

        That is the air-kerma strength of one photon (TG-43U1 Eq. 2): fluence across the axis
        times energy times mu_en/rho of air. 1 U is 1e-2 Gy cm^2/h.
        """
        mu_en = np.interp(self.line_kev, ENERGIES_KEV, coefficients(AIR).mu_en)
        worth = np.where(self.line_kev > CUT_KEV, self.line_kev * mu_en, 0.0) * GY_PER_KEV_G
        kerma = sum(
            p.photons * p.density_across() * float(p.line_share @ worth) for p in self.parts
        )
        return kerma / (2.0 * np.pi) / self.photons

    @property
    def photons(self) -> float:
        """Photons of all parts, in their unit."""
        return sum(p.photons for p in self.parts)

    def shining(self) -> Shining:
        """Return the tables for the transport."""
        share = np.array([p.photons for p in self.parts]) / self.photons
        # What is cumulated must not end below a random number.
        return Shining(
            np.cumsum(share) * (1.0 + 1e-12),
            np.array([(p.from_cm, p.to_cm) for p in self.parts]),
            np.stack([p.cosine for p in self.parts]),
            np.stack([p.density() for p in self.parts]),
            self.line_kev,
            np.cumsum([p.line_share for p in self.parts], axis=1) * (1.0 + 1e-12),
        )


def bare_iodine_125() -> Emission:
    """Return a bare point of iodine-125."""
    return of_lines("bare I-125", LINES["I-125"])


@cache
def _laws() -> dict[str, dict[str, Any]]:
    text = resources.files("dose.transport").joinpath("data/emission.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def reached(source: SourceModel) -> str:
    """Say how well the effective source of a model makes its TG-43 data in water."""
    law = _laws()[source.model]
    return (
        f"In water the effective source of {source.model} gives "
        f"Lambda {law['lambda_percent']:+.1f} %, g_L within {law['g_l_percent']:.1f} % and F "
        f"(over 12 degrees from the axis) within {law['f_percent']:.1f} % of TG-43, "
        "0.5 to 5 cm from the seed."
    )


@cache
def emission_of(source: SourceModel) -> Emission:
    """Return the effective source of a seed model.

    Raises:
        DoseError: none was fitted to this model.
    """
    laws = _laws()
    if source.model not in laws:
        raise DoseError(
            f"no effective source was fitted to seed model {source.model}; there is one for "
            f"{', '.join(laws)}. Use TG-43 for it"
        )
    soft_share, law = laws[source.model]["soft_share"], laws[source.model]["law"]
    return seed(source.model, source.nuclide, source.active_length_cm, soft_share, np.array(law))


def seed(
    name: str, nuclide: str, active_length_cm: float, soft_share: float, relative: FloatArray
) -> Emission:
    """Return the effective line source of a seed.

    Args:
        name: of the model.
        nuclide: one of ``LINES``.
        active_length_cm: of the line.
        soft_share: share of the softening lines in the photons that leave.
        relative: (n,) photons for each solid angle at equally spaced angles from 0 to 90
            degrees to the axis, any unit.

    Raises:
        DoseError: the law is not positive, or the nuclide's spectrum is not known.
    """
    law = np.asarray(relative, dtype=np.float64)
    if law.ndim != 1 or len(law) < 2 or not (law > 0).all() or not 0 <= soft_share < 1:
        raise DoseError(f"{name}: a law of emission has positive values from 0 to 90 degrees")
    if nuclide not in LINES:
        raise DoseError(f"{name}: the photons of {nuclide} are not known to the transport")
    cosine = np.linspace(-1.0, 1.0, 2001)
    angle = np.degrees(np.arccos(np.abs(cosine)))
    density = np.interp(angle, np.linspace(0.0, 90.0, len(law)), law)
    summed = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2.0)))
    nodes = np.interp(np.linspace(0.0, 1.0, 1025), summed / summed[-1], cosine)
    hard, soft = _shares(LINES[nuclide]), _shares(SOFT_LINES[nuclide])
    lines = [(e, (1 - soft_share) * share) for e, share in hard]
    lines += [(e, soft_share * share) for e, share in soft]
    return of_lines(name, tuple(lines), half_length_cm=active_length_cm / 2.0, cosine=nodes)


def _shares(lines: Lines) -> Lines:
    total = sum(share for _, share in lines)
    return tuple((energy, share / total) for energy, share in lines)


def of_lines(
    name: str,
    lines: Lines,
    *,
    half_length_cm: float = 0.0,
    cosine: FloatArray | None = None,
) -> Emission:
    """Return a source of given lines; an isotropic point if nothing else is said."""
    energy, share = np.array(sorted(lines)).T
    law = np.linspace(-1.0, 1.0, 3) if cosine is None else cosine
    return Emission(
        name, energy, (Part(1.0, -half_length_cm, half_length_cm, share / share.sum(), law),)
    )
