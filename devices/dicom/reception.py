"""What may be stored: checks on one instance before it is kept. No network, no disk."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from devices.dicom.series import SliceEvidence
from devices.dicom.store import Instance
from devices.errors import DeviceError, DeviceRefused

# PS3.4 annex B.2.3, C-STORE response status.
SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000


class Rejected(DeviceRefused):
    """An instance that is not kept.

    Attributes:
        status: C-STORE status to answer with.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Received:
    """An instance fit to be kept.

    Attributes:
        instance: its identity.
        content: its file.
        evidence: what a CT slice says of its series, None where it says nothing.
    """

    instance: Instance
    content: bytes
    evidence: SliceEvidence | None = None


def received(
    data_set: bytes, sop_class_uid: str, sop_instance_uid: str, transfer_syntax: UID
) -> Received:
    """Check an encoded data set and make a Part 10 file of it, its bytes unchanged.

    The file depends on nothing but these arguments, so that the same instance sent again, even
    by another peer, is the same file.

    Args:
        data_set: as it came over the wire.
        sop_class_uid: of the C-STORE request.
        sop_instance_uid: of the C-STORE request.
        transfer_syntax: of the presentation context.

    Raises:
        Rejected: with the status to answer.
    """
    header = _parsed(data_set, transfer_syntax)
    own = str(header.get("SOPInstanceUID", ""))
    if not own or not header.get("SeriesInstanceUID"):
        raise Rejected(CANNOT_UNDERSTAND, "the data set has no SOP or Series Instance UID")
    if own != sop_instance_uid or str(header.get("SOPClassUID", "")) != sop_class_uid:
        raise Rejected(DOES_NOT_MATCH, "the request's UIDs are not those of the data set")
    _check_pixels(header, transfer_syntax)
    try:
        instance = Instance(str(header.SeriesInstanceUID), own)
    except DeviceError as error:
        raise Rejected(CANNOT_UNDERSTAND, str(error)) from error
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = transfer_syntax
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta, enforce_standard=True)
    return Received(instance, buffer.getvalue() + data_set, _evidence(header))


def _evidence(header: pydicom.Dataset) -> SliceEvidence | None:
    """Read how many images the scanner took and where this one lies, as far as it says so."""
    try:
        images = int(header.ImagesInAcquisition)
        row, column = (
            [float(v) for v in header.ImageOrientationPatient[k : k + 3]] for k in (0, 3)
        )
        position = [float(v) for v in header.ImagePositionPatient]
    except (AttributeError, TypeError, ValueError, IndexError):
        return None
    normal = [
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    ]
    place_mm = sum(n * p for n, p in zip(normal, position, strict=True))
    return SliceEvidence(str(header.get("AcquisitionNumber", "")), images, place_mm)


def _parsed(data_set: bytes, transfer_syntax: UID) -> pydicom.Dataset:
    if not data_set:
        raise Rejected(CANNOT_UNDERSTAND, "the data set is empty")
    try:
        header = pydicom.dcmread(_as_file(data_set, transfer_syntax), force=True, defer_size="2 KB")
        header.get("SOPInstanceUID")
    except Exception as error:
        # A parser fed with hostile bytes may raise anything; none of it may end the listener.
        raise Rejected(CANNOT_UNDERSTAND, f"the data set cannot be read: {error}") from error
    return header


def _as_file(data_set: bytes, transfer_syntax: UID) -> BytesIO:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta, enforce_standard=False)
    return BytesIO(buffer.getvalue() + data_set)


def _check_pixels(header: pydicom.Dataset, transfer_syntax: UID) -> None:
    """Refuse an image whose uncompressed pixel data is shorter than it says."""
    if "Rows" not in header or transfer_syntax.is_compressed:
        return
    needed = (
        int(header.Rows)
        * int(header.Columns)
        * int(header.get("SamplesPerPixel", 1))
        * int(header.get("NumberOfFrames", 1) or 1)
        * int(header.get("BitsAllocated", 16))
        // 8
    )
    element = header.get_item("PixelData")
    there = 0 if element is None else (element.length if hasattr(element, "length") else None)
    if there is None:
        there = len(header.PixelData)
    if there < needed:
        raise Rejected(
            CANNOT_UNDERSTAND, f"pixel data has {there} bytes where the image needs {needed}"
        )
