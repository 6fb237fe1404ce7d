"""From files to volumes: geometry against the headers, and refusals in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy.spatial.transform import Rotation

from guidance.errors import ImportRefused
from guidance.imaging import read_bursts, read_latest, read_series

ROWS, COLUMNS = 6, 8


def slices(
    count: int = 5,
    *,
    row: tuple[float, ...] = (1, 0, 0),
    column: tuple[float, ...] = (0, 1, 0),
    step: tuple[float, ...] = (0, 0, 2.0),
    origin: tuple[float, ...] = (-10.0, 20.0, -300.0),
    spacing: tuple[float, float] = (0.5, 0.75),
) -> list[FileDataset]:
    """CT images with a value of their own in every voxel."""
    study, series, frame = (generate_uid() for _ in range(3))
    images = []
    for k in range(count):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False)
        d.SOPClassUID, d.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        d.Modality, d.PatientID, d.PatientName = "CT", "P1", "Doe^Jane"
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, series, frame
        d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        d.InstanceNumber, d.SliceThickness = k + 1, float(np.linalg.norm(step))
        d.ImagePositionPatient = [float(v) for v in np.add(origin, k * np.array(step))]
        d.ImageOrientationPatient = [float(v) for v in (*row, *column)]
        d.PixelSpacing = list(spacing)
        d.Rows, d.Columns, d.SamplesPerPixel = ROWS, COLUMNS, 1
        d.PhotometricInterpretation = "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 12, 11, 0
        d.RescaleSlope, d.RescaleIntercept, d.RescaleType = 1, -1024, "HU"
        values = 1000 + 100 * k + np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
        d.PixelData = values.astype("<u2").tobytes()
        images.append(d)
    return images


def written(folder: Path, images: list[FileDataset]) -> Path:
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)
    return folder


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    turn=st.tuples(*[st.floats(-40, 40)] * 3),
    tilt=st.floats(-0.4, 0.4),
    order=st.permutations(range(5)),
    prone=st.booleans(),
)
def test_every_voxel_is_where_its_header_says(
    tmp_path_factory: pytest.TempPathFactory,
    turn: tuple[float, float, float],
    tilt: float,
    order: list[int],
    prone: bool,
) -> None:
    """Oblique, tilted, prone, in any order of files."""
    folder = tmp_path_factory.mktemp("series")
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    if prone:
        rotation = rotation @ np.diag((-1.0, -1.0, 1.0))
    row, column, normal = rotation.T
    step = 2.0 * normal + 2.0 * tilt * column
    images = slices(row=tuple(row), column=tuple(column), step=tuple(step))
    volume = read_series(written(folder, [images[i] for i in order]))
    for k in range(volume.geometry.shape[0]):
        for image in images:
            position = np.array(image.ImagePositionPatient, float)
            here = volume.geometry.indices_to_patient([[0, 0, k]])[0]
            if np.linalg.norm(here - position) < 1e-3:
                last = position + row * 0.75 * (COLUMNS - 1) + column * 0.5 * (ROWS - 1)
                there = volume.geometry.indices_to_patient([[COLUMNS - 1, ROWS - 1, k]])[0]
                assert there == pytest.approx(last, abs=1e-3)
                assert np.array_equal(
                    volume.hu[k].ravel(), np.frombuffer(image.PixelData, "<u2").astype(int) - 1024
                )
                break
        else:
            raise AssertionError(f"slice {k} lies where no image does")


def refused(folder: Path) -> str:
    with pytest.raises(ImportRefused) as caught:
        read_series(folder)
    text = str(caught.value)
    assert "\n" not in text
    return text


def _two_series(images: list[FileDataset]) -> None:
    images[0].SeriesInstanceUID = generate_uid()


def _two_patients(images: list[FileDataset]) -> None:
    images[0].PatientID = "P2"


def _two_frames(images: list[FileDataset]) -> None:
    for image in images[:2]:
        image.FrameOfReferenceUID = "1.2.3"


def _no_position(images: list[FileDataset]) -> None:
    del images[2].ImagePositionPatient


def _no_rescale(images: list[FileDataset]) -> None:
    del images[2].RescaleSlope


def _cut_short(images: list[FileDataset]) -> None:
    images[2].PixelData = images[2].PixelData[:20]


def _one_uid_for_two(images: list[FileDataset]) -> None:
    images[3].SOPInstanceUID = images[2].SOPInstanceUID


def _no_units(images: list[FileDataset]) -> None:
    for image in images:
        image.RescaleType = "OD"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_two_series, "2 series lie together"),
        (_two_patients, "2 patients"),
        (_two_frames, "frames of reference"),
        (_no_position, "ImagePositionPatient"),
        (_no_rescale, "no rescale slope"),
        (_cut_short, "cut short"),
        (_one_uid_for_two, "different images with one SOP Instance UID"),
        (_no_units, "not in Hounsfield units"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, spoil: Callable[[list[FileDataset]], None], words: str
) -> None:
    images = slices()
    spoil(images)
    assert words in refused(written(tmp_path, images))


def test_what_is_no_series(tmp_path: Path) -> None:
    assert "no such file or folder" in refused(tmp_path / "nowhere")
    assert "the folder is empty" in refused(tmp_path)
    (tmp_path / "letter.txt").write_text("no image")
    assert "there is no CT slice here" in refused(tmp_path)


def test_copies_and_localizers_are_set_aside_and_said(tmp_path: Path) -> None:
    images = slices()
    scout = slices(1)[0]
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SeriesInstanceUID = images[0].SeriesInstanceUID
    volume = read_series(written(tmp_path, [*images, images[1], scout]))
    assert volume.geometry.shape == (5, ROWS, COLUMNS)
    assert any("came twice" in r for r in volume.provenance.remarks)
    assert any("localizer" in a for a in volume.provenance.set_aside)


def test_a_missing_slice_is_never_silent(tmp_path: Path) -> None:
    images = slices(9)
    del images[4]
    assert "1 slice(s) missing" in refused(written(tmp_path, images))


def test_a_series_that_ends_early_says_so(tmp_path: Path) -> None:
    images = slices(5)
    for image in images:
        image.AcquisitionNumber, image.ImagesInAcquisition = 3, 5
    assert not any(
        "cut off" in r for r in read_series(written(tmp_path, images)).provenance.remarks
    )
    (tmp_path / "004.dcm").unlink()
    said = read_series(tmp_path).provenance.remarks
    assert any("took 5 images, and 1 of them" in r for r in said)


def test_signed_pixels_padding_and_slope(tmp_path: Path) -> None:
    images = slices()
    for image in images:
        values = np.frombuffer(image.PixelData, "<u2").astype(np.int16).reshape(ROWS, COLUMNS)
        values[0, 0] = -2000
        image.PixelData = values.astype("<i2").tobytes()
        image.PixelRepresentation, image.BitsStored, image.HighBit = 1, 16, 15
        image.PixelPaddingValue = -2000
        image.RescaleSlope, image.RescaleIntercept = 2, -3024
    volume = read_series(written(tmp_path, images))
    assert volume.hu[0, 0, 0] <= -1000
    assert volume.hu[0, 0, 1] == 2 * 1001 - 3024


def test_odd_series_of_real_scanners(data_dir: Path) -> None:
    outcomes: dict[str, int | str] = {}
    for folder in sorted(p for p in (data_dir / "odd").iterdir() if p.is_dir()):
        try:
            outcomes[folder.name] = len(read_bursts(folder))
        except ImportRefused as error:
            outcomes[folder.name] = str(error)
    assert outcomes.pop("D2N_notavolume_001") == 4
    last = read_latest(data_dir / "odd" / "D2N_notavolume_001")
    assert last.geometry.shape[0] == 1
    assert any("imaged 4 times; this is the last" in r for r in last.provenance.remarks)
    assert outcomes.pop("D2N_gantrytilting_001") == 1
    assert "10.00 mm after the 3rd of 4" in str(outcomes.pop("D2N_sliceincrement_001"))
    assert not outcomes


@pytest.mark.parametrize("series", ["seed_phantom", "lumbar", "jpeg2000"])
def test_real_series_lie_as_an_independent_reader_says(data_dir: Path, series: str) -> None:
    folder = data_dir / series / "CT"
    volume = read_series(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert volume.geometry.shape == image.GetSize()[::-1]
    size = np.array(image.GetSize()) - 1
    for index in np.array(np.meshgrid(*[(0, 1)] * 3)).reshape(3, -1).T * size:
        theirs = image.TransformIndexToPhysicalPoint([int(i) for i in index])
        ours = volume.geometry.indices_to_patient(index[None])[0]
        assert ours == pytest.approx(theirs, abs=2e-3)
    hu = sitk.GetArrayFromImage(image)
    assert np.abs(volume.hu.astype(int) - np.clip(hu, -32768, 32767)).max() <= 1


def test_a_tilted_gantry_stays_a_shear(data_dir: Path) -> None:
    folder = data_dir / "ge_tilt18" / "CT"
    volume = read_series(folder)
    assert volume.geometry.is_sheared
    heads = [pydicom.dcmread(p, stop_before_pixels=True) for p in folder.iterdir()]
    first = min(heads, key=lambda d: float(d.ImagePositionPatient[2]))
    ends = volume.geometry.indices_to_patient([[0, 0, 0], [0, 0, volume.hu.shape[0] - 1]])
    nearest = np.linalg.norm(ends - np.array(first.ImagePositionPatient, float), axis=1).min()
    assert nearest < 1e-3


def test_a_prone_slice_of_an_old_scanner(data_dir: Path) -> None:
    volume = read_series(data_dir / "prone_slice" / "CT")
    assert volume.provenance.patient_position == "HFP"
