"""The virtual patient's body."""

from simulators.patient.anatomy import Anatomy, draw_anatomy
from simulators.patient.placement import draw_placement

__all__ = ["Anatomy", "draw_anatomy", "draw_placement"]
