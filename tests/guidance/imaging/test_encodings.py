"""Slices as real encoders write them, over the wire and into a volume; many frames in one."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    LegacyConvertedEnhancedCTImageStorage,
    RLELossless,
    generate_uid,
)

from devices.dicom import Announcement, Listener, ListenerConfig, send
from guidance.imaging import Volume, read_series
from tests.guidance.imaging.test_independent_readers import dcm2niix, same_places
from tests.guidance.imaging.test_read_series import slices, written

needs_dcmtk = pytest.mark.skipif(shutil.which("dcmcjpls") is None, reason="no DCMTK here")

# Who encodes it, and by how much it may change a value; None where only another decoder can say.
ENCODERS: dict[UID, tuple[list[str], int | None]] = {
    ImplicitVRLittleEndian: (["dcmconv", "+ti"], 0),
    ExplicitVRBigEndian: (["dcmconv", "+tb"], 0),
    DeflatedExplicitVRLittleEndian: (["dcmconv", "+td"], 0),
    JPEGLossless: (["dcmcjpeg", "+el"], 0),
    JPEGLosslessSV1: (["dcmcjpeg", "+e1"], 0),
    JPEGLSLossless: (["dcmcjpls", "+el"], 0),
    JPEGLSNearLossless: (["dcmcjpls", "+en", "+md", "2"], 2),
    RLELossless: (["dcmcrle"], 0),
    JPEG2000Lossless: ([], 0),
    JPEG2000: ([], None),
}


def assert_same_grid(one: Volume, other: Volume) -> None:
    assert one.geometry.shape == other.geometry.shape
    assert np.array_equal(one.geometry.index_to_patient, other.geometry.index_to_patient)
    assert one.geometry.frame_of_reference_uid == other.geometry.frame_of_reference_uid


def smooth_slices(*, signed: bool, size: int = 48) -> list[FileDataset]:
    """Something like anatomy, so that lossy encoders have something to do."""
    images = slices(4)
    y, x = np.mgrid[:size, :size]
    for k, image in enumerate(images):
        hu = 400 * np.sin(x / 7 + k) * np.cos(y / 9) + 10 * k
        image.Rows = image.Columns = size
        image.PixelRepresentation = int(signed)
        image.BitsStored, image.HighBit = (16, 15) if signed else (12, 11)
        image.RescaleIntercept = 0 if signed else -1024
        stored = np.rint(hu).astype(int) + (0 if signed else 1024)
        image.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    return images


def encoded(source: Path, out: Path, syntax: UID) -> None:
    command, loss = ENCODERS[syntax]
    out.mkdir()
    for path in sorted(source.iterdir()):
        if command:
            subprocess.run([*command, str(path), str(out / path.name)], check=True)
        else:
            data = pydicom.dcmread(path)
            options = {} if loss == 0 else {"j2k_psnr": [70]}
            data.compress(
                syntax, encoding_plugin="pylibjpeg", generate_instance_uid=False, **options
            )
            data.save_as(out / path.name)


@needs_dcmtk
@pytest.mark.parametrize(
    ("syntax", "signed"),
    [
        (syntax, signed)
        for syntax in ENCODERS
        for signed in (False, True)
        # DCMTK does not encode signed values so.
        if not (signed and syntax == JPEGLSNearLossless)
    ],
    ids=lambda value: (
        value.keyword if isinstance(value, UID) else "signed" if value else "unsigned"
    ),
)
def test_every_encoding_arrives_and_is_the_same_volume(
    tmp_path: Path, syntax: UID, signed: bool
) -> None:
    (tmp_path / "plain").mkdir()
    plain = read_series(written(tmp_path / "plain", smooth_slices(signed=signed)))
    encoded(tmp_path / "plain", tmp_path / "encoded", syntax)
    announced: list[Announcement] = []
    # The release tells when all are there; a busy machine pauses longer than the usual quiet time.
    config = ListenerConfig(tmp_path / "store", 0, quiet_s=20.0, reserve_bytes=0)
    with Listener(config, announced.append) as listener:
        paths = sorted((tmp_path / "encoded").iterdir())
        result = send(paths, host="127.0.0.1", port=listener.port, called_ae="SEEDGUIDE")
        assert not result.failed
        deadline = time.monotonic() + 10
        while not announced:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert {pydicom.dcmread(f).file_meta.TransferSyntaxUID for f in announced[0].files} == {syntax}
    volume = read_series(announced[0].files)
    assert_same_grid(volume, plain)
    bound = ENCODERS[syntax][1]
    worst = np.abs(volume.hu.astype(int) - plain.hu).max()
    assert (worst > 0) == (bound != 0), "the encoder lost something, or should have"
    if bound is not None:
        assert worst <= bound
        return
    for plane, path in zip(volume.hu, paths, strict=True):
        other = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[0]
        assert np.abs(plane - other).max() <= 1


def enhanced(images: list[FileDataset], sop_class: UID) -> FileDataset:
    """Classic slices as the frames of one object (PS3.3 A.38, A.70), not in their order."""
    first = images[0]
    data = FileDataset("", {}, file_meta=first.file_meta, preamble=b"\0" * 128)
    uid = generate_uid()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid
    for keyword in (
        "Modality", "PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID",
        "FrameOfReferenceUID", "ImageType", "Rows", "Columns", "SamplesPerPixel",
        "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
        "PixelRepresentation",
    ):  # fmt: skip
        setattr(data, keyword, first[keyword].value)
    data.Manufacturer, data.InstanceNumber = "Test", 1
    shared = pydicom.Dataset()
    shared.PlaneOrientationSequence = [
        _group(ImageOrientationPatient=first.ImageOrientationPatient)
    ]
    shared.PixelMeasuresSequence = [
        _group(PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness)
    ]
    shared.CTImageFrameTypeSequence = [_group(FrameType=["ORIGINAL", "PRIMARY", "AXIAL", "NONE"])]
    data.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number, image in enumerate(images, 1):
        frame = pydicom.Dataset()
        frame.PlanePositionSequence = [_group(ImagePositionPatient=image.ImagePositionPatient)]
        frame.PixelValueTransformationSequence = [
            _group(
                RescaleSlope=image.RescaleSlope,
                RescaleIntercept=image.RescaleIntercept,
                RescaleType="HU",
            )
        ]
        frame.FrameContentSequence = [
            _group(FrameAcquisitionNumber=1, StackID="1", InStackPositionNumber=number)
        ]
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = frames
    data.NumberOfFrames = len(images)
    data.PixelData = b"".join(i.PixelData for i in images)
    return data


def _group(**values: object) -> pydicom.Dataset:
    group = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(group, keyword, value)
    return group


def read_both(tmp_path: Path, images: list[FileDataset], sop_class: UID) -> tuple[Volume, Volume]:
    for name in ("classic", "enhanced"):
        (tmp_path / name).mkdir()
    classic = read_series(written(tmp_path / "classic", images))
    one = enhanced([images[i] for i in (2, 0, 4, 1, 3)], sop_class)
    return classic, read_series(written(tmp_path / "enhanced", [one]))


@pytest.mark.parametrize(
    "sop_class",
    [EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage],
    ids=["CT", "legacy"],
)
@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_frames_of_one_object_lie_as_the_same_slices_do(
    tmp_path: Path, sop_class: UID, tilt: float
) -> None:
    images = slices(5, step=(0.0, 2 * tilt, 2.0))
    images[1].RescaleSlope, images[1].RescaleIntercept = 2, -3000  # each frame has its own
    classic, many = read_both(tmp_path, images, sop_class)
    assert_same_grid(many, classic)
    assert np.array_equal(many.hu, classic.hu)
    assert len(many.provenance.sop_instance_uids) == 5


def test_encoded_frames_are_decoded_one_by_one(tmp_path: Path) -> None:
    images = slices(5)
    one = enhanced(images, EnhancedCTImageStorage)
    one.compress(RLELossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    (tmp_path / "enhanced").mkdir()
    volume = read_series(written(tmp_path / "enhanced", [one]))
    expected: list[NDArray[np.int_]] = [
        np.frombuffer(i.PixelData, "<u2").astype(int) - 1024 for i in images
    ]
    assert np.array_equal(volume.hu.reshape(5, -1), expected)


@pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="no dcm2niix here")
def test_frames_of_one_object_as_dcm2niix_places_them(tmp_path: Path) -> None:
    images = slices(5)
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    written(tmp_path / "in", [enhanced(images, EnhancedCTImageStorage)])
    (theirs,) = dcm2niix(tmp_path / "in", tmp_path / "out").values()
    same_places(read_series(tmp_path / "in"), theirs, within_hu=0)
