"""A CT series of a real patient as a body for the virtual scanner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

FloatArray = NDArray[np.float64]

# Slices may lie so far from even spacing, as a share of it.
UNEVEN = 0.02


def read_background(folder: Path) -> tuple[NDArray[np.float32], FloatArray]:
    """Return HU (slices, rows, columns) and the 4x4 from (column, row, slice) to LPS mm.

    Args:
        folder: with the images of one CT series, evenly spaced, beside anything else.

    Raises:
        ValueError: there is no such series in the folder.
    """
    images = [d for d in map(_image, sorted(folder.rglob("*"))) if d is not None]
    if len({d.SeriesInstanceUID for d in images}) != 1:
        raise ValueError(f"{folder}: give a folder with exactly one CT series")
    across, down = np.array(images[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(across, down)
    images.sort(key=lambda d: float(normal @ np.array(d.ImagePositionPatient, dtype=float)))
    corners = np.array([d.ImagePositionPatient for d in images], dtype=float)
    steps = np.diff(corners, axis=0)
    if not len(steps) or np.ptp(steps @ normal) > UNEVEN * float((steps @ normal).mean()):
        raise ValueError(f"{folder}: the slices are not evenly spaced")
    row_mm, column_mm = (float(v) for v in images[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = across * column_mm, down * row_mm
    affine[:3, 2], affine[:3, 3] = steps.mean(axis=0), corners[0]
    hu = np.stack(
        [d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in images]
    )
    return np.maximum(hu, -1000.0).astype(np.float32), affine


def _image(path: Path) -> Dataset | None:
    """Return a file as a CT image, nothing if it is none."""
    if not path.is_file():
        return None
    try:
        data = pydicom.dcmread(path)
    except InvalidDicomError:
        return None
    return data if data.get("Modality") == "CT" and "PixelData" in data else None
