"""Needles: long thin metal that comes in from the air outside the patient.

Lines are found among metal voxels by sampling pairs (RANSAC), refined on the metal's centre of
gravity, and kept only if they leave the skin: what has no end in air is no needle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import erfinv

from guidance.detection.frame import ScanFrame
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

METAL_HU = 1200.0
AIR_HU = -400.0
# An 18 gauge needle is 1.27 mm wide; its image is wider by blur and by half a pixel.
BESIDE_MM = 1.6
SHORTEST_MM = 30.0
# A line with a longer stretch without metal is two lines.
LONGEST_GAP_MM = 8.0
TRIALS = 400
STEP_MM = 0.25
RING_MM = 6.0


@dataclass(frozen=True, eq=False)
class NeedleLine:
    """A needle in the scan's frame, mm.

    Attributes:
        tip: (3,).
        entry: (3,) where it passes the skin.
        outer: (3,) where its metal ends outside.
        coverage: share of its length on which metal is seen.
        tip_sigma_mm: standard error of the tip along the needle.
    """

    tip: FloatArray
    entry: FloatArray
    outer: FloatArray
    coverage: float
    tip_sigma_mm: float


def find_needles(volume: Volume, frame: ScanFrame) -> list[NeedleLine]:
    """Return all needles, each once."""
    metal = volume.hu > METAL_HU
    labels, count = ndimage.label(metal, np.ones((3, 3, 3)))
    needles: list[NeedleLine] = []
    for index, box in enumerate(ndimage.find_objects(labels, count), start=1):
        where = np.argwhere(labels[box] == index) + [s.start for s in box]
        points = frame.of_index(where[:, ::-1].astype(np.float64))
        if np.linalg.norm(np.ptp(points, axis=0)) < SHORTEST_MM:
            continue
        needles += _in_component(volume, frame, points)
    return needles


def _in_component(volume: Volume, frame: ScanFrame, points: FloatArray) -> list[NeedleLine]:
    """Take line after line out of one connected piece of metal."""
    found = []
    rng = np.random.default_rng(0)
    beside = max(BESIDE_MM, 0.6 * frame.slice_mm)
    while len(points) > 20:
        line = _best_line(points, beside, rng)
        if line is None:
            break
        start, direction, members = line
        needle = _measure(volume, frame, start, direction)
        if needle is not None:
            found.append(needle)
        points = points[~members]
    return found


def _best_line(
    points: FloatArray, beside: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]] | None:
    """Return the line with most metal near it: a point, a direction, and its members."""
    best, best_members = 0, None
    for _ in range(TRIALS):
        a, b = points[rng.integers(0, len(points), 2)]
        length = float(np.linalg.norm(b - a))
        if length < SHORTEST_MM / 2:
            continue
        members = _near(points, a, (b - a) / length, beside)
        if (count := int(members.sum())) > best:
            best, best_members = count, members
    if best_members is None:
        return None
    members = best_members
    for _ in range(3):
        start = points[members].mean(axis=0)
        direction = np.linalg.svd(points[members] - start, full_matrices=False)[2][0]
        members = _near(points, start, direction, beside)
    along = np.sort((points[members] - start) @ direction)
    if along[-1] - along[0] < SHORTEST_MM or np.diff(along).max() > LONGEST_GAP_MM:
        return None
    # Neighbouring voxels of the same rod, blurred further out, go with it.
    return start, direction, _near(points, start, direction, 2 * beside)


def _near(
    points: FloatArray, start: FloatArray, direction: FloatArray, beside: float
) -> NDArray[np.bool_]:
    off = points - start
    across = off - (off @ direction)[:, None] * direction
    return np.asarray(np.einsum("ij,ij->i", across, across) <= beside**2)


def _measure(
    volume: Volume, frame: ScanFrame, start: FloatArray, direction: FloatArray
) -> NeedleLine | None:
    """Follow a line through the scan: where its metal ends, where it passes the skin."""
    t = np.arange(-400.0, 400.0, STEP_MM)
    points = start + t[:, None] * direction
    index = frame.to_index(points)
    size = np.array(volume.hu.shape[::-1])
    inside = ((index >= 0) & (index <= size - 1)).all(axis=1)
    t, points = t[inside], points[inside]
    core = _sampled(volume, frame, points)
    skin = np.median([_sampled(volume, frame, points + r) for r in _ring(direction)], axis=0)
    bright = core > METAL_HU
    piece = _piece_at(bright, int(np.argmin(np.abs(t))))
    if piece is None:
        return None
    first, last = piece
    air = skin < AIR_HU
    # The end in air is outside; a line with both or no end in air is no needle.
    if air[first] == air[last]:
        return None
    if air[last]:
        t, points, core, air = -t[::-1], points[::-1], core[::-1], air[::-1]
        direction = -direction
        first, last = len(t) - 1 - last, len(t) - 1 - first
    entry = int(np.flatnonzero(~air[first : last + 1])[0]) + first
    if t[last] - t[entry] < 5.0:
        return None
    tip, sigma = _tip(volume, frame, points, core, entry, last, direction)
    return NeedleLine(
        tip=tip,
        entry=points[entry],
        outer=points[first],
        coverage=float(bright_share(core[first : last + 1])),
        tip_sigma_mm=sigma,
    )


def bright_share(core: FloatArray) -> float:
    """Return the share of samples that are metal."""
    return float((core > METAL_HU).mean())


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


def _tip(
    volume: Volume,
    frame: ScanFrame,
    points: FloatArray,
    core: FloatArray,
    entry: int,
    last: int,
    direction: FloatArray,
) -> tuple[FloatArray, float]:
    """Return where the metal ends, corrected for the blur that carries it too far.

    The scan clips, so half of the metal's height is not seen. Two levels across the shaft give
    the spread and the true height (a Gaussian is wider the lower it is cut); where a blurred
    edge of that height falls to the threshold lies a known distance beyond the end.
    """
    shaft = points[entry + (last - entry) // 4 : last - (last - entry) // 5]
    across = np.cross(direction, (0.0, 0.0, 1.0))
    across = across / np.linalg.norm(across)
    offsets = np.arange(-4.0, 4.01, 0.1)
    profile = np.array([np.mean(_sampled(volume, frame, shaft + o * across)) for o in offsets])
    base = float(np.percentile(profile, 10))
    levels = (base + 600.0, base + 1500.0)
    wide, narrow = (0.05 * float((profile > level).sum()) for level in levels)
    beyond = 0.0
    if wide > narrow > 0.3:
        heights = np.log((levels[1] - base) / (levels[0] - base))
        spread2 = (wide**2 - narrow**2) / (2 * heights)
        height = (levels[0] - base) * np.exp(wide**2 / (2 * spread2))
        share = float(np.clip((METAL_HU - base) / height, 0.02, 0.98))
        beyond = -float(np.sqrt(2 * spread2) * erfinv(2 * share - 1))
    # Between the last bright sample and the next, by interpolation.
    here, after = core[last], core[min(last + 1, len(core) - 1)]
    part = float(np.clip((here - METAL_HU) / max(here - after, 1.0), 0.0, 1.0)) * STEP_MM
    shift = float(np.clip(part - beyond, -2.0, 1.0))
    sigma = float(np.hypot(0.3, 0.3 * frame.slice_mm * abs(direction[2])))
    return points[last] + shift * direction, sigma


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
