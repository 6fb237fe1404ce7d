"""One image plane of a CT object: what its header says.

A classic CT object holds one plane, an enhanced (multi-frame) one holds many; both become
``Frame`` values here and are the same to everything after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from guidance.errors import ImportRefused

FloatArray = NDArray[np.float64]

# Direction cosines are written with few digits; a plane whose axes are off by more than this
# is damaged (DICOM PS3.3 C.7.6.2.1.1 asks for orthogonal unit vectors).
COSINE_TOLERANCE = 2e-3


@dataclass(frozen=True, eq=False)
class Frame:
    """The header of one image plane.

    Attributes:
        file: name of the file, for messages.
        index: number of the frame in it, from 0.
        identity: patient, study, series, instance and frame-of-reference UIDs and names.
        position_mm: (3,) ImagePositionPatient, centre of the first pixel.
        row: (3,) unit direction in which the column index grows.
        column: (3,) unit direction in which the row index grows.
        spacing_mm: distance of neighbouring columns and of neighbouring rows.
        shape: rows and columns.
        thickness_mm: SliceThickness, None if not given.
        kernel: ConvolutionKernel.
        image_type: ImageType (of the frame), without the frame's own additions.
        diameter_mm: ReconstructionDiameter, None if not given.
        acquisition: AcquisitionNumber, empty if not given.
        images: ImagesInAcquisition, how many images the scanner says it took; 0 if not given.
        instance: InstanceNumber, 0 if not given.
        acquired_at: UTC, None if not given.
        slope: RescaleSlope.
        intercept: RescaleIntercept.
        unit: RescaleType, empty if not given.
        padding: stored values (lowest, highest) that stand for no measurement, None if none.
    """

    file: str
    index: int
    identity: Identity
    position_mm: FloatArray
    row: FloatArray
    column: FloatArray
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    thickness_mm: float | None
    kernel: str
    image_type: tuple[str, ...]
    diameter_mm: float | None
    acquisition: str
    images: int
    instance: int
    acquired_at: datetime | None
    slope: float
    intercept: float
    unit: str
    padding: tuple[int, int] | None

    @cached_property
    def normal(self) -> FloatArray:
        """(3,) unit normal of the plane: row cross column."""
        return np.asarray(np.cross(self.row, self.column))


@dataclass(frozen=True)
class Identity:
    """Whose image it is, and of what."""

    patient_id: str
    patient_name: str
    study_instance_uid: str
    series_instance_uid: str
    series_description: str
    sop_instance_uid: str
    frame_of_reference_uid: str
    patient_position: str
    manufacturer: str


class _Header:
    """Looks an attribute up for one frame: per-frame groups, shared groups, then the object."""

    def __init__(self, dataset: Dataset, index: int) -> None:
        self._levels: list[Dataset] = []
        per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
        if per_frame is not None and index < len(per_frame):
            self._levels.append(per_frame[index])
        shared = dataset.get("SharedFunctionalGroupsSequence")
        if shared:
            self._levels.append(shared[0])
        self._dataset = dataset

    def __call__(self, group: str, keyword: str) -> Any:
        for level in self._levels:
            sequence = level.get(group)
            if sequence and sequence[0].get(keyword) not in (None, ""):
                return sequence[0].get(keyword)
        value = self._dataset.get(keyword)
        return None if value == "" else value


def read_frame(dataset: Dataset, index: int, file: str) -> Frame:
    """Read the header of one frame.

    Raises:
        ImportRefused: position, orientation, spacing or rescale is missing or impossible.
    """
    header = _Header(dataset, index)
    row, column = _directions(header, file)
    rows_mm, columns_mm = _numbers(header, "PixelMeasuresSequence", "PixelSpacing", 2, file)
    if rows_mm <= 0 or columns_mm <= 0:
        raise ImportRefused(f"{file}: PixelSpacing {rows_mm} x {columns_mm} mm is not possible")
    slope, intercept, unit = _rescale(header, file)
    return Frame(
        file=file,
        index=index,
        identity=_identity(dataset),
        position_mm=_numbers(header, "PlanePositionSequence", "ImagePositionPatient", 3, file),
        row=row,
        column=column,
        spacing_mm=(float(columns_mm), float(rows_mm)),
        shape=(int(dataset.Rows), int(dataset.Columns)),
        thickness_mm=_positive(header("PixelMeasuresSequence", "SliceThickness")),
        kernel=_text(header("CTReconstructionSequence", "ConvolutionKernel")),
        image_type=image_type(dataset, index),
        diameter_mm=_positive(header("CTReconstructionSequence", "ReconstructionDiameter")),
        acquisition=_text(
            header("FrameContentSequence", "FrameAcquisitionNumber")
            or dataset.get("AcquisitionNumber")
        ),
        images=int(dataset.get("ImagesInAcquisition") or 0),
        instance=int(dataset.get("InstanceNumber") or 0),
        acquired_at=_acquired_at(header, dataset),
        slope=slope,
        intercept=intercept,
        unit=unit,
        padding=_padding(dataset),
    )


def image_type(dataset: Dataset, index: int = 0) -> tuple[str, ...]:
    """Return ImageType of a frame as stripped words."""
    header = _Header(dataset, index)
    words = header("CTImageFrameTypeSequence", "FrameType") or dataset.get("ImageType") or ()
    if isinstance(words, str):
        words = (words,)
    return tuple(str(w).strip() for w in words)


def _directions(header: _Header, file: str) -> tuple[FloatArray, FloatArray]:
    cosines = _numbers(header, "PlaneOrientationSequence", "ImageOrientationPatient", 6, file)
    row, column = cosines[:3], cosines[3:]
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    off = max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(float(row @ column)))
    if off > COSINE_TOLERANCE:
        raise ImportRefused(
            f"{file}: ImageOrientationPatient {cosines.tolist()} is not two unit vectors "
            "at right angles"
        )
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _rescale(header: _Header, file: str) -> tuple[float, float, str]:
    group = "PixelValueTransformationSequence"
    slope, intercept = header(group, "RescaleSlope"), header(group, "RescaleIntercept")
    unit = _text(header(group, "RescaleType")).upper()
    if slope is None or intercept is None:
        raise ImportRefused(f"{file}: no rescale slope and intercept, so no Hounsfield units")
    if unit not in ("", "HU", "HU_MOD", "US"):
        raise ImportRefused(f"{file}: pixel values are in {unit}, not in Hounsfield units")
    if not (np.isfinite(float(slope)) and float(slope) != 0 and np.isfinite(float(intercept))):
        raise ImportRefused(f"{file}: rescale slope {slope}, intercept {intercept} is impossible")
    return float(slope), float(intercept), unit


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Stored padding values (PS3.3 C.7.5.1.1.2), signed as the pixels are.

    Some writers give the value of signed pixels as unsigned (63536 for -2000).
    """
    value = dataset.get("PixelPaddingValue")
    if value is None or value == "":
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [_signed(v, dataset) for v in (value, value if limit in (None, "") else limit)]
    return min(ends), max(ends)


