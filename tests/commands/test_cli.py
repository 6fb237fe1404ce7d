"""The command line as a user meets it: good input, and one clear line for bad input."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from virtual import scans

from guidance.commands import COMMANDS, main
from simulators.operator import Gantry, Peer, draw_case


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A verification scan as files, and beside it the plan's objects."""
    folder = tmp_path_factory.mktemp("series")
    case = scans(2)
    gantry = Gantry(case.case, Peer("", 0, ""))
    (folder / "verification").mkdir()
    for image in gantry.images("verification", seeds=case.operator.seeds):
        path = folder / "verification" / f"{image.SOPInstanceUID}.dcm"
        image.save_as(path, enforce_file_format=True)
    (folder / "planning").mkdir()
    for item in gantry.planning():
        name = {"CT": f"planning/{item.SOPInstanceUID}.dcm"}.get(
            item.Modality, f"{item.Modality}.dcm"
        )
        item.save_as(folder / name, enforce_file_format=True)
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "guidance", *map(str, arguments))
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr of a command that must be refused."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    return said.err


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] for line in done.stdout.splitlines())
    assert "not a medical device" in " ".join(done.stdout.split())


def test_detect_prints_the_contract(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["detect", str(series / "verification"), "--expected-seeds", "12", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["seeds"]) >= 11
    assert found["needles"] == []
    assert found["elapsed_s"] > 0
    assert set(found["seeds"][0]) >= {"position_mm", "axis", "confidence"}


def test_dose_of_given_seeds(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One seed in water at 1 cm on its transverse axis: Lambda S_K tau."""
    seeds = tmp_path / "seeds.json"
    seeds.write_text(
        json.dumps({"seeds": [{"position_mm": [0, 0, 0], "axis": [0, 0, 1], "strength_u": 1.0}]})
    )
    arguments = [
        *("dose", "--source", "6711", "--seeds", str(seeds), "--out", str(tmp_path)),
        *("--strength-at", "implant"),
    ]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["structures"] == {}
    from guidance.exchange import read_dose

    dose = read_dose(tmp_path / "RTDOSE.dcm")
    i, j, k = dose.geometry.patient_to_indices([[10.0, 0.0, 0.0]])[0].round().astype(int)
    life_h = 59.4 * 24 / 0.6931471805599453
    assert dose.dose_gy[k, j, i] == pytest.approx(0.965 * life_h / 100, rel=0.01)


def test_strength_is_decayed_to_the_implant_and_dose_to_a_period(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0.6 mCi is 0.762 U; one half-life later half of it; a day gives 1.16 % of the dose."""
    from guidance.exchange import read_dose

    seeds = tmp_path / "seeds.json"
    seeds.write_text('[{"position_mm": [0, 0, 0], "axis": [0, 0, 1]}]')
    base = ["dose", "--source", "6711", "--seeds", str(seeds), "--out", str(tmp_path), "--json"]
    dated = [
        *("--activity-mci", "0.6", "--strength-at", "2026-03-01"),
        *("--implanted-at", "2026-04-29T09:36:00+00:00"),
    ]

    def at_1_cm(*more: str) -> tuple[float, dict]:  # type: ignore[type-arg]
        assert main([*base, *dated, *more]) == 0
        said = json.loads(capsys.readouterr().out)
        dose = read_dose(tmp_path / "RTDOSE.dcm")
        i, j, k = dose.geometry.patient_to_indices([[10.0, 0.0, 0.0]])[0].round().astype(int)
        return float(dose.dose_gy[k, j, i]), said

    whole, said = at_1_cm()
    assert said["strength_at_implant_u"] == [pytest.approx(0.381, abs=1e-6)]
    assert "2D (line), 1 seed" in said["method"]
    day, said = at_1_cm("--from-h", "0", "--until-h", "24")
    assert "from 0 h to 24 h" in said["method"]
    assert day / whole == pytest.approx(0.0116, abs=1e-4)
    point, said = at_1_cm("--point-source")
    assert "1D (point), 1 seed" in said["method"]
    assert "1D (point), 1 seed" in read_dose(tmp_path / "RTDOSE.dcm").description
    assert point / whole == pytest.approx(0.944, abs=0.005)
    assert "must come after" in refused(capsys, *base, *dated, "--from-h", "9", "--until-h", "8")


def test_dvh_of_masks(series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ball as a mask beside the same ball as contours, in the dose of one seed."""
    import numpy as np
    import SimpleITK as sitk

    seeds = tmp_path / "seeds.json"
    seeds.write_text('[{"position_mm": [0, 0, 0], "axis": null, "strength_u": 1}]')
    arguments = ["--seeds", str(seeds), "--out", str(tmp_path), "--strength-at", "implant"]
    assert main(["dose", "--source", "6711", *arguments]) == 0
    z, y, x = np.mgrid[-12:13, -12:13, -12:13]
    ball = ((x - 4) ** 2 + y**2 + z**2 <= 36).astype(np.uint8)
    image = sitk.GetImageFromArray(ball)
    image.SetOrigin((-12.0, -12.0, -12.0))
    image.SetMetaData("Segment0_LabelValue", "1")
    image.SetMetaData("Segment0_Name", "ball")
    sitk.WriteImage(image, str(tmp_path / "ball.nrrd"))
    capsys.readouterr()
    assert main(["dvh", str(tmp_path / "RTDOSE.dcm"), str(tmp_path / "ball.nrrd"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["structures"]["ball"]
    assert found["volume_cc"] == pytest.approx(ball.sum() / 1000)
    # 10 mm from the seed's centre to the far side: Lambda tau phi_an there, near enough.
    assert found["D100_gy"] == pytest.approx(0.911 * 20.567, rel=0.12)
    image = sitk.GetImageFromArray(np.zeros((3, 3, 3), np.uint8))
    sitk.WriteImage(image, str(tmp_path / "none.nrrd"))
    said = refused(capsys, "dvh", tmp_path / "RTDOSE.dcm", tmp_path / "none.nrrd")
    assert "no voxel is marked" in said


def test_dvh_figures_of_structures(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from guidance.exchange import read_structures

    gtv = read_structures(series / "RTSTRUCT.dcm").structures[0]
    centre = [float(v) for v in gtv.contours[len(gtv.contours) // 2].mean(axis=0)]
    seeds = tmp_path / "seeds.json"
    seeds.write_text(json.dumps([{"position_mm": centre, "axis": None, "strength_u": 0.8}]))
    arguments = [
        *("dose", "--source", "6711", "--seeds", seeds, "--out", tmp_path, "--json"),
        *("--strength-at", "implant", "--prescription-gy", "5"),
        *("--structures", series / "RTSTRUCT.dcm", "--series", series / "planning"),
    ]
    assert main([str(a) for a in arguments]) == 0
    direct = json.loads(capsys.readouterr().out)["structures"]
    assert main(["dvh", str(tmp_path / "RTDOSE.dcm"), str(series / "RTSTRUCT.dcm"), "--json"]) == 0
    gridded = json.loads(capsys.readouterr().out)["structures"]
    assert set(direct) == set(gridded) == {"GTV", "CTV", "Spinal cord"}
    assert 0 < direct["GTV"]["CI"] < 1
    assert direct["GTV"]["HI"] == pytest.approx(1 - direct["GTV"]["DNR"])
    assert "CI" not in direct["Spinal cord"]
    assert gridded["GTV"]["D90_gy"] == pytest.approx(direct["GTV"]["D90_gy"], rel=0.02)


def test_earlier_courses_are_added_as_eqd2(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dose.radiobiology import CORD, Course, cumulative_eqd2_gy
    from guidance.exchange import read_structures

    cord = read_structures(series / "RTSTRUCT.dcm").structures[2]
    centre = [float(v) for v in cord.contours[len(cord.contours) // 2].mean(axis=0)]
    seeds = tmp_path / "seeds.json"
    seeds.write_text(json.dumps([{"position_mm": [centre[0] + 20, *centre[1:]], "strength_u": 1}]))
    files = ["--structures", str(series / "RTSTRUCT.dcm"), "--out", str(tmp_path)]
    files += ["--strength-at", "implant"]
    assert main(["dose", "--source", "6711", "--seeds", str(seeds), *files]) == 0
    capsys.readouterr()
    arguments = ["dvh", str(tmp_path / "RTDOSE.dcm"), str(series / "RTSTRUCT.dcm"), "--json"]
    assert main([*arguments, "--prior", "10x3"]) == 0
    found = json.loads(capsys.readouterr().out)["structures"]["Spinal cord"]
    expected = cumulative_eqd2_gy(found["Dmax_gy"], 59.4, [Course(10, 3.0)], CORD)
    assert found["Dmax_eqd2_gy"] == pytest.approx(expected)
    assert found["Dmax_eqd2_gy"] > 37.5
    assert "10x3" in refused(capsys, *arguments, "--prior", "ten")


def test_the_parameters_of_an_effect_are_shown_and_can_be_changed(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = tmp_path / "seeds.json"
    seeds.write_text(json.dumps([{"position_mm": [0, 0, 0], "strength_u": 1}]))
    base = ["dose", "--source", "6711", "--seeds", str(seeds), "--out", str(tmp_path)]
    base += ["--strength-at", "implant", "--structures", str(series / "RTSTRUCT.dcm"), "--eqd2"]
    own = ["--alpha-beta-gy", "3", "--repair-h", "1.5"]
    assert main([*base, *own, "--prior", "10x3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    shown, found = said["radiobiology"], next(iter(said["structures"].values()))
    assert shown["tissue"] == "tissue: alpha/beta 3 Gy, repair half-time 1.5 h (100 %)"
    assert shown["prior"][0]["bed_gy"] == pytest.approx(60.0)
    assert any("Dale" in s for s in shown["sources"])
    dose, mu, decay = found["Dmax_gy"], math.log(2) / 1.5, math.log(2) / (24 * 59.4)
    bed = dose * (1 + dose * decay / ((mu + decay) * 3.0))
    assert found["Dmax_implant_bed_gy"] == pytest.approx(bed)
    assert found["Dmax_eqd2_gy"] == pytest.approx((bed + 60.0) / (1 + 2 / 3))
    assert main(base) == 0
    assert "spinal cord: alpha/beta 2 Gy, repair half-time 0.7 h (37 %)" in capsys.readouterr().out
    assert "alpha/beta must be positive" in refused(capsys, *base, "--alpha-beta-gy", "0")
    assert "full decay" in refused(capsys, *base, "--until-h", "24")
    assert "HALF-TIME" in refused(capsys, *base, "--repair-h", "fast")


@pytest.mark.parametrize("spacing", ["0.5", "2.5"])
def test_the_dose_grid_lies_as_the_scan_does(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spacing: str
) -> None:
    from guidance.exchange import read_dose
    from guidance.imaging import read_series

    scan = series / "verification"
    axes = read_series(scan).geometry.axes
    middle = read_series(scan).geometry.corners_mm().mean(axis=0)
    seeds = tmp_path / "seeds.json"
    placed = [{"position_mm": middle.tolist(), "axis": [1, 0, 0], "strength_u": 1}]
    seeds.write_text(json.dumps({"strength_at": "implant", "seeds": placed}))
    base = ["dose", "--source", "6711", "--seeds", str(seeds), "--out", str(tmp_path)]
    assert main([*base, "--series", str(scan), "--grid-mm", spacing]) == 0
    dose = read_dose(tmp_path / "RTDOSE.dcm").geometry
    np.testing.assert_allclose(dose.spacing_mm, float(spacing), atol=1e-6)
    np.testing.assert_allclose(dose.axes[:, :2], axes[:, :2], atol=1e-5)
    assert "0.5 to 2.5 mm" in refused(capsys, *base, "--grid-mm", "0")


def test_sources_name_their_citations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "6711", "--json"]) == 0
    model = json.loads(capsys.readouterr().out)
    assert model["dose_rate_constant_cgy_per_h_u"] == 0.965
    assert model["capsule"] == "the maker's"
    assert "Rivard" in model["citation"]
    assert main(["sources"]) == 0
    assert "6711" in capsys.readouterr().out


def test_doctor_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = tmp_path / "site.toml"
        port = taken.getsockname()[1]
        config.write_text(f'[listener]\nport = {port}\nstore = "{tmp_path}"\n')
        assert main(["doctor", "--config", str(config)]) == 1
    said = capsys.readouterr().out
    assert "FAIL  DICOM port" in said
    assert "-> another listener may be running" in said


def test_wrong_arguments() -> None:
    for arguments in (("nonsense",), ("detect",), ("dose", "--source", "6711")):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "--help" in done.stderr


def test_bad_folders(series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, other, two = tmp_path / "empty", tmp_path / "other", tmp_path / "two"
    for folder in (empty, other, two):
        folder.mkdir()
    shutil.copy(series / "RTSTRUCT.dcm", other)
    shutil.copytree(series / "planning", two / "a")
    shutil.copytree(series / "verification", two / "b")
    assert "the folder is empty" in refused(capsys, "detect", empty)
    assert "there is no CT slice here" in refused(capsys, "detect", other)
    assert "2 series lie together" in refused(capsys, "detect", two)
    assert "no such file or folder" in refused(capsys, "detect", tmp_path / "nowhere")


def test_a_truncated_file(series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(series / "verification", tmp_path / "cut")
    victim = sorted((tmp_path / "cut").iterdir())[5]
    victim.write_bytes(victim.read_bytes()[:100_000])
    said = refused(capsys, "detect", tmp_path / "cut")
    assert victim.name in said
    assert "cut short" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "is not JSON"),
        ("[]", "there are no seeds"),
        ('[{"axis": [0, 0, 1]}]', "has no position_mm"),
        ('[{"position_mm": [0, 0], "strength_u": 1}]', "must be three numbers"),
        ('[{"position_mm": [0, 0, 0]}]', "has no strength_u"),
        ('[{"position_mm": [0, 0, 0], "strength": 0.5}]', "strength has no unit"),
        ('[{"position_mm": [0, 0, 0], "strength_u": 0.5}]', "seed 1 has a strength without a date"),
        (
            '{"strength_at": "2026-03-01", "seeds": [{"position_mm": [0, 0, 0], "strength_u": 1}]}',
            "the time of implant is needed",
        ),
        (
            '{"strength_at": "March", "implanted_at": "2026-04-01", '
            '"seeds": [{"position_mm": [0, 0, 0], "strength_u": 1}]}',
            "strength_at is not a date",
        ),
        (
            '{"strength_at": "implant", "seeds": [{"position_mm": [0, 0, 0], "strength_u": -1}]}',
            "must be positive",
        ),
        (
            '{"strength_at": "implant", "seeds": '
            '[{"position_mm": [0, 0, 0], "strength_u": 1, "axis": [0, 0, 0]}]}',
            "not a direction",
        ),
        (
            '{"strength_at": "implant", "seeds": [{"position_mm": [0, NaN, 0], "strength_u": 1}]}',
            "seed 1: position_mm must be three finite",
        ),
        (
            '{"strength_at": "implant", "strength_u": 1, "seeds": [{"position_mm": [0, 0, 0]}, '
            '{"position_mm": [1, 2, 3]}, {"position_mm": [0, 90000, 0]}]}',
            "seed 3 lies 89998 mm from",
        ),
    ],
)
def test_bad_seed_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    path = tmp_path / "seeds.json"
    path.write_text(content)
    said = refused(capsys, "dose", "--source", "6711", "--seeds", path, "--out", tmp_path / "out")
    assert words in said


def test_frames_of_reference_are_not_mixed(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(series / "verification"), "--json"]) == 0
    seeds = tmp_path / "seeds.json"
    seeds.write_text(capsys.readouterr().out)
    said = refused(
        *(capsys, "dose", "--source", "6711", "--seeds", seeds, "--strength-u", "0.8"),
        *("--strength-at", "implant"),
        *("--structures", series / "RTSTRUCT.dcm", "--out", tmp_path / "out"),
    )
    assert "different frames of reference" in said


def test_a_model_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not known" in refused(capsys, "sources", "4711")


def test_a_model_must_be_commissioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seeds, config = tmp_path / "seeds.json", tmp_path / "site.toml"
    seeds.write_text(json.dumps([{"position_mm": [0, 0, 0], "strength_u": 1.0}]))
    arguments = ["dose", "--source", "9011", "--seeds", str(seeds), "--out", str(tmp_path)]
    arguments += ["--strength-at", "implant"]
    assert "commission it" in refused(capsys, *arguments)
    config.write_text('[sources]\ncommissioned = ["9011"]\n')
    assert main([*arguments, "--config", str(config)]) == 0


def test_a_journal_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "journal.sqlite"
    assert refused(capsys, "report", path, "--out", tmp_path / "out")
    path.write_text("no database")
    assert refused(capsys, "journal", "verify", path)


@pytest.mark.skipif(shutil.which("storescu") is None, reason="dcmtk is not installed")
def test_a_real_series_by_storescu(data_dir: Path, tmp_path: Path) -> None:
    """DCMTK's storescu pushes a scanner's series; it becomes whole, a volume, and no seeds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "guidance", "listen", "--port", str(port)]
    command += ["--ae-title", "ROOM", "--store", str(tmp_path / "store")]
    # A busy machine may pause longer than the usual quiet time in the middle of a series.
    command += ["--quiet-s", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        try:
            until = time.monotonic() + 30
            with socket.socket() as probe:
                while probe.connect_ex(("127.0.0.1", port)) != 0:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            push = ["storescu", "-aec", "ROOM", "-xs", "+sd", "127.0.0.1", str(port)]
            pushed = subprocess.run(
                [*push, str(data_dir / "jpeg2000" / "CT")], capture_output=True, check=False
            )
            if pushed.returncode != 0:
                push[3] = "-xv"
                subprocess.run([*push, str(data_dir / "jpeg2000" / "CT")], check=True)
            line = json.loads(listener.stdout.readline())
        finally:
            listener.terminate()
    assert line["modality"] == "CT"
    assert line["complete_by"] == "release"
    sent = [p for p in (data_dir / "jpeg2000" / "CT").rglob("*") if p.is_file()]
    assert len(line["files"]) == len(sent)
    folder = Path(line["directory"])
    assert folder.is_absolute()
    assert all((folder / name).is_file() for name in line["files"])
    done = run("detect", folder, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["seeds"] == []


def test_a_virtual_scanner_from_the_command_line(tmp_path: Path) -> None:
    assert draw_case(1, seeds=8, slice_mm=5.0, level="thoracic").slice_mm == 5.0
    done = run("simulate", "scanner", "--port", "1", "--slice-mm", "9")
    assert done.returncode == 2
    assert "choose 0.5 to 5 mm" in done.stderr
