"""Needles: long thin metal that comes in from outside the patient and ends inside.

Lines of metal are followed through the scan to where they end; a line is kept if it stands out
as steel does, is no wider than a needle, and has one end inside the patient and the other
outside or beyond the scan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.body import AIR_HU, Body
from guidance.detection.candidates import Contrast
from guidance.detection.curves import Curve
from guidance.detection.frame import ScanFrame
from guidance.detection.lines import lines_in
from guidance.detection.shafts import brightest, settled
from guidance.detection.tips import BEVEL_SIGMA_MM, Edge, edge_of, offsets
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# On its brightest stretch of this length a needle stands out by at least so much, less in
# thick slices, however much its beams have lost elsewhere; bone of real patients by no more than
# 970 HU, and it is wider.
STRETCH_MM = 5.0
STEEL_HU, STEEL_HU_PER_MM, LEAST_STEEL_HU, MOST_STEEL_HU = 1740.0, 208.0, 700.0, 1050.0
# Lines begin where it is nearly as bright, and are followed down to this.
BEGIN, METAL_HU = 0.9, 400.0
# A needle of 1.27 mm is seen up to 3.2 mm wide where the scale clips it; rods of implants are
# 5.5 mm wide and screws wider, and so are the edges of bone.
WIDEST_MM = 3.3
SHORTEST_MM = 30.0
LEAST_INSIDE_MM = 10.0
# Metal is where a line is at least this share as bright as most of it.
BRIGHT = 0.3
STEP_MM, REACH_MM, RING_MM = 0.25, 15.0, 6.0
LONGEST_GAP_MM = 9.0
# A seed ahead of the tip: no longer than this, and dark before it.
SEED_MM, DARK = 8.0, 0.35
SAME_NEEDLE_MM, SAME_SHARE = 2.0, 0.5
# A needle that strays further than this from a straight line is bent.
BENT_MM = 0.6


@dataclass(frozen=True, eq=False)
class NeedleLine:
    """A needle in the scan's frame, mm.

    Attributes:
        tip: (3,).
        entry: (3,) where it passes the skin, or leaves the scan.
        outer: (3,) where its metal ends outside.
        coverage: share of its length on which metal is seen.
        tip_sigma_mm: standard error of the tip along the needle.
        path: (n, 3) from tip to outer.
        bent: it strays from a straight line.
    """

    tip: FloatArray
    entry: FloatArray
    outer: FloatArray
    coverage: float
    tip_sigma_mm: float
    path: FloatArray
    bent: bool


@dataclass(frozen=True, eq=False)
class _Shaft:
    """A needle whose metal is followed, its tip not yet told.

    Attributes:
        t: (n,) along it from outside to inside, mm; beyond the tip too.
        points: (n, 3) scan frame, mm.
        outer: index where its metal begins.
        entry: index where it passes the skin or leaves the scan.
        coverage: share of its length on which metal is seen.
        edge: where its image ends.
    """

    t: FloatArray
    points: FloatArray
    outer: int
    entry: int
    coverage: float
    edge: Edge


@dataclass(frozen=True, eq=False)
class _Profile:
    """A scan along a curve, from outside to inside.

    Attributes:
        t: (n,) along the curve, mm.
        points: (n, 3) scan frame.
        core: (n,) how far the curve rises above what is around it, HU.
        around: (n,) median of a ring around it, HU.
    """

    t: FloatArray
    points: FloatArray
    core: FloatArray
    around: FloatArray


def find_needles(volume: Volume, frame: ScanFrame, stands_out: Contrast) -> list[NeedleLine]:
    """Return all needles, each once.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
    """
    curves = lines_in(stands_out, frame, BEGIN * _steel_hu(frame), METAL_HU)
    if not curves:
        return []
    body = Body.of(volume, frame)
    found = [_measured(volume, frame, stands_out, body, curve) for curve in curves]
    shafts = _once([n for n in found if n is not None])
    if not shafts:
        return []
    ends = offsets([s.edge for s in shafts])
    return [_ended(s, s.edge.at + more) for s, more in zip(shafts, ends, strict=True)]


def _steel_hu(frame: ScanFrame) -> float:
    return float(
        np.clip(STEEL_HU - STEEL_HU_PER_MM * frame.slice_mm, LEAST_STEEL_HU, MOST_STEEL_HU)
    )


def _brightest_stretch(values: FloatArray) -> float:
    """Return the highest median of a stretch."""
    windows = np.lib.stride_tricks.sliding_window_view(values, int(STRETCH_MM / STEP_MM))
    return float(np.median(windows, axis=1).max())


def _once(shafts: list[_Shaft]) -> list[_Shaft]:
    """Leave out a line most of which runs along a longer one."""
    kept: list[_Shaft] = []
    for shaft in sorted(shafts, key=lambda s: s.t[s.entry] - s.edge.at):
        path = _inside(shaft)
        if all(_shared(path, _inside(other)) < SAME_SHARE for other in kept):
            kept.append(shaft)
    return kept


def _inside(shaft: _Shaft) -> FloatArray:
    return np.asarray(shaft.points[shaft.entry :][shaft.t[shaft.entry :] < shaft.edge.at])


def _shared(path: FloatArray, other: FloatArray) -> float:
    apart = np.linalg.norm(path[::4, None] - other[None, ::4], axis=2).min(axis=1)
    return float(np.mean(apart < SAME_NEEDLE_MM))


def _measured(
    volume: Volume, frame: ScanFrame, stands_out: Contrast, body: Body, curve: Curve
) -> _Shaft | None:
    """Follow a line through the scan; None if it is no needle."""
    profile = _profile(volume, frame, curve)
    ends = _metal(profile)
    if ends is None:
        return None
    index = frame.to_index(profile.points)
    first_out, last_out = (_open(volume, frame, body, index[e], profile.around[e]) for e in ends)
    if first_out == last_out:
        return None
    if last_out:
        profile = _turned(profile)
        ends = len(profile.t) - 1 - ends[1], len(profile.t) - 1 - ends[0]
        index = index[::-1]
    first, last = ends
    last = _before_seeds(profile.core, first, last)
    if not body.is_deep(index[last : last + 1])[0]:
        return None
    entry = _entry(profile, body.is_outside(index), first, last)
    inside = slice(entry, last + 1)
    if profile.t[last] - profile.t[entry] < LEAST_INSIDE_MM or last - first < SHORTEST_MM / STEP_MM:
        return None
    points = settled(volume.hu, frame, profile.t, profile.points, (first, entry, last))
    if _brightest_stretch(brightest(stands_out.hu, frame, points[inside])) < _steel_hu(frame):
        return None
    if _width(volume, frame, points[inside]) > WIDEST_MM:
        return None
    lit = profile.core[first : last + 1] > BRIGHT * np.percentile(profile.core[inside], 75)
    edge = edge_of(volume.hu, frame, profile.t, points, last)
    return _Shaft(profile.t, points, first, entry, float(np.mean(lit)), edge)


def _ended(shaft: _Shaft, ends_at: float) -> NeedleLine:
    """Return the needle that a shaft is if it ends there."""
    tip = np.array([np.interp(ends_at, shaft.t, c) for c in shaft.points.T])
    path = np.vstack((shaft.points[shaft.outer :][shaft.t[shaft.outer :] < ends_at], tip))[::-1]
    entry = shaft.points[shaft.entry]
    return NeedleLine(
        tip=tip,
        entry=entry,
        outer=shaft.points[shaft.outer],
        coverage=shaft.coverage,
        tip_sigma_mm=BEVEL_SIGMA_MM,
        path=path,
        bent=_sagitta(path[: max(2, len(path) - (shaft.entry - shaft.outer))]) > BENT_MM,
    )


def _sagitta(points: FloatArray) -> float:
    """Return how far points stray from the line between the first and the last, mm."""
    along = points[-1] - points[0]
    along = along / np.linalg.norm(along)
    off = points - points[0]
    return float(np.linalg.norm(off - (off @ along)[:, None] * along, axis=1).max())


def _profile(volume: Volume, frame: ScanFrame, curve: Curve) -> _Profile:
    t = np.arange(curve.low - REACH_MM, curve.high + REACH_MM, STEP_MM)
    points = curve.at(t)
    size = np.array(volume.hu.shape[::-1])
    index = frame.to_index(points)
    inside = ((index >= -0.5) & (index <= size - 0.5)).all(axis=1)
    t, points = t[inside], points[inside]
    ring = _ring(curve.along)
    around = np.median([_sampled(volume, frame, points + r) for r in ring], axis=0)
    return _Profile(
        t,
        points,
        brightest(volume.hu, frame, points) - around,
        around,
    )


def _turned(p: _Profile) -> _Profile:
    return _Profile(-p.t[::-1], p.points[::-1], p.core[::-1], p.around[::-1])


def _metal(profile: _Profile) -> tuple[int, int] | None:
    """Return where the longest stretch of metal begins and ends, bridging short gaps."""
    bright = profile.core > BRIGHT * float(np.percentile(profile.core, 70))
    at = np.flatnonzero(bright)
    if not len(at):
        return None
    cuts = np.flatnonzero(np.diff(at) > LONGEST_GAP_MM / STEP_MM)
    starts, stops = np.append(at[0], at[cuts + 1]), np.append(at[cuts], at[-1])
    longest = int(np.argmax(stops - starts))
    return int(starts[longest]), int(stops[longest])


def _open(volume: Volume, frame: ScanFrame, body: Body, index: FloatArray, around: float) -> bool:
    """Tell whether an end lies outside the patient or where the scan ends."""
    size = np.array(volume.hu.shape[::-1])
    margin = np.array((2.0, 2.0, max(1.0, 2.0 / float(frame.step[2]))))
    if ((index < margin) | (index > size - 1 - margin)).any():
        return True
    # A lung is air too, but deep; a hub is none, but lies in air.
    return around < AIR_HU and not body.is_deep(index[None])[0]


def _before_seeds(core: FloatArray, first: int, last: int) -> int:
    """Return where a needle ends, leaving out short pieces of metal that lie ahead of it."""
    plateau = float(np.median(core[first : last + 1]))
    while True:
        window = slice(max(first, last - int(SEED_MM / STEP_MM)), last + 1)
        dark = np.flatnonzero(core[window] < DARK * plateau) + window.start
        if not len(dark) or dark[0] - first < SHORTEST_MM / STEP_MM:
            return last
        last = int(dark[0]) - 1


def _entry(profile: _Profile, outside: BoolArray, first: int, last: int) -> int:
    """Return where the line passes the skin; its outer end if that lies inside."""
    out = np.flatnonzero(outside[first : last + 1])
    if not len(out):
        return first
    start = max(first, first + int(out[-1]) - int(RING_MM / STEP_MM))
    return start + int(np.argmax(profile.around[start : last + 1] > AIR_HU))


def _width(volume: Volume, frame: ScanFrame, points: FloatArray) -> float:
    """Return how wide a line is seen in the plane, full width at half of its height, mm."""
    along = points[-1] - points[0]
    side = np.cross(along, (0.0, 0.0, 1.0))
    if np.linalg.norm(side) < 0.2 * np.linalg.norm(along):
        side = np.array((1.0, 0.0, 0.0))
    side = side / np.linalg.norm(side)
    aside = np.arange(-6.0, 6.1, 0.25)
    picked = points[:: int(2.0 / STEP_MM)]
    lines = picked[None] + aside[:, None, None] * side
    across = brightest(volume.hu, frame, lines.reshape(-1, 3)).reshape(len(aside), -1)
    profile = np.median(across, axis=1)
    low = float(np.percentile(profile, 15))
    wide = profile > low + 0.5 * (profile[len(aside) // 2] - low)
    # Neighbours beside it are not it.
    first, last = (np.flatnonzero(~wide[h]) for h in (slice(24, None, -1), slice(24, None)))
    reach = [int(h[0]) if len(h) else 24 for h in (first, last)]
    return float(0.25 * (sum(reach) - 1))


def _ring(direction: FloatArray) -> FloatArray:
    """Return (8, 3) offsets on a circle around a line, clear of the metal's blur."""
    u = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(u) < 0.1:
        u = np.cross(direction, (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    v = np.cross(direction, u)
    angle = np.arange(8) * np.pi / 4
    return np.asarray(RING_MM * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))


def _sampled(volume: Volume, frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return HU at (n, 3) points of the scan's frame, air outside."""
    index = frame.to_index(points)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(volume.hu, index, np.float64, order=1, cval=-1024.0))
