"""What is drawn over a slice, as plain shapes in the plane's millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from guidance.planning.plan import PlannedSeed
from guidance.procedure.snapshot import DoseView
from guidance.screen import theme
from guidance.screen.reslice import Plane, dose_on
from guidance.tracking.implant import ImplantSeed, NeedleTrack, Point

FloatArray = NDArray[np.float64]

# Model 6711: length and diameter of the capsule.
SEED_LENGTH_MM = 4.5
SEED_WIDTH_MM = 0.8
# Needles and seeds this near to the plane are drawn in it.
NEAR_MM = 2.5


@dataclass(frozen=True, eq=False)
class Line:
    """A polyline.

    Attributes:
        points: (n, 2) right and down, mm.
        colour: of the pen.
        width: of the pen at design size, pixels.
        dash: ``solid``, ``dash``, ``dot`` or ``dashdot``.
        closed: whether the last point joins the first.
        opacity: 0 to 1.
        name: written beside the line, may be empty.
        name_at: number of the point that the name stands beside.
    """

    points: FloatArray
    colour: str
    width: float = 2.0
    dash: str = "solid"
    closed: bool = False
    opacity: float = 1.0
    name: str = ""
    name_at: int = 0


@dataclass(frozen=True, eq=False)
class Capsule:
    """A seed.

    Attributes:
        start: (2,) one end of its axis, mm.
        end: (2,) the other end.
        colour: of its status.
        filled: whether it is seen.
        crossed: whether it should be there and is not seen.
        opacity: 0 to 1.
    """

    start: FloatArray
    end: FloatArray
    colour: str
    filled: bool = True
    crossed: bool = False
    opacity: float = 1.0


Shape = Line | Capsule


def needle_lines(
    needles: Iterable[NeedleTrack], plane: Plane, current: int | None, scan_uid: str = ""
) -> Iterator[Line]:
    """Yield needles: planned dashed, seen solid; dotted if seen in another than the shown scan.

    Args:
        needles: all of them.
        plane: of the view.
        current: number of the needle that stands out.
        scan_uid: of the scan shown.
    """
    for needle in needles:
        chosen = needle.number == current
        name = str(needle.number)
        if needle.planned is not None:
            ends = (needle.planned.entry_mm, needle.planned.tip_mm)
            yield from _shaft(ends, plane, theme.PLANNED, "dash", chosen, "")
        if needle.tip_mm is not None and needle.entry_mm is not None:
            colour = theme.CURRENT if chosen else theme.NOTE
            dash = "solid" if here(needle, scan_uid) else "dot"
            yield from _shaft((needle.entry_mm, needle.tip_mm), plane, colour, dash, chosen, name)


def here(needle: NeedleTrack, scan_uid: str) -> bool:
    """Tell whether a needle was seen in the scan shown; by the next one it may be out."""
    return needle.tip_mm is not None and needle.scan_uid == scan_uid


def _shaft(
    ends: tuple[Point, Point], plane: Plane, colour: str, dash: str, chosen: bool, name: str
) -> Iterator[Line]:
    start, end = plane.project(ends)
    width = 3.0 if chosen else 2.0
    if chosen:
        yield Line(np.array((start[:2], end[:2])), colour, 1.2, dash, opacity=0.45)
    near = _clipped(start, end)
    if near is None:
        return
    if np.linalg.norm(near[1] - near[0]) > 1.0:
        yield Line(near, colour, width, dash, name=name)
        if abs(end[2]) <= NEAR_MM and dash != "dash":
            yield _ring(end[:2], 1.2, colour, "solid", width)
    else:
        # Seen end-on: a ring for the plan, a cross for what is there.
        middle = near.mean(axis=0)
        if dash != "dash":
            yield from _cross(middle, 1.2, colour, width, name)
        else:
            yield _ring(middle, 2.0, colour, dash, width)


def _clipped(start: FloatArray, end: FloatArray) -> FloatArray | None:
    """Return the part of a segment within ``NEAR_MM`` of the plane, None if there is none."""
    rise = end[2] - start[2]
    if abs(rise) < 1e-9:
        return np.array((start[:2], end[:2])) if abs(start[2]) <= NEAR_MM else None
    parts = sorted(((-NEAR_MM - start[2]) / rise, (NEAR_MM - start[2]) / rise))
    low, high = max(0.0, parts[0]), min(1.0, parts[1])
    if low >= high:
        return None
    along = end[:2] - start[:2]
    return np.array((start[:2] + low * along, start[:2] + high * along))


def _ring(centre: FloatArray, radius_mm: float, colour: str, dash: str, width: float) -> Line:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = centre + radius_mm * np.column_stack((np.cos(angles), np.sin(angles)))
    return Line(circle, colour, width, dash, closed=True)


def _cross(
    centre: FloatArray, arm_mm: float, colour: str, width: float, name: str
) -> Iterator[Line]:
    for arm, said in (((arm_mm, arm_mm), ""), ((-arm_mm, arm_mm), name)):
        yield Line(np.array((centre - arm, centre + arm)), colour, width, name=said)


def seed_capsules(
    seeds: Sequence[ImplantSeed],
    planned: Iterable[PlannedSeed],
    plane: Plane,
    supplements: Iterable[PlannedSeed] = (),
) -> Iterator[Capsule]:
    """Yield the seeds near a plane, and those planned that have not been dropped.

    Args:
        seeds: of the implant.
        planned: by the plan.
        plane: of the picture.
        supplements: planned beyond it; they have a colour of their own.
    """
    stood_for = {seed.planned_number for seed in seeds}
    for colour, wanted in ((theme.PLANNED, planned), (theme.SUPPLEMENT, supplements)):
        for plan in wanted:
            if plan.number not in stood_for:
                yield from _capsule(
                    plan.position_mm, plan.axis, plane, colour, filled=False, opacity=0.8
                )
    for seed in seeds:
        yield from _capsule(
            seed.position_mm,
            seed.axis,
            plane,
            theme.SEED_COLOURS[seed.status],
            filled=seed.status in {"seen", "extra"},
            crossed=seed.status == "missing",
        )


def _capsule(
    centre_mm: Point,
    axis: Point | None,
    plane: Plane,
    colour: str,
    *,
    filled: bool,
    crossed: bool = False,
    opacity: float = 1.0,
) -> Iterator[Capsule]:
    centre = plane.project(centre_mm)
    half = np.zeros(3)
    if axis is not None:
        half = plane.axes @ np.asarray(axis) * (SEED_LENGTH_MM - SEED_WIDTH_MM) / 2
    if abs(centre[2]) - abs(half[2]) > NEAR_MM:
        return
    yield Capsule((centre - half)[:2], (centre + half)[:2], colour, filled, crossed, opacity)


def isodose_lines(dose: DoseView, plane: Plane) -> tuple[Line, ...]:
    """Return the isodose lines of a plane, in percent of the prescription."""
    found = dose_on(dose.geometry, dose.dose_gy, plane)
    if found is None:
        return ()
    gray, right, down = found
    start, step = np.array((right[0], down[0])), right[1] - right[0]
    lines = []
    for percent, (colour, dash, width) in theme.ISODOSES.items():
        level = dose.prescription_gy * percent / 100.0
        for loop in find_contours(gray, level):  # type: ignore[no-untyped-call]
            lines.append(Line(start + loop[:, ::-1] * step, colour, width, dash))
    return tuple(lines)
