"""What an encoded frame says of its own size, read before any of it is decoded.

A frame of a few hundred bytes can announce gigabytes of pixels, and a decoder that believes it
takes the memory before anybody compares the result with Rows and Columns.
"""

from __future__ import annotations

# Start of frame: of JPEG (ITU-T T.81, table B.1; C4, C8 and CC are none) and of JPEG-LS
# (ITU-T T.87, C.1.1).
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_START_OF_SCAN = 0xDA
# JPEG 2000: start of codestream and the size marker that must follow it (ITU-T T.800, A.4.1,
# A.5.1).
_JPEG_2000 = b"\xff\x4f\xff\x51"
_JPEG = b"\xff\xd8"


def declared_size(frame: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and components that a frame announces.

    Args:
        frame: JPEG, JPEG-LS or JPEG 2000, as PixelData holds it.

    Returns:
        None where it is in none of these forms, or cut short before it says its size.
    """
    if frame.startswith(_JPEG):
        return _size_of_jpeg(frame)
    # Some wrap a codestream of JPEG 2000 in the boxes of a file, which decoders open as well.
    at = frame.find(_JPEG_2000)
    return None if at < 0 else _size_of_jpeg_2000(frame[at:])


def _size_of_jpeg_2000(frame: bytes) -> tuple[int, int, int] | None:
    if len(frame) < 42:
        return None
    right, bottom, left, top = (int.from_bytes(frame[k : k + 4]) for k in (8, 12, 16, 20))
    return bottom - top, right - left, int.from_bytes(frame[40:42])


def _size_of_jpeg(frame: bytes) -> tuple[int, int, int] | None:
    at = 2
    while at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # a byte of filling
            at += 1
        elif marker in _START_OF_FRAME:
            rows, columns = (int.from_bytes(frame[at + k : at + k + 2]) for k in (5, 7))
            return rows, columns, frame[at + 9]
        elif marker == _START_OF_SCAN:
            return None
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4])
    return None
