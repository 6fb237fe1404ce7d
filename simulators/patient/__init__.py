"""The virtual patient's body."""

from simulators.patient.anatomy import Anatomy, draw_anatomy
from simulators.patient.placement import draw_placement
from simulators.patient.series import read_background

__all__ = ["Anatomy", "draw_anatomy", "draw_placement", "read_background"]
