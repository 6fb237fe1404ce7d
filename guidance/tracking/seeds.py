"""Seeds counted and seeds seen, matched to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from guidance.detection.detections import DetectedSeed
from guidance.tracking.implant import ImplantSeed

FloatArray = NDArray[np.float64]

# Seeds slide along their needle's track more than they leave it: distances along the track
# count half. Half the spacing of seeds (10 mm) would confuse neighbours, so the gate is below
# it across and above it along.
ALONG_WEIGHT = 0.5
GATE_MM = 4.5


def match_seeds(
    seeds: Sequence[ImplantSeed],
    seen: Sequence[DetectedSeed],
    scan_uid: str,
    *,
    gate_mm: float = GATE_MM,
) -> tuple[ImplantSeed, ...]:
    """Match what was counted with what a scan shows.

    The assignment with the least sum of distances, where nothing is matched beyond the gate.
    An expected seed that is not there stays, without a seen position; a seed that was not
    expected follows after the counted ones.

    Args:
        seeds: the implant so far (seeds seen before but never counted are looked for anew).
        seen: detections of the scan.
        scan_uid: SeriesInstanceUID of the scan.
        gate_mm: greatest weighted distance of a match.
    """
    counted = [s for s in seeds if s.counted_mm is not None]
    pairs = _assignment(counted, seen, gate_mm)
    found = []
    for i, seed in enumerate(counted):
        match = seen[pairs[i]] if i in pairs else None
        found.append(
            replace(
                seed,
                seen_mm=match.position_mm if match else None,
                seen_axis=match.axis if match else None,
                seen_confidence=match.confidence if match else 0.0,
                scan_uid=scan_uid,
            )
        )
    number = max((s.number for s in counted), default=0)
    extra = [s for j, s in enumerate(seen) if j not in pairs.values()]
    for k, detection in enumerate(sorted(extra, key=lambda s: s.position_mm)):
        found.append(
            ImplantSeed(
                number + 1 + k,
                None,
                None,
                None,
                None,
                detection.position_mm,
                detection.axis,
                detection.confidence,
                scan_uid,
            )
        )
    return tuple(found)


def _assignment(
    counted: Sequence[ImplantSeed], seen: Sequence[DetectedSeed], gate_mm: float
) -> dict[int, int]:
    if not counted or not seen:
        return {}
    cost = weighted_distance_mm(counted, seen)
    rows, columns = linear_sum_assignment(np.where(cost <= gate_mm, cost, 1e6))
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if cost[i, j] <= gate_mm}


def weighted_distance_mm(
    counted: Sequence[ImplantSeed], seen: Sequence[DetectedSeed]
) -> FloatArray:
    """Return (counted, seen) distances in mm; those along the needle's track count half."""
    position = np.array([s.counted_mm for s in counted], dtype=np.float64)
    axis = np.array([s.counted_axis or (0.0, 0.0, 0.0) for s in counted], dtype=np.float64)
    off = np.array([s.position_mm for s in seen], dtype=np.float64)[None] - position[:, None]
    along = np.einsum("ijk,ik->ij", off, axis)
    across2 = np.maximum((off**2).sum(axis=2) - along**2, 0.0)
    return np.asarray(np.sqrt(across2 + (ALONG_WEIGHT * along) ** 2))
