"""The fast path: dose to full decay from the table of ``dose.table``, in compiled loops.

Geometry, look-up, interpolation and sum are separate loops over a few rows of voxels, because a
loop that reads from scattered places does not vectorise. All seeds of a call pass over a few rows
while these lie in the first-level cache, so that a whole implant reads and writes the grid once.

Two things that numba needs to be told: the difference of two int32 is an int64 to it (hence the
many casts), and an index that could be negative costs as much as the look-up (hence uint32).

Contributions to a grid are whole multiples of ``QUANTUM_GY``, so that taking a seed away undoes
adding it exactly, however often.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange, types
from numba.extending import intrinsic

from dose.table import COLUMNS_PER_RADIAN, FIRST_BITS, FRACTION_BITS, LAST_OCTAVE, STEPS_PER_UNIT

# A millionth of a gray is four orders below what any figure shows; int64 holds 9e12 Gy of it.
QUANTUM_GY = 1e-6

_LARGEST_R2 = np.nextafter(np.float32(2.0**LAST_OCTAVE), np.float32(0.0))
_FIRST_BITS, _FRACTION_BITS = np.int32(FIRST_BITS), np.int32(FRACTION_BITS)
_FRACTION = np.int32((1 << FRACTION_BITS) - 1)
_WHOLE_ACROSS = np.float32(STEPS_PER_UNIT)
_WHOLE_DOWN = np.float32(STEPS_PER_UNIT * 2.0**FRACTION_BITS)
_HALF_WORD = np.int32(16)
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
# theta = sin(theta) P(cos(theta)): P is smooth from the axis to 90 degrees, unlike arcsine and
# arccosine. P interpolates arccos(c) / sqrt(1 - c^2) at the six Chebyshev nodes of 0 to 1; theta
# is within 3e-5 rad. Here in columns of the table.
ANGLE_POLYNOMIAL = (1.57076749, -0.99789723, 0.75925182, -0.53939589, 0.27312724, -0.06586854)
_P0, _P1, _P2, _P3, _P4, _P5 = (np.float32(p * COLUMNS_PER_RADIAN) for p in ANGLE_POLYNOMIAL)
# Voxels whose buffers stay in the first-level cache, and parts that two to sixteen cores share.
_SPAN = 400
_PARTS = 16


def _bitcast(_: Any, value: Any) -> Any:
    """Tell numba how to read the bits of a float32 as an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return types.int32(types.float32), generate


