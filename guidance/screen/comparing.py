"""The difference map: what the model-based dose makes of TG-43, washed over a slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.procedure.snapshot import ModelledView, Snapshot
from guidance.screen.language import marked, tr
from guidance.screen.lettering import Key
from guidance.screen.reslice import Plane, Slice, dose_on

# Difference in percent of the TG-43 dose from which a colour holds. Blue is less, orange more:
# they stay apart for every common kind of colour blindness.
BANDS: tuple[tuple[float, float, str], ...] = (
    (-np.inf, -50.0, "#1f5fff"),
    (-50.0, -25.0, "#5c93ff"),
    (-25.0, -10.0, "#a9c6ff"),
    (10.0, 25.0, "#ffd9a8"),
    (25.0, 50.0, "#ffa347"),
    (50.0, np.inf, "#e86a00"),
)
OPACITY = 150
# Where there is little dose, or little is known of it, a difference says nothing.
LEAST_PERCENT_OF_PRESCRIPTION, MOST_UNCERTAINTY = 10.0, 0.10
NAMED = marked("MAP: Monte Carlo (model-based, research) against TG-43")
LIMITS = marked("shown from {percent} % of the prescription, uncertainty up to {most} %")


@dataclass(frozen=True, eq=False)
class Wash:
    """Colours over a slice.

    Attributes:
        pixels: (rows, columns, 4) uint8 B, G, R, opacity.
        box_mm: left, top, width, height in the plane.
    """

    pixels: NDArray[np.uint8]
    box_mm: tuple[float, float, float, float]


def wash(view: ModelledView, prescription_gy: float, plane: Plane) -> Wash | None:
    """Return the difference of both methods on a plane, None if the plane misses the dose."""
    found = [dose_on(view.geometry, a, plane) for a in (view.dose_gy, view.tg43_gy)]
    spread = dose_on(view.geometry, view.uncertainty, plane)
    if found[0] is None or found[1] is None or spread is None:
        return None
    (modelled, right, down), tg43 = found[0], found[1][0]
    shown = tg43 >= prescription_gy * LEAST_PERCENT_OF_PRESCRIPTION / 100.0
    # Outside the dose there is no uncertainty either.
    shown &= (spread[0] <= MOST_UNCERTAINTY) & (modelled > 0)
    percent = np.divide(modelled, tg43, out=np.ones_like(tg43), where=shown) * 100.0 - 100.0
    pixels = np.zeros((*percent.shape, 4), np.uint8)
    for low, high, colour in BANDS:
        inside = shown & (percent >= low) & (percent < high)
        red, green, blue = bytes.fromhex(colour[1:])
        pixels[inside] = (blue, green, red, OPACITY)
    step = float(right[1] - right[0])
    box = (
        float(right[0]) - step / 2, float(down[0]) - step / 2,
        len(right) * step, len(down) * step,
    )  # fmt: skip
    return Wash(pixels, box)


class Map:
    """The map over the slices shown, made once for each."""

    def __init__(self) -> None:
        """Begin without one."""
        self.shown = False
        self._made: tuple[tuple[int, int], Wash | None] | None = None

    def of(self, snapshot: Snapshot, shown: Slice) -> Wash | None:
        """Return the map over a slice; None where it is not wanted or cannot be had."""
        view, dose = snapshot.modelled, snapshot.dose
        if not self.shown or view is None or dose is None:
            return None
        key = (id(view), id(shown))
        if self._made is None or self._made[0] != key:
            self._made = (key, wash(view, dose.prescription_gy, shown.plane))
        return self._made[1]


def keys() -> tuple[Key, ...]:
    """Return the legend of the map."""
    return tuple(Key(colour, _band(low, high)) for low, high, colour in BANDS)


def _band(low: float, high: float) -> str:
    if np.isinf(low):
        return tr("MC lower by more than {n} %", n=f"{-high:.0f}")
    if np.isinf(high):
        return tr("MC higher by more than {n} %", n=f"{low:.0f}")
    if high <= 0:
        return tr("MC lower by {a} to {b} %", a=f"{-high:.0f}", b=f"{-low:.0f}")
    return tr("MC higher by {a} to {b} %", a=f"{low:.0f}", b=f"{high:.0f}")


def captions(snapshot: Snapshot) -> tuple[str, ...]:
    """Return what the map is, or why there is none."""
    if snapshot.modelled is None:
        return (tr("MAP: there is no model-based dose"),)
    limits = tr(LIMITS, percent=f"{LEAST_PERCENT_OF_PRESCRIPTION:.0f}",
                most=f"{100 * MOST_UNCERTAINTY:.0f}")  # fmt: skip
    lines = [tr(NAMED), limits]
    if snapshot.modelled_is_stale:
        lines.append(tr("MAP IS STALE, the implant has changed since"))
    return tuple(lines)
