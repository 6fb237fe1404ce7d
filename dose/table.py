"""The table of the fast path: dose over r^2 and theta, in cells of 64 bits.

Rows cut every octave of r^2 in cm^2 into 64 equal parts, so that the bits of a float32 are the
row and the weight and no logarithm is taken; the squares of all whole centimetres up to 11 are
rows, and there the published radial tables have their kinks. Columns are half degrees, on which
the anisotropy tables have theirs. A cell holds a corner and the relative steps to the next
column and row, fetched at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from dose.sources import SourceModel
from dose.strength import mean_life_h
from dose.tg43 import dose_rate_1d, line_source_rate

FloatArray = NDArray[np.float64]

# Octaves of r^2 in cm^2: r from 0.16 mm, inside any capsule, to 32 cm, beyond which the dose of
# 32 cm is given (under 1e-7 of that at 1 cm).
FIRST_OCTAVE, LAST_OCTAVE = -12, 10
PER_OCTAVE_BITS = 6
FRACTION_BITS = 23 - PER_OCTAVE_BITS
COLUMNS_PER_RADIAN = 360.0 / np.pi
# One column more than 180, for 90 degrees itself, and on to a whole line of the cache.
STRIDE = 184
# A step is kept as a whole number of these parts of its corner.
STEPS_PER_UNIT = 32767.0
FIRST_BITS = int(np.float32(2.0**FIRST_OCTAVE).view(np.int32))

_ROWS = (LAST_OCTAVE - FIRST_OCTAVE) << PER_OCTAVE_BITS
_COLUMNS = 180
# A line source gives no finite dose at its ends. Where the capsule ends this near to them, no
# table follows the dose around them, and it is taken from the formalism itself.
_BARE_END_CM = 0.025
_AROUND_END_CM = 0.06


@dataclass(frozen=True, eq=False)
class DoseTable:
    """Dose to full decay for 1 U, Gy, as packed cells, and how it is to be read.

    Attributes:
        cells: (rows, STRIDE) int64.
        half_length_cm: of the cylinder inside which the dose is that of its side wall.
        radius_cm: of that cylinder.
        exact_within_cm: distance from the ends of the line source within which the table is not
            good enough; 0 where it is good everywhere outside the capsule.
    """

    cells: NDArray[np.int64]
    half_length_cm: float
    radius_cm: float
    exact_within_cm: float = 0.0


def line_table(source: SourceModel) -> DoseTable:
    """Tabulate a seed of known axis; kept for the next call with the same model."""
    return _line_table(_ByIdentity(source))


def point_table(source: SourceModel) -> DoseTable:
    """Tabulate a seed of unknown axis; kept for the next call with the same model."""
    return _point_table(_ByIdentity(source))


class _ByIdentity:
    """Makes a model with arrays usable as a cache key."""

    def __init__(self, source: SourceModel) -> None:
        self.source = source

    def __hash__(self) -> int:
        return hash(self.source.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.source is other.source


@cache
def _line_table(key: _ByIdentity) -> DoseTable:
    source = key.source
    r_cm = _radii_cm()
    theta = np.radians(np.linspace(0.0, 90.0, _COLUMNS + 1))[None]
    # Only the first rows can meet the line; the others are quicker as they are.
    near = int(np.searchsorted(r_cm, source.active_length_cm / 2 + _least_away_cm(source))) + 1
    inner = line_source_rate(*_off_the_line(r_cm[:near, None], theta, source), source)
    rate = np.concatenate((inner, line_source_rate(r_cm[near:, None], theta, source)))
    bare = (source.capsule_length_cm - source.active_length_cm) / 2 < _BARE_END_CM
    return DoseTable(
        _packed(rate * _gy_per_rate(source)),
        source.capsule_length_cm / 2,
        source.capsule_diameter_cm / 2,
        _AROUND_END_CM if bare else 0.0,
    )


@cache
def _point_table(key: _ByIdentity) -> DoseTable:
    source = key.source
    rate = dose_rate_1d(_radii_cm(), source) * _gy_per_rate(source)
    # Within the radius of the capsule the dose is constant: a cylinder that fits into that
    # sphere keeps clear of the middle and changes nothing.
    within = source.capsule_diameter_cm / 2 / sqrt(2.0)
    return DoseTable(_packed(np.repeat(rate[:, None], _COLUMNS + 1, axis=1)), within, within)


def _radii_cm() -> FloatArray:
    """Return the radius of each row."""
    bits = FIRST_BITS + (np.arange(_ROWS + 1, dtype=np.int32) << FRACTION_BITS)
    return np.sqrt(bits.astype(np.int32).view(np.float32).astype(np.float64))


def _gy_per_rate(source: SourceModel) -> float:
    """Return the dose to full decay, Gy, for a dose rate of 1 cGy/h."""
    return mean_life_h(source.half_life_days) / 100.0


def _off_the_line(
    r_cm: FloatArray, theta: FloatArray, source: SourceModel
) -> tuple[FloatArray, FloatArray]:
    """Keep the table's nodes off the line source itself, where the rate has no value.

    Only well inside the capsule: a kink at its surface would spoil the interpolation outside.
    """
    away, along = r_cm * np.sin(theta), r_cm * np.cos(theta)
    least = _least_away_cm(source)
    on_line = (away < least) & (along < source.active_length_cm / 2 + least)
    away = np.where(on_line, least, away)
    return np.hypot(along, away), np.arctan2(away, along)


def _least_away_cm(source: SourceModel) -> float:
    return source.capsule_diameter_cm / 4


def _packed(nodes: FloatArray) -> NDArray[np.int64]:
    """Pack cells: float32 corner, int16 relative step to the next column, int16 to the next row.

    The product of a step across and a step down is fitted to all four nodes; what the fourth has
    beyond it is shared out among them. Corners are scaled for steps that are read as integers.
    """
    nodes = np.concatenate((nodes, nodes[:, -1:]), axis=1)
    here, across = nodes[:-1, :-1], nodes[:-1, 1:]
    down, both = nodes[1:, :-1], nodes[1:, 1:]
    # Geometric means: least squares of the logarithms.
    to_across = np.sqrt(across / here * (both / down))
    to_down = np.sqrt(down / here * (both / across))
    corner = np.sqrt(np.sqrt(here * across * (down * both)) / (to_across * to_down))
    cells = np.zeros((len(corner), STRIDE, 4), np.int16)
    filled = cells[:, : corner.shape[1]]
    scaled = corner / (STEPS_PER_UNIT**2 * 2.0**FRACTION_BITS)
    filled[..., :2] = scaled.astype(np.float32)[..., None].view(np.int16)
    for at, step in ((2, to_across), (3, to_down)):
        filled[..., at] = np.rint(np.clip(step - 1.0, -1.0, 1.0) * STEPS_PER_UNIT)
    return cells.view(np.int64)[..., 0]
