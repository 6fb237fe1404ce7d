"""The virtual patient's body."""

from simulators.patient.anatomy import Anatomy, draw_anatomy

__all__ = ["Anatomy", "draw_anatomy"]
