"""Biologically effective dose of a decaying implant and of fractions, after Dale.

Sublethal damage is repaired while the dose comes slowly, so a permanent implant of iodine-125
weighs little more than its physical dose. The numbers are context for a person; what repair and
sensitivity a patient's cord has, nobody knows.

Sources: R. G. Dale, Br. J. Radiol. 58, 515 (1985) and 62, 241 (1989); AAPM TG-137 (Nath et al.,
Med. Phys. 36, 5310, 2009); K. K. Ang et al., Int. J. Radiat. Oncol. 23, 285 (1992) for two
components of repair in the cord.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dose.errors import DoseError


@dataclass(frozen=True)
class Tissue:
    """How a tissue answers to dose.

    Attributes:
        name: for messages and tables.
        alpha_beta_gy: of the linear-quadratic model.
        repair: (half-time in h, share) of each component of repair; the shares sum to 1.
        alpha_per_gy: only for repopulation.
        doubling_days: potential doubling time; infinite where nothing grows.
    """

    name: str
    alpha_beta_gy: float
    repair: tuple[tuple[float, float], ...]
    alpha_per_gy: float = 0.0
    doubling_days: float = math.inf

    def __post_init__(self) -> None:
        """Check that the parameters make sense."""
        if not self.alpha_beta_gy > 0:
            raise DoseError(f"{self.name}: alpha/beta must be positive, not {self.alpha_beta_gy}")
        if not self.repair or any(not (h > 0 and share > 0) for h, share in self.repair):
            raise DoseError(f"{self.name}: repair needs half-times and shares above zero")
        if abs(sum(share for _, share in self.repair) - 1.0) > 1e-6:
            raise DoseError(f"{self.name}: the shares of repair must sum to 1")
        if math.isfinite(self.doubling_days) and not self.alpha_per_gy > 0:
            raise DoseError(f"{self.name}: repopulation needs alpha")

    @classmethod
    def parsed(
        cls,
        name: str,
        alpha_beta_gy: float,
        repair: str,
        alpha_per_gy: float = 0.0,
        doubling_days: float = math.inf,
    ) -> Tissue:
        """Build from repair written as ``0.7:0.37,3.8:0.63``: half-time in h, share.

        The share of a single component may be left out.

        Raises:
            DoseError: repair is not written so, or the parameters make no sense.
        """
        parts = [part.partition(":") for part in repair.split(",")]
        try:
            read = tuple((float(hours), float(share or 1.0)) for hours, _, share in parts)
        except ValueError:
            raise DoseError(
                "repair is written HALF-TIME:SHARE, in hours, such as 1.5 or 0.7:0.37,3.8:0.63, "
                f"not {repair!r}"
            ) from None
        return cls(name, alpha_beta_gy, read, alpha_per_gy, doubling_days)

    def described(self) -> str:
        """Return the parameters in one line."""
        components = " and ".join(f"{h:g} h ({100 * share:g} %)" for h, share in self.repair)
        text = f"{self.name}: alpha/beta {self.alpha_beta_gy:g} Gy, repair half-time {components}"
        if math.isfinite(self.doubling_days):
            text += f", alpha {self.alpha_per_gy:g}/Gy, doubling {self.doubling_days:g} d"
        return text


# Late effects of the cord: alpha/beta 2 Gy, Ang's two components.
CORD = Tissue("spinal cord", 2.0, ((0.7, 0.37), (3.8, 0.63)))


FORMULA = (
    "implant: BED = D [1 + D lambda/(alpha/beta) sum w/(mu + lambda)]; "
    "n fractions of d: BED = n d [1 + d/(alpha/beta)]; EQD2 = BED / (1 + 2 Gy/(alpha/beta))"
)
REPOPULATION = "less ln2 T_eff/(alpha T_pot), T_eff = ln(R0 alpha T_pot/ln2)/lambda"
SOURCES = (
    "R. G. Dale, Br J Radiol 58:515 (1985), 62:241 (1989)",
    "AAPM TG-137 (Nath et al., Med Phys 36:5310, 2009)",
    "repair of the cord: K. K. Ang et al., Int J Radiat Oncol Biol Phys 23:285 (1992)",
)


@dataclass(frozen=True)
class Course:
    """A course of external beam.

    Attributes:
        fractions: their number.
        dose_gy: to the organ in each.
    """

    fractions: int
    dose_gy: float

    def __post_init__(self) -> None:
        """Check that there is a dose."""
        if self.fractions < 1 or not (math.isfinite(self.dose_gy) and self.dose_gy > 0):
            raise DoseError(f"{self.fractions} fractions of {self.dose_gy} Gy are no course")

    @classmethod
    def parsed(cls, text: str) -> Course:
        """Read a course written as ``10x3`` (fractions x Gy).

        Raises:
            DoseError: it is not written so.
        """
        number, _, dose = text.lower().partition("x")
        try:
            return cls(int(number), float(dose))
        except ValueError:
            raise DoseError(
                f"a course is written FRACTIONSxGY, such as 10x3, not {text!r}"
            ) from None


def bed_implant_gy(dose_gy: float, half_life_days: float, tissue: Tissue) -> float:
    """Return the BED of a permanent implant to full decay, Gy.

    BED = D [1 + D lambda / (alpha/beta) * sum_i w_i / (mu_i + lambda)], less the loss to
    repopulation up to the time at which the dose rate no longer outruns it (Dale 1989).

    Args:
        dose_gy: physical dose to full decay at the point.
        half_life_days: of the nuclide.
        tissue: its parameters.

    Raises:
        DoseError: a negative dose or no half-life.
    """
    if not (dose_gy >= 0 and half_life_days > 0):
        raise DoseError(f"{dose_gy} Gy with a half-life of {half_life_days} d has no BED")
    decay_per_h = math.log(2.0) / (24.0 * half_life_days)
    if math.isinf(tissue.doubling_days):
        return _bed_until(dose_gy, decay_per_h, tissue, math.inf)
    effective_h = 24.0 * effective_days(dose_gy, half_life_days, tissue)
    bed = _bed_until(dose_gy, decay_per_h, tissue, effective_h)
    return max(0.0, bed - _loss_per_h(tissue) * effective_h)


def effective_days(dose_gy: float, half_life_days: float, tissue: Tissue) -> float:
    """Return the effective treatment time of an implant, days (Dale 1989).

    That is how long its dose rate outruns repopulation; infinite where nothing grows.
    """
    if math.isinf(tissue.doubling_days):
        return math.inf
    decay_per_h = math.log(2.0) / (24.0 * half_life_days)
    outrun = dose_gy * decay_per_h / _loss_per_h(tissue)
    return math.log(outrun) / decay_per_h / 24.0 if outrun > 1.0 else 0.0


def _loss_per_h(tissue: Tissue) -> float:
    """Return the BED that repopulation makes up for in an hour, Gy."""
    return math.log(2.0) / (tissue.alpha_per_gy * tissue.doubling_days * 24.0)


def bed_fractions_gy(course: Course, tissue: Tissue) -> float:
    """Return the BED of a course with full repair between fractions: n d (1 + d/(alpha/beta))."""
    total = course.fractions * course.dose_gy
    return total * (1.0 + course.dose_gy / tissue.alpha_beta_gy)


def eqd2_gy(bed_gy: float, tissue: Tissue) -> float:
    """Return the dose in fractions of 2 Gy that has this BED: BED / (1 + 2/(alpha/beta))."""
    return bed_gy / (1.0 + 2.0 / tissue.alpha_beta_gy)


def cumulative_eqd2_gy(
    implant_gy: float, half_life_days: float, courses: Sequence[Course], tissue: Tissue
) -> float:
    """Return the EQD2 of an implant and earlier courses together, without credit for recovery.

    Adding the largest doses of courses that met different points is an upper bound.
    """
    bed = bed_implant_gy(implant_gy, half_life_days, tissue)
    bed += sum(bed_fractions_gy(course, tissue) for course in courses)
    return eqd2_gy(bed, tissue)


def _bed_until(dose_gy: float, decay_per_h: float, tissue: Tissue, hours: float) -> float:
    """Return BED of what decays until a time; Dale 1985, equation for a decaying source."""
    part = 1.0 - math.exp(-decay_per_h * hours)
    rate = dose_gy * decay_per_h
    extra = 0.0
    for half_time_h, share in tissue.repair:
        mu = math.log(2.0) / half_time_h
        if math.isclose(mu, decay_per_h, rel_tol=1e-6):
            mu *= 1.0 + 1e-5
        # Pairs of instants of the decaying dose rate, weighted by what is not repaired between.
        late = math.exp(-(mu + decay_per_h) * hours)
        twice = (1.0 - math.exp(-2.0 * decay_per_h * hours)) / (2.0 * decay_per_h)
        cross = (1.0 - late) / (mu + decay_per_h)
        extra += share * 2.0 * rate**2 / (mu - decay_per_h) * (twice - cross)
    return dose_gy * part + extra / tissue.alpha_beta_gy