def _signed(value: Any, dataset: Dataset) -> int:
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little")
    number = int(value)
    if dataset.get("PixelRepresentation", 0):
        return (number + 32768) % 65536 - 32768
    return number % 65536


def _identity(dataset: Dataset) -> Identity:
    maker = (_text(dataset.get("Manufacturer")), _text(dataset.get("ManufacturerModelName")))
    return Identity(
        patient_id=_text(dataset.get("PatientID")),
        patient_name=_text(dataset.get("PatientName")),
        study_instance_uid=_text(dataset.get("StudyInstanceUID")),
        series_instance_uid=_text(dataset.get("SeriesInstanceUID")),
        series_description=_text(dataset.get("SeriesDescription")),
        sop_instance_uid=_text(dataset.get("SOPInstanceUID")),
        frame_of_reference_uid=_text(dataset.get("FrameOfReferenceUID")),
        patient_position=_text(dataset.get("PatientPosition")).upper(),
        manufacturer=" ".join(m for m in maker if m),
    )


def _acquired_at(header: _Header, dataset: Dataset) -> datetime | None:
    """Acquisition time in UTC; a scanner that gives no zone keeps this machine's."""
    stamp = _text(
        header("FrameContentSequence", "FrameAcquisitionDateTime")
        or dataset.get("AcquisitionDateTime")
    )
    if not stamp:
        date = dataset.get("AcquisitionDate") or dataset.get("ContentDate")
        time = dataset.get("AcquisitionTime") or dataset.get("ContentTime")
        stamp = f"{_text(date)}{_text(time)}" if date and time else ""
    match = re.fullmatch(r"(\d{8})(\d{6})(?:\.(\d{1,6})\d*)?([+-]\d{4})?", stamp)
    if match is None:
        return None
    digits, clock, fraction, zone = match.groups()
    try:
        moment = datetime.strptime(digits + clock, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    moment = moment.replace(microsecond=int((fraction or "0").ljust(6, "0")))
    zone = zone or _text(dataset.get("TimezoneOffsetFromUTC"))
    if re.fullmatch(r"[+-]\d{4}", zone):
        minutes = int(zone[1:3]) * 60 + int(zone[3:])
        offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
        moment = moment.replace(tzinfo=timezone(offset))
    return moment.astimezone(UTC)


def _numbers(header: _Header, group: str, keyword: str, count: int, file: str) -> FloatArray:
    value = header(group, keyword)
    try:
        numbers = np.array([float(v) for v in value], dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ImportRefused(f"{file}: {keyword} is missing or not {count} numbers")
    return numbers


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    # A person's name can be walked through too, letter by letter.
    if isinstance(value, (MultiValue, list, tuple)):
        return "\\".join(str(v).strip() for v in value)
    return str(value).strip()
