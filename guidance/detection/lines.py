"""Lines of metal: long thin runs of bright voxels, straight or bent, that may cross and touch.

Lines are found in connected pieces by sampling pairs of voxels (RANSAC, Fischler and Bolles, Comm.
ACM 24, 381, 1981); a line is good by how much of its length metal covers, so that a clump counts
for no more than it is long. Each then grows along the metal as a polynomial. Voxels of a line
found before still bridge the gaps of one that crosses it, but begin none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A clipped needle of 1.27 mm is seen about 3 mm wide; its middle lies within this of a line.
BESIDE_MM = 1.6
# What a line takes with it: the flanks of its image would make lines of their own.
FLANK_MM = 2.6
SHORTEST_MM = 30.0
# Where many needles share a slice, only stretches of one are bright; longer than a seed.
SHORTEST_PIECE_MM = 12.0
# No bend takes a line further from where it begins.
STRAYS_MM = 15.0
# Beams that find no way through several needles leave gaps in their images.
LONGEST_GAP_MM = 9.0
BIN_MM = 1.0
# From so long on, a line may bend, and bend in two ways.
BENT_MM, TWICE_BENT_MM = 40.0, 80.0
GROWTH_MM, GROWTHS = 12.0, 12
# A seed ahead of a needle's tip: so long in the image at most, and apart from it.
SEED_MM, SEED_GAP_MM = 8.0, 1.5
TRIALS, MOST_SAMPLED = 300, 1500
# A line most of whose metal belongs to others is one of them again.
LEAST_FREE = 0.4
# After so many lines in a row that are none, a piece holds none.
MOST_FAILED = 4
# Thick slices say little of height: a line is near within this share of a slice, and goes on
# beyond its ends in the next slice too.
NEAR_SLICE, NEXT_SLICE = 0.7, 1.1
SCALE_MM = 50.0
# Needles bend by a radius of some 400 mm, evenly: coefficients of the square and the cube of
# t / SCALE_MM, standard deviation, mm. Against it stands one middle of the metal every few mm.
BEND_MM, TWIST_MM = 3.0, 0.7
MIDDLE_SIGMA_MM, MIDDLE_EVERY_MM = 0.4, 4.0


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth line: polynomials of the distance t along an axis, straight on beyond its ends.

    Attributes:
        origin: (3,) mm.
        along: (3,) unit vector.
        sides: (2, 3) unit vectors at right angles to it.
        shape: (degree + 1, 2) coefficients of t / SCALE_MM, lowest first, mm.
        low: where it begins.
        high: where it ends.
    """

    origin: FloatArray
    along: FloatArray
    sides: FloatArray
    shape: FloatArray
    low: float
    high: float

    def at(self, t: FloatArray) -> FloatArray:
        """Return (n, 3) points."""
        held = np.clip(t, self.low, self.high) / SCALE_MM
        aside = np.zeros((len(t), 2))
        slope = np.zeros((len(t), 2))
        for row in self.shape[::-1]:
            slope = slope * held[:, None] + aside
            aside = aside * held[:, None] + row
        aside += slope * (t / SCALE_MM - held)[:, None]
        return np.asarray(self.origin + t[:, None] * self.along + aside @ self.sides)

    def split(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (n,) t of points and (n, 3) how far they lie off the curve there, mm."""
        t = (points - self.origin) @ self.along
        return t, points - self.at(t)


def lines_in(
    stands_out: NDArray[np.float32], frame: ScanFrame, sure: float, likely: float
) -> list[Curve]:
    """Return all lines of metal, each once.

    Args:
        stands_out: contrast (nz, ny, nx), HU.
        frame: of the scan.
        sure: contrast that metal has on some stretch, HU; lines begin there.
        likely: contrast from which on they are followed, HU.
    """
    flat = np.flatnonzero(stands_out.ravel() > likely)
    value = stands_out.ravel()[flat].astype(np.float64)
    index = np.column_stack(np.unravel_index(flat, stands_out.shape))
    metal = _Metal(frame.of_index(index[:, ::-1].astype(np.float64)), value, frame.slice_mm)
    bright = np.flatnonzero(value > sure)
    piece = pieces(index[bright])
    order = np.argsort(piece, kind="stable")
    parts = np.split(bright[order], np.flatnonzero(np.diff(piece[order])) + 1)
    found: list[Curve] = []
    # The largest pieces first: what a long line passes over is no line of its own.
    for part in sorted(parts, key=len, reverse=True):
        if len(part) and np.linalg.norm(np.ptp(metal.points[part], axis=0)) >= SHORTEST_PIECE_MM:
            found += _lines_of(metal, part)
    return found


def pieces(index: IntArray) -> IntArray:
    """Return (n,) the number of the connected piece of each voxel, 26 neighbours.

    Args:
        index: (n, 3) slice, row, column, in rising order.
    """
    size = index.max(axis=0) + 3 if len(index) else np.ones(3, np.int64)
    flat = (index[:, 0] * size[1] + index[:, 1] + 1) * size[2] + index[:, 2] + 1
    offsets = np.array(
        [(a * size[1] + b) * size[2] + c for a in (-1, 0) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    )
    return np.asarray(_joined(flat, offsets[offsets < 0]))


@njit(cache=True, nogil=True)
def _joined(flat, offsets):  # type: ignore[no-untyped-def]
    """Join each voxel with its neighbours before it (union-find)."""
    parent = np.arange(len(flat))
    for o in offsets:
        other = 0
        for v in range(len(flat)):
            wanted = flat[v] + o
            while other < len(flat) and flat[other] < wanted:
                other += 1
            if other == len(flat) or flat[other] != wanted:
                continue
            a, b = v, other
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[max(a, b)] = min(a, b)
    for v in range(len(flat)):
        parent[v] = parent[parent[v]]
    return parent


class _Metal:
    """All bright voxels: where they lie, how bright they are, which belong to no line yet."""

    def __init__(self, points: FloatArray, value: FloatArray, slice_mm: float) -> None:
        self.points, self.value = points, value
        self.free = np.ones(len(points), bool)
        self.slice_mm = slice_mm
        # Height is shortened, so that near means near in the plane.
        self.near = points * (1.0, 1.0, min(1.0, BESIDE_MM / (NEAR_SLICE * slice_mm)))


def _lines_of(metal: _Metal, piece: IntArray) -> list[Curve]:
    """Take line after line that begins in one piece."""
    rng = np.random.default_rng(0)
    found: list[Curve] = []
    failed = 0
    while failed < MOST_FAILED and len(piece) > SHORTEST_PIECE_MM:
        line = _sampled_line(metal.near[piece], rng)
        if line is None:
            break
        around = np.asarray(_around(metal.near, *line, STRAYS_MM))
        points, value = metal.near[around], metal.value[around]
        curve = _grown(points, value, metal.free[around], *line)
        if curve is None:
            # Whatever it was, it is not looked at again.
            piece = np.delete(piece, _around(metal.near[piece], *line, BESIDE_MM))
            failed += 1
            continue
        failed = 0
        t, off = curve.split(points)
        inside = (t >= curve.low - BIN_MM) & (t <= curve.high + BIN_MM)
        flank = np.linalg.norm(off, axis=1)
        metal.free[around[inside & (flank <= FLANK_MM)]] = False
        piece = piece[metal.free[piece]]
        core = inside & (flank <= BESIDE_MM)
        degree, height = len(curve.shape) - 1, MIDDLE_SIGMA_MM + 0.25 * metal.slice_mm
        found.append(_fitted(metal.points[around[core]], value[core], degree, height))
    return found


@njit(cache=True, nogil=True)
def _around(points, start, along, reach):  # type: ignore[no-untyped-def]
    """Return which points lie within a distance of a straight line."""
    found = np.empty(len(points), np.int64)
    count = 0
    for v in range(len(points)):
        x, y, z = points[v, 0] - start[0], points[v, 1] - start[1], points[v, 2] - start[2]
        t = x * along[0] + y * along[1] + z * along[2]
        x, y, z = x - t * along[0], y - t * along[1], z - t * along[2]
        if x * x + y * y + z * z <= reach * reach:
            found[count] = v
            count += 1
    return found[:count]


def _sampled_line(
    points: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray] | None:
    """Return a point and a direction of the line that metal covers most of, if any."""
    if len(points) > MOST_SAMPLED:
        points = points[rng.permutation(len(points))[:MOST_SAMPLED]]
    pairs = rng.integers(0, len(points), (TRIALS, 2))
    best = int(_best_pair(points, pairs, BESIDE_MM, SHORTEST_PIECE_MM / 2, 2 * BIN_MM))
    if best < 0:
        return None
    a, b = points[pairs[best]]
    return a, (b - a) / np.linalg.norm(b - a)


@njit(cache=True, nogil=True)
def _best_pair(points, pairs, beside, shortest, bin_mm):  # type: ignore[no-untyped-def]
    """Return which pair's line has most bins along it covered, -1 if no pair is far apart."""
    best, best_score = -1, 0
    bins = np.zeros(1024, np.int64)
    for trial in range(len(pairs)):
        a, b = points[pairs[trial, 0]], points[pairs[trial, 1]]
        d = b - a
        length = np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        if length < shortest:
            continue
        d = d / length
        covered, count = 0, 0
        for v in range(len(points)):
            x, y, z = points[v, 0] - a[0], points[v, 1] - a[1], points[v, 2] - a[2]
            t = x * d[0] + y * d[1] + z * d[2]
            x, y, z = x - t * d[0], y - t * d[1], z - t * d[2]
            if x * x + y * y + z * z <= beside * beside:
                count += 1
                at = int(t / bin_mm + 512) % 1024
                if bins[at] != trial + 1:
                    bins[at] = trial + 1
                    covered += 1
        score = covered * 100000 + count
        if score > best_score:
            best, best_score = trial, score
    return best


def _grown(
    points: FloatArray, value: FloatArray, free: NDArray[np.bool_], start: FloatArray,
    along: FloatArray,
) -> Curve | None:  # fmt: skip
    """Return the curve that a line becomes as it follows the metal; None if it is too short."""
    curve = Curve(start, along, np.zeros((2, 3)), np.zeros((1, 2)), 0.0, 0.0)
    span = (-np.inf, np.inf)
    for _ in range(GROWTHS):
        t, off = curve.split(points)
        beyond = (t < curve.low) | (t > curve.high)
        off[beyond, 2] *= NEAR_SLICE / NEXT_SLICE
        near = (np.linalg.norm(off, axis=1) <= BESIDE_MM) & (t >= span[0]) & (t <= span[1])
        run = _longest_run(t[near], free[near])
        if run is None or run[1] - run[0] < SHORTEST_PIECE_MM / 2:
            return None
        members = near & (t >= run[0]) & (t <= run[1])
        length = run[1] - run[0]
        degree = 1 + (length > BENT_MM) + (length > TWICE_BENT_MM)
        before = curve.at(np.array(run))
        curve = _fitted(points[members], value[members], degree)
        moved = np.abs(curve.at(np.array((curve.low, curve.high))) - before).max()
        span = (curve.low - GROWTH_MM, curve.high + GROWTH_MM)
        if moved < 0.2 * BIN_MM and np.isfinite(span).all():
            break
    if np.mean(free[members]) < LEAST_FREE:
        return None
    low, high = _without_seeds(np.sort(t[members]))
    members &= (t >= low) & (t <= high)
    if high - low < SHORTEST_MM:
        return None
    return _fitted(points[members], value[members], degree)


def _without_seeds(t: FloatArray) -> tuple[float, float]:
    """Return the ends of a line, short pieces of metal ahead of them left out."""
    cuts = np.flatnonzero(np.diff(t) > SEED_GAP_MM)
    starts, stops = t[np.append(0, cuts + 1)], t[np.append(cuts, len(t) - 1)]
    pieces = np.flatnonzero(stops - starts > SEED_MM)
    if not len(pieces):
        return float(t[0]), float(t[-1])
    return float(starts[pieces[0]]), float(stops[pieces[-1]])


def _longest_run(t: FloatArray, free: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the stretch without long gaps that holds most of what no line has taken."""
    if not free.any():
        return None
    order = np.argsort(t)
    t, free = t[order], free[order]
    cuts = np.concatenate(([0], np.flatnonzero(np.diff(t) > LONGEST_GAP_MM) + 1, [len(t)]))
    most = np.add.reduceat(free, cuts[:-1])
    best = int(np.argmax(most))
    return float(t[cuts[best]]), float(t[cuts[best + 1] - 1])


def _fitted(
    points: FloatArray, value: FloatArray, degree: int, height_mm: float = MIDDLE_SIGMA_MM
) -> Curve:
    """Return the curve through voxels, each weighing as much as it stands out.

    Args:
        points: (n, 3) mm.
        value: (n,) contrast.
        degree: of the polynomials.
        height_mm: how far off one middle is in height, standard deviation.
    """
    weight = value / value.sum()
    origin = weight @ points
    off = points - origin
    along = np.linalg.eigh((off * weight[:, None]).T @ off)[1][:, 2]
    side = side_of(along)
    sides = np.array((side, np.cross(along, side)))
    t = off @ along
    rows = (t[:, None] / SCALE_MM) ** np.arange(degree + 1)
    middles = weight * np.ptp(t) / MIDDLE_EVERY_MM
    loose = np.array((np.inf, np.inf, BEND_MM, TWIST_MM))[: degree + 1]
    shape = np.empty((degree + 1, 2))
    for c, sigma in enumerate((MIDDLE_SIGMA_MM, height_mm)):
        heard = (rows * (middles / sigma**2)[:, None]).T
        shape[:, c] = np.linalg.solve(heard @ rows + np.diag(loose**-2.0), heard @ (off @ sides[c]))
    return Curve(origin, along, sides, shape, float(t.min()), float(t.max()))


def side_of(along: FloatArray) -> FloatArray:
    """Return the direction in the plane at right angles to a line."""
    side = np.array((along[1], -along[0], 0.0))
    length = float(np.linalg.norm(side))
    return side / length if length > 0 else np.array((1.0, 0.0, 0.0))
