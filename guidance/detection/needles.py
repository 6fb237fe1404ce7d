"""Needles: long thin metal that comes in from the air outside the patient.

Lines are found among metal voxels by sampling pairs (RANSAC) and bent where the metal bends; the
last stretch of each is fitted with the image of a rod, and a line is kept only if it leaves the
skin: what has no end in air is no needle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.candidates import connected
from guidance.detection.frame import ScanFrame
from guidance.detection.rods import Fit, Look, Patch, fit_rods
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# What a needle stands out by in a slice of 1 mm; thicker slices thin it out, bone stays.
METAL_HU_MM = 1500.0
LEAST_METAL_HU, MOST_METAL_HU = 450.0, 1200.0
# Metal is where a line is at least this share as bright as most of it.
BRIGHT = 0.3
AIR_HU = -400.0
# An 18 gauge needle is 1.27 mm wide; its image is wider by blur and by half a pixel.
BESIDE_MM = 1.6
SHORTEST_MM = 30.0
# A line with a longer stretch without metal is two lines.
LONGEST_GAP_MM = 8.0
# Needles are put in a centimetre apart.
SAME_NEEDLE_MM = 3.0
TRIALS = 400
# After so many lines in a row that are no needles, a piece of metal or bone holds none.
MOST_FAILED = 3
STEP_MM = 0.25
RING_MM = 6.0
# The stretch of a needle that the image of a rod is fitted to, and how far around it.
LONGEST_FIT_MM, BEYOND_MM, ASIDE_MM = 70.0, 4.0, 4.0
# Steel of this gauge as scans show it, HU mm^2; bone ridges have a tenth of it.
LEAST_STEEL_HU_MM2 = 1500.0
LEAST_EXPLAINED = 0.6
# A ridge of bone or the edge of a table is neither as sharp nor as like a rod.
LEAST_WITHIN, WIDEST_SPREAD_MM = 0.87, 1.2
# So much metal is steel even where it looks broader, as long as a rod explains it well: where
# the scale clips a needle in thin slices, its sides bloom.
SURE_STEEL_HU_MM2, SURELY_EXPLAINED = 6.0 * LEAST_STEEL_HU_MM2, 0.8
# A needle that strays further than this from a straight line over its length is bent; the
# straight rod is then fitted to a shorter stretch.
BENT_MM, BENT_FIT_MM, REACH_MM = 1.0, 25.0, 60.0
# Steel bends; tighter than this radius it is two needles.
TIGHTEST_MM = 180.0
# Lengths over which a bevelled tip thins out that are tried, one for all needles of a scan.
# The usual one is taken unless another explains the images better by this share.
BEVELS_MM = (0.0, 2.7)
USUAL_BEVEL, SURELY_OTHER = 1, 0.05


@dataclass(frozen=True, eq=False)
class NeedleLine:
    """A needle in the scan's frame, mm.

    Attributes:
        tip: (3,).
        entry: (3,) where it passes the skin.
        outer: (3,) where its metal ends outside.
        coverage: share of its length on which metal is seen.
        tip_sigma_mm: standard error of the tip along the needle.
        path: (n, 3) from tip to outer.
        bent: it strays from a straight line.
        bevels: a fit for each of BEVELS_MM: (cost, tip).
    """

    tip: FloatArray
    entry: FloatArray
    outer: FloatArray
    coverage: float
    tip_sigma_mm: float
    path: FloatArray
    bent: bool
    bevels: tuple[tuple[float, FloatArray], ...]


@dataclass(frozen=True, eq=False)
class _Curve:
    """A straight or bent line: start + t along + t^2 bend, mm."""

    start: FloatArray
    along: FloatArray
    bend: FloatArray

    def at(self, t: FloatArray) -> FloatArray:
        """Return (n, 3) points."""
        return np.asarray(self.start + t[:, None] * self.along + (t * t)[:, None] * self.bend)


def find_needles(
    volume: Volume, frame: ScanFrame, stands_out: NDArray[np.float32], clip_hu: float
) -> list[NeedleLine]:
    """Return all needles, each once.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        clip_hu: value at which the scan clips.
    """
    level = float(np.clip(METAL_HU_MM / frame.slice_mm, LEAST_METAL_HU, MOST_METAL_HU))
    labels, count = connected(stands_out > level)
    needles: list[NeedleLine] = []
    for index, box in enumerate(ndimage.find_objects(labels, count), start=1):
        where = np.argwhere(labels[box] == index) + [s.start for s in box]
        points = frame.of_index(where[:, ::-1].astype(np.float64))
        if np.linalg.norm(np.ptp(points, axis=0)) < SHORTEST_MM:
            continue
        needles += _in_component(volume, frame, points, clip_hu)
    return _bevelled(_once(needles))


def _bevelled(needles: list[NeedleLine]) -> list[NeedleLine]:
    """Take the bevel that fits all needles best, and end each where its metal ends with it."""
    if not needles:
        return []
    costs = np.array([[cost for cost, _ in n.bevels] for n in needles])
    relative = np.mean(costs / costs[:, USUAL_BEVEL, None], axis=0)
    best = int(np.argmin(relative))
    if relative[best] > 1 - SURELY_OTHER:
        best = USUAL_BEVEL
    ended = []
    for needle in needles:
        tip = needle.bevels[best][1]
        path = np.vstack((tip, needle.path[1:]))
        ended.append(replace(needle, tip=tip, path=path))
    return ended


def _once(needles: list[NeedleLine]) -> list[NeedleLine]:
    """Leave out a line whose tip lies on the shaft of a longer one: a piece of it."""
    kept: list[NeedleLine] = []
    for needle in sorted(needles, key=lambda n: -float(np.linalg.norm(n.tip - n.entry))):
        if all(_from_shaft(needle.tip, other) > SAME_NEEDLE_MM for other in kept):
            kept.append(needle)
    return kept


def _from_shaft(point: FloatArray, needle: NeedleLine) -> float:
    return float(np.linalg.norm(needle.path - point, axis=1).min())


def _in_component(
    volume: Volume, frame: ScanFrame, points: FloatArray, clip_hu: float
) -> list[NeedleLine]:
    """Take line after line out of one connected piece of metal."""
    found = []
    rng = np.random.default_rng(0)
    # Thick slices say little of height: it is shortened, so that near means near in the plane.
    shorten = np.array((1.0, 1.0, min(1.0, BESIDE_MM / (0.6 * frame.slice_mm))))
    points = points * shorten
    failed = 0
    while len(points) > 20 and failed < MOST_FAILED:
        line = _best_line(points, BESIDE_MM, rng)
        if line is None:
            break
        curve, members = line
        if curve is None:
            failed += 1
            points = points[~members]
            continue
        size = float(np.linalg.norm(curve.along / shorten))
        curve = _Curve(
            curve.start / shorten, curve.along / shorten / size, curve.bend / shorten / size**2
        )
        needle = _measure(volume, frame, curve, clip_hu)
        if needle is not None:
            if not needle.bent:
                # Along the fitted line the ends are found anew: the first line may have left
                # the slice that the needle goes on in.
                shaft = needle.tip - needle.entry
                along = shaft / np.linalg.norm(shaft)
                middle = needle.tip - 0.5 * shaft
                straight = _Curve(middle, along, np.zeros(3))
                needle = _measure(volume, frame, straight, clip_hu) or needle
            found.append(needle)
        failed = failed + 1 if needle is None else 0
        points = points[~members]
    return found


def _best_line(
    points: FloatArray, beside: float, rng: np.random.Generator
) -> tuple[_Curve | None, NDArray[np.bool_]] | None:
    """Return the line with most metal near it, bent where the metal bends, and its members.

    No curve if the members are no single piece of metal, nothing if there is no line.
    """
    best = 0
    best_pair: tuple[FloatArray, FloatArray] | None = None
    for _ in range(TRIALS):
        a, b = points[rng.integers(0, len(points), 2)]
        length = float(np.linalg.norm(b - a))
        if length < SHORTEST_MM / 2:
            continue
        count = _count_near(points, a, (b - a) / length, beside, best)
        if count > best:
            best, best_pair = count, (a, (b - a) / length)
    if best_pair is None:
        return None
    members = _near(points, *best_pair, beside)
    for _ in range(3):
        start = points[members].mean(axis=0)
        direction = np.linalg.svd(points[members] - start, full_matrices=False)[2][0]
        members = _near(points, start, direction, beside)
    along = np.sort((points[members] - start) @ direction)
    if along[-1] - along[0] < SHORTEST_MM:
        return None
    if np.diff(along).max() > LONGEST_GAP_MM:
        return None, members
    curve = _Curve(start, direction, np.zeros(3))
    for _ in range(4):
        curve = _bent(points, curve, members)
        members = _near_curve(points, curve, members, beside)
    # Neighbouring voxels of the same rod, blurred further out, go with it.
    return curve, _near_curve(points, curve, members, 2 * beside)


def _bent(points: FloatArray, curve: _Curve, members: NDArray[np.bool_]) -> _Curve:
    """Return the parabola through the members; a straight line where that does as well."""
    t = (points[members] - curve.start) @ curve.along
    middle = 0.5 * (t.min() + t.max())
    start = curve.start + middle * curve.along
    t = t - middle
    rows = np.column_stack((np.ones(len(t)), t, t * t))
    off = points[members] - start
    across = off - (off @ curve.along)[:, None] * curve.along
    shift, slope, bend = np.linalg.lstsq(rows, across, rcond=None)[0]
    if np.linalg.norm(bend) > 0.5 / TIGHTEST_MM:
        bend = np.zeros(3)
    along = curve.along + slope
    return _Curve(start + shift, along / np.linalg.norm(along), bend)


def _near_curve(
    points: FloatArray, curve: _Curve, members: NDArray[np.bool_], beside: float
) -> NDArray[np.bool_]:
    """Return which points lie near a curve, as far as it goes on from its members."""
    off = points - curve.start
    t = off @ curve.along
    across = off - t[:, None] * curve.along - (t * t)[:, None] * curve.bend
    near = np.einsum("ij,ij->i", across, across) <= beside**2
    low, high = t[members].min(), t[members].max()
    return np.asarray(near & (t > low - REACH_MM) & (t < high + REACH_MM))


def _near(
    points: FloatArray, start: FloatArray, direction: FloatArray, beside: float
) -> NDArray[np.bool_]:
    off = points - start
    across = off - (off @ direction)[:, None] * direction
    return np.asarray(np.einsum("ij,ij->i", across, across) <= beside**2)


@njit(cache=True, nogil=True)
def _count_near(points, start, direction, beside, best):  # type: ignore[no-untyped-def]
    """Count the points near a line, as far as they can still be more than the best so far."""
    count, total = 0, len(points)
    for v in range(total):
        x, y, z = points[v, 0] - start[0], points[v, 1] - start[1], points[v, 2] - start[2]
        t = x * direction[0] + y * direction[1] + z * direction[2]
        x, y, z = x - t * direction[0], y - t * direction[1], z - t * direction[2]
        if x * x + y * y + z * z <= beside * beside:
            count += 1
        elif count + total - v <= best:
            break
    return count


def _measure(volume: Volume, frame: ScanFrame, curve: _Curve, clip_hu: float) -> NeedleLine | None:
    """Follow a line through the scan: where its metal ends, where it passes the skin."""
    t = np.arange(-400.0, 400.0, STEP_MM)
    if curve.bend.any():
        t = t[np.abs(t) < 2.5 * REACH_MM]
    points = curve.at(t)
    index = frame.to_index(points)
    size = np.array(volume.hu.shape[::-1])
    inside = ((index >= 0) & (index <= size - 1)).all(axis=1)
    t, points = t[inside], points[inside]
    if not len(t):
        return None
    ring = _ring(curve.along)
    around = np.median([_sampled(volume, frame, points + r) for r in ring], axis=0)
    core = _brightest(volume, frame, points) - around
    middle = int(np.argmin(np.abs(t)))
    near = np.abs(t) < SHORTEST_MM / 2
    bright = core > BRIGHT * float(np.percentile(core[near], 75))
    piece = _piece_at(bright, middle)
    if piece is None:
        return None
    first, last = piece
    air = around < AIR_HU
    # The end in air is outside; a line with both or no end in air is no needle.
    if air[first] == air[last]:
        return None
    if air[last]:
        t, points, bright, air = -t[::-1], points[::-1], bright[::-1], air[::-1]
        first, last = len(t) - 1 - last, len(t) - 1 - first
    entry = int(np.flatnonzero(~air[first : last + 1])[0]) + first
    coverage = float(bright[first : last + 1].mean())
    return _ended(volume, frame, points[first : last + 1], entry - first, coverage, clip_hu)


def _ended(
    volume: Volume,
    frame: ScanFrame,
    points: FloatArray,
    entry: int,
    coverage: float,
    clip_hu: float,
) -> NeedleLine | None:
    """Fit the last stretch of a line that was followed from outside to its tip."""
    inside = float(np.linalg.norm(points[-1] - points[entry]))
    if inside < 5.0:
        return None
    bent = _sagitta(points) > BENT_MM
    length = min(inside, BENT_FIT_MM if bent else LONGEST_FIT_MM)
    begins = int(np.argmin(np.abs(np.linalg.norm(points - points[-1], axis=1) - length)))
    direction = points[-1] - points[begins]
    direction = direction / np.linalg.norm(direction)
    fits = [
        _fitted(volume, frame, points[-1], direction, length, clip_hu, bevel) for bevel in BEVELS_MM
    ]
    fit = min(fits, key=lambda f: f.cost)
    if fit.explained < LEAST_EXPLAINED or fit.amplitudes[0] < LEAST_STEEL_HU_MM2 * length:
        return None
    steel = fit.amplitudes[0] >= SURE_STEEL_HU_MM2 * length and fit.explained >= SURELY_EXPLAINED
    if fit.explained_within < LEAST_WITHIN or (fit.spread_mm > WIDEST_SPREAD_MM and not steel):
        return None
    axis = fit.axes[0]
    tips = [f.centres[0] + 0.5 * length * f.axes[0] for f in fits]
    tip = fit.centres[0] + 0.5 * length * axis
    if bent:
        back = np.flatnonzero(np.linalg.norm(points - points[-1], axis=1) > length)
        path = np.vstack((tip, tip - 0.8 * length * axis, points[back[::-1]]))
        at_skin = points[entry]
    else:
        path = tip - np.arange(0.0, np.linalg.norm(points[-1] - points[0]), 0.5)[:, None] * axis
        at_skin = tip - inside * axis
    return NeedleLine(
        tip=tip,
        entry=at_skin,
        outer=points[0],
        coverage=coverage,
        tip_sigma_mm=float(np.sqrt(max(axis @ fit.covariance_mm2[0] @ axis, 0.0))),
        path=path,
        bent=bent,
        bevels=tuple((f.cost, t) for f, t in zip(fits, tips, strict=True)),
    )


def _sagitta(points: FloatArray) -> float:
    """Return how far points stray from the line between the first and the last, mm."""
    along = points[-1] - points[0]
    along = along / np.linalg.norm(along)
    off = points - points[0]
    return float(np.linalg.norm(off - (off @ along)[:, None] * along, axis=1).max())


def _fitted(
    volume: Volume,
    frame: ScanFrame,
    end: FloatArray,
    direction: FloatArray,
    length: float,
    clip_hu: float,
    bevel_mm: float,
) -> Fit:
    """Fit the image of a rod to the last stretch of a needle."""
    ends = np.array((end - length * direction, end + BEYOND_MM * direction))
    index = frame.to_index(ends)[:, ::-1]
    aside = ASIDE_MM / np.array((float(frame.step[2]), *frame.pixel_mm[::-1]))
    low = np.maximum(np.floor(index.min(axis=0) - aside).astype(int) - 1, 0)
    high = np.minimum(np.ceil(index.max(axis=0) + aside).astype(int) + 2, volume.hu.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    k, j, i = np.indices(high - low).reshape(3, -1) + low[:, None]
    offset = frame.of_index(np.column_stack((i, j, k)).astype(np.float64)) - end
    along = offset @ direction
    apart = np.linalg.norm(offset - along[:, None] * direction, axis=1)
    # Where the rod itself begins its image is not the needle's, which goes on.
    use = (apart < max(ASIDE_MM, frame.slice_mm)) & (along < BEYOND_MM) & (along > 4 - length)
    height = np.arange(low[0], high[0], dtype=np.float64)
    patch = Patch(
        hu=volume.hu[box].astype(np.float64),
        use=use.reshape(high - low),
        x=np.arange(low[2], high[2]) * frame.pixel_mm[0],
        y=np.arange(low[1], high[1]) * frame.pixel_mm[1],
        shift=height[:, None] * frame.step[:2],
        z=height * frame.step[2],
        slice_mm=frame.slice_mm,
        clip_hu=clip_hu,
    )
    centre = end - 0.5 * length * direction
    look = Look(
        (8000.0 * length, 8000.0 * length),
        (0.6, 0.2),
        (0.35, 0.1),
        (length, 1e-3),
        taper_mm=bevel_mm,
        rise=10.0,
    )
    return fit_rods(patch, look, centre[None], direction[None])


def _piece_at(bright: NDArray[np.bool_], middle: int) -> tuple[int, int] | None:
    """Return the stretch of metal around an index, bridging short gaps."""
    gap = int(LONGEST_GAP_MM / 2 / STEP_MM)
    closed = ndimage.binary_closing(np.pad(bright, gap), np.ones(gap, bool))[gap:-gap]
    labels, _ = ndimage.label(closed)
    if labels[middle] == 0:
        return None
    stretch = np.flatnonzero(labels == labels[middle])
    lit = stretch[bright[stretch]]
    return int(lit[0]), int(lit[-1])


def _ring(direction: FloatArray) -> FloatArray:
    """Return (8, 3) offsets on a circle around a line, clear of the metal's blur."""
    u = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(u) < 0.1:
        u = np.cross(direction, (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    v = np.cross(direction, u)
    angle = np.arange(8) * np.pi / 4
    return np.asarray(RING_MM * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))


def _brightest(volume: Volume, frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return HU at points, in the brighter of the two slices a point lies between."""
    index = frame.to_index(points)[:, ::-1].T
    values = []
    for slices in (np.floor(index[0]), np.ceil(index[0])):
        at = np.vstack((slices, index[1:]))
        values.append(ndimage.map_coordinates(volume.hu, at, np.float64, order=1, mode="nearest"))
    return np.asarray(np.maximum(*values))


def _sampled(volume: Volume, frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return HU at (n, 3) points of the scan's frame, air outside."""
    index = frame.to_index(points)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(volume.hu, index, np.float64, order=1, cval=-1024.0))
