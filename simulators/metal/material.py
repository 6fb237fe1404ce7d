"""Materials and how they attenuate x rays.

Mass attenuation coefficients (photoabsorption, coherent and incoherent scattering) come from
Elam, Ravel and Sieber (2002), Radiat Phys Chem 63:121, through the package xraydb. Compositions
by mass: water; cortical bone of ICRU Report 44; stainless steel AISI 304 without its traces;
bone cement as polymethyl methacrylate with 30 % barium sulphate, as cements for vertebroplasty
have it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xraydb
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """A material.

    Attributes:
        density: g/cm3.
        parts: (element, fraction by mass) of each.
    """

    density: float
    parts: tuple[tuple[str, float], ...]


_CEMENT_BASE = (("C", 0.5998), ("H", 0.0805), ("O", 0.3196))
_BARIUM_SULPHATE = (("Ba", 0.5884), ("S", 0.1374), ("O", 0.2742))

# The order is that of the columns of path lengths in the scanner: water and bone first, since
# the patient is made of these two.
MATERIALS: dict[str, Material] = {
    "water": Material(1.0, (("H", 0.1119), ("O", 0.8881))),
    "bone": Material(
        1.92,
        (
            ("H", 0.034), ("C", 0.155), ("N", 0.042), ("O", 0.435), ("Na", 0.001),
            ("Mg", 0.002), ("P", 0.103), ("S", 0.003), ("Ca", 0.225),
        ),
    ),
    "titanium": Material(4.51, (("Ti", 1.0),)),
    "silver": Material(10.49, (("Ag", 1.0),)),
    "steel": Material(7.93, (("Fe", 0.71), ("Cr", 0.19), ("Ni", 0.10))),
    "gold": Material(19.3, (("Au", 1.0),)),
    "cement": Material(
        1.45,
        (
            *((e, 0.7 * w) for e, w in _CEMENT_BASE),
            *((e, 0.3 * w) for e, w in _BARIUM_SULPHATE),
        ),
    ),
}  # fmt: skip
WATER, BONE = 0, 1


def index_of(name: str) -> int:
    """Return the column of a material."""
    return list(MATERIALS).index(name)


def attenuation(energies_kev: FloatArray) -> FloatArray:
    """Return mass attenuation coefficients in cm2/g, (materials, energies)."""
    energies_ev = np.asarray(energies_kev) * 1000.0
    return np.array(
        [
            sum(share * xraydb.mu_elam(element, energies_ev) for element, share in m.parts)
            for m in MATERIALS.values()
        ]
    )
