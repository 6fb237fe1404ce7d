"""Needles: long thin metal that comes in from outside the patient and ends inside.

Lines of metal are followed through the scan to where they end; a line is kept if it stands out
as steel does, is no wider than a needle, and has one end inside the patient and the other
outside or beyond the scan. What is seen as a thin straight line in the air outside is followed
into the patient however dim it is there: a hollow needle, or one in the shadow of others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.detection.anchors import DIM_HU, THICK_MM, anchors_in
from guidance.detection.body import AIR_HU, Body
from guidance.detection.candidates import Contrast
from guidance.detection.frame import ScanFrame
from guidance.detection.lines import lines_in
from guidance.detection.profiles import (
    BRIGHT,
    SHORTEST_MM,
    STEP_MM,
    Profile,
    before_seeds,
    dark_ahead,
    leaves,
    metal_ahead,
    metal_along,
    skin_at,
    turned,
    width_of,
)
from guidance.detection.shafts import brightest, settled
from guidance.detection.tips import BEVEL_SIGMA_MM, Edge, edge_of, offsets
from guidance.detection.tracing import traced
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

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
# What is thin in the air is seen up to 3.8 mm wide inside, if its slice holds its whole length.
WIDEST_DIM_MM = 4.5
LEAST_INSIDE_MM = 10.0
# Lines this near are one needle, where thick slices say no more of height than that.
SAME_NEEDLE_MM, SAME_SLICE, SAME_SHARE = 2.0, 0.7, 0.5
# Of two needles that cross, so much of one may lie on the other.
SHARED = 0.1
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
        dark_ahead: the image ahead of the tip is dark: what lies there is hidden.
        metal_ahead: (3,) middle of the metal next ahead of the tip, None if there is none.
    """

    tip: FloatArray
    entry: FloatArray
    outer: FloatArray
    coverage: float
    tip_sigma_mm: float
    path: FloatArray
    bent: bool
    dark_ahead: bool
    metal_ahead: FloatArray | None


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
        dark_ahead, metal_ahead: as of a NeedleLine.
    """

    t: FloatArray
    points: FloatArray
    outer: int
    entry: int
    coverage: float
    edge: Edge
    dark_ahead: bool
    metal_ahead: FloatArray | None


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of metal in a scan.

    Attributes:
        needles: each once.
        hardware: (3,) middle of each line of metal that is wider than a needle.
    """

    needles: list[NeedleLine]
    hardware: list[FloatArray]


