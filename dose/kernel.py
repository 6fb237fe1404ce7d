"""The fast path: dose to full decay from a table of rate x r^2 over r^2 and theta.

Rate x r^2 is smooth where rate is not. Its rows cut every octave of r^2 into equal parts, so
that the bits of a float32 are the row and the weight and no logarithm is taken; its columns are
half degrees, on which the anisotropy tables have their kinks. A cell is one 64-bit word: a
corner and the relative steps to the next column and row, fetched at once. Geometry, look-up and
sum are separate loops over a few rows, because a loop with gathers in it does not vectorise.

Contributions to a grid are whole multiples of ``QUANTUM_GY``, so that taking a seed away undoes
adding it exactly, however often.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from dose.sources import SourceModel
from dose.strength import mean_life_h
from dose.tg43 import dose_rate_1d, line_source_rate

FloatArray = NDArray[np.float64]

# A millionth of a gray is four orders below what any figure shows; int64 holds 9e12 Gy of it.
QUANTUM_GY = 1e-6
# Octaves of r^2 in mm^2: r from 0.13 mm, inside any capsule, to 36 cm, beyond which the dose of
# 36 cm is given (under 1e-8 of that at 1 cm).
FIRST_OCTAVE, LAST_OCTAVE = -6, 17
PER_OCTAVE_BITS = 6
COLUMNS = 180

_FRACTION_BITS = 23 - PER_OCTAVE_BITS
_FIRST_BITS = int(np.float32(2.0**FIRST_OCTAVE).view(np.int32))
_ROWS = (LAST_OCTAVE - FIRST_OCTAVE) << PER_OCTAVE_BITS
_LARGEST_R2 = np.nextafter(np.float32(2.0**LAST_OCTAVE), np.float32(0.0))
_STEP = np.float32(1.0 / 32767.0)
# Arcsine as pi/2 - sqrt(1 - s) (a0 + a1 s + a2 s^2 + a3 s^3), within 7e-5 rad: Abramowitz and
# Stegun, Handbook of Mathematical Functions, 4.4.45.
_A0, _A1, _A2, _A3 = (np.float32(a) for a in (1.5707288, -0.2121144, 0.0742610, -0.0187293))
_RIGHT_ANGLE = np.float32(np.pi / 2)
_ZERO, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
# Voxels whose buffers stay in the first-level cache, and parts that two to sixteen cores share.
_SPAN = 1600
_PARTS = 16


@dataclass(frozen=True, eq=False)
class DoseTable:
    """Dose to full decay for 1 U times r^2, Gy mm^2, as packed cells.

    Attributes:
        line: (rows, COLUMNS) int64 for a known axis.
        point: (rows, 1) int64 for an unknown one.
        capsule_half_length_mm: of the seed.
        capsule_radius_mm: of the seed.
    """

    line: NDArray[np.int64]
    point: NDArray[np.int64]
    capsule_half_length_mm: float
    capsule_radius_mm: float


def dose_table(source: SourceModel) -> DoseTable:
    """Tabulate a seed model; about 50 ms, kept for the next call with the same model."""
    return _dose_table(_ByIdentity(source))


class _ByIdentity:
    """Makes a model with arrays usable as a cache key."""

    def __init__(self, source: SourceModel) -> None:
        self.source = source

    def __hash__(self) -> int:
        return hash(self.source.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.source is other.source


@cache
def _dose_table(key: _ByIdentity) -> DoseTable:
    source = key.source
    bits = _FIRST_BITS + (np.arange(_ROWS + 1, dtype=np.int32) << _FRACTION_BITS)
    r_cm = np.sqrt(bits.astype(np.int32).view(np.float32).astype(np.float64))[:, None] / 10.0
    theta = np.radians(np.linspace(0.0, 90.0, COLUMNS + 1))[None, :]
    # cGy/h to Gy over the mean life, cm^2 to mm^2.
    scale = mean_life_h(source.half_life_days) / 100.0 * (10.0 * r_cm) ** 2
    line = line_source_rate(*_off_the_line(r_cm, theta, source), source) * scale
    point = np.repeat(dose_rate_1d(r_cm, source) * scale, 2, axis=1)
    return DoseTable(
        _packed(line),
        _packed(point),
        source.capsule_length_cm * 5.0,
        source.capsule_diameter_cm * 5.0,
    )


def _off_the_line(
    r_cm: FloatArray, theta: FloatArray, source: SourceModel
) -> tuple[FloatArray, FloatArray]:
    """Keep the table's nodes off the line source itself, where the rate has no value.

    Only well inside the capsule: a kink at its surface would spoil the interpolation outside.
    """
    away, along = r_cm * np.sin(theta), r_cm * np.cos(theta)
    least = source.capsule_diameter_cm / 4
    on_line = (away < least) & (along < source.active_length_cm / 2 + least)
    away = np.where(on_line, least, away)
    return np.hypot(along, away), np.arctan2(away, along)


def _packed(nodes: FloatArray) -> NDArray[np.int64]:
    """Pack each cell: float32 corner, int16 relative step across, int16 relative step down."""
    corner = nodes[:-1, :-1].astype(np.float32)
    cells = np.empty((*corner.shape, 4), np.int16)
    cells[..., :2] = corner[..., None].view(np.int16)
    for at, neighbour in ((2, nodes[:-1, 1:]), (3, nodes[1:, :-1])):
        relative = neighbour / corner - 1.0
        cells[..., at] = np.rint(np.clip(relative, -1.0, 1.0) / _STEP)
    return cells.view(np.int64)[..., 0]


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _look_up(dose, r2, sine2, place, across, cells, columns, weight):  # type: ignore[no-untyped-def]
    """Write weight times dose at squared distances (mm^2) and squared sines, all float32 (n,)."""
    bits = r2.view(np.int32)
    to_column = np.float32(columns) / _RIGHT_ANGLE
    last = np.float32(columns) - np.float32(1e-4)
    for i in range(len(r2)):
        sine = np.sqrt(sine2[i])
        rest = _ONE - sine
        rest = rest if rest > _ZERO else _ZERO
        angle = _RIGHT_ANGLE - np.sqrt(rest) * (_A0 + sine * (_A1 + sine * (_A2 + sine * _A3)))
        column = angle * to_column
        column = column if column > _ZERO else _ZERO
        column = column if column < last else last
        at = np.int32(column)
        across[i] = column - np.float32(at)
        row = (bits[i] - np.int32(_FIRST_BITS)) >> np.int32(_FRACTION_BITS)
        place[i] = row * np.int32(columns) + at
    found = np.empty(len(r2), np.int64)
    for i in range(len(r2)):
        found[i] = cells[place[i]]
    corners, steps = found.view(np.float32), found.view(np.int32)
    mask, scale = np.int32((1 << _FRACTION_BITS) - 1), np.float32(1.0 / (1 << _FRACTION_BITS))
    for i in range(len(r2)):
        both = steps[2 * i + 1]
        step_across = np.float32(np.int32(both << np.int32(16)) >> np.int32(16)) * _STEP
        step_down = np.float32(both >> np.int32(16)) * _STEP
        down = np.float32(bits[i] & mask) * scale
        value = corners[2 * i] * (_ONE + across[i] * step_across) * (_ONE + down * step_down)
        dose[i] = value * weight / r2[i]


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def add_to_grid(total, cells, affine, position, axis, half_length, radius, weight):  # type: ignore[no-untyped-def]
    """Add one seed's dose, in quanta, to an int64 grid (nz, ny, nx).

    Args:
        total: int64 (nz, ny, nx), C-contiguous, changed in place.
        cells: int64 (rows, columns) of a DoseTable, for 1 U.
        affine: (4, 4) index to patient.
        position: (3,) centre, mm.
        axis: (3,) unit direction.
        half_length: of the capsule, mm.
        radius: of the capsule, mm.
        weight: strength in U over the quantum, negative to take away.
    """
    nz, ny, nx = total.shape
    columns = cells.shape[1]
    flat = cells.ravel()
    half_length2, radius2 = np.float32(half_length**2), np.float32(radius**2)
    sign = 1 if weight > 0 else -1
    size = np.float32(abs(weight))
    # Along a row of voxels the distance from the axis is a parabola: exact near its vertex.
    ux, uy, uz = axis
    sx, sy, sz = affine[0, 0], affine[1, 0], affine[2, 0]
    slope = np.float32(sx * ux + sy * uy + sz * uz)
    tx, ty, tz = sy * uz - sz * uy, sz * ux - sx * uz, sx * uy - sy * ux
    bend = tx * tx + ty * ty + tz * tz
    per_bend = 1.0 / bend if bend > 1e-12 else 0.0
    bend32 = np.float32(bend)
    block = max(1, _SPAN // nx)
    for part in prange(_PARTS):
        r2_rows = np.empty((block, nx), np.float32)
        sine2_rows = np.empty((block, nx), np.float32)
        r2, sine2 = r2_rows.ravel(), sine2_rows.ravel()
        dose = np.empty(block * nx, np.float32)
        place, across = np.empty(block * nx, np.int32), np.empty(block * nx, np.float32)
        for k in range(part * nz // _PARTS, (part + 1) * nz // _PARTS):
            plane = total[k].ravel()
            for first in range(0, ny, block):
                rows = min(block, ny - first)
                for row in range(rows):
                    j = first + row
                    x0 = affine[0, 1] * j + affine[0, 2] * k + affine[0, 3] - position[0]
                    y0 = affine[1, 1] * j + affine[1, 2] * k + affine[1, 3] - position[1]
                    z0 = affine[2, 1] * j + affine[2, 2] * k + affine[2, 3] - position[2]
                    start = np.float32(x0 * ux + y0 * uy + z0 * uz)
                    cx, cy, cz = y0 * uz - z0 * uy, z0 * ux - x0 * uz, x0 * uy - y0 * ux
                    vertex = -(cx * tx + cy * ty + cz * tz) * per_bend
                    cx, cy, cz = cx + vertex * tx, cy + vertex * ty, cz + vertex * tz
                    least2 = np.float32(cx * cx + cy * cy + cz * cz)
                    middle = np.float32(vertex)
                    for i in range(nx):
                        step = np.float32(i)
                        along = start + slope * step
                        along2 = along * along
                        off = step - middle
                        away2 = least2 + bend32 * off * off
                        least = radius2 if along2 <= half_length2 else _ZERO
                        away2 = away2 if away2 > least else least
                        square = along2 + away2
                        sine2_rows[row, i] = away2 / square
                        r2_rows[row, i] = square if square < _LARGEST_R2 else _LARGEST_R2
                n = rows * nx
                _look_up(dose[:n], r2[:n], sine2[:n], place, across, flat, columns, size)
                out = plane[first * nx : first * nx + n]
                for i in range(n):
                    out[i] += sign * np.int64(dose[i] + _HALF)


@njit(cache=True, nogil=True, fastmath=True)
def add_at_points(total, points, cells, position, axis, half_length, radius, strength):  # type: ignore[no-untyped-def]
    """Add one seed's dose in Gy at points (n, 3) in mm to float64 (n,), in place."""
    columns = cells.shape[1]
    flat = cells.ravel()
    r2, sine2 = np.empty(_SPAN, np.float32), np.empty(_SPAN, np.float32)
    dose = np.empty(_SPAN, np.float32)
    place, across = np.empty(_SPAN, np.int32), np.empty(_SPAN, np.float32)
    for first in range(0, len(points), _SPAN):
        n = min(_SPAN, len(points) - first)
        for i in range(n):
            dx = points[first + i, 0] - position[0]
            dy = points[first + i, 1] - position[1]
            dz = points[first + i, 2] - position[2]
            along2 = (dx * axis[0] + dy * axis[1] + dz * axis[2]) ** 2
            cx = dy * axis[2] - dz * axis[1]
            cy = dz * axis[0] - dx * axis[2]
            cz = dx * axis[1] - dy * axis[0]
            least = radius**2 if along2 <= half_length**2 else 0.0
            away2 = max(cx * cx + cy * cy + cz * cz, least)
            r2[i] = min(np.float32(along2 + away2), _LARGEST_R2)
            sine2[i] = away2 / (along2 + away2)
        _look_up(dose[:n], r2[:n], sine2[:n], place, across, flat, columns, np.float32(strength))
        for i in range(n):
            total[first + i] += dose[i]
