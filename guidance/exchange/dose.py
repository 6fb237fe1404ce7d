"""RTDOSE objects read into a dose on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dose.errors import DoseError
from dose.geometry import GridGeometry
from guidance.errors import ImportRefused, refusing_damage
from guidance.exchange.objects import number, open_object, points, text


@dataclass(frozen=True, eq=False)
class DoseVolume:
    """A dose distribution that came in.

    Attributes:
        geometry: where it lies (LPS mm).
        dose_gy: (nz, ny, nx) float32.
        patient_id: PatientID.
        description: what it says of itself.
        remarks: what a reader must know, full sentences.
    """

    geometry: GridGeometry
    dose_gy: NDArray[np.float32]
    patient_id: str
    description: str
    remarks: tuple[str, ...] = ()


def read_dose(path: Path) -> DoseVolume:
    """Read an RTDOSE.

    Raises:
        ImportRefused: it is no dose in Gy on a regular grid.
    """
    data = open_object(path, "RTDOSE", "dose")
    with refusing_damage(str(path)):
        return _dose(data, path)


def _dose(data: Dataset, path: Path) -> DoseVolume:
    units = text(data, "DoseUnits")
    if units != "GY":
        raise ImportRefused(f"{path}: the dose is in {units or 'no'} units; GY is wanted")
    scaling = number(data, "DoseGridScaling", str(path))
    try:
        stored = data.pixel_array
    except Exception as error:
        raise ImportRefused(f"{path}: the dose cannot be decoded: {error}") from error
    dose = np.atleast_3d(stored) if stored.ndim == 3 else stored[None]
    origin = points(data, "ImagePositionPatient", str(path))
    directions = points(data, "ImageOrientationPatient", str(path))
    spacing = [float(v) for v in data.get("PixelSpacing") or ()]
    if len(origin) != 1 or len(directions) != 2 or len(spacing) != 2:
        raise ImportRefused(f"{path}: the dose grid has no complete position in the patient")
    remarks: list[str] = []
    step = _frame_step([float(v) for v in data.get("GridFrameOffsetVector") or ()], len(dose), path)
    affine = np.eye(4)
    affine[:3, 0] = directions[0] * spacing[1]
    affine[:3, 1] = directions[1] * spacing[0]
    affine[:3, 2] = np.cross(directions[0], directions[1]) * step
    affine[:3, 3] = origin[0]
    frame = text(data, "FrameOfReferenceUID")
    if not frame:
        remarks.append("The dose names no frame of reference.")
    try:
        geometry = GridGeometry(dose.shape, affine, frame)
    except DoseError as error:
        raise ImportRefused(f"{path}: {error}") from error
    summation = text(data, "DoseSummationType")
    description = ", ".join(
        filter(
            None,
            dict.fromkeys((text(data, "DoseComment"), text(data, "SeriesDescription"), summation)),
        )
    )
    return DoseVolume(
        geometry,
        np.ascontiguousarray(dose * scaling, dtype=np.float32),
        text(data, "PatientID"),
        description,
        tuple(remarks),
    )


def _frame_step(offsets: list[float], frames: int, path: Path) -> float:
    """Return the signed distance of frames along the normal of the image plane, mm.

    Offsets are relative (the first is 0) or absolute; differences are the same
    (DICOM PS3.3 C.8.8.3.2).
    """
    if frames == 1:
        return 1.0
    if len(offsets) != frames:
        raise ImportRefused(f"{path}: {frames} frames but {len(offsets)} frame offsets")
    steps = np.diff(offsets)
    if steps[0] == 0 or np.abs(steps - steps[0]).max() > 0.01:
        raise ImportRefused(f"{path}: the frames of the dose are not evenly spaced")
    return float(steps.mean())
