"""The fast path: dose to full decay from a table of rate x r^2 over (sqrt r, sin theta).

Rate x r^2 is smooth where rate is not; sqrt r puts the nodes near the seed; sin theta is even
about the transverse plane and needs no fold. Contributions to a grid are whole multiples of
``QUANTUM_GY``, so that taking a seed away undoes adding it exactly, however often.
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
R_MAX_CM = 30.0
RADII = 1024
SINES = 513


@dataclass(frozen=True, eq=False)
class DoseTable:
    """Dose to full decay for 1 U times r^2, Gy mm^2.

    Attributes:
        line: (RADII, SINES) float32 for a known axis.
        point: (RADII, SINES) float32 for an unknown one (the same in every column).
        capsule_half_length_mm: of the seed.
        capsule_radius_mm: of the seed.
    """

    line: NDArray[np.float32]
    point: NDArray[np.float32]
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
    r_cm = np.maximum(np.linspace(0.0, np.sqrt(R_MAX_CM), RADII) ** 2, 1e-4)[:, None]
    theta = np.arcsin(np.linspace(0.0, 1.0, SINES))[None, :]
    # cGy/h to Gy over the mean life, cm^2 to mm^2.
    scale = mean_life_h(source.half_life_days) / 100.0 * (10.0 * r_cm) ** 2
    line = (line_source_rate(*_off_the_line(r_cm, theta, source), source) * scale).astype(
        np.float32
    )
    point = np.broadcast_to(dose_rate_1d(r_cm, source) * scale, line.shape).astype(np.float32)
    return DoseTable(
        line,
        np.ascontiguousarray(point),
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


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _look_up(table, along2, away2, half_length2, radius2, to_row, rows, columns):  # type: ignore[no-untyped-def]
    """Interpolate the table at squared distances (mm^2) and divide by r^2."""
    if along2 <= half_length2 and away2 < radius2:
        away2 = radius2
    r2 = along2 + away2
    row = np.sqrt(np.sqrt(r2)) * to_row
    column = np.sqrt(away2 / r2) * np.float32(columns - 1)
    i = min(int(row), rows - 2)
    j = min(int(column), columns - 2)
    u = min(row - np.float32(i), np.float32(1.0))
    v = column - np.float32(j)
    near = table[i, j] + v * (table[i, j + 1] - table[i, j])
    far = table[i + 1, j] + v * (table[i + 1, j + 1] - table[i + 1, j])
    return (near + u * (far - near)) / r2


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def add_to_grid(total, table, affine, position, axis, half_length, radius, weight):  # type: ignore[no-untyped-def]
    """Add one seed's dose, in quanta, to an int64 grid (nz, ny, nx).

    Args:
        total: int64 (nz, ny, nx), changed in place.
        table: float32 (RADII, SINES), Gy mm^2 for 1 U.
        affine: (4, 4) index to patient.
        position: (3,) centre, mm.
        axis: (3,) unit direction.
        half_length: of the capsule, mm.
        radius: of the capsule, mm.
        weight: strength in U over the quantum, negative to take away.
    """
    nz, ny, nx = total.shape
    rows, columns = table.shape
    flat = table.ravel()
    half_length2, radius2 = np.float32(half_length**2), np.float32(radius**2)
    to_row = np.float32((rows - 1) / np.sqrt(R_MAX_CM * 10.0))
    to_column = np.float32(columns - 1)
    last_row, last_column = np.float32(rows - 1 - 1e-3), np.float32(columns - 1 - 1e-4)
    sign = 1 if weight > 0 else -1
    size = np.float64(abs(weight))
    ux, uy, uz = np.float32(axis[0]), np.float32(axis[1]), np.float32(axis[2])
    sx, sy, sz = np.float32(affine[0, 0]), np.float32(affine[1, 0]), np.float32(affine[2, 0])
    for k in prange(nz):
        # Places and weights of a row first, which runs in vectors; then the gathers.
        place = np.empty(nx, np.int32)
        down, across, per_r2 = (
            np.empty(nx, np.float32),
            np.empty(nx, np.float32),
            np.empty(nx, np.float32),
        )
        for j in range(ny):
            x0 = np.float32(affine[0, 1] * j + affine[0, 2] * k + affine[0, 3] - position[0])
            y0 = np.float32(affine[1, 1] * j + affine[1, 2] * k + affine[1, 3] - position[1])
            z0 = np.float32(affine[2, 1] * j + affine[2, 2] * k + affine[2, 3] - position[2])
            for i in range(nx):
                step = np.float32(i)
                dx, dy, dz = x0 + sx * step, y0 + sy * step, z0 + sz * step
                along = dx * ux + dy * uy + dz * uz
                along2 = along * along
                # The cross product keeps its accuracy near the axis, in single precision too.
                cx, cy, cz = dy * uz - dz * uy, dz * ux - dx * uz, dx * uy - dy * ux
                away2 = cx * cx + cy * cy + cz * cz
                least = radius2 if along2 <= half_length2 else np.float32(0.0)
                away2 = away2 if away2 > least else least
                r2 = along2 + away2
                row = np.sqrt(np.sqrt(r2)) * to_row
                row = row if row < last_row else last_row
                column = np.sqrt(away2 / r2) * to_column
                column = column if column < last_column else last_column
                at_row, at_column = np.int32(row), np.int32(column)
                place[i] = at_row * np.int32(columns) + at_column
                down[i] = row - np.float32(at_row)
                across[i] = column - np.float32(at_column)
                per_r2[i] = np.float32(1.0) / r2
            for i in range(nx):
                n, v = place[i], across[i]
                near = flat[n] + v * (flat[n + 1] - flat[n])
                n += columns
                far = flat[n] + v * (flat[n + 1] - flat[n])
                dose = (near + down[i] * (far - near)) * per_r2[i]
                total[k, j, i] += sign * np.int64(dose * size + 0.5)


@njit(cache=True, nogil=True, fastmath=True)
def add_at_points(total, points, table, position, axis, half_length, radius, strength):  # type: ignore[no-untyped-def]
    """Add one seed's dose in Gy at points (n, 3) in mm to float64 (n,), in place."""
    rows, columns = table.shape
    to_row = np.float32((rows - 1) / np.sqrt(R_MAX_CM * 10.0))
    half_length2, radius2 = np.float32(half_length**2), np.float32(radius**2)
    for n in range(len(points)):
        dx = points[n, 0] - position[0]
        dy = points[n, 1] - position[1]
        dz = points[n, 2] - position[2]
        along = dx * axis[0] + dy * axis[1] + dz * axis[2]
        along2 = np.float32(along * along)
        away2 = np.float32(max(dx * dx + dy * dy + dz * dz - along * along, 0.0))
        dose = _look_up(table, along2, away2, half_length2, radius2, to_row, rows, columns)
        total[n] += strength * dose
