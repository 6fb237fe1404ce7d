"""Stored pixel values to Hounsfield units."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from guidance.errors import ImportRefused
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


def decode(dataset: Dataset, file: str) -> NDArray[np.int32]:
    """Decode all frames of an object to stored values (frames, rows, columns).

    Raises:
        ImportRefused: the pixels are cut short, damaged, or in no form that can be decoded.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every failing is found below, in our own words
            if syntax.is_encapsulated:
                stored = pixel_array(dataset, decoding_plugin="pylibjpeg")
            else:
                _check_length(dataset, file)
                stored = pixel_array(dataset)
    except ImportRefused:
        raise
    except Exception as error:
        raise ImportRefused(
            f"{file}: the pixels ({syntax.name}) cannot be decoded, the file may be cut short "
            f"or damaged: {' '.join(str(error).split())[:200]}"
        ) from error
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    return _without_unused_bits(stored.reshape(-1, rows, columns), dataset)


def to_hounsfield(stored: NDArray[np.int32], frame: Frame, bits: int, *, signed: bool) -> Plane:
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
    if frame.slope == 1.0 and float(frame.intercept).is_integer():
        values = stored + np.int32(frame.intercept)
    else:
        values = np.rint(stored * frame.slope + frame.intercept).astype(np.int32)
    hu = np.clip(values, INT16.min, INT16.max).astype(np.int16)
    padded = 0
    if frame.padding is not None:
        outside = (stored >= frame.padding[0]) & (stored <= frame.padding[1])
        padded = int(outside.sum())
        if padded:
            hu[outside] = PADDING_HU
    return Plane(hu, ceiling, int((hu >= ceiling).sum()), padded)


def _check_length(dataset: Dataset, file: str) -> None:
    frames = int(dataset.get("NumberOfFrames") or 1)
    expected = int(dataset.Rows) * int(dataset.Columns) * frames
    expected *= int(dataset.BitsAllocated) // 8
    found = len(dataset.PixelData)
    if found < expected:
        raise ImportRefused(
            f"{file}: cut short, {found} of {expected} bytes of pixels are there; send it again"
        )


def _without_unused_bits(stored: NDArray[np.generic], dataset: Dataset) -> NDArray[np.int32]:
    """Clear or sign-extend the bits above BitsStored (old overlays hide there)."""
    bits = int(dataset.BitsStored)
    values = stored.astype(np.int32)
    if bits >= int(dataset.BitsAllocated):
        return values
    values &= (1 << bits) - 1
    if dataset.PixelRepresentation:
        half = 1 << (bits - 1)
        values = (values ^ half) - half
    return values
