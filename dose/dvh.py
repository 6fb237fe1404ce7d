"""Dose-volume histograms from weighted samples, without bins.

Definitions follow AAPM TG-137 (Nath et al., Med Phys 36:5310, 2009) and GEC-ESTRO: D_x is the
least dose to the hottest x percent (or cubic centimetres) of the structure, V_y the part of its
volume that receives at least y percent of the prescription.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from dose.errors import StructureError

FloatArray = NDArray[np.float64]

_RADIX_BITS = 11
_KEY_BITS = 32


class Dvh:
    """The cumulative dose-volume histogram of one structure."""

    def __init__(self, dose_gy: ArrayLike, weight_cc: ArrayLike) -> None:
        """Sort the samples.

        Args:
            dose_gy: (n,) dose at each sample point, not negative; kept as float32.
            weight_cc: (n,) volume that each stands for. Points on the surface stand for none:
                they count for the largest and the least dose only.

        Raises:
            StructureError: there are no samples, or dose and volume do not fit.
        """
        dose = np.asarray(dose_gy, dtype=np.float32).ravel()
        weight = np.asarray(weight_cc, dtype=np.float64).ravel()
        if not len(dose) or dose.shape != weight.shape or not np.isfinite(dose).all():
            raise StructureError("a histogram needs a finite dose for every sample")
        if dose.min() < 0 or weight.min() < 0 or not weight.sum() > 0:
            raise StructureError("a histogram needs a volume, and no dose or weight below zero")
        # Adding nothing turns -0 into 0, whose bits sort as they should.
        order = _descending(dose + np.float32(0.0))
        self._dose, self._cumulative_cc, self._middle_cc, total = _accumulated(dose, weight, order)
        self._mean_gy = float(total / self._cumulative_cc[-1])

    @property
    def volume_cc(self) -> float:
        """Volume of the structure."""
        return float(self._cumulative_cc[-1])

    @property
    def dmax_gy(self) -> float:
        """Highest dose at any sample point, those on the surface included."""
        return float(self._dose[0])

    @property
    def mean_gy(self) -> float:
        """Mean dose by volume."""
        return self._mean_gy

    def d_cc_gy(self, volume_cc: float) -> float:
        """Return the least dose to the hottest ``volume_cc``; the least dose if it is larger.

        Within a sample's own volume the dose is interpolated between neighbouring samples.
        """
        return float(np.interp(volume_cc, self._middle_cc, self._dose))

    def d_percent_gy(self, percent: float) -> float:
        """Return the least dose to the hottest ``percent`` of the volume."""
        if percent >= 100:
            return float(self._dose[-1])
        return self.d_cc_gy(self.volume_cc * percent / 100.0)

    def v_cc(self, dose_gy: float) -> float:
        """Return the volume that receives at least ``dose_gy``, cc."""
        return float(self._reached_cc(np.array([dose_gy]))[0])

    def v_percent(self, dose_gy: float) -> float:
        """Return the percentage of the volume that receives at least ``dose_gy``."""
        return 100.0 * self.v_cc(dose_gy) / self.volume_cc

    def curve(self, n: int = 400) -> tuple[FloatArray, FloatArray]:
        """Return ``n`` points of the histogram: ascending dose in Gy, percent of the volume."""
        dose = np.linspace(0.0, self.d_cc_gy(self.volume_cc * 0.01) * 1.05 + 1e-9, n)
        return dose, 100.0 * self._reached_cc(dose) / self.volume_cc

    def natural_dose_gy(self, bins: int = 50) -> float | None:
        """Return the dose at the peak of the natural histogram (Anderson, Med Phys 13:898, 1986).

        That is the volume for each step of u = D^(-3/2), which is flat for a point source in an
        inverse-square field: its peak is the dose that the implant as a whole gives. The
        largest u looked at is that of D95, where the structure's own edge sets in.

        Args:
            bins: steps of u.

        Returns:
            None where the structure's dose is all one.
        """
        largest, least = self.d_percent_gy(1.0), self.d_percent_gy(95.0)
        if not 0 < least < largest:
            return None
        u = np.linspace(largest**-1.5, least**-1.5, bins + 1)
        volume = np.diff(self._reached_cc(u ** (-2.0 / 3.0)))
        # Three bins together: the count in one alone is rough.
        smooth = np.convolve(volume, np.ones(3) / 3.0, mode="valid")
        peak = int(np.argmax(smooth)) + 1
        return float(((u[peak] + u[peak + 1]) / 2) ** (-2.0 / 3.0))

    def _reached_cc(self, dose_gy: FloatArray) -> FloatArray:
        """Return the volume at or above each dose, cc."""
        reached = len(self._dose) - np.searchsorted(self._dose[::-1], dose_gy, side="left")
        return np.where(reached > 0, self._cumulative_cc[reached - 1], 0.0)


@njit(cache=True, nogil=True)
def _descending(dose):  # type: ignore[no-untyped-def]
    """Return the order that sorts float32 (n,), none negative, from the largest down.

    Counting sort by 11 bits three times: a comparing sort takes several times as long, and the
    histogram is made anew for every seed that drops. The bits of such floats order as they do.
    """
    n = len(dose)
    keys = ~dose.view(np.uint32)
    order, other = np.arange(n, dtype=np.int32), np.empty(n, np.int32)
    buckets = 1 << _RADIX_BITS
    for shift in range(0, _KEY_BITS, _RADIX_BITS):
        count = np.zeros(buckets + 1, np.int64)
        for i in range(n):
            count[((keys[i] >> np.uint32(shift)) & np.uint32(buckets - 1)) + 1] += 1
        for b in range(buckets):
            count[b + 1] += count[b]
        for i in range(n):
            at = order[i]
            digit = (keys[at] >> np.uint32(shift)) & np.uint32(buckets - 1)
            other[count[digit]] = at
            count[digit] += 1
        order, other = other, order
    return order


@njit(cache=True, nogil=True)
def _accumulated(dose, weight, order):  # type: ignore[no-untyped-def]
    """Return dose in order, the volume up to the end and the middle of each, and sum(dose dV)."""
    n = len(order)
    gy, end, middle = np.empty(n), np.empty(n), np.empty(n)
    volume, total = 0.0, 0.0
    for i in range(n):
        at = order[i]
        gy[i] = dose[at]
        middle[i] = volume + weight[at] / 2
        volume += weight[at]
        end[i] = volume
        total += gy[i] * weight[at]
    return gy, end, middle, total


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


def target_figures(
    dvh: Dvh, prescription_gy: float, prescribed_cc: float | None = None
) -> dict[str, float]:
    """Return the indices of an implant's quality, of its target; those that have a value.

    - ``natural_dose_gy``: see ``Dvh.natural_dose_gy``;
    - ``DNR`` = V150 / V100, dose non-uniformity ratio (Saw and Suntharalingam, Int J Radiat
      Oncol Biol Phys 20:1353, 1991);
    - ``HI`` = (V100 - V150) / V100, homogeneity index (Wu et al., ibid. 15:1235, 1988);
    - ``CI`` = (V_T,ref / V_T) (V_T,ref / V_ref), conformation number (van 't Riet et al.,
      ibid. 37:731, 1997);
    - ``EI`` = (V_ref - V_T,ref) / V_T, external volume index.

    Args:
        dvh: of the target.
        prescription_gy: the reference dose.
        prescribed_cc: V_ref, all of the patient that receives it; None where it is not known.
    """
    found = {}
    natural = dvh.natural_dose_gy()
    if natural is not None:
        found["natural_dose_gy"] = natural
    covered = dvh.v_cc(prescription_gy)
    if covered > 0:
        found["DNR"] = dvh.v_cc(1.5 * prescription_gy) / covered
        found["HI"] = 1.0 - found["DNR"]
        if prescribed_cc is not None and prescribed_cc > 0:
            found["CI"] = covered**2 / (dvh.volume_cc * prescribed_cc)
            found["EI"] = max(0.0, prescribed_cc - covered) / dvh.volume_cc
    return found
