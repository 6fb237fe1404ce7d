"""A case of the library laid into a real patient's scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from simulators.cases.case import Case
from simulators.metal import NeedleShape
from simulators.scanner import SeriesBody

FloatArray = NDArray[np.float64]

# Thinner than this is air; a stretch of it longer than so many mm is no bowel gas.
AIR_HU, AIR_MM, FARTHEST_MM = -400.0, 25, 300


def laid_into(case: Case, body: SeriesBody, target_mm: FloatArray) -> Case:
    """Return a case whose target lies at a point of the series.

    Needles keep their tips and directions and enter through the real skin. Bone is where the
    patient has it, so that no seed is called in or beside it any more.

    Args:
        case: of the library.
        body: the real patient, to the series' own frame.
        target_mm: (3,) in that frame, LPS mm.

    Raises:
        ValueError: the point lies outside the series.
    """
    at = np.linalg.inv(body.to_scan) @ (*target_mm, 1.0)
    if np.any(at[:3] < 0) or np.any(at[:3] > np.array(body.hu.shape[::-1]) - 1):
        raise ValueError(f"the target {np.asarray(target_mm).tolist()} mm is outside the series")
    matrix = np.eye(4)
    matrix[:3, 3] = np.asarray(target_mm) - case.anatomy.lesion_centre
    placed = replace(case, patient_to_scan=matrix)
    return replace(
        placed,
        needles=tuple(_through_skin(placed, needle, body) for needle in case.needles),
        seeds=tuple(
            replace(s, sort="free") if s.sort in ("in_bone", "beside_bone") else s
            for s in case.seeds
        ),
    )


def _through_skin(case: Case, needle: NeedleShape, body: SeriesBody) -> NeedleShape:
    tip = case.to_scan(needle.tip)
    outward = needle.entry - needle.tip
    outward = outward / np.linalg.norm(outward)
    points = tip + np.arange(FARTHEST_MM)[:, None] * outward
    inverse = np.linalg.inv(body.to_scan)
    indices = points @ inverse[:3, :3].T + inverse[:3, 3]
    hu = map_coordinates(body.hu, indices.T[::-1], order=1, cval=-1000.0)
    inside = np.flatnonzero(hu > AIR_HU)
    # The first gap longer than bowel gas is the air of the room, even if a table follows.
    gaps = np.flatnonzero(np.diff(inside) > AIR_MM)
    last = inside[gaps[0]] if len(gaps) else (inside[-1] if len(inside) else 1)
    return replace(needle, entry=needle.tip + max(1.0, float(last)) * outward)
