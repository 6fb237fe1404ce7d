"""Dose at points that carry a structure, kept up seed by seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.implant import Formalism, Implant
from dose.kernel import QUANTUM_GY, add_at_points
from dose.seeds import Seeds
from dose.sources import SourceModel

FloatArray = NDArray[np.float64]


class DosePoints(Implant):
    """Dose to full decay (Gy, water in water) of seeds of one model at given points.

    The formalism is evaluated at each point; nothing is interpolated from a grid, which would
    be wrong where the dose falls steeply.
    """

    def __init__(self, points_mm: ArrayLike, source: SourceModel) -> None:
        """Start with no dose at points (n, 3), LPS mm."""
        super().__init__(source)
        self._points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
        self._total = np.zeros(len(self._points), dtype=np.int64)

    @property
    def dose_gy(self) -> FloatArray:
        """(n,) dose in Gy to full decay, as of now."""
        return np.asarray(self._total * QUANTUM_GY, dtype=np.float64)

    def _apply(self, seed: Seeds, sign: int) -> None:
        part = dose_of_seed(self._points, seed, self._formalism(seed))
        self._total += sign * np.rint(part / QUANTUM_GY).astype(np.int64)


def dose_of_seed(points_mm: FloatArray, seed: Seeds, formalism: Formalism) -> FloatArray:
    """Return the dose to full decay in Gy of one seed at points (n, 3), LPS mm, C-contiguous."""
    dose = np.zeros(len(points_mm))
    add_at_points(
        dose,
        points_mm,
        formalism.cells,
        seed.position_mm[0],
        formalism.axis,
        formalism.half_length_mm,
        formalism.radius_mm,
        seed.strength_u[0],
    )
    return dose
