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

from guidance.detection.candidates import Contrast
from guidance.detection.curves import MIDDLE_SIGMA_MM, Curve, degree_of, fitted, mismatch, side_of
from guidance.detection.frame import ScanFrame
from guidance.detection.pieces import pieces

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# A clipped needle of 1.27 mm is seen about 3 mm wide; its middle lies within this of a line.
BESIDE_MM = 1.6
# What a line takes with it: the flanks of its image would make lines of their own.
FLANK_MM = 2.6
SHORTEST_MM = 30.0
# Where many needles share a slice, only stretches of one are bright; longer than a seed.
SHORTEST_PIECE_MM = 12.0
THICK_MM, DIM, SHORTEST_DIM_MM = 2.5, 0.48, 20.0
# What a slice shows of less than this share of its neighbour's brightness is no needle's.
FAINT = 0.15
# No bend takes a line further from where it begins.
STRAYS_MM = 15.0
# Beams that find no way through several needles leave gaps in their images.
LONGEST_GAP_MM = 9.0
BIN_MM = 1.0
GROWTH_MM, GROWTHS = 12.0, 20
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
# The further ahead, the less is known of where it goes.
SPREADS = 0.04


def lines_in(stands_out: Contrast, frame: ScanFrame, sure: float, likely: float) -> list[Curve]:
    """Return all lines of metal, each once.

    Args:
        stands_out: contrast.
        frame: of the scan.
        sure: contrast that metal has on some stretch, HU; lines begin there.
        likely: contrast from which on they are followed, HU.
    """
    index, value, height = ridges(stands_out.hu, stands_out.above(likely)[0])
    exact = np.column_stack((index[:, 2], index[:, 1], height)).astype(np.float64)
    metal = _Metal(frame.of_index(exact), value, frame.slice_mm)
    found: list[_Line] = []
    # Bright stretches first; then, in thick slices, long dim ones that are part of no line yet.
    starts = [(sure, SHORTEST_PIECE_MM)]
    if frame.slice_mm >= THICK_MM:
        starts.append((DIM * sure, SHORTEST_DIM_MM))
    for level, shortest in starts:
        for part in parts_of(index, np.flatnonzero((value > level) & metal.free)):
            if np.linalg.norm(np.ptp(metal.points[part], axis=0)) >= shortest:
                found += _lines_of(metal, part)
    return [line.curve for line in _bridged(metal, found)]


def parts_of(index: IntArray, chosen: IntArray) -> list[IntArray]:
    """Return the connected pieces of chosen voxels, the largest first.

    What a long line passes over is then no line of its own.
    """
    piece = pieces(index[chosen])
    order = np.argsort(piece, kind="stable")
    parts = np.split(chosen[order], np.flatnonzero(np.diff(piece[order])) + 1)
    return sorted((p for p in parts if len(p)), key=len, reverse=True)


