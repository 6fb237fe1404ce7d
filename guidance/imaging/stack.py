"""Image planes in a row: order, gaps, tilt, and the grid they make. Pure geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.errors import ImportRefused

FloatArray = NDArray[np.float64]

# Planes nearer than this are at the same place (positions are written to 0.01 mm or finer).
SAME_MM = 0.01
# Positions are rounded when written; a stack whose planes lie this near to even places is even.
EVEN_MM = 0.1
# Between unevenly spaced slices, matter that no slice covered: a seed of 0.8 mm must not hide.
UNSEEN_MM = 0.5
# Interpolation between planes further apart than this tells nothing about a 4.5 mm seed.
WIDEST_GAP_MM = 8.0
FINEST_GRID_MM = 1.0


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes of one orientation in order along their normal.

    Attributes:
        order: (n,) indices of the planes as given, along the normal.
        along_mm: (n,) place of each along the normal, from the first.
        step_mm: (3,) mean displacement from one plane to the next, in the patient frame.
        even: whether the planes are evenly spaced.
    """

    order: NDArray[np.intp]
    along_mm: FloatArray
    step_mm: FloatArray
    even: bool

    @property
    def gaps_mm(self) -> FloatArray:
        """(n - 1,) distances between neighbouring planes, along the normal."""
        return np.diff(self.along_mm)


def arrange(positions_mm: FloatArray, normal: FloatArray) -> Stack:
    """Put planes in order along their normal.

    Args:
        positions_mm: (n, 3) first pixel of each plane, no two at the same place.
        normal: (3,) unit normal.

    Raises:
        ImportRefused: planes are displaced sideways other than by a constant tilt.
    """
    along = positions_mm @ normal
    order = np.argsort(along, kind="stable")
    points = positions_mm[order]
    along = along[order] - along[order[0]]
    if len(points) == 1:
        return Stack(order, along, np.zeros(3), even=True)
    direction = (points[-1] - points[0]) / along[-1]
    off = np.linalg.norm(points - points[0] - along[:, None] * direction, axis=1)
    if off.max() > 2 * EVEN_MM:
        raise ImportRefused(
            f"slice {int(off.argmax()) + 1} of {len(points)} lies {off.max():.1f} mm beside the "
            "line of the others: the table or the field of view was moved during the series"
        )
    places = np.linspace(0.0, along[-1], len(along))
    even = bool(np.abs(along - places).max() <= min(EVEN_MM, along[-1] / (len(along) - 1) / 4))
    return Stack(order, along, direction * along[-1] / (len(along) - 1), even)


def check_gaps(stack: Stack, thickness_mm: list[float | None]) -> None:
    """Refuse a stack with slices missing or with matter between slices that none covers.

    Args:
        stack: planes in order.
        thickness_mm: of each plane, in that order.

    Raises:
        ImportRefused: says where and what to do.
    """
    if stack.even:
        return
    gaps = stack.gaps_mm
    regular = float(np.median(gaps))
    multiples = np.maximum(np.rint(gaps / regular), 1)
    if (multiples > 1).any() and (np.abs(gaps - multiples * regular) <= EVEN_MM * multiples).all():
        where = int(np.argmax(multiples > 1))
        raise ImportRefused(
            f"{int(multiples.sum()) - len(gaps)} slice(s) missing: slices are {regular:.2f} mm "
            f"apart, but {gaps[where]:.2f} mm after the {_nth(where + 1)} of {len(gaps) + 1}; "
            "send the whole series again"
        )
    for i, gap in enumerate(gaps):
        ends = [t for t in (thickness_mm[i], thickness_mm[i + 1]) if t is not None]
        covered = sum(ends) / len(ends) if ends else regular
        if gap - covered > UNSEEN_MM or gap > WIDEST_GAP_MM:
            raise ImportRefused(
                f"slices are spaced unevenly ({gaps.min():.2f} to {gaps.max():.2f} mm), and after "
                f"the {_nth(i + 1)} of {len(gaps) + 1} a gap of {gap:.2f} mm was not imaged; "
                "scan or send the series again with even slices"
            )


def grid(
    stack: Stack,
    first_mm: FloatArray,
    in_plane: FloatArray,
    shape: tuple[int, int],
    slab_mm: FloatArray,
    frame_of_reference_uid: str,
) -> GridGeometry:
    """Return the grid of an evenly spaced stack, sheared by gantry tilt if it was tilted.

    Args:
        stack: evenly spaced planes.
        first_mm: (3,) first pixel of the first plane.
        in_plane: (3, 2) columns: displacement of one pixel along the row and the column.
        shape: rows and columns.
        slab_mm: (3,) extent of a slice along the normal, for a stack of one.
        frame_of_reference_uid: of the planes.
    """
    affine = np.eye(4)
    affine[:3, :2] = in_plane
    affine[:3, 2] = stack.step_mm if len(stack.order) > 1 else slab_mm
    affine[:3, 3] = first_mm
    return GridGeometry((len(stack.order), *shape), affine, frame_of_reference_uid)


def resample(hu: NDArray[np.int16], stack: Stack) -> tuple[NDArray[np.int16], FloatArray]:
    """Interpolate an unevenly spaced stack linearly onto even planes.

    The planes are as far apart as the nearest two (no finer than ``FINEST_GRID_MM``); the first
    and last stay where they are. In-plane values are not touched, so tilt needs no resampling.

    Args:
        hu: (n, rows, columns) in the stack's order.
        stack: where they lie.

    Returns:
        Values on the even planes, and the (3,) displacement from one to the next.
    """
    length = stack.along_mm[-1]
    count = max(2, round(length / max(float(stack.gaps_mm.min()), FINEST_GRID_MM)) + 1)
    places = np.linspace(0.0, length, count)
    below = np.clip(np.searchsorted(stack.along_mm, places, "right") - 1, 0, len(hu) - 2)
    weight = (places - stack.along_mm[below]) / stack.gaps_mm[below]
    out = np.empty((count, *hu.shape[1:]), np.int16)
    for k in range(count):
        low, high = hu[below[k]], hu[below[k] + 1]
        out[k] = np.rint(low * (1.0 - weight[k]) + high * weight[k])
    return out, stack.step_mm * (len(hu) - 1) / (count - 1)


def tilt_deg(step_mm: FloatArray, normal: FloatArray) -> float:
    """Return the angle between the way from plane to plane and the planes' normal, degrees."""
    length = float(np.linalg.norm(step_mm))
    if length == 0:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(abs(step_mm @ normal) / length, 0.0, 1.0))))


def _nth(n: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(n % 10 if n % 100 not in (11, 12, 13) else 0, "th")
    return f"{n}{suffix}"
