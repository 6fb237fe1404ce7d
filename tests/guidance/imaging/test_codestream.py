"""Encoded frames that announce more than their header, and those that make a decoder panic."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from guidance.errors import ImportRefused
from guidance.imaging import read_series
from guidance.imaging.codestream import declared_size
from tests.guidance.imaging.test_encodings import encoded, smooth_slices
from tests.guidance.imaging.test_read_series import written

JPEGS = [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless]


def encoded_frame(folder: Path, syntax: UID, size: int) -> tuple[pydicom.Dataset, bytes]:
    """One slice and its frame, by a real encoder."""
    (folder / "plain").mkdir(parents=True)
    written(folder / "plain", smooth_slices(signed=False, size=size)[:1])
    encoded(folder / "plain", folder / "encoded", syntax)
    (path,) = (folder / "encoded").iterdir()
    data = pydicom.dcmread(path)
    return data, next(generate_frames(data.PixelData, number_of_frames=1))


@pytest.mark.skipif(shutil.which("dcmcjpls") is None, reason="no DCMTK here")
@pytest.mark.parametrize("syntax", JPEGS, ids=lambda s: s.keyword)
def test_a_frame_larger_than_its_header_is_refused_before_it_is_decoded(
    tmp_path: Path, syntax: UID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, frame = encoded_frame(tmp_path / "small", syntax, 48)
    assert declared_size(frame) == (48, 48, 1)
    _, large = encoded_frame(tmp_path / "large", syntax, 160)
    data.PixelData = encapsulate([large])
    (tmp_path / "both").mkdir()
    data.save_as(tmp_path / "both" / "a.dcm")
    monkeypatch.setattr(
        "guidance.imaging.pixels.pixel_array", lambda *_, **__: pytest.fail("it was decoded")
    )
    with pytest.raises(ImportRefused, match="48 x 48 pixels, the encoded image 160 x 160"):
        read_series(tmp_path / "both")


def test_a_wrapped_codestream_is_looked_into() -> None:
    size = b"\0\0" + b"".join(n.to_bytes(4) for n in (30, 20, 10, 5, 8, 8, 0, 0)) + b"\0\1"
    codestream = b"\xff\x4f\xff\x51\0\x29" + size
    assert declared_size(codestream) == (15, 20, 1)
    assert declared_size(b"\0\0\0\x0cjP  \r\n\x87\n" + codestream) == (15, 20, 1)


@given(st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\x4f\xff\x51"]), st.binary())
def test_damaged_frames_say_nothing_and_break_nothing(start: bytes, rest: bytes) -> None:
    declared_size(start + rest)


def test_a_decoder_that_panics_refuses_the_file(tmp_path: Path) -> None:
    """Run lengths beyond the image: the decoder gives up by what is no Exception."""
    image = smooth_slices(signed=False)[0]
    longer = deepcopy(image)
    longer.Rows, longer.PixelData = 2 * image.Rows, 2 * image.PixelData
    for data in (image, longer):
        data.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    image.PixelData = longer.PixelData
    with pytest.raises(ImportRefused, match="cannot be decoded"):
        read_series(written(tmp_path, [image]))
