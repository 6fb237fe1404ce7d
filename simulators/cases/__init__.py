"""Named cases from easy to cruel: generated, never stored, the truth beside them."""

from simulators.cases.case import Case, Lookalike, PlacedSeed
from simulators.cases.draw import draw_named
from simulators.cases.generate import Background, Scan, generate
from simulators.cases.library import HARD, LIBRARY
from simulators.cases.recipe import Recipe

__all__ = [
    "HARD",
    "LIBRARY",
    "Background",
    "Case",
    "Lookalike",
    "PlacedSeed",
    "Recipe",
    "Scan",
    "draw_named",
    "generate",
]
