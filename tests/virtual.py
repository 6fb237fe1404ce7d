"""Scans of virtual patients as volumes, the way they come over the wire."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from guidance.imaging import Volume, read_series
from simulators.operator import Case, Gantry, Operator, Peer, draw_case

NOBODY = Peer("127.0.0.1", 0, "NOBODY")


@dataclass(frozen=True)
class Scans:
    """The three scans of a case, and what was really there."""

    case: Case
    operator: Operator
    planning: Volume
    needles: Volume
    verification: Volume


@cache
def scans(seed: int, *, seeds: int = 12, slice_mm: float = 2.0, level: str = "lumbar") -> Scans:
    case = draw_case(seed, seeds=seeds, slice_mm=slice_mm, level=level)
    gantry, operator = Gantry(case, NOBODY), Operator(case)
    operator.drop_blindly()
    return Scans(
        case,
        operator,
        volume(o for o in gantry.planning() if o.Modality == "CT"),
        volume(gantry.images("needles", needles=operator.needles)),
        volume(gantry.images("verification", seeds=operator.seeds)),
    )


def volume(images: Iterable[FileDataset]) -> Volume:
    with tempfile.TemporaryDirectory() as folder:
        for image in images:
            image.save_as(Path(folder) / f"{image.SOPInstanceUID}.dcm", enforce_file_format=True)
        return read_series(Path(folder))


def lesion_in_planning(case: Case) -> np.ndarray:
    matrix = case.patient_to_planning
    return matrix[:3, :3] @ np.asarray(case.anatomy.lesion_centre) + matrix[:3, 3]
