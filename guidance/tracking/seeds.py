"""Seeds counted and seeds seen, matched to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import dist

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from guidance.detection.detections import DetectedSeed
from guidance.tracking.implant import ImplantSeed, Point, Sighting

FloatArray = NDArray[np.float64]

# Seeds slide along their needle's track more than they leave it: distances along the track
# count half. Half the spacing of seeds (10 mm) would confuse neighbours, so the gate is below
# it across and above it along.
ALONG_WEIGHT = 0.5
GATE_MM = 4.5
# One seed missing and one too many within this distance are taken for one seed that went astray,
# if there is no other of either: seeds slide along needle tracks by a centimetre and more.
ASTRAY_MM = 30.0


def match_seeds(
    seeds: Sequence[ImplantSeed],
    seen: Sequence[DetectedSeed],
    scan_uid: str,
    *,
    gate_mm: float = GATE_MM,
) -> tuple[ImplantSeed, ...]:
    """Match what was counted or seen before with what a scan shows.

    The assignment with the least sum of distances, where nothing is matched beyond the gate;
    from where the scan before showed a seed, else from where it was counted. An expected seed
    that is not there stays, without a seen position; a seed that was not expected follows after
    the counted ones, and is looked for again in the next scan.

    Args:
        seeds: the implant so far.
        seen: detections of the scan.
        scan_uid: SeriesInstanceUID of the scan; the same scan again replaces what it said.
        gate_mm: greatest weighted distance of a match.
    """
    known = [_before(s, scan_uid) for s in seeds]
    expected = [s for s in known if s.counted_mm is not None or s.sightings]
    pairs = _assignment(expected, seen, gate_mm)
    astray = _by_elimination(expected, seen, pairs)
    found = []
    for i, seed in enumerate(expected):
        match = seen[(pairs | astray)[i]] if i in pairs or i in astray else None
        if match is None and seed.counted_mm is None:
            # Seen once, never counted, not there any more: nothing speaks for it.
            continue
        found.append(_looked_for(seed, match, scan_uid, astray=i in astray))
    number = max((s.number for s in found), default=0)
    taken = {*pairs.values(), *astray.values()}
    extra = [s for j, s in enumerate(seen) if j not in taken]
    for k, detection in enumerate(sorted(extra, key=lambda s: s.position_mm)):
        seed = ImplantSeed(number + 1 + k, None, None, None, None)
        found.append(_looked_for(seed, detection, scan_uid, astray=False))
    return tuple(found)


def _before(seed: ImplantSeed, scan_uid: str) -> ImplantSeed:
    """Return a seed without what this scan said of it when it was matched the last time."""
    return replace(seed, sightings=tuple(s for s in seed.sightings if s.scan_uid != scan_uid))


def _looked_for(
    seed: ImplantSeed, match: DetectedSeed | None, scan_uid: str, *, astray: bool
) -> ImplantSeed:
    position = match.position_mm if match else None
    confidence = match.confidence if match else 0.0
    return replace(
        seed,
        seen_mm=position,
        seen_axis=match.axis if match else None,
        seen_confidence=confidence,
        scan_uid=scan_uid,
        sightings=(*seed.sightings, Sighting(scan_uid, position, confidence)),
        by_elimination=astray,
        confirmed_by=match.confirmed_by if match else "",
    )


def _by_elimination(
    expected: Sequence[ImplantSeed], seen: Sequence[DetectedSeed], pairs: dict[int, int]
) -> dict[int, int]:
    """Pair one counted seed missing with one seed too many, where no other could be meant."""
    missing = [i for i, s in enumerate(expected) if i not in pairs and s.counted_mm is not None]
    extra = [j for j in range(len(seen)) if j not in pairs.values()]
    near = [
        (i, j)
        for i in missing
        for j in extra
        if dist(_home(expected[i]), seen[j].position_mm) <= ASTRAY_MM
    ]
    rivals = Counter(i for i, _ in near), Counter(j for _, j in near)
    return {i: j for i, j in near if rivals[0][i] == 1 and rivals[1][j] == 1}


def _home(seed: ImplantSeed) -> Point:
    """Return where a seed is looked for: where it was seen last, else where it was counted."""
    seen = [s.position_mm for s in seed.sightings if s.position_mm is not None]
    home = seen[-1] if seen else seed.counted_mm
    assert home is not None
    return home


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
    position = np.array([_home(s) for s in counted], dtype=np.float64)
    axis = np.array([s.counted_axis or (0.0, 0.0, 0.0) for s in counted], dtype=np.float64)
    off = np.array([s.position_mm for s in seen], dtype=np.float64)[None] - position[:, None]
    along = np.einsum("ijk,ik->ij", off, axis)
    across2 = np.maximum((off**2).sum(axis=2) - along**2, 0.0)
    return np.asarray(np.sqrt(across2 + (ALONG_WEIGHT * along) ** 2))
