"""Real series as dcm2niix and plastimatch place them, beside ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from guidance.commands import main
from guidance.imaging import Volume, read_series
from guidance.imaging.straight import straightened

needs_dcm2niix = pytest.mark.skipif(shutil.which("dcm2niix") is None, reason="no dcm2niix here")
needs_plastimatch = pytest.mark.skipif(
    shutil.which("plastimatch") is None, reason="no plastimatch here"
)


def same_places(volume: Volume, image: sitk.Image, *, within_hu: int) -> None:
    """Voxels of ours lie in their image where it holds the same value."""
    theirs = sitk.GetArrayFromImage(image)
    rng = np.random.default_rng(0)
    shape = np.array(volume.geometry.shape)
    indices = rng.integers(0, shape, (2000, 3))[:, ::-1]
    points = volume.geometry.indices_to_patient(indices)
    for index, point in zip(indices, points, strict=True):
        place = np.array(image.TransformPhysicalPointToContinuousIndex(point))
        assert np.abs(place - place.round()).max() < 5e-3
        i, j, k = place.round().astype(int)
        x, y, z = index
        assert abs(int(theirs[k, j, i]) - int(volume.hu[z, y, x])) <= within_hu


def dcm2niix(folder: Path, out: Path) -> dict[str, sitk.Image]:
    command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "v", "-o", str(out), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return {p.stem: sitk.ReadImage(str(p)) for p in out.glob("*.nii")}


@needs_dcm2niix
@pytest.mark.parametrize("series", ["seed_phantom", "lumbar", "jpeg2000", "prone_slice"])
def test_as_dcm2niix_places_it(data_dir: Path, tmp_path: Path, series: str) -> None:
    volume = read_series(data_dir / series / "CT")
    same_places(volume, dcm2niix(data_dir / series / "CT", tmp_path)["v"], within_hu=1)


@needs_plastimatch
@pytest.mark.parametrize("series", ["seed_phantom", "lumbar"])
def test_as_plastimatch_places_it(data_dir: Path, tmp_path: Path, series: str) -> None:
    out = tmp_path / "v.mha"
    command = ["plastimatch", "convert", "--input", str(data_dir / series / "CT")]
    subprocess.run([*command, "--output-img", str(out)], check=True, capture_output=True)
    same_places(read_series(data_dir / series / "CT"), sitk.ReadImage(str(out)), within_hu=1)


@needs_dcm2niix
def test_a_straightened_tilt_as_dcm2niix_straightens_it(data_dir: Path, tmp_path: Path) -> None:
    # Both interpolate twice, each in its own way; a millimetre's shift would differ by far more.
    folder = data_dir / "ge_tilt18" / "CT"
    volume = straightened(read_series(folder))
    assert not volume.geometry.is_sheared
    name, theirs = next((n, i) for n, i in dcm2niix(folder, tmp_path).items() if "Tilt" in n)
    assert "Eq" in name
    image = sitk.GetImageFromArray(volume.hu.astype(np.float32))
    image.SetOrigin(volume.geometry.origin_mm.tolist())
    image.SetSpacing(volume.geometry.spacing_mm.tolist())
    image.SetDirection(volume.geometry.axes.ravel().tolist())
    other = sitk.GetArrayFromImage(theirs).astype(float)
    ours = sitk.GetArrayFromImage(sitk.Resample(image, theirs, sitk.Transform(), sitk.sitkLinear))
    head = (other > -200) & (ours > -1000)
    assert head.sum() > 100_000

    def median_difference(shift_px: int) -> float:
        moved = np.roll(ours, shift_px, axis=1)
        return float(np.median(np.abs(moved - other)[head]))

    assert median_difference(0) < 0.5 * min(median_difference(2), median_difference(-2))


def test_volume_from_the_command_line(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ct.nrrd"
    folder = str(data_dir / "ge_tilt18" / "CT")
    assert main(["volume", folder, "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["tilt_deg"] == pytest.approx(18.5, abs=0.1)
    assert said["orientation"][0] == "L"
    assert said["gap_mm_least"] == pytest.approx(1.08, abs=0.02)
    assert said["gap_mm_largest"] == pytest.approx(7.0, abs=0.05)
    assert any("right-angled grid" in r for r in said["remarks"])
    assert sitk.ReadImage(str(out)).GetSize()[2] == said["shape_zyx"][0]
    assert main(["volume", folder]) == 0
    assert "set aside" in capsys.readouterr().out or said["set_aside"] == []
    assert main(["volume", folder, "--out", str(tmp_path / "ct.txt")]) == 2
    assert ".nrrd" in capsys.readouterr().err
    odd = str(data_dir / "odd" / "D2N_notavolume_001")
    assert main(["volume", odd, "--burst", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shape_zyx"][0] == 1
    assert main(["volume", odd, "--burst", "9"]) == 2
