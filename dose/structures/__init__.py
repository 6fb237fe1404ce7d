"""Structures: closed planar contours, their volumes, sample points and distances."""

from dose.structures.sampling import Samples, sample, signed_distance_mm
from dose.structures.structure import Structure

__all__ = ["Samples", "Structure", "sample", "signed_distance_mm"]
