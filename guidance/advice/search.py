"""Which few seats mend a cold target best, within the cord's limits.

Greedy, then local search. What is made small is the lack: the mean over the target of
((prescription - dose) / prescription)^2 where the dose is below the prescription. Unlike D90 it
has a slope everywhere, so each seed is weighed by all of the cold volume it mends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.dvh import Dvh
from guidance.advice.ground import Ground, Seats

FloatArray = NDArray[np.float64]

# A seed that takes away less than this share of the lack is not worth a puncture's time.
LEAST_GAIN = 0.02
# Rounds of exchange after the greedy choice; it has always come to rest earlier.
ROUNDS = 8


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
        protocol = self.ground.situation.protocol
        chosen: list[int] = []
        while len(chosen) < protocol.supplements_at_most and not self.reached(chosen):
            seat = self._next(chosen)
            if seat is None:
                break
            chosen.append(seat)
        chosen = self._exchanged(chosen)
        chosen = self._fewer(chosen)
        return tuple(self._by_gain(chosen))

    def lack(self, chosen: list[int]) -> float:
        """Return the lack with these seats used."""
        return float(self._lacks(self._target(chosen)[None])[0])

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
        dmax, d01cc = self.ground.cord_limits_gy()
        base = self.cord_gy + self.seats.cord_gy[chosen].sum(axis=0)
        with_each = base + self.seats.cord_gy
        fits &= with_each.max(axis=1) <= dmax
        if np.isfinite(d01cc):
            weight = self.ground.cord.weight_cc
            for seat in np.flatnonzero(fits).tolist():
                fits[seat] = Dvh(with_each[seat], weight).d_cc_gy(0.1) <= d01cc
        return fits

    def _target(self, chosen: list[int]) -> FloatArray:
        return np.asarray(self.target_gy + self.seats.target_gy[chosen].sum(axis=0))

    def _lacks(self, doses: FloatArray) -> FloatArray:
        """Return the lack of each row of doses (m, n)."""
        prescription = self.ground.situation.prescription_gy
        weight = self.ground.target.weight_cc
        below = np.maximum(1.0 - doses / prescription, 0.0)
        return np.asarray((below * below) @ weight / weight.sum())

    def _next(self, chosen: list[int]) -> int | None:
        """Return the seat that takes most of the lack away, None if none takes enough."""
        fits = self.allowed(chosen)
        if not fits.any():
            return None
        now = self._target(chosen)
        before = float(self._lacks(now[None])[0])
        left = self._lacks(now + self.seats.target_gy[fits])
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
                left = self._lacks(self._target(rest) + self.seats.target_gy[fits])
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
