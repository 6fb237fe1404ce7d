"""What the virtual scanner sees of metal and mineral: exact solids of known materials."""

from simulators.metal.lookalike import cement_droplet, clip, lump, marker, pedicle_screw, rod
from simulators.metal.material import MATERIALS, attenuation
from simulators.metal.needle import NeedleShape, needle_solids, straight
from simulators.metal.seed import SEED_MODELS, seed_solids
from simulators.metal.solid import Solid, ball, cylinder, ellipsoid

__all__ = [
    "MATERIALS",
    "SEED_MODELS",
    "NeedleShape",
    "Solid",
    "attenuation",
    "ball",
    "cement_droplet",
    "clip",
    "cylinder",
    "ellipsoid",
    "lump",
    "marker",
    "needle_solids",
    "pedicle_screw",
    "rod",
    "seed_solids",
    "straight",
]
