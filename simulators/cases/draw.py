"""From a recipe to a case."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from simulators.cases.case import Case
from simulators.cases.library import LIBRARY
from simulators.cases.others import draw_others
from simulators.cases.room import Room
from simulators.cases.seeds import SeedLayer
from simulators.cases.tracks import NoRoomError, Tracks, draw_needles
from simulators.patient import draw_anatomy, draw_placement

# Target volume: a seed is given so much, and the needles some.
CC_PER_SEED, LEAST_CC, MOST_CC = 1.0, 12.0, 118.0
PATIENTS_TRIED = 40


def draw_named(name: str, seed: int = 1, level: str | None = None) -> Case:
    """Draw a case of the library; the same arguments give the same case.

    Args:
        name: one of ``LIBRARY``.
        seed: of all randomness: another seed, another patient and implant.
        level: of the spine, if not the recipe's own.

    Raises:
        ValueError: no such case or level, or no patient in whom it fits was drawn.
    """
    if name not in LIBRARY:
        raise ValueError(f"case {name!r}: choose one of {', '.join(LIBRARY)}")
    if seed < 0:
        raise ValueError(f"seed {seed}: choose 0 or more")
    recipe = LIBRARY[name] if level is None else replace(LIBRARY[name], level=level)
    for attempt in range(PATIENTS_TRIED):
        rng = np.random.default_rng((seed, zlib.crc32(name.encode()), attempt))
        target_cc = min(MOST_CC, max(LEAST_CC, CC_PER_SEED * recipe.seeds) * 1.03**attempt)
        anatomy = draw_anatomy(rng, recipe.level, target_cc)
        room, tracks = Room(), Tracks(recipe, anatomy, rng)
        try:
            needles = tuple(draw_needles(recipe, anatomy, tracks, room, rng))
            seeds = SeedLayer(recipe, anatomy, tracks, room, rng).lay(needles)
            others = tuple(draw_others(recipe, anatomy, room, rng))
        except NoRoomError:
            continue
        # Drawn last and apart, so that texture moves nothing.
        texture = np.random.default_rng((seed, zlib.crc32(name.encode()), attempt, 1))
        anatomy = replace(
            anatomy,
            trabeculae_hu=float(texture.uniform(60.0, 130.0)),
            chest=float(anatomy.level.startswith("T")),
        )
        return Case(name, seed, recipe, anatomy, draw_placement(rng), needles, seeds, others)
    raise ValueError(f"case {name!r} with seed {seed} fits into no patient: choose another seed")
