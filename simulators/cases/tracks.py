"""Tracks through the skin into the target, and needles along them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulators.cases.recipe import Recipe
from simulators.cases.room import Room
from simulators.metal import NeedleShape
from simulators.patient import Anatomy

FloatArray = NDArray[np.float64]

# Needles of one plan lie within so many degrees of each other, and so far apart.
FAN_DEG, APART_MM, CROSSING_APART_MM = 4.0, 3.0, 0.1
CANAL_CLEARANCE_MM = 1.5
TRIES = 4000


class NoRoomError(RuntimeError):
    """What the recipe asks for does not fit into the patient drawn."""


def across(direction: FloatArray, angle: float) -> FloatArray:
    """Return a unit vector at right angles to a direction, at an angle around it."""
    u = np.cross(direction, (0.0, 0.0, 1.0) if abs(direction[2]) < 0.9 else (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    return np.asarray(np.cos(angle) * u + np.sin(angle) * np.cross(direction, u))


def tilted(direction: FloatArray, degrees: float, rng: np.random.Generator) -> FloatArray:
    """Return a unit vector leaning by an angle to a side drawn at random."""
    side = across(direction, rng.uniform(0.0, 2.0 * np.pi))
    lean = np.radians(degrees)
    return np.asarray(np.cos(lean) * direction + np.sin(lean) * side)


def skin(anatomy: Anatomy, inside: FloatArray, outward: FloatArray) -> FloatArray:
    """Return where a ray from inside the body leaves it."""
    radii = np.array((anatomy.body_half_width, anatomy.body_half_depth))
    start = (inside[:2] - (0.0, anatomy.back_mm - anatomy.body_half_depth)) / radii
    step = outward[:2] / radii
    a, b, c = float(step @ step), float(start @ step), float(start @ start) - 1.0
    return np.asarray(inside + (-b + np.sqrt(b * b - a * c)) / a * outward)


def in_target(anatomy: Anatomy, rng: np.random.Generator, share: float) -> FloatArray:
    """Return a point at random in the middle share of the target."""
    while True:
        point = rng.uniform(-1.0, 1.0, 3)
        if float(point @ point) < 1.0:
            return np.asarray(anatomy.lesion_centre + share * point * anatomy.lesion_radii)


class Tracks:
    """Draws the directions of one plan."""

    def __init__(self, recipe: Recipe, anatomy: Anatomy, rng: np.random.Generator) -> None:
        """Draw the direction that all share."""
        self._recipe, self._rng = recipe, rng
        self._side = float(np.sign(anatomy.lesion_centre[0]))
        self._base = self._outward()

    def outward(self) -> FloatArray:
        """Return the direction of one track, out of the body."""
        if self._recipe.crossing or self._recipe.oblique_deg > 15.0:
            return self._outward()
        return tilted(self._base, self._rng.uniform(0.0, FAN_DEG), self._rng)

    def _outward(self) -> FloatArray:
        recipe = self._recipe
        approach = np.radians(self._rng.uniform(*recipe.approach_deg))
        rise = np.radians(self._rng.uniform(-recipe.oblique_deg, recipe.oblique_deg))
        flat = np.array((self._side * np.sin(approach), np.cos(approach), 0.0))
        return np.asarray(np.cos(rise) * flat + (0.0, 0.0, np.sin(rise)))


def draw_needles(
    recipe: Recipe, anatomy: Anatomy, tracks: Tracks, room: Room, rng: np.random.Generator
) -> Iterator[NeedleShape]:
    """Yield needles, each clear of the canal and of the others.

    Raises:
        NoRoomError: they do not fit.
    """
    left, apart = recipe.needles, CROSSING_APART_MM if recipe.crossing else APART_MM
    for _ in range(TRIES):
        if not left:
            return
        needle = _needle(recipe, anatomy, tracks, rng)
        if _clear(needle, anatomy) and room.needle_fits(needle, apart):
            room.add_needle(needle)
            left -= 1
            yield needle
    if left:
        raise NoRoomError(f"{left} needles do not fit")


def _needle(
    recipe: Recipe, anatomy: Anatomy, tracks: Tracks, rng: np.random.Generator
) -> NeedleShape:
    tip, outward = in_target(anatomy, rng, 0.8), tracks.outward()
    bend = np.zeros(3)
    if recipe.bend_mm is not None:
        bend = across(outward, rng.uniform(0.0, 2.0 * np.pi)) / rng.uniform(*recipe.bend_mm)
    return NeedleShape(
        tip=tip,
        entry=skin(anatomy, tip, outward),
        bend=bend,
        outside_mm=float(rng.uniform(35.0, 80.0)),
        stylet=recipe.stylets,
        bevel_deg=float(rng.uniform(18.0, 35.0)),
        bevel_turn_deg=float(rng.uniform(0.0, 360.0)),
    )


def _clear(needle: NeedleShape, anatomy: Anatomy) -> bool:
    points = needle.curve(40)
    away = np.hypot(points[:, 0], points[:, 1])
    return bool(np.all(away > anatomy.canal_radius + CANAL_CLEARANCE_MM))
