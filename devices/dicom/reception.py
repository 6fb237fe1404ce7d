"""What may be stored: checks on one instance before it is kept. No network, no disk."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from devices.dicom.series import SliceEvidence
from devices.dicom.store import Instance
from devices.errors import DeviceError, DeviceRefused

# Of pydicom, whose objects these files were, and are read with.
IMPLEMENTATION_CLASS_UID = str(pydicom.uid.PYDICOM_IMPLEMENTATION_UID)
IMAGE_CLASSES = {
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
}
LARGEST_DECODED_BYTES = 4 << 30
# A kilobyte can be deflated from a megabyte of nothing.
LARGEST_INFLATED_BYTES = 512 << 20
PIXEL_DATA = 0x7FE00010
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
    if not data_set:
        raise Rejected(CANNOT_UNDERSTAND, "the data set is empty")
    try:
        return _received(data_set, sop_class_uid, sop_instance_uid, transfer_syntax)
    except Rejected:
        raise
    except Exception as error:
        # A parser fed with hostile bytes may raise anything; none of it may end the listener.
        raise Rejected(CANNOT_UNDERSTAND, f"the data set cannot be read: {error}") from error


def _received(
    data_set: bytes, sop_class_uid: str, sop_instance_uid: str, transfer_syntax: UID
) -> Received:
    header, pixel_bytes = _parsed(data_set, transfer_syntax)
    own = str(header.get("SOPInstanceUID", ""))
    if not own or not header.get("SeriesInstanceUID"):
        raise Rejected(CANNOT_UNDERSTAND, "the data set has no SOP or Series Instance UID")
    if own != sop_instance_uid or str(header.get("SOPClassUID", "")) != sop_class_uid:
        raise Rejected(DOES_NOT_MATCH, "the request's UIDs are not those of the data set")
    _check_pixels(header, pixel_bytes, transfer_syntax)
    try:
        instance = Instance(str(header.SeriesInstanceUID), own)
    except DeviceError as error:
        raise Rejected(CANNOT_UNDERSTAND, str(error)) from error
    head = file_head(sop_class_uid, sop_instance_uid, transfer_syntax)
    return Received(instance, head + data_set, _evidence(header))


def file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax: str) -> bytes:
    """Return preamble and file meta information (PS3.10 section 7.1) of an object.

    Encoded here, since the writer of a whole library takes as long for these six elements as
    the disk takes for the slice.
    """
    version = struct.pack("<HH2sHI2s", 2, 0x0001, b"OB", 0, 2, b"\0\1")
    body = version + b"".join(
        _uid_element(element, value)
        for element, value in (
            (0x0002, sop_class_uid),
            (0x0003, sop_instance_uid),
            (0x0010, transfer_syntax),
            (0x0012, IMPLEMENTATION_CLASS_UID),
        )
    )
    length = struct.pack("<HH2sHI", 2, 0x0000, b"UL", 4, len(body))
    return b"\0" * 128 + b"DICM" + length + body


def _uid_element(element: int, uid: str) -> bytes:
    """Encode a UID of group 2, Explicit VR Little Endian (PS3.5 section 7.1.2)."""
    value = uid.encode("ascii") + b"\0" * (len(uid) % 2)
    return struct.pack("<HH2sH", 2, element, b"UI", len(value)) + value


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


def _parsed(data_set: bytes, transfer_syntax: UID) -> tuple[pydicom.Dataset, int]:
    """Return the elements before the pixels, and how many bytes of pixels there are.

    The pixels are neither read nor copied; they are most of what comes.
    """
    announced = 0

    def at_pixels(tag: BaseTag, _: str | None, length: int) -> bool:
        nonlocal announced
        announced = length if tag == PIXEL_DATA else 0
        return bool(tag == PIXEL_DATA)

    stream = BytesIO(data_set)
    if transfer_syntax.is_deflated:
        stream = BytesIO(_inflated(data_set))
    header = read_dataset(
        stream,
        transfer_syntax.is_implicit_VR,
        transfer_syntax.is_little_endian,
        stop_when=at_pixels,
    )
    # The stream stands before the element: tag and length, with a VR in between or without.
    element_header = 8 if transfer_syntax.is_implicit_VR else 12
    there = max(0, stream.getbuffer().nbytes - stream.tell() - element_header)
    return header, min(announced, there)


def _inflated(data_set: bytes) -> bytes:
    """Inflate a deflated data set (PS3.5 annex A.5), if it is of a size that an object can have."""
    found = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = found.decompress(data_set, LARGEST_INFLATED_BYTES)
    if found.unconsumed_tail:
        raise Rejected(
            OUT_OF_RESOURCES, f"inflated it is larger than {LARGEST_INFLATED_BYTES} bytes"
        )
    return inflated


def _check_pixels(header: pydicom.Dataset, pixel_bytes: int, transfer_syntax: UID) -> None:
    """Refuse an image that would not fit the memory, or whose pixels are fewer than it says."""
    if "Rows" not in header or not pixel_bytes:
        if header.SOPClassUID in IMAGE_CLASSES:
            raise Rejected(CANNOT_UNDERSTAND, "an image without pixels")
        return
    needed = (
        int(header.Rows)
        * int(header.Columns)
        * int(header.get("SamplesPerPixel", 1))
        * int(header.get("NumberOfFrames", 1) or 1)
        * int(header.get("BitsAllocated", 16))
        // 8
    )
    if needed > LARGEST_DECODED_BYTES:
        raise Rejected(OUT_OF_RESOURCES, f"the image would take {needed} bytes")
    if not transfer_syntax.is_compressed and pixel_bytes < needed:
        raise Rejected(
            CANNOT_UNDERSTAND, f"pixel data has {pixel_bytes} bytes where the image needs {needed}"
        )
