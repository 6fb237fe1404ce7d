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
from guidance.detection.frame import ScanFrame
from guidance.detection.lines import Curve, lines_in
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# What a needle stands out by in a slice of 1 mm; thicker slices thin it out, bone stays.
METAL_HU_MM = 1500.0
LEAST_METAL_HU, MOST_METAL_HU = 450.0, 700.0
# Half of a needle stands out by at least this in a slice of 1 mm, whatever its beams have lost;
# bone and tables in scans of real patients by no more than 750 HU.
STEEL_HU_MM, LEAST_STEEL_HU, MOST_STEEL_HU = 2600.0, 500.0, 900.0
# A needle of 1.27 mm is seen up to 3.2 mm wide where the scale clips it; rods of implants are
# 5.5 mm wide and screws wider.
WIDEST_MM = 4.5
SHORTEST_MM = 30.0
LEAST_INSIDE_MM = 10.0
# Metal is where a line is at least this share as bright as most of it.
BRIGHT = 0.3
STEP_MM, REACH_MM, RING_MM = 0.25, 15.0, 6.0
LONGEST_GAP_MM = 9.0
# A seed ahead of the tip: no longer than this, and dark before it.
SEED_MM, DARK = 8.0, 0.35
SAME_NEEDLE_MM, SAME_SHARE = 2.0, 0.5


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
    steel: FloatArray


def find_needles(
    volume: Volume, frame: ScanFrame, stands_out: NDArray[np.float32]
) -> list[NeedleLine]:
    """Return all needles, each once.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
    """
    level = float(np.clip(METAL_HU_MM / frame.slice_mm, LEAST_METAL_HU, MOST_METAL_HU))
    curves = lines_in(stands_out, frame, level)
    if not curves:
        return []
    body = Body.of(volume, frame)
    found = [_measured(volume, frame, stands_out, body, curve) for curve in curves]
    return _once([n for n in found if n is not None])


def _once(needles: list[NeedleLine]) -> list[NeedleLine]:
    """Leave out a line most of which runs along a longer one."""
    kept: list[NeedleLine] = []
    for needle in sorted(needles, key=lambda n: -float(np.linalg.norm(n.tip - n.entry))):
        if all(_shared(needle.path, other.path) < SAME_SHARE for other in kept):
            kept.append(needle)
    return kept


def _shared(path: FloatArray, other: FloatArray) -> float:
    apart = np.linalg.norm(path[::4, None] - other[None, ::4], axis=2).min(axis=1)
    return float(np.mean(apart < SAME_NEEDLE_MM))


def _measured(
    volume: Volume, frame: ScanFrame, stands_out: NDArray[np.float32], body: Body, curve: Curve
) -> NeedleLine | None:
    """Follow a line through the scan; None if it is no needle."""
    profile = _profile(volume, frame, stands_out, curve)
    ends = _metal(profile)
    if ends is None:
        return None
    index = frame.to_index(profile.points)
    first_out, last_out = (_open(volume, frame, body, index[e]) for e in ends)
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
    steel = float(np.clip(STEEL_HU_MM / frame.slice_mm, LEAST_STEEL_HU, MOST_STEEL_HU))
    if np.median(profile.steel[inside]) < steel:
        return None
    if _width(volume, frame, profile.points[inside]) > WIDEST_MM:
        return None
    tip = profile.points[last]
    path = profile.points[first : last + 1][::-1]
    lit = profile.core[first : last + 1] > BRIGHT * np.percentile(profile.core[inside], 75)
    return NeedleLine(
        tip, profile.points[entry], profile.points[first], float(np.mean(lit)), 0.3, path, True
    )


def _profile(
    volume: Volume, frame: ScanFrame, stands_out: NDArray[np.float32], curve: Curve
) -> _Profile:
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
        _brightest(volume.hu, frame, points) - around,
        around,
        _brightest(stands_out, frame, points),
    )


def _turned(p: _Profile) -> _Profile:
    return _Profile(-p.t[::-1], p.points[::-1], p.core[::-1], p.around[::-1], p.steel[::-1])


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


def _open(volume: Volume, frame: ScanFrame, body: Body, index: FloatArray) -> bool:
    """Tell whether an end lies outside the patient or where the scan ends."""
    size = np.array(volume.hu.shape[::-1])
    margin = np.array((2.0, 2.0, max(1.0, 2.0 / float(frame.step[2]))))
    if ((index < margin) | (index > size - 1 - margin)).any():
        return True
    # The hub is no air, but it lies in air.
    return not body.is_deep(index[None])[0]


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
    offset = np.arange(-6.0, 6.1, 0.5)
    picked = points[:: int(2.0 / STEP_MM)]
    across = np.median(
        [_brightest(volume.hu, frame, picked + o * side) for o in offset], axis=1
    )
    low = float(np.percentile(across, 15))
    return float(0.5 * np.sum(across > low + 0.5 * (across[len(offset) // 2] - low)))


def _ring(direction: FloatArray) -> FloatArray:
    """Return (8, 3) offsets on a circle around a line, clear of the metal's blur."""
    u = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(u) < 0.1:
        u = np.cross(direction, (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    v = np.cross(direction, u)
    angle = np.arange(8) * np.pi / 4
    return np.asarray(RING_MM * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))


def _brightest(values: NDArray[np.generic], frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return values at points, in the brighter of the two slices a point lies between."""
    index = frame.to_index(points)[:, ::-1].T
    slices = np.clip((np.floor(index[0]), np.ceil(index[0])), 0, len(values) - 1)
    both = [
        ndimage.map_coordinates(
            values, np.vstack((k, index[1:])), np.float64, order=1, mode="nearest"
        )
        for k in slices
    ]
    return np.asarray(np.maximum(*both))


def _sampled(volume: Volume, frame: ScanFrame, points: FloatArray) -> FloatArray:
    """Return HU at (n, 3) points of the scan's frame, air outside."""
    index = frame.to_index(points)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(volume.hu, index, np.float64, order=1, cval=-1024.0))
