"""Needles followed from the air into the patient, each at its own brightness.

The scan is straightened along the line that a needle has in the air. In it the needle is a
straight line up to the skin and bends evenly from there on; of all such courses the one is taken
along which most ridges lie. Where a needle is dim or lost for a while, in the streaks of others,
its course is carried on by what is seen of it before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from guidance.detection.anchors import Anchor
from guidance.detection.body import Body
from guidance.detection.candidates import FLOOR_HU, Contrast
from guidance.detection.curves import SCALE_MM, Curve, fitted, side_of
from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]

# How far beyond the skin a needle may reach, and how far aside and in height from a straight line.
REACH_MM, ASIDE_MM, HEIGHT_MM = 140.0, 18.0, 8.0
# The skin lies no further than this from where the metal is seen in the air.
TO_SKIN_MM = 60.0
# A line as steep as this is none that is followed: it shows as a dot in each slice.
STEEPEST = 0.3
# Rows are so far apart along the needle, its places so far aside; a ridge is no darker than this
# share of what lies within so many places of it.
STEP_MM, PLACE_MM, RIDGE, BESIDE = 1.0, 0.5, 0.85, 3
# A needle shows at least this share of its contrast in air, and this much.
DIM, LEAST_HU = 0.25, FLOOR_HU
# A place tells for or against a needle by the logarithm (to base 2) of how its contrast compares
# with that, within these bounds; outside the scan by that little.
AGAINST, FOR, UNSEEN = -1.0, 2.0, -0.1
# A course: how it is moved aside and turned in the air, how it bends inside (mm at 50 mm from the
# skin, 5 mm being a radius of 250 mm), and the same in height; its spread.
BEND_MM = 3.0
LEAST_INSIDE_MM = 10.0
CLIMBED, ROUNDS, STEPS = 6, 4, 8
# A line in the air may lie this far beside the needle at its middle, and lean so far at its ends.
LEANS_MM, LEANS_SLICES = 2.5, 0.5
# So many such lines are followed, apart by more than that.
STARTS, APART_MM = 3, 1.2
# What lies this near to another needle is that one's, and tells nothing.
TAKEN_MM = 2.0


@dataclass(frozen=True, eq=False)
class Course:
    """A needle followed into the patient.

    Attributes:
        curve: from the air to where its metal is last seen.
        inside: (n, 3) what of it lies inside, a millimetre apart, scan frame, mm.
        likely: how likely it is, as a sum of logarithms.
    """

    curve: Curve
    inside: FloatArray
    likely: float


@dataclass(frozen=True, eq=False)
class _Strip:
    """A scan straightened along a line in the air.

    Attributes:
        ridge: (rows, slices, places) contrast of ridges, 0 beside them, -1 outside the scan.
        base: (rows,) the slice below the line.
        height: (rows,) of the line, mm.
        skin: row at the skin.
        start, along, side: (3,) where the line begins, and its steps.
        slice_mm: from slice to slice.
    """

    ridge: NDArray[np.float32]
    base: FloatArray
    height: FloatArray
    skin: int
    start: FloatArray
    along: FloatArray
    side: FloatArray
    slice_mm: float


def traced(
    stands_out: Contrast,
    frame: ScanFrame,
    body: Body,
    anchor: Anchor,
    taken: Sequence[FloatArray] = (),
) -> Course | None:
    """Follow a needle from the air to where its metal is last seen.

    Args:
        stands_out: contrast.
        frame: of the scan.
        body: what of it is outside.
        anchor: its straight line in the air.
        taken: (n, 3) each, mm: courses of other needles; their metal tells nothing.

    Returns:
        The course; None if the line does not come to the skin, or nothing goes on behind it.
    """
    strip = _straightened(stands_out, frame, body, anchor.line)
    if strip is None:
        return None
    for path in taken:
        _take_out(strip, path)
    level = max(LEAST_HU, DIM * anchor.bright)
    air_mm = strip.skin * STEP_MM
    bends = _courses(strip.slice_mm)
    tried = np.vstack([line + bends for line in _in_air(strip, level)])
    best, course, last = _best(
        strip.ridge, strip.base, strip.height, strip.slice_mm, strip.skin, level, tried
    )
    if best <= 0.0 or last - strip.skin < LEAST_INSIDE_MM / STEP_MM:
        return None
    at = np.arange(last + 1)
    d = (at - strip.skin) * STEP_MM / SCALE_MM
    h2 = np.maximum(d, 0.0) ** 2
    middle = d + 0.5 * air_mm / SCALE_MM
    points = strip.start + (at * STEP_MM)[:, None] * strip.along
    points += (course[0] + course[1] * middle + course[2] * h2)[:, None] * strip.side
    points[:, 2] += course[3] + course[4] * middle + course[5] * h2
    curve = fitted(points, np.ones(len(points)), 3)
    return Course(curve, points[strip.skin :], float(best))


def _straightened(
    stands_out: Contrast, frame: ScanFrame, body: Body, anchor: Curve
) -> _Strip | None:
    """Cut out what lies around a line, from where it begins in the air."""
    inward = _inward(stands_out, frame, body, anchor)
    if inward is None:
        return None
    skin, along, air_mm = inward
    flat = float(np.hypot(along[0], along[1]))
    if flat < STEEPEST:
        return None
    # Rows follow each other in the plane.
    along, air = along / flat, int(air_mm * flat / STEP_MM)
    start, side = skin - air * STEP_MM * along, side_of(along)
    rows = air + int(REACH_MM / STEP_MM)
    step = float(frame.step[2])
    around = int(np.ceil(HEIGHT_MM / step)) + 1
    places = 2 * int(ASIDE_MM / PLACE_MM) + 1
    ridge, base = _ridge(
        stands_out.hu, start, STEP_MM * along, side, (rows, 2 * around + 2, places),
        np.array(frame.pixel_mm), frame.step,
    )  # fmt: skip
    height = start[2] + np.arange(rows) * STEP_MM * along[2]
    return _Strip(ridge, base, height, air, start, along, side, step)


def _take_out(strip: _Strip, path: FloatArray) -> None:
    """Mark the metal of another needle as unseen."""
    off = path - strip.start
    rows = np.rint(off[:, :2] @ strip.along[:2] / STEP_MM).astype(int)
    along = (rows >= 0) & (rows < len(strip.base))
    path, off, rows = path[along], off[along], rows[along]
    _, slices, places = strip.ridge.shape
    middle = np.rint(off @ strip.side / PLACE_MM).astype(int) + places // 2
    up = np.floor(path[:, 2] / strip.slice_mm - strip.base[rows]).astype(int) + (slices - 2) // 2
    reach = int(TAKEN_MM / PLACE_MM)
    for c in (up, up + 1):
        for q in range(-reach, reach + 1):
            hit = (c >= 0) & (c < slices) & (middle + q >= 0) & (middle + q < places)
            strip.ridge[rows[hit], c[hit], middle[hit] + q] = -1.0


def _inward(
    stands_out: Contrast, frame: ScanFrame, body: Body, anchor: Curve
) -> tuple[FloatArray, FloatArray, float] | None:
    """Return where a line in air comes into the patient, its direction, and its way in the air."""
    size = np.array(stands_out.hu.shape[::-1])
    ahead = np.arange(0.0, TO_SKIN_MM, STEP_MM)
    for end, way in ((anchor.high, 1.0), (anchor.low, -1.0)):
        points = anchor.at(end + way * ahead)
        index = frame.to_index(points)
        deep = body.is_deep(index) & ((index >= 0) & (index <= size - 1)).all(axis=1)
        if deep.any():
            first = int(np.argmax(deep))
            along = way * anchor.slope(end)
            return points[first], along, float(ahead[first]) + anchor.high - anchor.low
    return None


def _in_air(strip: _Strip, level: float) -> FloatArray:
    """Return (n, 6) the likeliest straight lines in the air, apart from each other.

    That along which the strip is cut may lean on a wall of its hub, and in a thick slice on
    nothing.
    """
    half = 0.5 * strip.skin * STEP_MM / SCALE_MM
    aside = np.linspace(-LEANS_MM, LEANS_MM, 11)
    height = np.linspace(-LEANS_SLICES, LEANS_SLICES, 5) * strip.slice_mm
    lines = _combined(aside, aside / half, [0.0], height, height / half, [0.0])
    air = strip.ridge[: strip.skin]
    scores = _each(air, strip.base, strip.height, strip.slice_mm, strip.skin, level, lines)
    found: list[FloatArray] = []
    for line in lines[np.argsort(-scores)]:
        ends = [line[0] + way * half * line[1] for way in (-1.0, 1.0)]
        others = [[o[0] + way * half * o[1] for way in (-1.0, 1.0)] for o in found]
        if all(np.abs(np.subtract(ends, o)).max() > APART_MM for o in others):
            found.append(line)
        if len(found) == STARTS:
            break
    return np.array(found)


def _courses(slice_mm: float) -> FloatArray:
    """Return (n, 6) changes of a line in the air: the courses to begin with."""
    return _combined(
        [0.0],
        [0.0],
        np.linspace(-5.0, 5.0, 21),
        np.array((-0.3, 0.0, 0.3)) * slice_mm,
        np.linspace(-1.0, 1.0, 5) * slice_mm,
        np.linspace(-4.0, 4.0, 5),
    )


def _combined(*values: FloatArray | Sequence[float]) -> FloatArray:
    """Return (n, len(values)) all combinations of some values."""
    return np.column_stack([g.ravel() for g in np.meshgrid(*values, indexing="ij")])


@njit(cache=True, nogil=True)
def _ridge(hu, start, along, side, shape, pixel, step):  # type: ignore[no-untyped-def]
    """Return the ridges around a line, row by row in each slice near it, and the slices."""
    rows, slices, places = shape
    nz, ny, nx = hu.shape
    ridge = np.zeros(shape, np.float32)
    base = np.zeros(rows)
    row = np.zeros(places, np.float32)
    for s in range(rows):
        x, y, z = start[0] + s * along[0], start[1] + s * along[1], start[2] + s * along[2]
        base[s] = np.floor(z / step[2])
        for c in range(slices):
            k = int(base[s]) + c - (slices - 2) // 2
            if k < 0 or k >= nz:
                ridge[s, c] = -1.0
                continue
            for q in range(places):
                aside = (q - places // 2) * PLACE_MM
                fi = (x + aside * side[0] - k * step[0]) / pixel[0]
                fj = (y + aside * side[1] - k * step[1]) / pixel[1]
                i, j = int(np.floor(fi)), int(np.floor(fj))
                if i < 0 or j < 0 or i >= nx - 1 or j >= ny - 1:
                    row[q] = -1.0
                    continue
                fi, fj = fi - i, fj - j
                upper = (1.0 - fi) * hu[k, j, i] + fi * hu[k, j, i + 1]
                lower = (1.0 - fi) * hu[k, j + 1, i] + fi * hu[k, j + 1, i + 1]
                row[q] = (1.0 - fj) * upper + fj * lower
            for q in range(places):
                if row[q] < 0.0:
                    ridge[s, c, q] = -1.0
                    continue
                highest = row[max(q - BESIDE, 0) : q + BESIDE + 1].max()
                ridge[s, c, q] = row[q] if row[q] >= RIDGE * highest else 0.0
    return ridge, base


@njit(cache=True, nogil=True)
def _likely(ridge, base, height, slice_mm, skin, level, course):  # type: ignore[no-untyped-def]
    """Return how likely a course is, up to where it is so most, and the row there."""
    rows, slices, places = ridge.shape
    below = (slices - 2) // 2
    total, best, last = 0.0, 0.0, 0
    half = 0.5 * skin * STEP_MM / SCALE_MM
    for s in range(rows):
        d = (s - skin) * STEP_MM / SCALE_MM
        h2 = max(d, 0.0) ** 2
        aside = course[0] + course[1] * (d + half) + course[2] * h2
        z = height[s] + course[3] + course[4] * (d + half) + course[5] * h2
        q = int(np.floor(aside / PLACE_MM + 0.5)) + places // 2
        up = z / slice_mm - base[s] + below
        c = int(np.floor(up))
        up -= c
        seen = -1.0
        if 0 <= q < places:
            if 0 <= c < slices and up < 0.7:
                seen = ridge[s, c, q]
            if 0 <= c + 1 < slices and up > 0.3:
                seen = max(seen, ridge[s, c + 1, q])
        if seen < 0.0:
            total += UNSEEN
        else:
            total += min(FOR, max(AGAINST, np.log2(max(seen, 1.0) / level)))
        if s < skin:
            # Before it lies its hub.
            total = max(total, 0.0)
        if total > best:
            best, last = total, s
    best -= 0.5 * course[0] ** 2 + 0.5 * (course[1] * half) ** 2
    best -= 0.5 * (course[3] / (0.3 + 0.3 * slice_mm)) ** 2
    best -= 0.5 * (course[4] / (1.0 + 0.5 * slice_mm)) ** 2
    best -= 0.1 * (course[2] ** 2 + course[5] ** 2) / BEND_MM**2
    return best, last


@njit(cache=True, nogil=True)
def _each(ridge, base, height, slice_mm, skin, level, courses):  # type: ignore[no-untyped-def]
    """Return (n,) how likely courses are."""
    scores = np.empty(len(courses))
    for n in range(len(courses)):
        scores[n] = _likely(ridge, base, height, slice_mm, skin, level, courses[n])[0]
    return scores


@njit(cache=True, nogil=True)
def _best(ridge, base, height, slice_mm, skin, level, courses):  # type: ignore[no-untyped-def]
    """Return the best course: the best of some, each climbed from in ever smaller steps."""
    scores = _each(ridge, base, height, slice_mm, skin, level, courses)
    order = np.argsort(-scores)
    most, found, end = -1e9, courses[0].copy(), 0
    first = np.array((0.25, 0.5, 0.5, 0.25 * slice_mm, 0.25 * slice_mm, 0.5))
    for n in order[:CLIMBED]:
        course = courses[n].copy()
        score, last = _likely(ridge, base, height, slice_mm, skin, level, course)
        for r in range(ROUNDS):
            for _ in range(STEPS):
                before = score
                for a in range(len(course)):
                    for way in (-1.0, 1.0):
                        course[a] += way * first[a] / 2.0**r
                        other, there = _likely(ridge, base, height, slice_mm, skin, level, course)
                        if other > score + 1e-9:
                            score, last = other, there
                        else:
                            course[a] -= way * first[a] / 2.0**r
                if score <= before:
                    break
        if score > most:
            most, found, end = score, course.copy(), last
    return most, found, end
