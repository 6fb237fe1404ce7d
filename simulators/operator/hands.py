"""The hands of the operator: where needles and seeds really come to lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.planner import Needle

FloatArray = NDArray[np.float64]

# Standard deviations of placement under CT guidance with a template, mm; cut at two of them.
LATERAL_MM, DEPTH_MM, ENTRY_MM = 0.8, 1.0, 1.0
# A seed slips a little in its track before the tissue holds it.
SLIP_MM, SIDEWAYS_MM, TURN_DEG = 0.4, 0.25, 2.5


@dataclass(frozen=True)
class LyingSeed:
    """A seed where it really lies (room frame, mm).

    Attributes:
        needle: it left through.
        centre: (3,).
        axis: (3,) unit vector.
    """

    needle: int
    centre: FloatArray
    axis: FloatArray


class Hands:
    """Places needles and seeds with human error, from one stream of randomness."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Take the stream."""
        self._rng = rng

    def push(self, planned: Needle) -> Needle:
        """Return the needle as it really lies."""
        u, v = _across(planned.direction)
        tip = (
            planned.tip
            + self._error(LATERAL_MM) * u
            + self._error(LATERAL_MM) * v
            + self._error(DEPTH_MM) * planned.direction
        )
        entry = planned.entry + self._error(ENTRY_MM) * u + self._error(ENTRY_MM) * v
        return replace(planned, tip=tip, entry=entry)

    def drop(self, needle: Needle, retraction: float) -> LyingSeed:
        """Return where a seed lies that was dropped at a retraction."""
        u, v = _across(needle.direction)
        centre = (
            needle.seed(retraction)
            + self._error(SLIP_MM) * needle.direction
            + self._error(SIDEWAYS_MM) * u
            + self._error(SIDEWAYS_MM) * v
        )
        turn = np.tan(np.radians(self._error(TURN_DEG))) * u
        turn = turn + np.tan(np.radians(self._error(TURN_DEG))) * v
        axis = needle.direction + turn
        return LyingSeed(needle.number, centre, axis / np.linalg.norm(axis))

    def _error(self, sigma: float) -> float:
        return float(np.clip(self._rng.standard_normal(), -2.0, 2.0)) * sigma


def _across(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return two unit vectors at right angles to a direction and to each other."""
    u = np.cross(direction, (0.0, 0.0, 1.0))
    u = u / np.linalg.norm(u)
    return u, np.cross(direction, u)
