"""Where there is room: distances between seeds and needles, and what tissue is where."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.metal import NeedleShape
from simulators.metal.needle import OUTER_MM
from simulators.metal.seed import DIAMETER_MM, LENGTH_MM

FloatArray = NDArray[np.float64]

HALF_CORE_MM = (LENGTH_MM - DIAMETER_MM) / 2.0
# Metal does not grow into metal.
SLACK_MM = 0.03


def between_segments(p: FloatArray, q: FloatArray, r: FloatArray, s: FloatArray) -> float:
    """Return the least distance between the segments pq and rs (Ericson 2005, section 5.1.9)."""
    d1, d2, w = q - p, s - r, p - r
    a, e, f = float(d1 @ d1), float(d2 @ d2), float(d2 @ w)
    b, c = float(d1 @ d2), float(d1 @ w)
    lean = a * e - b * b
    t1 = float(np.clip((b * f - c * e) / lean, 0.0, 1.0)) if lean > 1e-9 else 0.0
    t2 = (b * t1 + f) / e
    if t2 < 0.0:
        t1, t2 = float(np.clip(-c / a, 0.0, 1.0)), 0.0
    elif t2 > 1.0:
        t1, t2 = float(np.clip((b - c) / a, 0.0, 1.0)), 1.0
    return float(np.linalg.norm(w + t1 * d1 - t2 * d2))


class Room:
    """Remembers what lies where, so that nothing new runs into it."""

    def __init__(self) -> None:
        """Begin empty."""
        self._segments: list[tuple[FloatArray, FloatArray, float]] = []

    def add_needle(self, needle: NeedleShape) -> None:
        """Take a needle's room."""
        points = needle.curve(12)
        for start, end in pairwise(points):
            self._segments.append((start, end, OUTER_MM / 2.0))

    def add_seed(self, centre: FloatArray, axis: FloatArray) -> None:
        """Take a seed's room."""
        half = HALF_CORE_MM * axis
        self._segments.append((centre - half, centre + half, DIAMETER_MM / 2.0))

    def add_ball(self, centre: FloatArray, diameter: float) -> None:
        """Take a ball's room."""
        self._segments.append((centre - 1e-3, centre + 1e-3, diameter / 2.0))

    def seed_fits(self, centre: FloatArray, axis: FloatArray, gap_mm: float = SLACK_MM) -> bool:
        """Return whether a seed lies free, with a gap to everything else."""
        half = HALF_CORE_MM * axis
        return self._fits(centre - half, centre + half, DIAMETER_MM / 2.0 + gap_mm)

    def ball_fits(self, centre: FloatArray, diameter: float, gap_mm: float = 0.5) -> bool:
        """Return whether a ball lies free, with a gap to everything else."""
        return self._fits(centre - 1e-3, centre + 1e-3, diameter / 2.0 + gap_mm)

    def needle_fits(self, needle: NeedleShape, gap_mm: float) -> bool:
        """Return whether a needle goes past everything else."""
        points = needle.curve(12)
        return all(
            self._fits(start, end, OUTER_MM / 2.0 + gap_mm) for start, end in pairwise(points)
        )

    def _fits(self, start: FloatArray, end: FloatArray, radius: float) -> bool:
        return all(
            between_segments(start, end, low, high) >= radius + other
            for low, high, other in self._segments
        )
