"""Look-alikes in and on the patient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulators.cases.case import Lookalike
from simulators.cases.recipe import Recipe
from simulators.cases.room import Room
from simulators.cases.tracks import TRIES, NoRoomError, across, in_target, skin
from simulators.metal import ball, cylinder, ellipsoid, lump, marker, pedicle_screw, rod
from simulators.metal import clip as clip_solids
from simulators.patient import Anatomy

FloatArray = NDArray[np.float64]


def draw_others(
    recipe: Recipe, anatomy: Anatomy, room: Room, rng: np.random.Generator
) -> Iterator[Lookalike]:
    """Yield everything that the recipe names beside needles and seeds."""
    yield from _screws(recipe, anatomy, rng)
    yield from _cement(recipe, anatomy, room, rng)
    yield from _skin(recipe, anatomy, rng)
    yield from _calcium(recipe, anatomy, room, rng)
    for _ in range(recipe.gold):
        centre = _free(anatomy, room, rng, 3.5)
        axis = across(np.array((0.0, 0.0, 1.0)), rng.uniform(0.0, 2.0 * np.pi))
        yield Lookalike("gold marker", centre, tuple(marker(centre, axis)))
    for _ in range(recipe.clips):
        centre = _free(anatomy, room, rng, 6.5)
        axis = across(np.array((1.0, 0.0, 0.0)), rng.uniform(0.0, 2.0 * np.pi))
        side = across(axis, rng.uniform(0.0, 2.0 * np.pi))
        yield Lookalike("clip", centre, tuple(clip_solids(centre, axis, side)))


def _screws(recipe: Recipe, anatomy: Anatomy, rng: np.random.Generator) -> Iterator[Lookalike]:
    """Screw the neighbours: first away from the target, with a rod, then on its side."""
    away = -float(np.sign(anatomy.lesion_centre[0]))
    heads = []
    places = [(away, 1.0), (away, -1.0), (-away, 1.0), (-away, -1.0)][: recipe.screws]
    for side, level in places:
        z = level * anatomy.vertebra_pitch + rng.uniform(-2.0, 2.0)
        out = anatomy.canal_radius + 4.5
        head = np.array((side * (out + 10.0), 12.0, z))
        tip = np.array((side * out * 0.55, -anatomy.canal_radius - 22.0, z + rng.uniform(-3, 3)))
        heads.append(head)
        yield Lookalike("screw", (tip + head) / 2.0, tuple(pedicle_screw(tip, head)))
    if len(heads) >= 2:
        back = np.array((0.0, 9.0, 0.0))
        over = np.array((0.0, 0.0, 6.0))
        start, end = heads[1] + back - over, heads[0] + back + over
        yield Lookalike("rod", (start + end) / 2.0, tuple(rod(start, end)))


def _cement(
    recipe: Recipe, anatomy: Anatomy, room: Room, rng: np.random.Generator
) -> Iterator[Lookalike]:
    """Fill a vertebral body, and let droplets leak around it."""
    body = np.array((0.0, -anatomy.canal_radius - anatomy.vertebra_half_depth, 0.0))
    for i in range(recipe.cement):
        if i == 0:
            diameter, centre = 11.0, body + rng.uniform(-4.0, 4.0, 3)
        else:
            diameter = rng.uniform(1.0, 3.5)
            centre = _free(anatomy, room, rng, diameter, 12.0)
        room.add_ball(centre, diameter)
        radii = diameter / 2.0 * np.array((1.0, *rng.uniform(0.7, 1.0, 2)))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        solid = ellipsoid(centre, radii, "cement", axes=turn)
        yield Lookalike("cement", centre, (solid,))


def _skin(recipe: Recipe, anatomy: Anatomy, rng: np.random.Generator) -> Iterator[Lookalike]:
    """Stick balls and wires on the skin of the back, near the middle."""
    for i in range(recipe.skin):
        angle = rng.uniform(-0.6, 0.6)
        outward = np.array((np.sin(angle), np.cos(angle), 0.0))
        inside = np.array((0.0, 0.0, anatomy.lesion_centre[2] + rng.uniform(-35.0, 35.0)))
        centre = skin(anatomy, inside, outward) + 1.2 * outward
        if i % 3 == 2:
            half = np.array((0.0, 0.0, rng.uniform(12.0, 30.0)))
            wire = cylinder(centre - half, centre + half, 0.9, "steel", displaced=0.0)
            yield Lookalike("skin wire", centre, (wire,))
        else:
            bead = ball(centre, rng.uniform(1.2, 2.3), "steel")
            yield Lookalike("skin marker", centre, (bead,))


def _calcium(
    recipe: Recipe, anatomy: Anatomy, room: Room, rng: np.random.Generator
) -> Iterator[Lookalike]:
    """Plaques in the wall of the aorta, and lumps in soft tissue."""
    for i in range(recipe.calcium):
        density = float(rng.uniform(1.35, 1.95))
        if i % 2:
            x, y, radius = anatomy.aorta
            angle = rng.uniform(0.0, 2.0 * np.pi)
            z = anatomy.lesion_centre[2] + rng.uniform(-35.0, 35.0)
            centre = np.array((x + radius * np.cos(angle), y + radius * np.sin(angle), z))
            radii = np.array((rng.uniform(0.6, 1.4), rng.uniform(1.0, 3.5), rng.uniform(1.0, 4.0)))
        else:
            radii = np.sort(rng.uniform(0.5, 2.0, 3))
            centre = _free(anatomy, room, rng, 2.0 * float(radii.max()), 10.0)
            room.add_ball(centre, 2.0 * float(radii.max()))
        yield Lookalike("calcium", centre, tuple(lump(centre, radii, density)))


def _free(
    anatomy: Anatomy,
    room: Room,
    rng: np.random.Generator,
    diameter: float,
    beyond_mm: float = 4.0,
) -> FloatArray:
    """Return a place in or around the target where a ball of a diameter lies free."""
    share = 1.0 + beyond_mm / float(np.mean(anatomy.lesion_radii))
    for _ in range(TRIES):
        centre = in_target(anatomy, rng, share)
        clear = np.hypot(centre[0], centre[1]) > anatomy.canal_radius + diameter / 2.0
        if clear and room.ball_fits(centre, diameter):
            room.add_ball(centre, diameter)
            return centre
    raise NoRoomError(f"no room for a ball of {diameter:.1f} mm")
