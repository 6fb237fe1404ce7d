"""``seedguide dose --engine mc`` on the CT of a virtual patient."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pydicom
import pytest
import SimpleITK as sitk

from guidance.commands import main
from guidance.exchange import read_dose
from simulators.operator import Gantry, Peer, draw_case


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Planning CT, structures, and the seeds where the plan has them."""
    folder = tmp_path_factory.mktemp("patient")
    case = draw_case(4, seeds=8, slice_mm=3.0, level="lumbar")
    (folder / "ct").mkdir()
    for item in Gantry(case, Peer("", 0, "")).planning():
        name = f"ct/{item.SOPInstanceUID}.dcm" if item.Modality == "CT" else f"{item.Modality}.dcm"
        item.save_as(folder / name, enforce_file_format=True)
    turn, shift = case.patient_to_planning[:3, :3], case.patient_to_planning[:3, 3]
    seeds = [
        {
            "position_mm": list(turn @ n.seed(r) + shift),
            "axis": list(turn @ n.direction),
            "strength_u": 0.9,
        }
        for n in case.needles
        for r in n.retractions
    ]
    (folder / "seeds.json").write_text(json.dumps({"seeds": seeds, "strength_at": "implant"}))
    return folder


def base(patient: Path, out: Path) -> list[str]:
    return [
        *("dose", "--source", "6711", "--seeds", str(patient / "seeds.json")),
        *("--ct", str(patient / "ct"), "--structures", str(patient / "RTSTRUCT.dcm")),
        *("--out", str(out)),
    ]


