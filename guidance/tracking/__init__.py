"""Needles and seeds: planned, counted and seen, matched to each other."""

from guidance.tracking.implant import Clearance, ImplantSeed, NeedleTrack
from guidance.tracking.needles import counted_position, track_needles
from guidance.tracking.seeds import match_seeds

__all__ = [
    "Clearance",
    "ImplantSeed",
    "NeedleTrack",
    "counted_position",
    "match_seeds",
    "track_needles",
]
