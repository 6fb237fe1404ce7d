"""Needles: long thin metal that comes in from outside the patient and ends inside.

Lines of metal are followed through the scan to where they end; a line is kept if it stands out
as steel does, is no wider than a needle, and has one end inside the patient and the other
outside or beyond the scan. What is seen as a thin straight line in the air outside is followed
into the patient however dim it is there: a hollow needle, or one in the shadow of others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from guidance.detection.anchors import DIM_HU, THICK_MM, anchors_in
from guidance.detection.body import AIR_HU, Body
from guidance.detection.candidates import Contrast
from guidance.detection.curves import fitted
from guidance.detection.frame import ScanFrame
from guidance.detection.heights import Shares, own_end
from guidance.detection.lines import lines_in
from guidance.detection.profiles import (
    BRIGHT,
    REACH_MM,
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
from guidance.detection.shafts import brightest, levelled, settled
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
# The end of a needle's image, looked for on another course, is the same one within this.
LEFT_MM = 3.0


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
        last: index about where it ends.
        around: (n,) what it lies in, HU.
        coverage: share of its length on which metal is seen.
        edge: where its image ends.
        dark_ahead, metal_ahead: as of a NeedleLine.
        shorter: the same as it was before it was followed on.
    """

    t: FloatArray
    points: FloatArray
    outer: int
    entry: int
    last: int
    around: FloatArray
    coverage: float
    edge: Edge
    dark_ahead: bool
    metal_ahead: FloatArray | None
    shorter: _Shaft | None = None


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
    shafts, hardware = _shafts_in(volume, frame, stands_out, body)
    if frame.slice_mm >= THICK_MM:
        shafts = _apart(volume, frame, shafts)
    more = offsets([s.edge for s in shafts])
    return Lines([_ended(s, s.edge.at + m) for s, m in zip(shafts, more, strict=True)], hardware)


def _shafts_in(
    volume: Volume, frame: ScanFrame, stands_out: Contrast, body: Body
) -> tuple[list[_Shaft], list[FloatArray]]:
    """Return all needles, each once, and where metal is too wide to be one."""
    steel = _steel_hu(frame)
    shafts: list[_Shaft] = []
    hardware: list[FloatArray] = []
    for curve in lines_in(stands_out, frame, BEGIN * steel, METAL_HU):
        metal = metal_along(volume, frame, curve)
        if metal is None:
            continue
        profile, ends = metal
        shaft = _followed(volume, frame, stands_out, body, metal, steel, WIDEST_MM)
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
    return shafts, hardware


def _apart(volume: Volume, frame: ScanFrame, shafts: list[_Shaft]) -> list[_Shaft]:
    """Return needles told apart: what is another's metal says nothing of one's course and end."""
    if len(shafts) < 2:
        return shafts
    near = _nearness(frame)
    inside = [_inside(s) for s in shafts]
    shafts = [_own(s, inside[:i] + inside[i + 1 :], near) for i, s in enumerate(shafts)]
    found = []
    for shaft in shafts:
        others = [s.points[s.outer : s.last + 1] for s in shafts if s is not shaft]
        found.append(_among(volume, frame, shaft, np.vstack(others)))
    return [_not_on(s, [_inside(o) for o in found if o is not s], near) for s in found]


def _among(volume: Volume, frame: ScanFrame, shaft: _Shaft, others: FloatArray) -> _Shaft:
    """Return a needle at the height that it has where (m, 3) others do not brighten its slices."""
    inside = shaft.points[shaft.entry : shaft.last + 1]
    last = shaft.entry + own_end(Shares.of(volume.hu, frame, inside, others), inside[:, 2])
    if shaft.t[shaft.last] - shaft.t[last] >= LEFT_MM:
        shaft = replace(shaft, last=last)
    seen = shaft.outer, shaft.entry, shaft.last
    points = levelled(volume.hu, frame, shaft.t, shaft.points, seen, others)
    edge = edge_of(volume.hu, frame, shaft.t, points, shaft.around, shaft.last, others)
    # Where it has left its metal, the others hid too much of it.
    if edge.at < shaft.t[shaft.last] - LEFT_MM:
        return shaft
    return replace(shaft, points=points, edge=edge)


