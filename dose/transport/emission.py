"""What comes out of a seed: lines, and the directions in which they leave.

The inside of a seed is not transported. Its photons start on two halves of a line of the active
length, mirror images of one another, and where a model wants it at the two ends. The nuclide's
lines and the softer ones have each a law of direction, fitted to the model's TG-43 data in water
(``benchmarks/emission.py``). What this reaches, and where it misses, stands in docs/validation.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
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
# Lines that soften the spectrum, their share and their law fitted: the K lines of silver for
# I-125 (the 6711 has a silver rod; in other seeds they stand in for what the capsule does), the
# K-alpha lines alone for the others.
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
# How far an effective source may miss g_L and F of its model (0.5 to 5 cm, over 12 degrees), and
# how far Lambda of its own photons may lie from the published one that it is then set to.
MOST_PERCENT, MOST_LAMBDA_PERCENT = 2.0, 5.0
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
        calibration: photons for a strength, over what their air kerma says: with it dose in
            water at 1 cm across the axis is Lambda of the model's TG-43 data.
    """

    name: str
    line_kev: FloatArray
    parts: tuple[Part, ...]
    calibration: float = 1.0

    def air_kerma_gy_cm2(self) -> float:
        """Return air kerma times squared distance for each photon, across the axis, in vacuum.

        That is the air-kerma strength of one photon (TG-43U1 Eq. 2): fluence across the axis
        times energy times mu_en/rho of air, over the calibration. 1 U is 1e-2 Gy cm^2/h.
        """
        mu_en = np.interp(self.line_kev, ENERGIES_KEV, coefficients(AIR).mu_en)
        worth = np.where(self.line_kev > CUT_KEV, self.line_kev * mu_en, 0.0) * GY_PER_KEV_G
        kerma = sum(
            p.photons * p.density_across() * float(p.line_share @ worth) for p in self.parts
        )
        return kerma / (2.0 * np.pi) / self.photons / self.calibration

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
        f"In water the effective source of {source.model} gives g_L within "
        f"{law['g_l_percent']:.1f} % and F (over 12 degrees from the axis) within "
        f"{law['f_percent']:.1f} % of TG-43, 0.5 to 5 cm from the seed. Its photons for a "
        f"strength are those of the published Lambda; their air kerma alone would give "
        f"{law['lambda_percent']:+.1f} %."
    )


def emission_of(source: SourceModel, research_models: Collection[str] = ()) -> Emission:
    """Return the effective source of a seed model.

    Args:
        source: the model.
        research_models: models that are wanted although theirs misses more than is allowed.

    Raises:
        DoseError: none was fitted to this model, or it misses the model's TG-43 data by more
            than ``MOST_PERCENT``, or Lambda by more than ``MOST_LAMBDA_PERCENT``.
    """
    laws = _laws()
    if source.model not in laws:
        raise DoseError(
            f"no effective source was fitted to seed model {source.model}; there is one for "
            f"{', '.join(laws)}. Use TG-43 for it"
        )
    found = laws[source.model]
    missed = max(found["g_l_percent"], found["f_percent"])
    own_lambda = found["lambda_percent"]
    too_far = missed > MOST_PERCENT or abs(own_lambda) > MOST_LAMBDA_PERCENT
    if too_far and source.model not in research_models:
        raise DoseError(
            f"the effective source of seed model {source.model} misses its TG-43 data: g_L by up "
            f"to {found['g_l_percent']:.1f} %, F by up to {found['f_percent']:.1f} % (at most "
            f"{MOST_PERCENT:g} % are allowed), Lambda of its own photons by {own_lambda:+.1f} % "
            f"({MOST_LAMBDA_PERCENT:g} %). Use TG-43 for it, or name it in the configuration "
            "under modelled.research_models"
        )
    return _of_model(source)


@cache
def _of_model(source: SourceModel) -> Emission:
    found = _laws()[source.model]
    stretches = tuple(Stretch(**s) for s in found["stretches"])
    return seed(
        source.model, source.nuclide, stretches, 1.0 / (1.0 + found["lambda_percent"] / 100)
    )


@dataclass(frozen=True)
class Stretch:
    """A stretch of a seed's axis and its mirror image, with one law of direction.

    Attributes:
        lines: ``own`` for the nuclide's, ``soft`` for the softening ones.
        from_cm: where it begins, from the middle of the seed.
        to_cm: where it ends; the same for a point.
        angle_deg: ascending, to the axis that points to this side.
        law: photons for each solid angle there, in the unit of the other stretches, linear in
            between; beyond the last angle nothing leaves.
    """

    lines: str
    from_cm: float
    to_cm: float
    angle_deg: Sequence[float]
    law: Sequence[float]


def seed(
    name: str, nuclide: str, stretches: Sequence[Stretch], calibration: float = 1.0
) -> Emission:
    """Return the effective source of a seed.

    Args:
        name: of the model.
        nuclide: one of ``LINES``.
        stretches: what shines.
        calibration: photons for a strength, over what their air kerma says.

    Raises:
        DoseError: a law is negative or nothing, or the nuclide's spectrum is not known.
    """
    if nuclide not in LINES:
        raise DoseError(f"{name}: the photons of {nuclide} are not known to the transport")
    kinds = {"own": LINES[nuclide], "soft": SOFT_LINES[nuclide]}
    line_kev = np.array(sorted({energy for lines in kinds.values() for energy, _ in lines}))
    cosine = np.linspace(-1.0, 1.0, 4001)
    angle = np.degrees(np.arccos(cosine))
    parts = []
    for stretch in stretches:
        law = np.interp(angle, stretch.angle_deg, stretch.law)
        law[angle > stretch.angle_deg[-1]] = 0.0
        if not (law >= 0).all() or not law.any():
            raise DoseError(
                f"{name}: a law of emission is nowhere negative, and somewhere positive"
            )
        photons, share = float(np.trapezoid(law, cosine)), dict(_shares(kinds[stretch.lines]))
        line_share = np.array([share.get(energy, 0.0) for energy in line_kev])
        nodes = _nodes(cosine, law)
        for side, cosines in ((1.0, nodes), (-1.0, -nodes[::-1])):
            ends = side * stretch.from_cm, side * stretch.to_cm
            parts.append(Part(photons, *ends, line_share, cosines))
    return Emission(name, line_kev, tuple(parts), calibration)


def _nodes(cosine: FloatArray, law: FloatArray) -> FloatArray:
    """Return the cosines at equal steps of probability."""
    summed = np.concatenate(([0.0], np.cumsum((law[1:] + law[:-1]) / 2.0)))
    first = np.searchsorted(summed, 0.0, side="right") - 1
    return np.interp(np.linspace(0.0, 1.0, 1025), summed[first:] / summed[-1], cosine[first:])


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