def test_both_engines_beside_one_another(
    patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--engine", "both", "--uncertainty-percent", "8", "--media-picture", str(tmp_path))
    assert main([*base(patient, tmp_path), *more, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    modelled = found["model_based"]
    assert "TG-43" in found["method"]
    assert "model-based, research" in modelled["method"]
    tg43 = found["structures"]["GTV"]
    medium = modelled["structures"]["GTV"]["medium"]
    water = modelled["structures"]["GTV"]["water"]
    # A lesion of soft tissue: like water, a few percent apart.
    assert medium["D90_gy"] / tg43["D90_gy"] == pytest.approx(1.0, abs=0.15)
    assert water["D90_gy"] / tg43["D90_gy"] == pytest.approx(1.0, abs=0.2)
    # Bone lies between target and cord: it gets less than in water.
    cord = modelled["structures"]["Spinal cord"]["medium"]["Dmax_gy"]
    assert not any("lies inside the grid" in r for r in modelled["remarks"])
    assert 0.3 < cord / found["structures"]["Spinal cord"]["Dmax_gy"] < 0.95
    statistics = modelled["statistics"]
    assert statistics["uncertainty_percent"]["cord"]["mean"] <= 8
    assert statistics["uncertainty_percent"]["target"]["mean"] <= 8
    assert statistics["energy_balance"] == pytest.approx(1.0, abs=1e-5)
    assert any("not validated against measurements" in r for r in modelled["remarks"])
    assert any("No calibration curve" in r for r in modelled["remarks"])
    objects = [pydicom.dcmread(p) for p in sorted(tmp_path.glob("RTDOSE*.dcm"))]
    assert len({o.SOPInstanceUID for o in objects}) == len({o.SeriesInstanceUID for o in objects})
    assert [o.DoseComment for o in objects] == [
        "Monte Carlo (model-based, research), dose to medium, 6711",
        "Monte Carlo (model-based, research), dose to water, 6711",
        found["method"][:64],
    ]
    dose = read_dose(Path(modelled["rtdose"]))
    sigma = sitk.GetArrayFromImage(sitk.ReadImage(modelled["uncertainty_map"]))
    assert sigma.shape == dose.dose_gy.shape
    assert 0 < sigma.min() < 8
    assert list(tmp_path.glob("media-*.png"))
    table, picture = tmp_path / "dvh.csv", tmp_path / "dvh.png"
    arguments = ["dvh", found["rtdose"], str(patient / "RTSTRUCT.dcm")]
    arguments += ["--beside", modelled["rtdose"], "--csv", str(table), "--picture", str(picture)]
    assert main([*arguments, "--json"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert both["dose"].startswith("TG-43 2D")
    assert both["beside"]["dose"].startswith("Monte Carlo (model-based, research), dose to medium")
    again = both["beside"]["structures"]["GTV"]["D90_gy"]
    assert again == pytest.approx(medium["D90_gy"], rel=0.01)
    rows = [row.split(",")[0] for row in table.read_text().splitlines()[1:]]
    assert rows.count("GTV") == rows.count("Spinal cord") == 800
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert told.index("TG-43 2D") < told.index("Monte Carlo (model-based, research)")


def test_the_corrected_dose_and_needles_in_place(
    patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Water times a ratio; a needle through the target takes some of its dose."""
    seeds = json.loads((patient / "seeds.json").read_text())["seeds"]
    x, y, z = seeds[0]["position_mm"]
    needles = tmp_path / "needles.json"
    needles.write_text(
        json.dumps({"needles": [{"tip_mm": [x + 3, y, z], "entry_mm": [x + 3, y + 80, z]}]})
    )
    quick = ("--engine", "mc", "--uncertainty-percent", "8", "--json")
    d90 = []
    for more in ((), ("--corrected",), ("--needles", str(needles))):
        assert main([*base(patient, tmp_path), *quick, *more]) == 0
        found = json.loads(capsys.readouterr().out)
        assert "rtdose" not in found
        d90.append(found["model_based"]["structures"]["GTV"]["medium"]["D90_gy"])
        if more:
            said = found["model_based"]["method"] + " ".join(found["model_based"]["remarks"])
            assert ("TG-43 x Monte Carlo ratio" if "--corrected" in more else "1 needle") in said
    plain, corrected, needled = d90
    # In water both are TG-43's dose; here voxels near the seeds and noise tell them apart.
    assert corrected / plain == pytest.approx(1.0, abs=0.04)
    assert needled < plain


def test_what_cannot_be_transported_is_refused(
    patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*more: object, keep: bool = True) -> str:
        capsys.readouterr()
        arguments = [*base(patient, tmp_path), "--engine", "mc"] if keep else []
        assert main([str(a) for a in (*arguments, *more)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        return said.err

    seeds = tmp_path / "off.json"
    common = ("dose", "--source", "6711", "--strength-u", "1", "--strength-at", "implant",
              "--engine", "mc", "--out", tmp_path, "--seeds")  # fmt: skip
    assert "needs the CT" in refused(*common, patient / "seeds.json", keep=False)
    seeds.write_text('[{"position_mm": [0, 0, 9999], "axis": [0, 0, 1]}]')
    assert "outside the CT" in refused(*common, seeds, "--ct", patient / "ct", keep=False)
    first = pydicom.dcmread(next((patient / "ct").glob("*.dcm")))
    corner = [float(v) for v in first.ImagePositionPatient]
    corner = [corner[0] + 30, corner[1] + 30, corner[2]]
    seeds.write_text(json.dumps([{"position_mm": corner, "axis": [0, 0, 1]}]))
    assert "lies in air" in refused(*common, seeds, "--ct", patient / "ct", keep=False)
    assert "'butter' is not known" in refused("--tissue", "GTV=butter")
    assert "no structure 'Tumour'" in refused("--tissue", "Tumour=muscle")
    assert "0.1 to 50 %" in refused("--uncertainty-percent", "0")
    assert "above 0 s" in refused("--time-limit-s", "0")
    assert "0.5 to 5 mm" in refused("--mc-grid-mm", "9")
    assert "holds no needles" in refused("--needles", patient / "seeds.json")
    assert "engine tg43 alone" in refused("--rate-at-h", "1")
    strict = tmp_path / "strict.toml"
    strict.write_text('[sources]\ncommissioned = ["IAI-125A"]\n')
    iai = ["IAI-125A" if a == "6711" else a for a in (*base(patient, tmp_path), "--engine", "mc")]
    assert "misses its TG-43 data: g_L by up to 3" in refused(*iai, "--config", strict, keep=False)
    strict.write_text('[ct]\nuncalibrated = "refuse"\n')
    assert "no calibration curve for" in refused("--config", strict)
    strict.write_text('[ct]\nuncalibrated = "maybe"\n')
    assert "ct.uncalibrated must be" in refused("--config", strict)


def test_it_ends_by_the_clock_and_by_ctrl_c(
    patient: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = ("--engine", "mc", "--uncertainty-percent", "0.1")
    start = time.monotonic()
    assert main([*base(patient, tmp_path), *endless, "--time-limit-s", "1", "--json"]) == 0
    assert time.monotonic() - start < 60
    remarks = json.loads(capsys.readouterr().out)["model_based"]["remarks"]
    assert any("Ended by the time limit" in r for r in remarks)
    out = tmp_path / "interrupted"
    process = subprocess.Popen(
        # A shell that runs the tests in the background has its children ignore Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "-m", "guidance",
         *base(patient, out), *endless, "--time-limit-s", "300"],
        stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip
    assert process.stderr is not None
    assert "photons" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert "interrupted" in process.stderr.read()
    process.stderr.close()
    assert not list(out.glob("RTDOSE*"))
