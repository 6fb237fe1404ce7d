"""One CT slice: what its header says, checked; and its pixels as Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError

from guidance.errors import ImportRefused

FloatArray = NDArray[np.float64]

# Value types of ImageType that are no axial reconstruction (PS3.3 C.8.2.1.1.1 and practice).
_NOT_AXIAL = {"LOCALIZER", "SCOUT", "DOSE_INFO", "SCREEN SAVE", "SCREENSAVE"}


@dataclass(frozen=True, eq=False)
class SliceHeader:
    """Where one slice lies and what it is.

    Attributes:
        path: its file.
        sop_instance_uid: may be blank in files from elsewhere.
        series_instance_uid: the series it says it belongs to.
        position_mm: (3,) ImagePositionPatient.
        row: (3,) direction of increasing column index.
        column: (3,) direction of increasing row index.
        spacing_mm: (row spacing, column spacing) as in PixelSpacing.
        shape: (rows, columns).
        data_set: the parsed file.
    """

    path: Path
    sop_instance_uid: str
    series_instance_uid: str
    position_mm: FloatArray
    row: FloatArray
    column: FloatArray
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    data_set: pydicom.Dataset

    @property
    def normal(self) -> FloatArray:
        """(3,) row x column: the direction in which slices follow each other."""
        return np.cross(self.row, self.column)


def read_data_set(path: Path) -> pydicom.Dataset:
    """Parse a file; one without a file meta header is read all the same.

    Raises:
        ImportRefused: it is no DICOM file.
    """
    try:
        data_set = pydicom.dcmread(path, force=True)
        # Without Part 10 header pydicom guesses; the guess must at least hold an identity.
        if "SOPClassUID" not in data_set and "Modality" not in data_set:
            raise InvalidDicomError("it has no SOP Class UID")
        if "TransferSyntaxUID" not in data_set.file_meta:
            data_set.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    except (InvalidDicomError, OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise ImportRefused(f"{path.name} is not a DICOM file that can be read: {error}") from error
    return data_set


def slice_header(path: Path, data_set: pydicom.Dataset) -> SliceHeader:
    """Check a CT slice's geometry.

    Raises:
        ImportRefused: names the file and what is missing.
    """
    try:
        orientation = np.array(data_set.ImageOrientationPatient, dtype=np.float64)
        position = np.array(data_set.ImagePositionPatient, dtype=np.float64)
        spacing = (float(data_set.PixelSpacing[0]), float(data_set.PixelSpacing[1]))
        shape = (int(data_set.Rows), int(data_set.Columns))
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise ImportRefused(f"{path.name} does not say where it lies: {error}") from error
    row, column = orientation[:3], orientation[3:]
    sizes = np.linalg.norm(row), np.linalg.norm(column)
    if min(sizes) < 0.5 or abs(row @ column) > 1e-2 or min(spacing) <= 0:
        raise ImportRefused(f"{path.name} has an orientation or a spacing that cannot be")
    return SliceHeader(
        path,
        str(data_set.get("SOPInstanceUID", "")),
        str(data_set.get("SeriesInstanceUID", "")),
        position,
        row / sizes[0],
        column / sizes[1],
        spacing,
        shape,
        data_set,
    )


def is_axial(data_set: pydicom.Dataset) -> bool:
    """Tell whether an image is a reconstruction rather than a localizer or a capture."""
    return not _NOT_AXIAL & {str(v).upper() for v in data_set.get("ImageType", [])}


def hounsfield(header: SliceHeader) -> NDArray[np.int16]:
    """Return a slice's pixels as int16 HU.

    Raises:
        ImportRefused: the pixels are truncated or cannot be decoded.
    """
    data_set = header.data_set
    try:
        stored = np.asarray(data_set.pixel_array)
    except Exception as error:
        # Decoders fail in their own ways on damaged data; all of them mean this.
        detail = " ".join(str(error).split())
        raise ImportRefused(f"{header.path.name}: pixels cannot be decoded: {detail}") from error
    if stored.shape != header.shape:
        raise ImportRefused(
            f"{header.path.name}: pixels of shape {stored.shape}, not {header.shape}"
        )
    slope = float(data_set.get("RescaleSlope", 1.0) or 1.0)
    intercept = float(data_set.get("RescaleIntercept", 0.0) or 0.0)
    hu = stored.astype(np.float32) * slope + intercept
    padding = data_set.get("PixelPaddingValue")
    if padding is not None:
        value = np.array(padding).astype(np.int64) & 0xFFFF
        hu[(stored.astype(np.int64) & 0xFFFF) == value] = -1024.0
    return np.asarray(np.clip(np.rint(hu), -1024, 32767), dtype=np.int16)


def acquired_at(data_set: pydicom.Dataset) -> datetime | None:
    """Return the acquisition time (UTC; a scanner without a zone is taken as UTC)."""
    text = str(data_set.get("AcquisitionDateTime", "") or "")
    if not text:
        day = str(data_set.get("AcquisitionDate", "") or data_set.get("ContentDate", "") or "")
        moment = data_set.get("AcquisitionTime", "") or data_set.get("ContentTime", "") or ""
        text = day + str(moment)
    offset = str(data_set.get("TimezoneOffsetFromUTC", "") or "+0000")
    for pattern in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%z"):
        try:
            return datetime.strptime(text + offset, pattern).astimezone(UTC)
        except ValueError:
            continue
    return None


def text_of(data_set: pydicom.Dataset, keyword: str) -> str:
    """Return an attribute as text, empty if absent."""
    value: Any = data_set.get(keyword)
    return "" if value is None else str(value).strip()
