"""Metal that photons meet as it lies: the seeds' capsules and cores, and needles still in place.

A piece is a closed tube around a rod, both cylinders on one axis. What a photon meets on its way
is worked out from the geometry, only in the voxels that a piece reaches into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.sources import SourceModel
from dose.transport.coefficients import coefficients
from dose.transport.materials import AIR, SILVER, STEEL, TITANIUM, Material

FloatArray = NDArray[np.float64]

# Columns of a piece: centre and axis (x, y, z each), half length and radius of the tube, half
# length and radius of its hollow, half length and radius of the rod, kind.
_CENTRE, _AXIS, _TUBE, _HOLLOW, _ROD, KIND = 0, 3, 6, 8, 10, 12
COLUMNS = 13
# Pieces kept for one voxel; of more, the nearest.
MOST = 8


@dataclass(frozen=True)
class Shape:
    """A kind of piece; lengths in mm.

    Attributes:
        name: for messages.
        length_mm: outer length.
        radius_mm: outer radius.
        wall_mm: of the tube.
        end_mm: thickness of its closed ends; 0 for an open tube.
        tube: what the tube is made of.
        rod_length_mm: of the rod inside; 0 for none.
        rod_radius_mm: of the rod.
        rod: what the rod is made of.
    """

    name: str
    length_mm: float
    radius_mm: float
    wall_mm: float
    end_mm: float
    tube: Material
    rod_length_mm: float = 0.0
    rod_radius_mm: float = 0.0
    rod: Material = AIR

    def __post_init__(self) -> None:
        """Check that one part lies in the other."""
        hollow = (self.length_mm / 2 - self.end_mm, self.radius_mm - self.wall_mm)
        if min(hollow) < 0 or self.rod_length_mm / 2 > hollow[0] or self.rod_radius_mm > hollow[1]:
            raise DoseError(f"{self.name}: tube and rod do not fit into one another")


# The 6711 as CLRP's TG-43 database has it (Safigholi et al., Med. Phys. 47, 4656, 2020): walls of
# 0.07 mm, a silver rod of 2.8 mm by 0.5 mm; the round ends, 0.4 mm, as flat ones of the mean.
_OWN = {"6711": (0.07, 0.27, 2.8, 0.25)}
_WALL_MM, _END_MM = 0.05, 0.2
# 18 gauge, ISO 9626: 1.27 mm outside, thin wall.
NEEDLE_18G = Shape("needle", 100.0, 0.635, 0.215, 0.0, STEEL)


def capsule_of(source: SourceModel) -> Shape:
    """Return the metal of a seed.

    Only the inside of the 6711 is known here; of other seeds the titanium counts, with walls of
    0.05 mm, and what is inside is taken as nothing.
    """
    wall, end, length, radius = _OWN.get(source.model, (_WALL_MM, _END_MM, 0.0, 0.0))
    return Shape(
        source.model,
        source.capsule_length_cm * 10,
        source.capsule_diameter_cm * 5,
        wall,
        end,
        TITANIUM,
        length,
        radius,
        SILVER if radius else AIR,
    )


@dataclass(frozen=True, eq=False)
class Metal:
    """Pieces of metal in a patient; LPS mm.

    Attributes:
        shapes: the kinds.
        kind: (n,) index into ``shapes``; the first pieces are the seeds', in their order.
        centre_mm: (n, 3).
        axis: (n, 3) unit directions.
        length_mm: (n,) in the place of that of the shape; NaN where it holds.
    """

    shapes: tuple[Shape, ...]
    kind: NDArray[np.int64]
    centre_mm: FloatArray
    axis: FloatArray
    length_mm: FloatArray

    @classmethod
    def of_seeds(cls, shape: Shape, position_mm: FloatArray, axis: FloatArray) -> Metal:
        """Return one piece for each seed."""
        n = len(position_mm)
        return cls((shape,), np.zeros(n, np.int64), position_mm, axis, np.full(n, np.nan))

    def with_needles(self, shape: Shape, needles: Sequence[tuple[FloatArray, FloatArray]]) -> Metal:
        """Add needles from tip to entry, each a pair of points."""
        ends = np.array(needles, dtype=np.float64).reshape(-1, 2, 3)
        along = ends[:, 1] - ends[:, 0]
        length = np.linalg.norm(along, axis=1)
        if (length <= 0).any():
            raise DoseError("a needle needs a tip and an entry that are not the same point")
        return Metal(
            (*self.shapes, shape),
            np.concatenate((self.kind, np.full(len(ends), len(self.shapes)))),
            np.concatenate((self.centre_mm, ends.mean(axis=1))),
            np.concatenate((self.axis, along / length[:, None])),
            np.concatenate((self.length_mm, length)),
        )

    def pieces(self, geometry: GridGeometry) -> FloatArray:
        """Return (n, COLUMNS), cm from the corner of the grid, along its axes."""
        out = np.zeros((len(self.kind), COLUMNS))
        local = geometry.patient_to_indices(self.centre_mm) + 0.5
        out[:, _CENTRE : _CENTRE + 3] = local * geometry.spacing_mm / 10.0
        out[:, _AXIS : _AXIS + 3] = self.axis @ geometry.axes
        for i, kind in enumerate(self.kind):
            shape = self.shapes[kind]
            length = self.length_mm[i] if np.isfinite(self.length_mm[i]) else shape.length_mm
            out[i, _TUBE:KIND] = (
                *(length / 20, shape.radius_mm / 10),
                *((length / 2 - shape.end_mm) / 10, (shape.radius_mm - shape.wall_mm) / 10),
                *(shape.rod_length_mm / 20, shape.rod_radius_mm / 10),
            )
            out[i, KIND] = kind
        return out

    def mu(self) -> FloatArray:
        """Return (kinds, 2, energies) 1/cm of tube and rod."""
        return np.array(
            [
                [coefficients(m).mu * m.density_g_cm3 for m in (shape.tube, shape.rod)]
                for shape in self.shapes
            ]
        )

    def rows(self, geometry: GridGeometry) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return which voxels have metal and which.

        Returns:
            (nz, ny, nx) row of each voxel, -1 for none; (rows, MOST) pieces, -1 for none.
        """
        pieces = self.pieces(geometry)
        spacing = geometry.spacing_mm / 10.0
        reach = np.linalg.norm(spacing) / 2
        near: dict[tuple[int, int, int], list[tuple[float, int]]] = {}
        upper = np.array(geometry.shape[::-1]) - 1
        for i, piece in enumerate(pieces):
            centre, axis = piece[_CENTRE : _CENTRE + 3], piece[_AXIS : _AXIS + 3]
            half, radius = piece[_TUBE], piece[_TUBE + 1]
            extent = half * np.abs(axis) + radius
            low = np.clip(np.floor((centre - extent) / spacing).astype(int), 0, upper)
            high = np.clip(np.floor((centre + extent) / spacing).astype(int), 0, upper)
            ranges = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
            index = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
            away = (index + 0.5) * spacing - centre
            along = np.clip(away @ axis, -half, half)
            distance = np.linalg.norm(away - along[:, None] * axis, axis=1)
            for (x, y, z), d in zip(index, distance, strict=True):
                if d <= reach + radius:
                    near.setdefault((int(z), int(y), int(x)), []).append((float(d), i))
        row = np.full(geometry.shape, -1, np.int32)
        listed = np.full((max(1, len(near)), MOST), -1, np.int32)
        for number, (voxel, found) in enumerate(near.items()):
            row[voxel] = number
            kept = [i for _, i in sorted(found)[:MOST]]
            listed[number, : len(kept)] = kept
        return row, listed


