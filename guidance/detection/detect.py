"""Needles and seeds of one scan: the public way in."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from guidance.detection.beside import REACH_MM, Beside
from guidance.detection.body import Body
from guidance.detection.candidates import contrast, groups
from guidance.detection.detections import DetectedNeedle, DetectedSeed, Detections, Point
from guidance.detection.frame import ScanFrame
from guidance.detection.needles import Lines, NeedleLine, find_needles
from guidance.detection.seeds import UNDECIDED, SeedFit, seeds_in
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# A scan with so many voxels at its highest value clips there.
CLIPPED_VOXELS = 8
# A seed is 0.8 mm wide, a needle 1.3 mm; in wider pixels their shape is lost.
COARSEST_PIXEL_MM = 1.6
# A seed seen before is the same if it lies this near: it drifts with the tissue.
SAME_PLACE_MM = 5.0
# So many steps of a needle's path, 2 mm, tell its direction at the tip.
TIP_STEPS = 8
# Directions differ from those of the needles by more than this only by chance of the fit.
ALONG_NEEDLE_DEG = 35.0


def detect(
    volume: Volume,
    *,
    expected_seeds: int | None = None,
    prior_needles: Sequence[DetectedNeedle] = (),
    prior_seeds: Sequence[DetectedSeed] = (),
) -> Detections:
    """Find needles and seeds.

    Args:
        volume: a CT scan.
        expected_seeds: how many were dropped; a check on the result, never a quota.
        prior_needles: needles seen before in the same frame; directions for the seeds.
        prior_seeds: seeds seen before in the same frame; those not seen again are named.

    Returns:
        What was found, LPS mm, and in words what could not be decided.
    """
    began = time.perf_counter()
    frame = ScanFrame.of(volume)
    coarse = max(frame.pixel_mm) > COARSEST_PIXEL_MM
    stands_out, clip = contrast(volume, frame), clip_of(volume)
    body = Body.of(volume, frame)
    metal = Lines([], []) if coarse else find_needles(volume, frame, stands_out, body)
    lines = metal.needles
    beside = Beside.of([n.path for n in lines], stands_out, frame)
    found = [] if coarse else groups(stands_out, frame, beside.hidden)
    fits = _no_needles(beside, seeds_in(volume, frame, stands_out, found, clip))
    kept, on_skin = _implanted(volume, frame, body, fits)
    bodies = [s.body for s in kept if s.body is not None]
    kept = [s for s in kept if s.body is None]
    seeds = tuple(_seed(s, frame, prior_needles) for s in kept)
    remarks = _remarks(len(seeds), expected_seeds, bool(lines))
    remarks += _missing(seeds, prior_seeds)
    remarks += _undecided(kept, frame)
    remarks += tuple(
        f"Metal like a seed at {_place(frame.to_patient(s.centre[None])[0])} lies on the skin; "
        "it is not counted."
        for s in on_skin
    )
    remarks += tuple(
        f"Metal at {_place(frame.to_patient(b.centre[None])[0])} is not counted: {b.what}."
        for b in dict.fromkeys(bodies)
    )
    remarks += _not_assessable(metal, seeds, frame)
    if coarse:
        remarks += (
            f"Pixels of {max(frame.pixel_mm):.1f} mm are too coarse to tell metal from bone; "
            f"none were looked for (at most {COARSEST_PIXEL_MM} mm).",
        )
    needles = tuple(_needle(n, frame) for n in lines)
    return Detections(seeds, needles, remarks, time.perf_counter() - began)


def clip_of(volume: Volume) -> float:
    """Return the value at which a scan clips, infinity if it does not."""
    if volume.provenance.clipped_at_hu is not None:
        return float(volume.provenance.clipped_at_hu)
    highest = volume.hu.max()
    return float(highest) if int((volume.hu == highest).sum()) >= CLIPPED_VOXELS else np.inf


def _implanted(
    volume: Volume, frame: ScanFrame, body: Body, seeds: list[SeedFit]
) -> tuple[list[SeedFit], list[SeedFit]]:
    """Part the seeds from what lies on the skin: a marker, a wire, a seed that was lost."""
    if not seeds:
        return [], []
    outside = body.on_skin(volume, frame, np.array([s.centre for s in seeds]))
    return (
        [s for s, out in zip(seeds, outside, strict=True) if not out],
        [s for s, out in zip(seeds, outside, strict=True) if out],
    )


def _no_needles(beside: Beside, seeds: list[SeedFit]) -> list[SeedFit]:
    """Leave out what is rather a needle's own image."""
    centres = np.array([s.centre for s in seeds]).reshape(-1, 3)
    doubtful = beside.doubtful(centres, np.array([s.explained_within for s in seeds]))
    return [s for s, out in zip(seeds, doubtful, strict=True) if not out]


