"""Needles planned and needles seen, matched to each other and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dose.structures import Structure, signed_distance_mm
from guidance.detection.detections import DetectedNeedle, Detections
from guidance.planning.plan import ImplantPlan, PlannedNeedle
from guidance.tracking.implant import Clearance, NeedleTrack, SeatClearance

Point = tuple[float, float, float]
FloatArray = NDArray[np.float64]

# Half the length of a seed: at full stroke the stylet is flush with the needle's tip, so the
# seed comes to rest just beyond it (docs/applicator-protocol.md, "Where a seed comes to rest").
SEED_AHEAD_OF_TIP_MM = 2.25
# A needle further than this from every planned one was not planned. Published placement
# errors: tip 4.4 +- 2.9 mm (Ji 2021, PMC8438469), so 15 mm is beyond three standard deviations.
GATE_MM = 15.0
# Along a needle the clearance is taken every so often.
STEP_MM = 0.5


def track_needles(
    plan: ImplantPlan | None,
    detections: Detections,
    organs: Sequence[Structure],
    *,
    limit_mm: float = 10.0,
) -> tuple[NeedleTrack, ...]:
    """Match seen with planned needles and measure each.

    Args:
        plan: in the frame of the scan; None if there is none.
        detections: of the scan.
        organs: organs at risk, in the frame of the scan.
        limit_mm: least clearance to each of them.

    Returns:
        One track for each planned needle (without a tip where it was not seen), then one for
        each needle that was not planned, numbered on.
    """
    planned = plan.needles if plan is not None else ()
    pairs = _assignment(planned, detections.needles)
    tracks = []
    for i, needle in enumerate(planned):
        seen = detections.needles[pairs[i]] if i in pairs else None
        track = _track(needle.number, needle, seen, organs, limit_mm)
        stops = [seed.retraction_mm for seed in plan.seeds_of(needle.number)] if plan else []
        tracks.append(replace(track, seats=_seats(track, stops, organs, limit_mm)))
    free = 1 + max((n.number for n in planned), default=0)
    unplanned = [n for j, n in enumerate(detections.needles) if j not in pairs.values()]
    for k, seen in enumerate(sorted(unplanned, key=lambda n: n.tip_mm)):
        tracks.append(_track(free + k, None, seen, organs, limit_mm))
    return tuple(tracks)


def _assignment(planned: Sequence[PlannedNeedle], seen: Sequence[DetectedNeedle]) -> dict[int, int]:
    """Pair planned with seen so that the sum of tip and line distances is least."""
    if not planned or not seen:
        return {}
    cost = np.array([[_distance(p, s) for s in seen] for p in planned])
    # A forbidden pair costs more than any set of allowed ones, so none is left out for it.
    rows, columns = linear_sum_assignment(np.where(cost <= GATE_MM, cost, 1e6))
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] <= GATE_MM}


def _distance(planned: PlannedNeedle, seen: DetectedNeedle) -> float:
    """Mean of the distances of tip and of the entry from the planned line, mm.

    Depth counts half in the tip: needles are told apart by their line, and a needle that is
    not yet at depth is still the same needle.
    """
    off = np.subtract(seen.tip_mm, planned.tip_mm)
    along = float(off @ planned.direction)
    across = float(np.linalg.norm(off - along * planned.direction))
    tip = float(np.hypot(across, along / 2))
    return (tip + _from_line(seen.entry_mm, planned)) / 2


def _from_line(point: Point, needle: PlannedNeedle) -> float:
    off = np.subtract(point, needle.tip_mm)
    return float(np.linalg.norm(off - (off @ needle.direction) * needle.direction))


def _track(
    number: int,
    planned: PlannedNeedle | None,
    seen: DetectedNeedle | None,
    organs: Sequence[Structure],
    limit_mm: float,
) -> NeedleTrack:
    if seen is None:
        return NeedleTrack(number, planned)
    track = NeedleTrack(
        number,
        planned,
        seen.tip_mm,
        seen.entry_mm,
        seen.confidence,
        clearances=tuple(_clearance(seen, organ, limit_mm) for organ in organs),
    )
    if planned is None:
        return track
    off = np.subtract(seen.tip_mm, planned.tip_mm)
    depth = float(off @ planned.direction)
    cosine = float(np.clip(seen.direction @ planned.direction, -1.0, 1.0))
    return replace(
        track,
        tip_deviation_mm=float(np.linalg.norm(off)),
        depth_deviation_mm=depth,
        lateral_deviation_mm=float(np.linalg.norm(off - depth * planned.direction)),
        entry_deviation_mm=_from_line(seen.entry_mm, planned),
        angle_deg=float(np.degrees(np.arccos(cosine))),
    )


def _clearance(seen: DetectedNeedle, organ: Structure, limit_mm: float) -> Clearance:
    path = np.array(seen.path_mm or (seen.tip_mm, seen.entry_mm), dtype=np.float64)
    points = [path[:1]]
    for start, end in pairwise(path):
        steps = max(1, int(np.ceil(np.linalg.norm(end - start) / STEP_MM)))
        points.append(start + (end - start) * (np.arange(1, steps + 1) / steps)[:, None])
    distance = float(signed_distance_mm(organ, np.concatenate(points)).min())
    return Clearance(organ.name, distance, limit_mm)


def _seats(
    track: NeedleTrack, stops_mm: Sequence[float], organs: Sequence[Structure], limit_mm: float
) -> tuple[SeatClearance, ...]:
    """Return how near each seed would come to the organ nearest to it, as the needle lies."""
    if track.tip_mm is None or not organs or not stops_mm:
        return ()
    centres = np.array([counted_position(track, stop)[0] for stop in stops_mm])
    distances = np.array([signed_distance_mm(organ, centres) for organ in organs])
    nearest = distances.argmin(axis=0)
    return tuple(
        SeatClearance(stop, organs[k].name, float(distances[k, i]), limit_mm)
        for i, (stop, k) in enumerate(zip(stops_mm, nearest, strict=True))
    )


def counted_position(needle: NeedleTrack, retraction_mm: float) -> tuple[Point, Point]:
    """Return where a seed dropped through a needle lies, and its axis.

    Args:
        needle: as seen at its deepest point.
        retraction_mm: how far it has been drawn back since.

    Returns:
        Centre (x, y, z) in LPS mm and the unit direction of the needle, entry to tip.

    Raises:
        ValueError: the needle has not been seen.
    """
    if needle.tip_mm is None or needle.entry_mm is None:
        raise ValueError(f"needle {needle.number} has not been seen")
    tip = np.asarray(needle.tip_mm)
    along = tip - np.asarray(needle.entry_mm)
    along = along / np.linalg.norm(along)
    return _point(tip + (SEED_AHEAD_OF_TIP_MM - retraction_mm) * along), _point(along)


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