@njit(cache=True, nogil=True)
def _chord(place, way, piece, half, radius):  # type: ignore[no-untyped-def]
    """Return where a ray enters and leaves a cylinder on a piece's axis; (0, 0) if it misses."""
    if half <= 0.0 or radius <= 0.0:
        return 0.0, 0.0
    along, there, across2, cross, slant2 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(3):
        along += way[i] * piece[_AXIS + i]
        there += (place[i] - piece[_CENTRE + i]) * piece[_AXIS + i]
    for i in range(3):
        d = place[i] - piece[_CENTRE + i] - there * piece[_AXIS + i]
        w = way[i] - along * piece[_AXIS + i]
        across2 += d * d
        cross += d * w
        slant2 += w * w
    low, high = -1e30, 1e30
    if slant2 > 1e-14:
        root = cross * cross - slant2 * (across2 - radius * radius)
        if root <= 0.0:
            return 0.0, 0.0
        low, high = (-cross - np.sqrt(root)) / slant2, (-cross + np.sqrt(root)) / slant2
    elif across2 >= radius * radius:
        return 0.0, 0.0
    if abs(along) > 1e-7:
        one, other = (-half - there) / along, (half - there) / along
        low, high = max(low, min(one, other)), min(high, max(one, other))
    elif abs(there) >= half:
        return 0.0, 0.0
    return (low, high) if high > low else (0.0, 0.0)


@njit(cache=True, nogil=True, inline="always")
def _within(low, high, start, stop):  # type: ignore[no-untyped-def]
    return max(0.0, min(high, stop) - max(low, start))


@njit(cache=True, nogil=True)
def next_metal(place, way, gone, end, own, row, pieces, mu):  # type: ignore[no-untyped-def]
    """Return the next metal on a way between two distances.

    Args:
        place: (3,) start of the flight, cm.
        way: (3,) unit direction.
        gone: distance from the start where the way begins, cm.
        end: where it ends.
        own: piece that is not met.
        row: (MOST,) pieces to look at.
        pieces: (n, COLUMNS).
        mu: (kinds, 2) 1/cm of tube and rod at the photon's energy.

    Returns:
        Where metal begins and where it ends (``end`` twice for none), and its optical depth.
    """
    first, last, found = end, end, -1
    for i in row:
        if i < 0 or i == own:
            continue
        piece = pieces[i]
        low, high = _chord(place, way, piece, piece[_TUBE], piece[_TUBE + 1])
        low, high = max(low, gone), min(high, end)
        # A way of nothing would be found again and again.
        if high - low > 1e-9 and low < first:
            first, last, found = low, high, i
    if found < 0:
        return end, end, 0.0
    piece = pieces[found]
    kind = int(piece[KIND])
    low, high = _chord(place, way, piece, piece[_HOLLOW], piece[_HOLLOW + 1])
    hollow = _within(low, high, first, last)
    low, high = _chord(place, way, piece, piece[_ROD], piece[_ROD + 1])
    rod = _within(low, high, first, last)
    return first, last, mu[kind, 0] * (last - first - hollow) + mu[kind, 1] * rod
