"""Which few seats mend a cold target best, within the cord's limits.

Greedy from several first seats, then local search from the best of those. What is made small is
the lack: the mean over the target of ((prescription - dose) / prescription)^2 where the dose is
below the prescription. Unlike D90 it has a slope everywhere, so each seed is weighed by all of
the cold volume it mends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dose.dvh import Dvh
from guidance.advice.ground import Ground, Seats

FloatArray = NDArray[np.float64]

# A seed that takes away less than this share of the lack is not worth a puncture's time.
LEAST_GAIN = 0.02
# Rounds of exchange after the greedy choice; it has always come to rest earlier.
ROUNDS = 8
# Seats that the choice is begun from; a greedy one from the best alone can end 9 % short.
FIRSTS, FIRSTS_APART_MM = 10, 4.0
# Of the sets so found, those that are improved by exchange.
EXCHANGED = 3
# Points of the target at which sets are compared.
POINTS = 1500


@dataclass(frozen=True, eq=False)
class Search:
    """The seats weighed against a given dose.

    Attributes:
        ground: target and cord.
        seats: the places.
        target_gy: (n,) dose of what is there.
        cord_gy: (k,) the same at the cord.
    """

    ground: Ground
    seats: Seats
    target_gy: FloatArray
    cord_gy: FloatArray

    def best(self) -> tuple[int, ...]:
        """Return the seats to use, best first; as few as reach the goals."""
        if self.reached([]):
            return ()
        sets = sorted((self._from(first) for first in self._firsts()), key=self._order)
        best = min(
            (self._fewer(self._exchanged(chosen)) for chosen in sets[:EXCHANGED]),
            key=self._order,
            default=[],
        )
        return tuple(self._by_gain(best))

    def _order(self, chosen: list[int]) -> tuple[bool, int, float]:
        """Return what sorts sets: those that reach the goals first, the small ones first."""
        reached = self.reached(chosen)
        return not reached, len(chosen) if reached else 0, self.lack(chosen)

    @cached_property
    def _coarse(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return dose, dose of each seat and weight at every so-manieth point of the target."""
        step = -(-len(self.target_gy) // POINTS)
        weight = self.ground.target.weight_cc[::step]
        each = np.ascontiguousarray(self.seats.target_gy[:, ::step])
        return self.target_gy[::step], each, weight / weight.sum()

    @cached_property
    def _cord_peaks(self) -> FloatArray:
        return np.asarray(self.seats.cord_gy.max(axis=1, initial=0.0))

    @cached_property
    def _limits(self) -> tuple[float, float]:
        return self.ground.cord_limits_gy()

    def _firsts(self) -> list[int]:
        """Return the seats to begin with: the best alone, well apart from one another."""
        fits = self.allowed([])
        base, each, _ = self._coarse
        alone = self._lacks(base + each)
        enough = alone <= self.lack([]) * (1.0 - LEAST_GAIN)
        found: list[int] = []
        for seat in np.argsort(alone).tolist():
            off = self.seats.position_mm[found] - self.seats.position_mm[seat]
            if not (fits[seat] and enough[seat]):
                continue
            if not found or np.linalg.norm(off, axis=1).min() >= FIRSTS_APART_MM:
                found.append(seat)
            if len(found) == FIRSTS:
                break
        return found

    def _from(self, first: int) -> list[int]:
        """Return the seats chosen one by one from a first one on."""
        chosen = [first]
        while (
            len(chosen) < self.ground.situation.protocol.supplements_at_most
            and not self.reached(chosen)
            and (seat := self._next(chosen)) is not None
        ):
            chosen.append(seat)
        return chosen

    def lack(self, chosen: list[int]) -> float:
        """Return the lack with these seats used."""
        return float(self._lacks(self._dose(chosen)[None])[0])

    def reached(self, chosen: list[int]) -> bool:
        """Return whether D90 and V100 of the target are as they shall be."""
        situation = self.ground.situation
        dvh = Dvh(self._target(chosen), self.ground.target.weight_cc)
        return (
            dvh.d_percent_gy(90) >= situation.prescription_gy
            and dvh.v_percent(situation.prescription_gy) >= situation.protocol.target_v100_percent
        )

    def allowed(self, chosen: list[int]) -> NDArray[np.bool_]:
        """Return which seats may still be added: far enough from these, the cord within limits."""
        protocol = self.ground.situation.protocol
        fits = np.ones(len(self.seats), bool)
        fits[chosen] = False
        for seat in chosen:
            off = self.seats.position_mm - self.seats.position_mm[seat]
            fits &= np.linalg.norm(off, axis=1) >= protocol.seed_spacing_mm
        if self.ground.cord is None:
            return fits
        dmax, d01cc = self._limits
        base = self.cord_gy + self.seats.cord_gy[chosen].sum(axis=0)
        # Where the largest doses together keep the limit, every point does.
        doubtful = np.flatnonzero(fits & (base.max() + self._cord_peaks > dmax))
        fits[doubtful] = (base + self.seats.cord_gy[doubtful]).max(axis=1, initial=0.0) <= dmax
        if np.isfinite(d01cc):
            weight = self.ground.cord.weight_cc
            for seat in np.flatnonzero(fits).tolist():
                whole = base + self.seats.cord_gy[seat]
                fits[seat] = Dvh(whole, weight).d_cc_gy(0.1) <= d01cc
        return fits

    def _target(self, chosen: list[int]) -> FloatArray:
        return np.asarray(self.target_gy + self.seats.target_gy[chosen].sum(axis=0))

    def _dose(self, chosen: list[int]) -> FloatArray:
        base, each, _ = self._coarse
        return np.asarray(base + each[chosen].sum(axis=0))

    def _lacks(self, doses: FloatArray) -> FloatArray:
        """Return the lack of each row of doses (m, n)."""
        prescription = self.ground.situation.prescription_gy
        below = np.maximum(1.0 - doses / prescription, 0.0)
        return np.asarray((below * below) @ self._coarse[2])

    def _next(self, chosen: list[int]) -> int | None:
        """Return the seat that takes most of the lack away, None if none takes enough."""
        fits = self.allowed(chosen)
        if not fits.any():
            return None
        now = self._dose(chosen)
        before = float(self._lacks(now[None])[0])
        left = self._lacks(now + self._coarse[1][fits])
        best = int(np.argmin(left))
        if before <= 0 or left[best] > before * (1.0 - LEAST_GAIN):
            return None
        return int(np.flatnonzero(fits)[best])

    def _exchanged(self, chosen: list[int]) -> list[int]:
        """Give each seat up for a better one until nothing is gained."""
        for _ in range(ROUNDS):
            before = self.lack(chosen)
            for place in range(len(chosen)):
                rest = chosen[:place] + chosen[place + 1 :]
                fits = self.allowed(rest)
                if not fits.any():
                    continue
                left = self._lacks(self._dose(rest) + self._coarse[1][fits])
                best = int(np.flatnonzero(fits)[int(np.argmin(left))])
                if left.min() < self.lack(chosen) - 1e-12:
                    chosen = [*chosen[:place], best, *chosen[place + 1 :]]
            if self.lack(chosen) >= before - 1e-12:
                break
        return chosen

    def _fewer(self, chosen: list[int]) -> list[int]:
        """Leave out what the goals do not need."""
        while self.reached(chosen) and len(chosen) > 1:
            without = [chosen[:i] + chosen[i + 1 :] for i in range(len(chosen))]
            spare = [rest for rest in without if self.reached(rest)]
            if not spare:
                break
            chosen = min(spare, key=self.lack)
        return chosen

    def _by_gain(self, chosen: list[int]) -> list[int]:
        """Put the seat first that mends most by itself, then the next."""
        ordered: list[int] = []
        while len(ordered) < len(chosen):
            rest = [seat for seat in chosen if seat not in ordered]
            ordered.append(min(rest, key=lambda seat: self.lack([*ordered, seat])))
        return ordered
