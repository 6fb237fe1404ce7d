"""Dose-volume histograms from weighted samples, without bins.

Definitions follow AAPM TG-137 (Nath et al., Med Phys 36:5310, 2009) and GEC-ESTRO: D_x is the
least dose to the hottest x percent (or cubic centimetres) of the structure, V_y the part of its
volume that receives at least y percent of the prescription.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import StructureError

FloatArray = NDArray[np.float64]


class Dvh:
    """The cumulative dose-volume histogram of one structure."""

    def __init__(self, dose_gy: ArrayLike, weight_cc: ArrayLike) -> None:
        """Sort the samples.

        Args:
            dose_gy: (n,) dose at each sample point.
            weight_cc: (n,) volume that each stands for.

        Raises:
            StructureError: there are no samples, or dose and volume do not fit.
        """
        dose = np.asarray(dose_gy, dtype=np.float64).ravel()
        weight = np.asarray(weight_cc, dtype=np.float64).ravel()
        if len(dose) == 0 or dose.shape != weight.shape or not np.isfinite(dose).all():
            raise StructureError("a histogram needs a finite dose for every sample")
        order = np.argsort(dose)[::-1]
        self._dose = dose[order]
        self._weight = weight[order]
        self._cumulative_cc = np.cumsum(self._weight)

    @property
    def volume_cc(self) -> float:
        """Volume of the structure."""
        return float(self._cumulative_cc[-1])

    @property
    def dmax_gy(self) -> float:
        """Highest dose at any sample point."""
        return float(self._dose[0])

    @property
    def mean_gy(self) -> float:
        """Mean dose by volume."""
        return float((self._dose * self._weight).sum() / self._cumulative_cc[-1])

    def d_cc_gy(self, volume_cc: float) -> float:
        """Return the least dose to the hottest ``volume_cc``; the least dose if it is larger.

        Within a sample's own volume the dose is interpolated between neighbouring samples.
        """
        middle = self._cumulative_cc - self._weight / 2
        return float(np.interp(volume_cc, middle, self._dose))

    def d_percent_gy(self, percent: float) -> float:
        """Return the least dose to the hottest ``percent`` of the volume."""
        return self.d_cc_gy(self.volume_cc * percent / 100.0)

    def v_percent(self, dose_gy: float) -> float:
        """Return the percentage of the volume that receives at least ``dose_gy``."""
        reached = int(np.searchsorted(-self._dose, -dose_gy, side="right"))
        if reached == 0:
            return 0.0
        return float(100.0 * self._cumulative_cc[reached - 1] / self._cumulative_cc[-1])

    def curve(self, n: int = 400) -> tuple[FloatArray, FloatArray]:
        """Return ``n`` points of the histogram: ascending dose in Gy, percent of the volume."""
        dose = np.linspace(0.0, self.d_cc_gy(self.volume_cc * 0.01) * 1.05 + 1e-9, n)
        reached = np.searchsorted(-self._dose, -dose, side="right")
        below = np.concatenate(([0.0], self._cumulative_cc))
        return dose, np.asarray(100.0 * below[reached] / self._cumulative_cc[-1])


def figures(dvh: Dvh, prescription_gy: float) -> dict[str, float]:
    """Return the usual figures of a structure under their field names.

    Args:
        dvh: of the structure.
        prescription_gy: the 100 % of V90 to V200.
    """
    found = {"volume_cc": dvh.volume_cc}
    for percent in (90, 95, 100):
        found[f"D{percent}_gy"] = dvh.d_percent_gy(percent)
    for percent in (90, 100, 150, 200):
        found[f"V{percent}_percent"] = dvh.v_percent(prescription_gy * percent / 100.0)
    found["Dmax_gy"] = dvh.dmax_gy
    found["mean_gy"] = dvh.mean_gy
    for volume_cc in (0.1, 1, 2):
        found[f"D{volume_cc:g}cc_gy"] = dvh.d_cc_gy(volume_cc)
    return found
