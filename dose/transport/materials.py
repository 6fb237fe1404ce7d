"""Media: elemental compositions and densities.

Compositions by mass from ICRU Report 44 (1989) and ICRU Report 46 (1992) for the tissues, ICRP
Publication 110 (2009) for spongiosa, NIST (dry air, water, PMMA). Bone cement is PMMA with 30 %
barium sulfate, as vertebroplasty cements are.
"""

from __future__ import annotations

from dataclasses import dataclass

from dose.errors import DoseError


@dataclass(frozen=True)
class Material:
    """A medium.

    Attributes:
        name: for tables and messages.
        density_g_cm3: nominal; a voxel may have its own.
        mass_fractions: (element symbol, share) pairs; the shares sum to 1.
    """

    name: str
    density_g_cm3: float
    mass_fractions: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        """Check that it is one whole."""
        total = sum(share for _, share in self.mass_fractions)
        if abs(total - 1.0) > 5e-3:
            raise DoseError(f"the composition of {self.name} sums to {total:.4f}, not 1")
        if not self.density_g_cm3 > 0:
            raise DoseError(f"the density of {self.name} must be positive")


def _material(name: str, density_g_cm3: float, **shares: float) -> Material:
    total = sum(shares.values())
    return Material(name, density_g_cm3, tuple((e, s / total) for e, s in shares.items()))


WATER = _material("water", 1.0, H=0.111898, O=0.888102)
AIR = _material("air", 0.001205, C=0.000124, N=0.755268, O=0.231781, Ar=0.012827)
LUNG = _material(
    *("lung", 0.26), H=0.103, C=0.105, N=0.031, O=0.749,
    Na=0.002, P=0.002, S=0.003, Cl=0.003, K=0.002,
)  # fmt: skip
ADIPOSE = _material(
    *("adipose", 0.95), H=0.114, C=0.598, N=0.007, O=0.278, Na=0.001, S=0.001, Cl=0.001
)
MUSCLE = _material(
    *("muscle", 1.05), H=0.102, C=0.143, N=0.034, O=0.710,
    Na=0.001, P=0.002, S=0.003, Cl=0.001, K=0.004,
)  # fmt: skip
SOFT_TISSUE = _material(
    *("soft tissue", 1.06), H=0.102, C=0.143, N=0.034, O=0.708,
    Na=0.002, P=0.003, S=0.003, Cl=0.002, K=0.003,
)  # fmt: skip
SPONGIOSA = _material(
    *("spongiosa", 1.18), H=0.085, C=0.404, N=0.028, O=0.367, Na=0.001, Mg=0.001,
    P=0.034, S=0.002, Cl=0.002, K=0.001, Ca=0.074, Fe=0.001,
)  # fmt: skip
CORTICAL = _material(
    *("cortical bone", 1.92), H=0.034, C=0.155, N=0.042, O=0.435,
    Na=0.001, Mg=0.002, P=0.103, S=0.003, Ca=0.225,
)  # fmt: skip
TITANIUM = _material("titanium", 4.54, Ti=1.0)
# AISI 304, of which needles are made.
STEEL = _material("steel", 8.0, Fe=0.695, Cr=0.19, Ni=0.095, Mn=0.02)
SILVER = _material("silver", 10.5, Ag=1.0)
CEMENT = _material(*("bone cement", 1.5), H=0.0564, C=0.4199, O=0.3061, Ba=0.1765, S=0.0411)


def mixed(name: str, one: Material, other: Material, share: float) -> Material:
    """Return a mixture: ``share`` of its mass is ``other``."""
    parts = dict.fromkeys([e for m in (one, other) for e, _ in m.mass_fractions], 0.0)
    for material, part in ((one, 1.0 - share), (other, share)):
        for element, fraction in material.mass_fractions:
            parts[element] += part * fraction
    density = 1.0 / ((1.0 - share) / one.density_g_cm3 + share / other.density_g_cm3)
    return _material(name, density, **parts)


# What a structure can be said to be.
BY_NAME: dict[str, Material] = {
    m.name: m
    for m in (
        WATER, AIR, LUNG, ADIPOSE, MUSCLE, SOFT_TISSUE, SPONGIOSA, CORTICAL, CEMENT, TITANIUM,
        SILVER, STEEL,
    )
}  # fmt: skip
