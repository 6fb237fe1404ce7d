"""Series as scanners make them: positions, bursts, reconstructions, scales, oddities."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from guidance.errors import ImportRefused
from guidance.imaging import SeriesAssembler, Volume, read_bursts, read_latest, read_series
from tests.guidance.imaging.test_independent_readers import dcm2niix, same_places
from tests.guidance.imaging.test_read_series import COLUMNS, ROWS, slices, written

# PS3.3 C.7.3.1.1.2: direction of rows and of columns of a transverse image as the scanner shows it.
POSITIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, -1, 0), (1, 0, 0)),
    "HFDL": ((0, 1, 0), (-1, 0, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)),
    "FFDL": ((0, 1, 0), (1, 0, 0)),
}


@pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="no dcm2niix here")
@pytest.mark.parametrize("position", list(POSITIONS))
@pytest.mark.parametrize("table", [2.0, -2.0], ids=["out", "in"])
def test_every_patient_position_as_dcm2niix_places_it(
    tmp_path: Path, position: str, table: float
) -> None:
    row, column = POSITIONS[position]
    images = slices(6, row=row, column=column, step=(0, 0, table))
    for image in images:
        image.PatientPosition = position
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    volume = read_series(written(tmp_path / "in", images))
    assert volume.provenance.patient_position == position
    (theirs,) = dcm2niix(tmp_path / "in", tmp_path / "out").values()
    same_places(volume, theirs, within_hu=0)


def burst(number: int, size: int, series: str, frame: str) -> list[FileDataset]:
    """Images of one shot of CT fluoroscopy, some seconds after the last one."""
    images = slices(size, step=(0, 0, 4.0))
    for image in images:
        image.SeriesInstanceUID, image.FrameOfReferenceUID = series, frame
        image.AcquisitionNumber = number
        image.AcquisitionDate, image.AcquisitionTime = "20260301", f"0900{number:02d}"
        image.RescaleIntercept = -1024 + number
    return images


@pytest.mark.parametrize("size", [1, 3, 6])
@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "timed"])
def test_bursts_are_volumes_of_their_own_in_one_frame(
    tmp_path: Path, size: int, numbered: bool
) -> None:
    series, frame = generate_uid(), generate_uid()
    images = [i for n in range(1, 5) for i in burst(n, size, series, frame)]
    if not numbered:
        for image in images:
            image.AcquisitionNumber = 1
    folder = written(tmp_path, images[::-1])
    found = read_bursts(folder)
    assert [v.geometry.shape[0] for v in found] == [size] * 4
    assert {v.geometry.frame_of_reference_uid for v in found} == {frame}
    first = found[0]
    for number, volume in enumerate(found):
        assert np.array_equal(volume.geometry.index_to_patient, first.geometry.index_to_patient)
        assert np.array_equal(volume.hu, first.hu + number)
    assert np.array_equal(read_latest(folder).hu, found[-1].hu)
    with pytest.raises(ImportRefused, match="imaged 4 times"):
        read_series(folder)


def test_a_late_slice_makes_the_volume_anew(tmp_path: Path) -> None:
    images = slices(6)
    paths = sorted(written(tmp_path, images).iterdir())
    assembler = SeriesAssembler()
    assembler.add(*paths[1:])
    early = assembler.volume()
    kept = early.hu.copy()
    assembler.add(paths[0])
    late = assembler.volume()
    assert early.geometry.shape[0] == 5
    assert np.array_equal(early.hu, kept), "a volume that was given out does not change"
    assert np.array_equal(late.hu, read_series(tmp_path).hu)


def test_reconstructions_of_one_scan_are_kept_apart(tmp_path: Path) -> None:
    thick, thin, sharp = slices(5, step=(0, 0, 4.0)), slices(9), slices(9)
    for images, kernel in ((thick, "B30"), (thin, "B30"), (sharp, "B80")):
        for image in images:
            image.SeriesInstanceUID, image.ConvolutionKernel = thin[0].SeriesInstanceUID, kernel
            image.FrameOfReferenceUID = thin[0].FrameOfReferenceUID
    volume = read_series(written(tmp_path, [*thick, *thin, *sharp]))
    assert volume.geometry.shape[0] == 9
    assert volume.provenance.slice_thickness_mm == 2.0
    # Slices of two of them may hold the same values (air, say) and are no copies for that.
    assert not any("came twice" in r for r in volume.provenance.remarks)
    assert sum("another reconstruction" in a for a in volume.provenance.set_aside) == 2
    assert any("3 reconstructions" in r for r in volume.provenance.remarks)


def _capture(image: FileDataset) -> None:
    image.SOPClassUID, image.Modality = SecondaryCaptureImageStorage, "OT"


def _dose_report_picture(image: FileDataset) -> None:
    image.ImageType = ["DERIVED", "SECONDARY", "DOSE_INFO"]
    del image.ImagePositionPatient


def _colour(image: FileDataset) -> None:
    image.SamplesPerPixel, image.PhotometricInterpretation = 3, "RGB"


def _summary(image: FileDataset) -> None:
    image.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage


def _report(image: FileDataset) -> None:
    image.SOPClassUID, image.Modality = ComprehensiveSRStorage, "SR"
    del image.PixelData


def _localizer(image: FileDataset) -> None:
    image.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


@pytest.mark.parametrize(
    "disguise", [_capture, _dose_report_picture, _colour, _summary, _report, _localizer]
)
def test_what_is_no_slice_is_set_aside_by_name(
    tmp_path: Path, disguise: Callable[[FileDataset], None]
) -> None:
    images = slices()
    other = slices(1)[0]
    other.SeriesInstanceUID = images[0].SeriesInstanceUID
    disguise(other)
    other.file_meta.MediaStorageSOPClassUID = other.SOPClassUID
    volume = read_series(written(tmp_path, [*images, other]))
    assert volume.geometry.shape == (5, ROWS, COLUMNS)
    (said,) = volume.provenance.set_aside
    assert said.startswith("005.dcm: ")


def _with_metal(images: list[FileDataset], stored: int, kind: str) -> None:
    for image in images:
        values = np.frombuffer(image.PixelData, "<u2").astype(kind).reshape(ROWS, COLUMNS)
        values[2, 3] = stored
        image.PixelData = values.tobytes()


def test_twelve_bits_end_at_3071_and_it_is_said(tmp_path: Path) -> None:
    images = slices()
    _with_metal(images, 4095, "<u2")
    volume = read_series(written(tmp_path, images))
    assert volume.hu.max() == volume.provenance.clipped_at_hu == 3071
    assert any("5 voxels are at the upper end" in r for r in volume.provenance.remarks)


def test_an_extended_scale_goes_on(tmp_path: Path) -> None:
    images = slices()
    for image in images:
        image.BitsStored, image.HighBit = 16, 15
    _with_metal(images, 15000, "<u2")
    volume = read_series(written(tmp_path, images))
    assert volume.hu.max() == 15000 - 1024
    assert volume.provenance.clipped_at_hu is None


def test_an_extended_scale_of_steps_of_ten(tmp_path: Path) -> None:
    """Twelve bits stretched by the slope: the end of the scale lies further up."""
    images = slices()
    for image in images:
        image.RescaleSlope, image.RescaleIntercept = 10, -10240
    _with_metal(images, 4095, "<u2")
    volume = read_series(written(tmp_path, images))
    assert volume.hu.max() == volume.provenance.clipped_at_hu == 30710


def test_padding_of_signed_pixels_written_as_unsigned(tmp_path: Path) -> None:
    images = slices()
    for image in images:
        image.PixelRepresentation, image.BitsStored, image.HighBit = 1, 16, 15
    _with_metal(images, -2000, "<i2")
    paths = sorted(written(tmp_path, images).iterdir())
    for path in paths:  # as in the wild: US 63536 for SS -2000
        content = path.read_bytes()
        at = content.index(b"\x28\x00\x00\x01US")  # BitsAllocated; the padding comes after HighBit
        end = content.index(b"\x28\x00\x52\x10DS", at)  # RescaleIntercept
        padding = b"\x28\x00\x20\x01US\x02\x00" + (63536).to_bytes(2, "little")
        path.write_bytes(content[:end] + padding + content[end:])
    volume = read_series(tmp_path)
    assert (volume.hu[:, 2, 3] == -1024).all()
    assert any("5 voxels outside" in r for r in volume.provenance.remarks)


def test_a_frame_of_reference_of_its_own_in_every_slice_says_nothing(tmp_path: Path) -> None:
    images = slices()
    for image in images:
        image.FrameOfReferenceUID = generate_uid()
    volume = read_series(written(tmp_path, images))
    assert volume.geometry.frame_of_reference_uid == ""
    assert any("Every slice names another" in r for r in volume.provenance.remarks)


def test_blank_instance_uids_are_said(tmp_path: Path) -> None:
    images = slices()
    for number, image in enumerate(images):
        image.SOPInstanceUID = ""
        image.save_as(tmp_path / f"{number}.dcm")
    volume = read_series(tmp_path)
    assert volume.geometry.shape[0] == 5
    assert any("blank SOP Instance UIDs" in r for r in volume.provenance.remarks)


def places_mm(volume: Volume) -> np.ndarray:
    return np.asarray(volume.provenance.slice_positions_mm)


def test_uneven_slices_are_interpolated_with_the_truth_kept(tmp_path: Path) -> None:
    images = slices(5)
    z = np.array([0.0, 2.0, 3.5, 5.0, 7.0])
    for image, place in zip(images, z, strict=True):
        image.ImagePositionPatient = [-10.0, 20.0, -300.0 + place]
    volume = read_series(written(tmp_path, images))
    assert places_mm(volume) == pytest.approx(z)
    assert len(volume.provenance.sop_instance_uids) == 5
    own = np.linspace(0, 7, volume.geometry.shape[0])
    expected = np.interp(own, z, [0, 100, 200, 300, 400]) + 1000 - 1024
    assert np.abs(volume.hu[:, 0, 0] - expected).max() <= 0.5
    images[4].ImagePositionPatient = [-10.0, 20.0, -300.0 + 12.0]
    (tmp_path / "wide").mkdir()
    with pytest.raises(ImportRefused, match="not imaged"):
        read_series(written(tmp_path / "wide", images))


def test_overlapping_slices_stay_where_they_are(tmp_path: Path) -> None:
    images = slices(6, step=(0, 0, 1.5))
    for image in images:
        image.SliceThickness = 3.0
    volume = read_series(written(tmp_path, images))
    assert volume.geometry.spacing_mm[2] == pytest.approx(1.5)
    assert volume.provenance.slice_thickness_mm == 3.0