def ridges(hu: NDArray[np.int16], index: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the voxels no darker than those above and below them.

    Needles lie nearly in the slices: so each is kept apart from the next one above it.

    Args:
        hu: (nz, ny, nx) contrast.
        index: (n, 3) slice, row, column of voxels.

    Returns:
        (n, 3) slice, row, column; (n,) contrast; (n,) height between the slices, in slices.
    """
    value = hu[tuple(index.T)].astype(np.float64)
    above, below = (
        np.where(
            (index[:, 0] + s >= 0) & (index[:, 0] + s < len(hu)),
            hu[np.clip(index[:, 0] + s, 0, len(hu) - 1), index[:, 1], index[:, 2]],
            0.0,
        )
        for s in (1, -1)
    )
    kept = (value >= above) & (value >= below)
    index, value, above, below = index[kept], value[kept], above[kept], below[kept]
    above, below = (np.clip(v - FAINT * value, 0.0, None) for v in (above, below))
    height = index[:, 0] + (above - below) / (above + below + (1.0 - FAINT) * value)
    return index, value, height


def _bridged(metal: _Metal, lines: list[_Line]) -> list[_Line]:
    """Join lines that lead into each other, the best match first."""
    while len(lines) > 1:
        matches = [
            (max(mismatch(a.curve, b.curve, metal.slice_mm),
                 mismatch(b.curve, a.curve, metal.slice_mm)), i, j)
            for i, a in enumerate(lines) for j, b in enumerate(lines[:i])
        ]  # fmt: skip
        best, i, j = min(matches)
        if not np.isfinite(best):
            break
        both = np.union1d(lines[i].members, lines[j].members)
        joined = metal.line(both)
        lines = [line for k, line in enumerate(lines) if k not in (i, j)] + [joined]
    return lines


@dataclass(frozen=True, eq=False)
class _Line:
    """A curve and the voxels it was drawn through.

    Attributes:
        curve: scan frame, mm.
        members: indices of voxels.
    """

    curve: Curve
    members: IntArray


class _Metal:
    """All bright voxels: where they lie, how bright they are, which belong to no line yet."""

    def __init__(self, points: FloatArray, value: FloatArray, slice_mm: float) -> None:
        self.points, self.value = points, value
        self.free = np.ones(len(points), bool)
        self.slice_mm = slice_mm
        # Height is shortened, so that near means near in the plane.
        self.near = points * (1.0, 1.0, min(1.0, BESIDE_MM / (NEAR_SLICE * slice_mm)))

    def line(self, members: IntArray) -> _Line:
        """Draw a curve through some of the voxels."""
        points = self.points[members]
        degree = degree_of(float(np.linalg.norm(np.ptp(points, axis=0))))
        height = MIDDLE_SIGMA_MM + 0.25 * self.slice_mm
        return _Line(fitted(points, self.value[members], degree, height), members)


def _lines_of(metal: _Metal, piece: IntArray) -> list[_Line]:
    """Take line after line that begins in one piece."""
    rng = np.random.default_rng(0)
    found: list[_Line] = []
    failed = 0
    while failed < MOST_FAILED and len(piece) > SHORTEST_PIECE_MM:
        line = sampled_line(metal.near[piece], rng)
        if line is None:
            break
        around = np.asarray(around_line(metal.near, *line, STRAYS_MM))
        points, value = metal.near[around], metal.value[around]
        curve = _grown(points, value, metal.free[around], *line)
        if curve is None:
            # Whatever it was, it is not looked at again.
            piece = np.delete(piece, around_line(metal.near[piece], *line, BESIDE_MM))
            failed += 1
            continue
        failed = 0
        t, off = curve.split(points)
        inside = (t >= curve.low - BIN_MM) & (t <= curve.high + BIN_MM)
        flank = np.linalg.norm(off, axis=1)
        metal.free[around[inside & (flank <= FLANK_MM)]] = False
        piece = piece[metal.free[piece]]
        core = inside & (flank <= BESIDE_MM)
        found.append(metal.line(around[core]))
    return found


@njit(cache=True, nogil=True)
def around_line(points, start, along, reach):  # type: ignore[no-untyped-def]
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


def sampled_line(
    points: FloatArray,
    rng: np.random.Generator,
    beside_mm: float = BESIDE_MM,
    trials: int = TRIALS,
) -> tuple[FloatArray, FloatArray] | None:
    """Return a point and a direction of the line that metal covers most of, if any."""
    if len(points) > MOST_SAMPLED:
        points = points[rng.permutation(len(points))[:MOST_SAMPLED]]
    pairs = rng.integers(0, len(points), (trials, 2))
    best = int(_best_pair(points, pairs, beside_mm, SHORTEST_PIECE_MM / 2, 2 * BIN_MM))
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
    side = side_of(along)
    sides = np.array((side, np.cross(along, side)))
    curve = Curve(start, along, sides, np.zeros((1, 2)), -np.inf, np.inf)
    span = (-np.inf, np.inf)
    for _ in range(GROWTHS):
        t, off = curve.split(points)
        ahead = np.maximum(np.maximum(curve.low - t, t - curve.high), 0.0)
        aside = np.abs(off @ curve.sides[0])
        height = np.linalg.norm(off - (off @ curve.sides[0])[:, None] * curve.sides[0], axis=1)
        reach = BESIDE_MM * np.where(ahead > 0, NEXT_SLICE / NEAR_SLICE, 1.0) + SPREADS * ahead
        near = (aside <= BESIDE_MM + SPREADS * ahead) & (height <= reach)
        near &= (t >= span[0]) & (t <= span[1])
        run = _longest_run(t[near], free[near])
        if run is None or run[1] - run[0] < SHORTEST_PIECE_MM / 2:
            return None
        members = near & (t >= run[0]) & (t <= run[1])
        length = run[1] - run[0]
        degree = degree_of(length)
        before = curve.at(np.array(run))
        curve = fitted(points[members], value[members], degree)
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
    return fitted(points[members], value[members], degree)


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
