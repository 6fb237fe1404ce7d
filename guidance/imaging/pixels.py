"""Stored pixel values to Hounsfield units."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array

from guidance.errors import ImportRefused
from guidance.imaging.codestream import declared_size
from guidance.imaging.frame import Frame

# What no measurement was made of (outside the reconstructed circle) becomes air of the
# conventional lower end of the CT scale.
PADDING_HU = -1024
INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Plane:
    """The pixels of one frame.

    Attributes:
        hu: (rows, columns) int16.
        ceiling_hu: the greatest value that could be stored.
        at_ceiling: how many pixels reach it.
        padded: how many pixels held no measurement.
    """

    hu: NDArray[np.int16]
    ceiling_hu: int
    at_ceiling: int
    padded: int


def decode(dataset: Dataset, file: str) -> NDArray[np.int16] | NDArray[np.int32]:
    """Decode all frames of an object to stored values (frames, rows, columns).

    They are int16 where that holds them all: four times less to move than int32 and its copies.

    Raises:
        ImportRefused: the pixels are cut short, damaged, or in no form that can be decoded.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every failing is found below, in our own words
            if syntax.is_encapsulated:
                _check_declared(dataset, file)
                stored = pixel_array(dataset, decoding_plugin="pylibjpeg")
            else:
                _check_length(dataset, file)
                stored = _plain(dataset)
    except ImportRefused:
        raise
    except BaseException as error:
        if not (isinstance(error, Exception) or _is_panic(error)):
            raise
        raise ImportRefused(
            f"{file}: the pixels ({syntax.name}) cannot be decoded, the file may be cut short "
            f"or damaged: {' '.join(str(error).split())[:200]}"
        ) from error
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    return _without_unused_bits(stored.reshape(-1, rows, columns), dataset)


def to_hounsfield(
    stored: NDArray[np.int16] | NDArray[np.int32], frame: Frame, bits: int, *, signed: bool
) -> Plane:
    """Rescale the stored values of one frame (PS3.3 C.11.1.1.2).

    Args:
        stored: (rows, columns) stored values.
        frame: its header.
        bits: BitsStored.
        signed: PixelRepresentation.
    """
    top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    bottom = -(2 ** (bits - 1)) if signed else 0
    extreme = top if frame.slope > 0 else bottom
    ceiling = min(round(extreme * frame.slope + frame.intercept), INT16.max)
    hu = _rescaled(stored, frame, top, bottom)
    padded = 0
    if frame.padding is not None:
        outside = (stored >= frame.padding[0]) & (stored <= frame.padding[1])
        padded = int(np.count_nonzero(outside))
        if padded:
            hu[outside] = PADDING_HU
    return Plane(hu, ceiling, int(np.count_nonzero(hu >= ceiling)), padded)


def _rescaled(
    stored: NDArray[np.int16] | NDArray[np.int32], frame: Frame, top: int, bottom: int
) -> NDArray[np.int16]:
    """Return slope times stored value plus intercept, rounded, within int16."""
    slope, intercept = frame.slope, frame.intercept
    if slope != 1.0 or not float(intercept).is_integer():
        values = np.rint(stored * slope + intercept).astype(np.int32)
    elif (
        stored.dtype == np.int16
        and bottom + intercept >= INT16.min
        and top + intercept <= INT16.max
    ):
        return np.asarray(stored + np.int16(intercept))
    else:
        values = stored.astype(np.int32) + np.int32(intercept)
    clipped: NDArray[np.int16] = np.clip(values, INT16.min, INT16.max).astype(np.int16)
    return clipped


def _plain(dataset: Dataset) -> NDArray[np.generic]:
    """Return uncompressed pixels; the usual ones, 16 bits in little endian, as they lie."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if dataset.BitsAllocated != 16 or not syntax.is_little_endian:
        return np.asarray(pixel_array(dataset))
    kind = "<i2" if dataset.PixelRepresentation else "<u2"
    frames = int(dataset.get("NumberOfFrames") or 1)
    count = frames * int(dataset.Rows) * int(dataset.Columns)
    return np.frombuffer(dataset.PixelData, kind, count)


def _is_panic(error: BaseException) -> bool:
    """Tell whether a decoder written in Rust gave up: its panics are no ``Exception``."""
    return type(error).__module__ == "pyo3_runtime"


def _check_declared(dataset: Dataset, file: str) -> None:
    """Refuse frames that announce another size than the header, before they take the memory."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    count = int(dataset.get("NumberOfFrames") or 1)
    for frame in generate_frames(dataset.PixelData, number_of_frames=count):
        declared = declared_size(frame)
        if declared not in (None, (rows, columns, 1)):
            raise ImportRefused(
                f"{file}: its header says {rows} x {columns} pixels, the encoded image "
                f"{declared[0]} x {declared[1]} of {declared[2]} component(s); send it again"
            )


def _check_length(dataset: Dataset, file: str) -> None:
    frames = int(dataset.get("NumberOfFrames") or 1)
    expected = int(dataset.Rows) * int(dataset.Columns) * frames
    expected *= int(dataset.BitsAllocated) // 8
    found = len(dataset.PixelData)
    if found < expected:
        raise ImportRefused(
            f"{file}: cut short, {found} of {expected} bytes of pixels are there; send it again"
        )


def _without_unused_bits(
    stored: NDArray[np.generic], dataset: Dataset
) -> NDArray[np.int16] | NDArray[np.int32]:
    """Clear or sign-extend the bits above BitsStored (old overlays hide there)."""
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if stored.dtype.itemsize == 2 and bits < 16:
        unused = 16 - bits
        if not signed:
            return (stored.view(np.uint16) & np.uint16((1 << bits) - 1)).view(np.int16)
        return np.asarray((stored.view(np.int16) << unused) >> unused)
    if stored.dtype == np.int16:
        return stored.astype(np.int16, copy=False)
    values = stored.astype(np.int32)
    if bits >= int(dataset.BitsAllocated):
        return values
    values &= (1 << bits) - 1
    if signed:
        half = 1 << (bits - 1)
        values = (values ^ half) - half
    return values