_bits: Any = intrinsic(_bitcast)


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _cell(along, away2, stride):  # type: ignore[no-untyped-def]
    """Return the table's cell for a place (cm, cm^2), and how far across and down in it."""
    square = along * along + away2
    square = square if square < _LARGEST_R2 else _LARGEST_R2
    per_r = _ONE / np.sqrt(square)
    cosine = abs(along) * per_r
    sine = np.sqrt(away2) * per_r
    angle = _P2 + cosine * (_P3 + cosine * (_P4 + cosine * _P5))
    column = sine * (_P0 + cosine * (_P1 + cosine * angle))
    at = np.int32(column)
    bits = np.int32(_bits(square) - _FIRST_BITS)
    down = np.float32(np.int32(bits & _FRACTION))
    row = np.int32(np.int32(bits >> _FRACTION_BITS) * stride)
    return np.int32(row + at), column - np.float32(at), down


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _fetch(dose, place, across, down, found, cells, weight):  # type: ignore[no-untyped-def]
    """Write weight times the dose of cells (float32); the buffers are as long as ``dose``."""
    for i in range(len(dose)):
        found[i] = cells[place[i]]
    corners, steps = found.view(np.float32), found.view(np.int32)
    for i in range(len(dose)):
        both = steps[2 * i + 1]
        step_across = np.float32(np.int32(np.int32(both << _HALF_WORD) >> _HALF_WORD))
        step_down = np.float32(np.int32(both >> _HALF_WORD))
        value = corners[2 * i] * (_WHOLE_ACROSS + across[i] * step_across)
        dose[i] = weight * (value * (_WHOLE_DOWN + down[i] * step_down))


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def add_to_grid(total, cells, affine, positions, axes, half_length, radius, weights):  # type: ignore[no-untyped-def]
    """Add seeds' dose, in quanta, to an int64 grid (nz, ny, nx).

    Args:
        total: int64 (nz, ny, nx), C-contiguous, changed in place.
        cells: int64 (rows, STRIDE) of a DoseTable, for 1 U.
        affine: (4, 4) index to patient, cm.
        positions: (n, 3) centres, cm.
        axes: (n, 3) unit directions.
        half_length: of the capsule, cm.
        radius: of the capsule, cm.
        weights: (n,) strength in U over the quantum, negative to take away.
    """
    nz, ny, nx = total.shape
    stride = np.int32(cells.shape[1])
    flat = cells.ravel()
    half_length2, radius2 = np.float32(half_length**2), np.float32(radius**2)
    sx, sy, sz = affine[0, 0], affine[1, 0], affine[2, 0]
    block = max(1, _SPAN // nx)
    for part in prange(_PARTS):
        dose, across = np.empty(block * nx, np.float32), np.empty(block * nx, np.float32)
        down, found = np.empty(block * nx, np.float32), np.empty(block * nx, np.int64)
        place = np.empty(block * nx, np.uint32)
        starts, leasts = np.empty(block, np.float32), np.empty(block, np.float32)
        middles = np.empty(block, np.float32)
        for k in range(part * nz // _PARTS, (part + 1) * nz // _PARTS):
            plane = total[k].ravel()
            for first in range(0, ny, block):
                rows = min(block, ny - first)
                n = rows * nx
                out = plane[first * nx : first * nx + n]
                for s in range(len(weights)):
                    # Along a row of voxels the distance from the axis is a parabola: exact near
                    # its vertex.
                    ux, uy, uz = axes[s, 0], axes[s, 1], axes[s, 2]
                    slope = np.float32(sx * ux + sy * uy + sz * uz)
                    tx, ty, tz = sy * uz - sz * uy, sz * ux - sx * uz, sx * uy - sy * ux
                    bend = tx * tx + ty * ty + tz * tz
                    per_bend = 1.0 / bend if bend > 1e-14 else 0.0
                    bend32 = np.float32(bend)
                    x1 = affine[0, 2] * k + affine[0, 3] - positions[s, 0]
                    y1 = affine[1, 2] * k + affine[1, 3] - positions[s, 1]
                    z1 = affine[2, 2] * k + affine[2, 3] - positions[s, 2]
                    for row in range(rows):
                        j = first + row
                        x0, y0 = affine[0, 1] * j + x1, affine[1, 1] * j + y1
                        z0 = affine[2, 1] * j + z1
                        starts[row] = np.float32(x0 * ux + y0 * uy + z0 * uz)
                        cx, cy, cz = y0 * uz - z0 * uy, z0 * ux - x0 * uz, x0 * uy - y0 * ux
                        vertex = -(cx * tx + cy * ty + cz * tz) * per_bend
                        cx, cy, cz = cx + vertex * tx, cy + vertex * ty, cz + vertex * tz
                        leasts[row] = np.float32(cx * cx + cy * cy + cz * cz)
                        middles[row] = np.float32(vertex)
                    for row in range(rows):
                        start, least2, middle = starts[row], leasts[row], middles[row]
                        # The same for the whole row: the compiler makes two loops of it.
                        through = least2 < radius2
                        places = place[row * nx : (row + 1) * nx].view(np.int32)
                        acrosses = across[row * nx : (row + 1) * nx]
                        downs = down[row * nx : (row + 1) * nx]
                        for i in range(nx):
                            step = np.float32(np.int32(i))
                            along = start + slope * step
                            off = step - middle
                            away2 = least2 + bend32 * off * off
                            if through:
                                least = radius2 if along * along <= half_length2 else _ZERO
                                away2 = away2 if away2 > least else least
                            places[i], acrosses[i], downs[i] = _cell(along, away2, stride)
                    _fetch(dose[:n], place, across, down, found, flat, np.float32(weights[s]))
                    for i in range(n):
                        out[i] += np.int64(np.rint(dose[i]))


@njit(cache=True, nogil=True, fastmath=True)
def add_at_points(total, points, cells, position, axis, half_length, radius, strength):  # type: ignore[no-untyped-def]
    """Add one seed's dose in Gy at points (n, 3) to float64 (n,), in place.

    Points and position are in mm, the cylinder in cm.
    """
    stride = np.int32(cells.shape[1])
    flat = cells.ravel()
    dose, across = np.empty(_SPAN, np.float32), np.empty(_SPAN, np.float32)
    down, found = np.empty(_SPAN, np.float32), np.empty(_SPAN, np.int64)
    place = np.empty(_SPAN, np.uint32)
    places = place.view(np.int32)
    for first in range(0, len(points), _SPAN):
        n = min(_SPAN, len(points) - first)
        for i in range(n):
            dx = (points[first + i, 0] - position[0]) * 0.1
            dy = (points[first + i, 1] - position[1]) * 0.1
            dz = (points[first + i, 2] - position[2]) * 0.1
            along = dx * axis[0] + dy * axis[1] + dz * axis[2]
            cx = dy * axis[2] - dz * axis[1]
            cy = dz * axis[0] - dx * axis[2]
            cz = dx * axis[1] - dy * axis[0]
            least = radius**2 if abs(along) <= half_length else 0.0
            away2 = max(cx * cx + cy * cy + cz * cz, least)
            places[i], across[i], down[i] = _cell(np.float32(along), np.float32(away2), stride)
        _fetch(dose[:n], place, across, down, found, flat, np.float32(strength))
        for i in range(n):
            total[first + i] += dose[i]
