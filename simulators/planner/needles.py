"""The plan of an implant: parallel needles 1 cm apart, a seed every centimetre.

Needles enter through the back, keep at least 1 cm from the cord, and seeds lie inside the
target; the rules of the procedure, not of any one planning system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.patient.anatomy import Anatomy

FloatArray = NDArray[np.float64]

SPACING_MM = 10.0
CORD_CLEARANCE_MM = 10.0
MARGIN_MM = 2.0
# At full stroke the stylet is flush with the tip: half a seed ahead of it lies the centre.
SEED_AHEAD_MM = 2.25


@dataclass(frozen=True)
class Needle:
    """A needle: number, tip and skin entry in mm, and how far each seed lies behind the first.

    Attributes:
        number: from 1.
        tip: (3,).
        entry: (3,).
        retractions: mm drawn back at each seed, deepest first.
    """

    number: int
    tip: FloatArray
    entry: FloatArray
    retractions: tuple[float, ...]

    @property
    def direction(self) -> FloatArray:
        """(3,) unit vector from entry to tip."""
        along = self.tip - self.entry
        return np.asarray(along / np.linalg.norm(along))

    def seed(self, retraction: float) -> FloatArray:
        """(3,) centre of a seed dropped at a retraction."""
        return np.asarray(self.tip + (SEED_AHEAD_MM - retraction) * self.direction)


def plan_needles(anatomy: Anatomy, seeds: int, rng: np.random.Generator) -> tuple[Needle, ...]:
    """Lay needles and seeds into the target until the number of seeds is reached.

    The most central tracks come first; every needle has at least two seeds where the target
    allows it.

    Raises:
        ValueError: the target has no room for so many seeds.
    """
    centre, radii = np.array(anatomy.lesion_centre), np.array(anatomy.lesion_radii)
    side = np.sign(centre[0])
    angle = np.radians(rng.uniform(8.0, 18.0))
    direction = np.array([-side * np.sin(angle), -np.cos(angle), 0.0])
    across = np.array([direction[1], -direction[0], 0.0])
    tracks = []
    steps = range(-6, 7)
    shift = rng.uniform(-2.0, 2.0, 2)
    for u in steps:
        for v in steps:
            point = (
                centre + across * (SPACING_MM * u + shift[0]) + (0, 0, SPACING_MM * v + shift[1])
            )
            chord = _chord(point, direction, centre, radii - MARGIN_MM)
            if chord is None or not _clear_of_cord(anatomy, point, direction):
                continue
            near, far = chord
            count = int((far - near) // SPACING_MM) + 1
            slack = (far - near) - (count - 1) * SPACING_MM
            deepest = far - slack / 2
            tracks.append((count, float(np.hypot(u, v)), point, deepest))
    tracks.sort(key=lambda t: (-t[0], t[1]))
    if sum(t[0] for t in tracks) < seeds:
        raise ValueError(f"the target has room for {sum(t[0] for t in tracks)} seeds, not {seeds}")
    needles: list[Needle] = []
    left = seeds
    for count, _, point, deepest in tracks:
        if left == 0:
            break
        take = min(count, left)
        tip = point + direction * (deepest - SEED_AHEAD_MM)
        retractions = tuple(SPACING_MM * k for k in range(take))
        entry = _entry(anatomy, tip, direction)
        needles.append(Needle(len(needles) + 1, tip, entry, retractions))
        left -= take
    return tuple(needles)


def _chord(
    point: FloatArray, direction: FloatArray, centre: FloatArray, radii: FloatArray
) -> tuple[float, float] | None:
    """Return where a line enters and leaves an ellipsoid, as distances along it."""
    if (radii <= 0).any():
        return None
    p, d = (point - centre) / radii, direction / radii
    a, b, c = d @ d, 2.0 * (p @ d), p @ p - 1.0
    root = b * b - 4.0 * a * c
    if root <= 0:
        return None
    return float((-b - np.sqrt(root)) / (2 * a)), float((-b + np.sqrt(root)) / (2 * a))


def _clear_of_cord(anatomy: Anatomy, point: FloatArray, direction: FloatArray) -> bool:
    along = np.linspace(-120.0, 60.0, 361)[:, None]
    distance = np.linalg.norm((point + along * direction)[:, :2], axis=1)
    return bool(distance.min() >= anatomy.cord_radius + CORD_CLEARANCE_MM + 1.5)


def _entry(anatomy: Anatomy, tip: FloatArray, direction: FloatArray) -> FloatArray:
    """Return where a needle passes the skin of the back."""
    back = np.arange(0.0, 250.0, 0.05)[:, None]
    points = tip - back * direction
    skin = np.array([anatomy.skin_y(x) for x in points[::20, 0]])
    outside = np.flatnonzero(points[::20, 1] >= skin)
    return np.asarray(points[outside[0] * 20])
