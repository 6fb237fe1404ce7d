"""Source strength: apparent activity, air-kerma strength, decay.

1 U = 1 uGy m^2/h = 1 cGy cm^2/h (AAPM TG-43U1, Med Phys 31:633, 2004).
"""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError

# Air-kerma strength of 1 mCi of apparent activity, U. I-125: 1.270 (AAPM TG-43, Med Phys
# 22:209, 1995); Pd-103: 1.293 (the same report).
U_PER_MCI = {"I-125": 1.270, "Pd-103": 1.293}
# mCi of what activities are written in; 1 mCi is 37 MBq.
_MCI = {"mci": 1.0, "mbq": 1.0 / 37.0}
# No seed for permanent implants is made as strong; what is typed above it is a slip.
STRONGEST_U = 10.0
HOURS_PER_DAY = 24.0


def air_kerma_strength_u(activity_mci: float, nuclide: str) -> float:
    """Return the air-kerma strength in U of an apparent activity in mCi.

    Raises:
        SeedError: the activity is not positive, or no conversion is known for the nuclide.
    """
    if not (math.isfinite(activity_mci) and activity_mci > 0):
        raise SeedError(f"apparent activity must be positive, not {activity_mci} mCi")
    if nuclide not in U_PER_MCI:
        raise SeedError(f"no conversion from mCi is known for {nuclide}; give the strength in U")
    return activity_mci * U_PER_MCI[nuclide]


def strength_u(text: str, nuclide: str) -> float:
    """Return the air-kerma strength in U of a strength as people write it, with its unit.

    A number alone is refused: U taken for mCi, or mCi for U, is 27 % off for I-125 and has
    happened often (US NRC Information Notice 2009-17).

    Args:
        text: such as ``0.6 U``, ``0.47 mCi`` or ``17.4 MBq``; mCi and MBq are of apparent activity.
        nuclide: such as ``I-125``; empty where it is not known, which leaves U alone.

    Raises:
        SeedError: it has no unit, or cannot be read, or is no strength of a seed.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]*)\s*", text)
    if found is None:
        raise SeedError(f"the strength {text.strip()!r} cannot be read; write it as 0.6 U")
    number, unit = float(found.group(1)), found.group(2).casefold()
    if not unit:
        raise SeedError(f"the strength {text.strip()} has no unit; write U, mCi or MBq behind it")
    if unit not in {"u", *_MCI}:
        raise SeedError(f"the unit {found.group(2)} is not known; write U, mCi or MBq")
    if not nuclide and unit != "u":
        raise SeedError(
            "the plan is not here, so its nuclide is not known; write the strength in U"
        )
    value = number if unit == "u" else air_kerma_strength_u(number * _MCI[unit], nuclide)
    if not 0 < value <= STRONGEST_U:
        raise SeedError(f"{value:g} U is no strength of a seed (above 0, at most {STRONGEST_U:g})")
    return value


def decayed_u(strength_u: float, days: float, half_life_days: float) -> float:
    """Return a strength in U after a number of days (negative: before)."""
    return strength_u * math.exp(-math.log(2.0) * days / half_life_days)


def mean_life_h(half_life_days: float) -> float:
    """Return the mean life in hours: dose to full decay is the initial rate times this."""
    return half_life_days * HOURS_PER_DAY / math.log(2.0)


def delivered_fraction(start_h: float, end_h: float, half_life_days: float) -> float:
    """Return the part of the full-decay dose given between two times after implant, hours."""
    life = mean_life_h(half_life_days)
    return math.exp(-start_h / life) - math.exp(-end_h / life)


def rate_per_h(dose_gy: ArrayLike, hours: float, half_life_days: float) -> NDArray[np.float64]:
    """Return the dose rate in Gy/h at a time after implant, from the dose to full decay."""
    life = mean_life_h(half_life_days)
    return np.asarray(dose_gy, dtype=np.float64) * (math.exp(-hours / life) / life)
