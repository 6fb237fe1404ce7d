"""Needles and seeds: planned, counted and seen, matched to each other."""

from guidance.tracking.ahead import Surroundings, line_ahead
from guidance.tracking.body import outside_body
from guidance.tracking.implant import Clearance, Encounter, ImplantSeed, NeedleTrack, Sighting
from guidance.tracking.needles import counted_position, track_needles
from guidance.tracking.seeds import match_seeds

__all__ = [
    "Clearance",
    "Encounter",
    "ImplantSeed",
    "NeedleTrack",
    "Sighting",
    "Surroundings",
    "counted_position",
    "line_ahead",
    "match_seeds",
    "outside_body",
    "track_needles",
]