def _own(shaft: _Shaft, others: list[FloatArray], near: FloatArray) -> _Shaft:
    """Return a needle as it was before it was followed on, if that led on to another."""
    if shaft.shorter is None:
        return shaft
    inside = _inside(shaft)
    gained = inside[-round((_seen_mm(shaft) - _seen_mm(shaft.shorter)) / STEP_MM) :]
    on = _shared(gained * near, np.vstack(others) * near) >= SAME_SHARE
    return shaft.shorter if on else shaft


def _not_on(shaft: _Shaft, others: list[FloatArray], near: FloatArray) -> _Shaft:
    """Return a needle that ends where it was seen to, if ahead of that is another's metal."""
    end = shaft.t[shaft.last]
    ahead = shaft.points[(shaft.t > end) & (shaft.t < shaft.edge.at)]
    if (
        shaft.edge.at - end < LEFT_MM
        or _shared(ahead * near, np.vstack(others) * near) < SAME_SHARE
    ):
        return shaft
    return replace(shaft, edge=replace(shaft.edge, at=float(end)))


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
        shaft = _followed(volume, frame, stands_out, body, metal, DIM_HU, WIDEST_DIM_MM)
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
    near = _nearness(frame)
    kept: list[_Shaft] = []
    for shaft in shafts:
        others = [_inside(other) * near for other in kept]
        if not others or _shared(_inside(shaft) * near, np.vstack(others)) < SAME_SHARE:
            kept.append(shaft)
    return kept


def _nearness(frame: ScanFrame) -> FloatArray:
    """Return (3,) by what distances count: thick slices say little of height."""
    return np.array((1.0, 1.0, min(1.0, SAME_NEEDLE_MM / (SAME_SLICE * frame.slice_mm))))


def _inside(shaft: _Shaft) -> FloatArray:
    return np.asarray(shaft.points[shaft.entry :][shaft.t[shaft.entry :] < shaft.edge.at])


def _shared(path: FloatArray, other: FloatArray) -> float:
    apart = cKDTree(other[::4]).query(path[::4], distance_upper_bound=SAME_NEEDLE_MM)[0]
    return float(np.mean(apart < SAME_NEEDLE_MM))


def _followed(
    volume: Volume,
    frame: ScanFrame,
    stands_out: Contrast,
    body: Body,
    metal: tuple[Profile, tuple[int, int]],
    least_hu: float,
    widest_mm: float,
) -> _Shaft | None:
    """Follow a line through the scan, and on where its settled course leads further.

    Returns:
        The needle; None if it is none, dimmer than the least or wider.
    """
    first = _measured(volume, frame, stands_out, body, *metal, least_hu, widest_mm)
    found = first
    while found is not None and frame.slice_mm >= THICK_MM and _leads_on(found):
        course = found.points[found.outer : found.last + 1]
        curve = fitted(course, np.ones(len(course)), 3)
        ahead = metal_along(volume, frame, curve)
        if ahead is None:
            break
        further = _measured(volume, frame, stands_out, body, *ahead, least_hu, widest_mm)
        if further is None or _seen_mm(further) < _seen_mm(found) + LEFT_MM:
            break
        found = replace(further, shorter=first)
    return found


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
    """Return the needle that a line of metal is; None if dimmer than the least or wider."""
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
    # A seed ahead of its tip may show on the settled course only.
    last = before_seeds(brightest(volume.hu, frame, points) - profile.around, first, last)
    lit = profile.core[first : last + 1] > BRIGHT * np.percentile(profile.core[inside], 75)
    edge = edge_of(volume.hu, frame, profile.t, points, profile.around, last, np.empty((0, 3)))
    return _Shaft(
        profile.t,
        points,
        first,
        entry,
        last,
        profile.around,
        float(np.mean(lit)),
        edge,
        dark_ahead(profile, last),
        metal_ahead(profile, last),
    )


def _leads_on(shaft: _Shaft) -> bool:
    """Tell whether there is metal ahead on the settled course, where the first one has left it."""
    end = shaft.t[shaft.last]
    to_the_end = shaft.edge.at == end and shaft.t[-1] < end + REACH_MM - 2.0 * STEP_MM
    return bool(to_the_end or shaft.edge.at > end + LEFT_MM)


def _seen_mm(shaft: _Shaft) -> float:
    return float(shaft.t[shaft.last] - shaft.t[shaft.entry])


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
