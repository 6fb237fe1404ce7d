"""Where the seeds of a case lie: along tracks, in pairs, in and beside bone, ahead of tips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators.cases.case import PlacedSeed
from simulators.cases.recipe import Recipe
from simulators.cases.room import SLACK_MM, Room
from simulators.cases.tracks import TRIES, NoRoomError, Tracks, across, in_target, tilted
from simulators.metal import NeedleShape
from simulators.metal.seed import DIAMETER_MM, LENGTH_MM
from simulators.patient import Anatomy

FloatArray = NDArray[np.float64]

# A seed drifts from its track and turns in it, one standard deviation.
DRIFT_MM, TURN_DEG = 0.8, 6.0
APART_MM = 0.9
BONE_HU = 150.0


class SeedLayer:
    """Lays the seeds of one case."""

    def __init__(
        self,
        recipe: Recipe,
        anatomy: Anatomy,
        tracks: Tracks,
        room: Room,
        rng: np.random.Generator,
    ) -> None:
        """Take what the seeds depend on."""
        self._recipe, self._anatomy, self._tracks = recipe, anatomy, tracks
        self._room, self._rng = room, rng
        self.seeds: list[PlacedSeed] = []

    def lay(self, needles: tuple[NeedleShape, ...]) -> tuple[PlacedSeed, ...]:
        """Return all seeds of the recipe.

        Raises:
            NoRoomError: they do not fit.
        """
        recipe = self._recipe
        self._ahead(needles[: recipe.beyond_tip])
        for sort, count in (
            ("side", recipe.side_pairs),
            ("end", recipe.end_pairs),
            ("cross", recipe.cross_pairs),
        ):
            self._repeat(count, lambda sort=sort: self._pair(sort))  # type: ignore[misc]
        self._repeat(recipe.in_bone, lambda: self._single("in_bone"))
        self._repeat(recipe.beside_bone, lambda: self._single("beside_bone"))
        left = recipe.seeds - len(self.seeds)
        if left < 0:
            raise NoRoomError(f"the recipe names {-left} seeds more than it has")
        self._repeat(left, lambda: self._single("free"))
        return tuple(self.seeds)

    def _repeat(self, count: int, put: Callable[[], bool]) -> None:
        for _ in range(TRIES * max(1, count)):
            if not count:
                return
            count -= put()
        if count:
            raise NoRoomError(f"{count} seeds or pairs do not fit")

    def _ahead(self, needles: tuple[NeedleShape, ...]) -> None:
        """Lay a seed ahead of each needle's tip, close or a few millimetres away."""
        for needle in needles:
            forward = needle.tip - needle.along(np.array((0.02,)))[0]
            forward = forward / np.linalg.norm(forward)
            for _ in range(TRIES):
                axis = tilted(forward, abs(self._rng.normal(0.0, 3.0)), self._rng)
                gap = self._rng.uniform(0.8, 5.0)
                centre = needle.tip + (gap + LENGTH_MM / 2.0) * axis
                if self._put(centre, axis, "beyond", SLACK_MM):
                    break

    def _single(self, sort: str) -> bool:
        axis = self._along()
        if sort == "free":
            centre = in_target(self._anatomy, self._rng, 0.97)
            centre = centre + self._rng.normal(0.0, DRIFT_MM) * across(
                axis, self._rng.uniform(0.0, 2.0 * np.pi)
            )
            return self._put(centre, axis, sort, APART_MM)
        reach = np.array(self._anatomy.lesion_radii) + 12.0
        centre = self._anatomy.lesion_centre + self._rng.uniform(-1.0, 1.0, 3) * reach
        if not self._is(sort, centre, axis):
            return False
        return self._put(centre, axis, sort, APART_MM)

    def _is(self, sort: str, centre: FloatArray, axis: FloatArray) -> bool:
        """Return whether a place is in bone, or outside it and touching."""
        along = centre + np.linspace(-0.5, 0.5, 5)[:, None] * LENGTH_MM * axis
        own = self._anatomy.tissue(along)
        # Not in the canal either.
        if np.any(np.hypot(along[:, 0], along[:, 1]) < self._anatomy.canal_radius):
            return False
        if sort == "in_bone":
            return bool(np.all(own > BONE_HU))
        ring = [across(axis, a) for a in np.linspace(0.0, 2.0 * np.pi, 6, endpoint=False)]
        around = np.concatenate([along + (DIAMETER_MM / 2.0 + 0.4) * u for u in ring])
        return bool(np.all(own < BONE_HU) and np.any(self._anatomy.tissue(around) > BONE_HU))

    def _pair(self, sort: str) -> bool:
        rng, axis = self._rng, self._along()
        centre = in_target(self._anatomy, rng, 0.95)
        aside = across(axis, rng.uniform(0.0, 2.0 * np.pi))
        if sort == "side":
            other = centre + rng.uniform(0.85, 2.0) * aside + rng.uniform(-1.5, 1.5) * axis
            turned = tilted(axis, rng.uniform(0.0, 6.0), rng)
        elif sort == "end":
            turned = tilted(axis, rng.uniform(0.0, 8.0), rng)
            other = centre + rng.uniform(4.55, 5.5) * axis + rng.uniform(0.0, 0.3) * aside
        else:
            angle = np.radians(rng.uniform(30.0, 90.0))
            turned = np.cos(angle) * axis + np.sin(angle) * np.cross(aside, axis)
            other = centre + rng.uniform(0.85, 1.3) * aside + rng.uniform(-1.0, 1.0) * axis
        if not self._room.seed_fits(centre, axis, APART_MM):
            return False
        if not self._room.seed_fits(other, turned, APART_MM):
            return False
        pair = Room()
        pair.add_seed(centre, axis)
        if not pair.seed_fits(other, turned):
            return False
        n = len(self.seeds)
        for place, way, partner in ((centre, axis, n + 1), (other, turned, n)):
            self._room.add_seed(place, way)
            self.seeds.append(PlacedSeed(place, way, sort, partner))
        return True

    def _along(self) -> FloatArray:
        return tilted(self._tracks.outward(), abs(self._rng.normal(0.0, TURN_DEG)), self._rng)

    def _put(self, centre: FloatArray, axis: FloatArray, sort: str, gap: float) -> bool:
        if not self._room.seed_fits(centre, axis, gap):
            return False
        self._room.add_seed(centre, axis)
        self.seeds.append(PlacedSeed(centre, axis, sort))
        return True
