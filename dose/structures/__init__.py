"""Structures: closed planar contours, their volumes and sample points."""

from dose.structures.structure import Structure

__all__ = ["Structure"]
