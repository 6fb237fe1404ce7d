"""Structures: closed planar contours or masks, their volumes, sample points and distances."""

from dose.structures.planes import plane_stack
from dose.structures.sampling import Samples, mask_samples, sample, signed_distance_mm
from dose.structures.structure import Structure

__all__ = ["Samples", "Structure", "mask_samples", "plane_stack", "sample", "signed_distance_mm"]
