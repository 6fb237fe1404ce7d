"""Opening RT objects: what every one of them must pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from guidance.errors import ImportRefused, refusing_damage

FloatArray = NDArray[np.float64]


def open_object(path: Path, modality: str, what: str) -> Dataset:
    """Read a DICOM file and check its modality.

    Files without a meta header are read too: real exports lack it.

    Args:
        path: of the file.
        modality: wanted DICOM Modality.
        what: how the wanted object is called, such as "structure set".

    Raises:
        ImportRefused: it cannot be read, is cut short, or is something else.
    """
    with refusing_damage(str(path)):
        try:
            data = pydicom.dcmread(path, force=True)
        except (InvalidDicomError, EOFError, OSError) as error:
            raise ImportRefused(f"{path} cannot be read as DICOM: {error}") from error
        found = str(data.get("Modality", ""))
    if not found:
        raise ImportRefused(f"{path} is no DICOM object, or it is cut short: it has no Modality")
    if found != modality:
        raise ImportRefused(f"{path} is a {found} object; a {what} ({modality}) is wanted")
    return data


def items(data: Dataset, keyword: str) -> Sequence[Dataset]:
    """Return the items of a sequence, none where it is absent."""
    return data.get(keyword) or ()


def text(data: Dataset, keyword: str) -> str:
    """Return an element as text, empty where it is absent."""
    value = data.get(keyword)
    return "" if value is None else str(value).strip()


def number(data: Dataset, keyword: str, where: str) -> float:
    """Return a number.

    Raises:
        ImportRefused: it is absent or no finite number.
    """
    value: Any = data.get(keyword)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not np.isfinite(found):
        raise ImportRefused(f"{where}: {keyword} is {value!r}, no number")
    return found


def points(data: Dataset, keyword: str, where: str) -> FloatArray:
    """Return a list of coordinates as (n, 3) points, LPS mm.

    Raises:
        ImportRefused: their number is not a multiple of three, or one is not finite.
    """
    try:
        values = np.array([float(v) for v in _decimals(data, keyword)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ImportRefused(f"{where}: {keyword} holds something that is no number") from error
    if len(values) % 3 or not np.isfinite(values).all():
        raise ImportRefused(f"{where}: {keyword} is not a list of points")
    return values.reshape(-1, 3)


def _decimals(data: Dataset, keyword: str) -> Iterable[Any]:
    """Return the values of a list of decimal strings, as bytes where nobody has read it yet.

    Contours hold a hundred thousand of them. An object for each takes seconds, and during the
    many passes of the garbage collector over them no other thread of the program runs.
    """
    unread: Any = data.get_item(keyword) if keyword in data else None
    if isinstance(unread, RawDataElement) and unread.value and dictionary_VR(keyword) == "DS":
        return [part.strip(b" \0") for part in unread.value.split(b"\\")]
    return data.get(keyword) or ()


def moment(data: Dataset, date: str, time: str) -> datetime | None:
    """Return a date and time; taken as UTC, for DICOM's times carry no zone here.

    Returns None where the date is absent or not readable.
    """
    day, clock = text(data, date), text(data, time).split(".")[0].ljust(6, "0")
    try:
        return datetime.strptime(day + clock[:6], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
