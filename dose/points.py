"""Dose at points that carry a structure, kept up seed by seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.implant import Implant
from dose.kernel import QUANTUM_GY
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

    def _apply(self, seeds: Seeds, signs: FloatArray) -> None:
        for seed, sign in zip(seeds, signs, strict=True):
            part = self._of_seed(self._points, seed)
            self._total += np.rint(sign / QUANTUM_GY * part).astype(np.int64)