def _seed(seed: SeedFit, frame: ScanFrame, prior: Sequence[DetectedNeedle]) -> DetectedSeed:
    centre = frame.to_patient(seed.centre[None])[0]
    axis = seed.axis @ frame.rotation
    covariance = frame.rotation.T @ seed.covariance_mm2 @ frame.rotation
    confidence = float(np.clip((seed.explained - 0.5) / 0.5, 0.05, 0.99))
    return DetectedSeed(
        _point(centre),
        _point(_turned(axis, centre, prior)),
        round(confidence, 3),
        (_point(covariance[0]), _point(covariance[1]), _point(covariance[2])),
    )


def _turned(axis: FloatArray, centre: FloatArray, prior: Sequence[DetectedNeedle]) -> FloatArray:
    """Return the axis, pointing the way of the nearest needle it agrees with."""
    for needle in sorted(prior, key=lambda n: _distance(centre, n)):
        cosine = float(axis @ needle.direction)
        if abs(cosine) > np.cos(np.radians(ALONG_NEEDLE_DEG)):
            return axis if cosine > 0 else -axis
        break
    return axis


def _distance(point: FloatArray, needle: DetectedNeedle) -> float:
    off = point - np.asarray(needle.tip_mm)
    return float(np.linalg.norm(off - (off @ needle.direction) * needle.direction))


def _needle(line: NeedleLine, frame: ScanFrame) -> DetectedNeedle:
    tip, entry = frame.to_patient(np.array((line.tip, line.entry)))
    return DetectedNeedle(
        _point(tip),
        _point(entry),
        round(float(np.clip(line.coverage, 0.0, 0.99)), 3),
        tuple(_point(p) for p in _path(line, frame)),
        tip_sigma_mm=round(line.tip_sigma_mm, 3),
    )


def _missing(seeds: Sequence[DetectedSeed], prior: Sequence[DetectedSeed]) -> tuple[str, ...]:
    """Name the places of seeds seen before where none is seen now."""
    if not prior:
        return ()
    before = np.array([s.position_mm for s in prior])
    now = np.array([s.position_mm for s in seeds]).reshape(-1, 3)
    apart = np.linalg.norm(before[:, None] - now[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(apart, 2 * SAME_PLACE_MM))
    seen = {int(i) for i, j in zip(rows, columns, strict=True) if apart[i, j] <= SAME_PLACE_MM}
    return tuple(
        f"A seed seen before at {_place(p)} is not seen now: look there."
        for i, p in enumerate(before)
        if i not in seen
    )


def _undecided(seeds: Sequence[SeedFit], frame: ScanFrame) -> tuple[str, ...]:
    """Name the groups that one seed more or fewer explains about as well."""
    places = {
        _place(frame.to_patient(s.centre[None])[0]): s.rods
        for s in sorted(seeds, key=lambda s: tuple(s.centre))
        if s.margin < UNDECIDED
    }
    return tuple(
        f"At {place} {rods} seeds explain the image hardly better than one more or one fewer."
        for place, rods in places.items()
    )


def _not_assessable(
    metal: Lines, seeds: Sequence[DetectedSeed], frame: ScanFrame
) -> tuple[str, ...]:
    """Name the places where metal is seen, or hidden, of which nothing more can be said."""
    seen = np.array([s.position_mm for s in seeds]).reshape(-1, 3)
    ahead = [n.metal_ahead for n in metal.needles if n.metal_ahead is not None]
    told = frame.to_patient(np.array(ahead).reshape(-1, 3))
    lone = [p for p in told if not (np.linalg.norm(seen - p, axis=1) < SAME_PLACE_MM).any()]
    dark = [frame.to_patient(n.tip[None])[0] for n in metal.needles if n.dark_ahead]
    wide = [frame.to_patient(p[None])[0] for p in metal.hardware]
    said = (
        (lone, "Metal is seen just ahead of a needle's tip, at {}: it may be a seed; look there."),
        (dark, "The image is dark ahead of the needle tips at {}: seeds there may be hidden."),
        (wide, "Metal wider than a needle, at {}, is taken for hardware."),
    )
    return tuple(text.format(", ".join(map(_place, at))) for at, text in said if at)


def _place(point: FloatArray) -> str:
    return "(" + ", ".join(f"{v:.0f}" for v in point) + ") mm"


def _path(line: NeedleLine, frame: ScanFrame) -> FloatArray:
    """Return (n, 3) points from tip to entry of a bent needle, none of a straight one."""
    if not line.bent:
        return np.zeros((0, 3))
    last = int(np.argmin(np.linalg.norm(line.path - line.entry, axis=1)))
    # The first two points give the direction at the tip: not from one step of the search.
    second = min(TIP_STEPS, last)
    picked = np.unique(np.concatenate(([0], np.linspace(second, last, 12).astype(int))))
    return frame.to_patient(line.path[picked])


def _remarks(seeds: int, expected: int | None, needles: bool) -> tuple[str, ...]:
    remarks = []
    if expected is not None and seeds != expected:
        remarks.append(f"{seeds} seeds are seen; {expected} are expected.")
    if needles:
        remarks.append(
            f"Within {REACH_MM:.1f} mm of a needle only seeds that outshine it are seen."
        )
    return tuple(remarks)


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
