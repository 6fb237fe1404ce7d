"""Where a patient lies in a scanner."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def draw_placement(rng: np.random.Generator) -> FloatArray:
    """Return the 4x4 from patient to scanner: turned by a few degrees, shifted at will."""
    turn = np.radians(rng.uniform(-3.0, 3.0, 3))
    matrix = np.eye(4)
    for axis, angle in enumerate(turn):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(4)
        step[i, i] = step[j, j] = math.cos(angle)
        step[i, j], step[j, i] = -math.sin(angle), math.sin(angle)
        matrix = step @ matrix
    matrix[:3, 3] = rng.uniform((-30.0, -30.0, -400.0), (30.0, 30.0, 400.0))
    return matrix
