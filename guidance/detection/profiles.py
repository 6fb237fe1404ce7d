"""A scan along a line of metal: where its metal begins and ends, where the skin is, how wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.detection.body import AIR_HU, Body
from guidance.detection.curves import Curve, longest_stretch
from guidance.detection.frame import ScanFrame
from guidance.detection.shafts import brightest, sampled
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

STEP_MM, REACH_MM, FURTHER_MM, RING_MM = 0.25, 15.0, 60.0, 6.0
# Metal is where a line is at least this share as bright as most of it.
BRIGHT = 0.3
LONGEST_GAP_MM, SHORTEST_MM = 9.0, 30.0
# A seed ahead of the tip: no longer than this, and dark before it.
SEED_MM, DARK = 8.0, 0.35
# Another needle that crosses its line there at a small angle: no longer, and further ahead.
CROSSING_MM, GAP_MM = 12.0, 3.0
# Ahead of a tip the image may be dark over this stretch, by more than that; and show metal again.
SHADOW_MM, SHADOW_HU, AHEAD_MM = (2.0, 6.0), -250.0, 12.0


@dataclass(frozen=True, eq=False)
class Profile:
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


def metal_along(
    volume: Volume, frame: ScanFrame, curve: Curve
) -> tuple[Profile, tuple[int, int]] | None:
    """Scan along a curve to where its metal begins and ends; None if there is none."""
    reach = REACH_MM
    while True:
        profile = profile_of(volume, frame, curve, reach)
        ends = metal_in(profile)
        if ends is None:
            return None
        # Metal that goes on to where the look ends, and not the scan, goes on further.
        before = ends[0] == 0 and profile.t[0] < curve.low - reach + STEP_MM
        after = ends[1] == len(profile.t) - 1 and profile.t[-1] > curve.high + reach - 2 * STEP_MM
        if reach == FURTHER_MM or not (before or after):
            return profile, ends
        reach = FURTHER_MM


def profile_of(volume: Volume, frame: ScanFrame, curve: Curve, reach_mm: float) -> Profile:
    """Scan along a curve and a little beyond its ends, as far as the scan goes."""
    t = np.arange(curve.low - reach_mm, curve.high + reach_mm, STEP_MM)
    points = curve.at(t)
    size = np.array(volume.hu.shape[::-1])
    index = frame.to_index(points)
    inside = ((index >= -0.5) & (index <= size - 0.5)).all(axis=1)
    t, points = t[inside], points[inside]
    ring = _ring(curve.along)
    beside = sampled(volume.hu, frame, (points + ring[:, None]).reshape(-1, 3))
    around = np.median(beside.reshape(len(ring), -1), axis=0)
    return Profile(
        t,
        points,
        brightest(volume.hu, frame, points) - around,
        around,
    )


def turned(p: Profile) -> Profile:
    """Return the profile from its other end."""
    return Profile(-p.t[::-1], p.points[::-1], p.core[::-1], p.around[::-1])


def metal_in(profile: Profile) -> tuple[int, int] | None:
    """Return where the longest stretch of metal begins and ends, bridging short gaps."""
    bright = profile.core > BRIGHT * float(np.percentile(profile.core, 70))
    at = np.flatnonzero(bright)
    if not len(at):
        return None
    first, last = longest_stretch(at.astype(np.float64), LONGEST_GAP_MM / STEP_MM)
    return int(first), int(last)


def leaves(volume: Volume, frame: ScanFrame, body: Body, index: FloatArray, around: float) -> bool:
    """Tell whether an end lies outside the patient or where the scan ends."""
    size = np.array(volume.hu.shape[::-1])
    margin = np.array((2.0, 2.0, max(1.0, 2.0 / float(frame.step[2]))))
    if ((index < margin) | (index > size - 1 - margin)).any():
        return True
    # A lung is air too, but deep; a hub is none, but lies in air.
    return around < AIR_HU and not body.is_deep(index[None])[0]


def before_seeds(core: FloatArray, first: int, last: int) -> int:
    """Return where a needle ends, leaving out short pieces of metal that lie ahead of it."""
    plateau = float(np.median(core[first : last + 1]))
    while True:
        dark = _gaps(core, DARK * plateau, max(first, last - int(SEED_MM / STEP_MM)), last, 0.0)
        if not len(dark):
            low = max(first, last - int(CROSSING_MM / STEP_MM))
            dark = _gaps(core, DARK * plateau, low, last, GAP_MM)
        if not len(dark) or dark[0] - first < SHORTEST_MM / STEP_MM:
            return last
        last = int(dark[0]) - 1


def _gaps(
    core: FloatArray, level: float, low: int, last: int, longer_mm: float
) -> NDArray[np.int64]:
    """Return where, from one index to another, stretches darker than a level begin."""
    dark = np.concatenate(([False], core[low : last + 1] < level, [False])).astype(int)
    begin, end = np.flatnonzero(np.diff(dark) > 0), np.flatnonzero(np.diff(dark) < 0)
    return np.asarray(begin[(end - begin) * STEP_MM > longer_mm] + low)


def skin_at(profile: Profile, outside: BoolArray, first: int, last: int) -> int:
    """Return where the line passes the skin; its outer end if that lies inside."""
    out = np.flatnonzero(outside[first : last + 1])
    if not len(out):
        return first
    start = max(first, first + int(out[-1]) - int(RING_MM / STEP_MM))
    return start + int(np.argmax(profile.around[start : last + 1] > AIR_HU))


def width_of(volume: Volume, frame: ScanFrame, points: FloatArray) -> float:
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


def dark_ahead(profile: Profile, last: int) -> bool:
    """Tell whether the image is dark ahead of a tip: what lies there is hidden."""
    first, end = (last + round(mm / STEP_MM) for mm in SHADOW_MM)
    ahead = profile.core[first:end]
    return len(ahead) > 0 and bool(np.median(ahead) < SHADOW_HU)


def metal_ahead(profile: Profile, last: int) -> FloatArray | None:
    """Return the middle (3,) of the metal next ahead of a tip on its line, if there is any."""
    ahead = slice(last + 2, last + round(AHEAD_MM / STEP_MM))
    level = BRIGHT * float(np.median(profile.core[: last + 1]))
    bright = np.flatnonzero(profile.core[ahead] > level)
    if not len(bright):
        return None
    stop = np.flatnonzero(np.diff(bright) > 1)
    stretch = bright[: int(stop[0]) + 1] if len(stop) else bright
    return np.asarray(profile.points[ahead][int(np.median(stretch))])


def _ring(direction: FloatArray) -> FloatArray:
    """Return (8, 3) offsets on a circle around a line, clear of the metal's blur."""
    u = np.cross(direction, (0.0, 0.0, 1.0))
    if np.linalg.norm(u) < 0.1:
        u = np.cross(direction, (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    v = np.cross(direction, u)
    angle = np.arange(8) * np.pi / 4
    return np.asarray(RING_MM * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))