def find_needles(volume: Volume, frame: ScanFrame, stands_out: Contrast, body: Body) -> Lines:
    """Return all needles, and where metal is too wide to be one.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        body: what of it is outside the patient.
    """
    steel = _steel_hu(frame)
    shafts: list[_Shaft] = []
    hardware: list[FloatArray] = []
    for curve in lines_in(stands_out, frame, BEGIN * steel, METAL_HU):
        metal = metal_along(volume, frame, curve)
        if metal is None:
            continue
        profile, ends = metal
        shaft = _measured(volume, frame, stands_out, body, profile, ends, steel, WIDEST_MM)
        if shaft is not None:
            shafts.append(shaft)
        elif _hardware(volume, frame, stands_out, profile.points[ends[0] : ends[1] + 1]):
            hardware.append(profile.points[sum(ends) // 2])
    shafts = _once(_longest_first(shafts), frame)
    from_air = _from_air(volume, frame, stands_out, body, shafts)
    if frame.slice_mm >= THICK_MM:
        # Those followed from the air are surer, unless they are no more than a part.
        shafts = _once(_no_part(from_air, shafts) + shafts, frame)
    else:
        shafts = _once(_longest_first(shafts + from_air), frame)
    more = offsets([s.edge for s in shafts])
    return Lines([_ended(s, s.edge.at + m) for s, m in zip(shafts, more, strict=True)], hardware)


def _from_air(
    volume: Volume, frame: ScanFrame, stands_out: Contrast, body: Body, known: list[_Shaft]
) -> list[_Shaft]:
    """Return the needles that are followed from the air into the patient.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        body: what of it is outside.
        known: needles found already; in thin slices they are right.
    """
    outside = [s.points[s.outer : s.entry] for s in known if frame.slice_mm < THICK_MM]
    courses = []
    for anchor in anchors_in(volume, stands_out, frame, body, outside):
        course = traced(stands_out, frame, body, anchor)
        if course is not None:
            courses.append((course, anchor))
    # Thick slices say little of height.
    near = np.array((1.0, 1.0, THICK_MM / max(THICK_MM, frame.slice_mm)))
    found: list[_Shaft] = []
    for first, anchor in sorted(courses, key=lambda c: -c[0].likely):
        paths = [_inside(s) for s in found]
        # Two needles share no metal: the less likely one is followed anew beside the others.
        apart = all(_shared(first.inside * near, p * near) <= SHARED for p in paths)
        course = first if apart else traced(stands_out, frame, body, anchor, paths)
        if course is None:
            continue
        metal = metal_along(volume, frame, course.curve)
        if metal is None:
            continue
        shaft = _measured(volume, frame, stands_out, body, *metal, DIM_HU, WIDEST_DIM_MM)
        if shaft is not None:
            found.append(shaft)
    return found


def _hardware(volume: Volume, frame: ScanFrame, stands_out: Contrast, points: FloatArray) -> bool:
    """Tell whether a line is of metal and wider than a needle: a screw, a rod."""
    if len(points) < SHORTEST_MM / STEP_MM:
        return False
    bright = _brightest_stretch(brightest(stands_out.hu, frame, points))
    return bright >= _steel_hu(frame) and width_of(volume, frame, points) > WIDEST_MM


def _steel_hu(frame: ScanFrame) -> float:
    return float(
        np.clip(STEEL_HU - STEEL_HU_PER_MM * frame.slice_mm, LEAST_STEEL_HU, MOST_STEEL_HU)
    )


def _brightest_stretch(values: FloatArray) -> float:
    """Return the highest median of a stretch."""
    windows = np.lib.stride_tricks.sliding_window_view(values, int(STRETCH_MM / STEP_MM))
    return float(np.median(windows, axis=1).max())


def _longest_first(shafts: list[_Shaft]) -> list[_Shaft]:
    return sorted(shafts, key=lambda s: -_length(s))


def _length(shaft: _Shaft) -> float:
    return float(shaft.edge.at - shaft.t[shaft.entry])


def _no_part(shafts: list[_Shaft], others: list[_Shaft]) -> list[_Shaft]:
    """Leave out a line most of which runs along another much longer."""
    return [
        s
        for s in shafts
        if not any(
            _length(o) > 2.0 * _length(s) and _shared(_inside(s), _inside(o)) >= SAME_SHARE
            for o in others
        )
    ]


def _once(shafts: list[_Shaft], frame: ScanFrame) -> list[_Shaft]:
    """Leave out a line most of which runs along those before it.

    One that begins as one needle and ends as another is neither.
    """
    near = np.array((1.0, 1.0, min(1.0, SAME_NEEDLE_MM / (SAME_SLICE * frame.slice_mm))))
    kept: list[_Shaft] = []
    for shaft in shafts:
        others = [_inside(other) * near for other in kept]
        if not others or _shared(_inside(shaft) * near, np.vstack(others)) < SAME_SHARE:
            kept.append(shaft)
    return kept


def _inside(shaft: _Shaft) -> FloatArray:
    return np.asarray(shaft.points[shaft.entry :][shaft.t[shaft.entry :] < shaft.edge.at])


def _shared(path: FloatArray, other: FloatArray) -> float:
    apart = np.linalg.norm(path[::4, None] - other[None, ::4], axis=2).min(axis=1)
    return float(np.mean(apart < SAME_NEEDLE_MM))


def _measured(
    volume: Volume,
    frame: ScanFrame,
    stands_out: Contrast,
    body: Body,
    profile: Profile,
    ends: tuple[int, int],
    least_hu: float,
    widest_mm: float,
) -> _Shaft | None:
    """Follow a line through the scan; None if it is no needle, dimmer than the least or wider."""
    index = frame.to_index(profile.points)
    first_out, last_out = (leaves(volume, frame, body, index[e], profile.around[e]) for e in ends)
    if first_out == last_out:
        return None
    if last_out:
        profile = turned(profile)
        ends = len(profile.t) - 1 - ends[1], len(profile.t) - 1 - ends[0]
        index = index[::-1]
    first, last = ends
    last = before_seeds(profile.core, first, last)
    if not body.is_deep(index[last : last + 1])[0]:
        return None
    # Where the coarse look at the air meets the needle itself, it lies in air all the same.
    in_air = ~body.is_deep(index) & (profile.around < AIR_HU)
    entry = skin_at(profile, body.is_outside(index) | in_air, first, last)
    inside = slice(entry, last + 1)
    if profile.t[last] - profile.t[entry] < LEAST_INSIDE_MM or last - first < SHORTEST_MM / STEP_MM:
        return None
    points = settled(volume.hu, frame, profile.t, profile.points, (first, entry, last))
    if _brightest_stretch(brightest(stands_out.hu, frame, points[inside])) < least_hu:
        return None
    if width_of(volume, frame, points[inside]) > widest_mm:
        return None
    lit = profile.core[first : last + 1] > BRIGHT * np.percentile(profile.core[inside], 75)
    edge = edge_of(volume.hu, frame, profile.t, points, profile.around, last)
    return _Shaft(
        profile.t,
        points,
        first,
        entry,
        float(np.mean(lit)),
        edge,
        dark_ahead(profile, last),
        metal_ahead(profile, last),
    )


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
        dark_ahead=shaft.dark_ahead,
        metal_ahead=shaft.metal_ahead,
    )


def _sagitta(points: FloatArray) -> float:
    """Return how far points stray from the line between the first and the last, mm."""
    along = points[-1] - points[0]
    along = along / np.linalg.norm(along)
    off = points - points[0]
    return float(np.linalg.norm(off - (off @ along)[:, None] * along, axis=1).max())
