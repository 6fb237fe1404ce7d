"""RT objects out and in again, and those of other systems."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.errors import ImportRefused, RefusedError
from guidance.exchange import (
    ExportReference,
    read_dose,
    read_plan,
    read_structures,
    write_dose,
    write_plan,
    write_structures,
)
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.tracking.implant import ImplantSeed, NeedleTrack

AT = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
REFERENCE = ExportReference("P1", "王^小明", "1.2.3", "1.2.4", "1.2.5", ("1.2.6", "1.2.7"), AT)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dose=arrays(np.float32, (3, 4, 5), elements=st.floats(0, 5000, width=32)),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    spacing=st.tuples(*[st.floats(0.5, 3.0)] * 3),
)
def test_a_dose_comes_back(
    tmp_path: Path,
    dose: np.ndarray,
    origin: tuple[float, float, float],
    spacing: tuple[float, float, float],
) -> None:
    geometry = GridGeometry.from_axes(origin, spacing, dose.shape, frame_of_reference_uid="1.2.5")
    write_dose(tmp_path / "d.dcm", dose, geometry, REFERENCE, description="TG-43")
    back = read_dose(tmp_path / "d.dcm")
    assert np.abs(back.dose_gy - dose).max() <= 1e-6 * max(float(dose.max()), 1.0)
    ends = [[0, 0, 0], [4, 3, 2]]
    assert back.geometry.indices_to_patient(ends) == pytest.approx(
        geometry.indices_to_patient(ends), abs=1e-3
    )
    assert back.geometry.frame_of_reference_uid == "1.2.5"


def test_a_sheared_dose_is_refused(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 2] = 0.4
    with pytest.raises(RefusedError, match="sheared"):
        write_dose(
            tmp_path / "d.dcm", np.ones((2, 2, 2), np.float32), GridGeometry((2, 2, 2), affine),
            REFERENCE, description="",
        )  # fmt: skip


def square(z: float) -> np.ndarray:
    return np.array([(-5.0, -5, z), (5, -5, z), (5, 5, z), (-5, 5, z)])


def test_structures_and_needles_come_back(tmp_path: Path) -> None:
    drawn = (
        Structure("GTV 大", (square(0), square(2)), "GTV", "1.2.5", (255, 0, 0)),
        Structure("Spinal cord", (square(0) * 2,), "ORGAN", "1.2.5", (0, 200, 255)),
    )
    needle = NeedleTrack(1, None, (0.0, 0.0, 1.0), (0.0, 80.0, 1.0), 0.9)
    write_structures(tmp_path / "s.dcm", drawn, REFERENCE, needles=(needle,))
    back = read_structures(tmp_path / "s.dcm")
    assert [(s.name, s.role, s.color) for s in back.structures[:2]] == [
        (s.name, s.role, s.color) for s in drawn
    ]
    for ours, theirs in zip(drawn, back.structures, strict=False):
        for a, b in zip(ours.contours, theirs.contours, strict=True):
            assert b == pytest.approx(a, abs=1e-3)
    assert pydicom.dcmread(tmp_path / "s.dcm").PatientName == "王^小明"


def an_implant() -> tuple[ImplantPlan, tuple[ImplantSeed, ...]]:
    needles = (PlannedNeedle(1, (0.0, 0.0, 0.0), (0.0, 80.0, 0.0)),)
    places = [(0.0, 10.0 * k - 2.25, 0.0) for k in range(3)]
    seeds = tuple(
        PlannedSeed(k + 1, 1, p, (0.0, -1.0, 0.0), 10.0 * k) for k, p in enumerate(places)
    )
    plan = ImplantPlan(
        "P", "1.9", "P1", "1.2.5", "", "6711", 0.863, AT, 110.0, "GTV", needles, seeds
    )
    implant = tuple(
        ImplantSeed(s.number, 1, s.number, s.position_mm, s.axis, event_key=f"J:{s.number}")
        for s in seeds
    )
    return plan, implant


def test_an_implant_comes_back(tmp_path: Path) -> None:
    plan, implant = an_implant()
    write_plan(tmp_path / "p.dcm", plan, implant, REFERENCE)
    back = read_plan(tmp_path / "p.dcm")
    assert back.source_model == "6711"
    assert back.strength_u == pytest.approx(0.863, abs=1e-6)
    assert back.prescription_gy == pytest.approx(110.0)
    said = sorted(s.position_mm for s in implant)
    assert np.allclose(sorted(s.position_mm for s in back.seeds), said, atol=1e-3)


def test_supplementary_seeds_leave_under_a_name_of_their_own(tmp_path: Path) -> None:
    plan, implant = an_implant()
    beyond = PlannedSeed(4, 1, (0.0, 27.75, 0.0), (0.0, -1.0, 0.0), 30.0)
    dropped = ImplantSeed(4, 1, 4, beyond.position_mm, beyond.axis, event_key="J:4")
    waiting = PlannedSeed(5, 1, (0.0, 37.75, 0.0), (0.0, -1.0, 0.0), 40.0)
    path = write_plan(
        tmp_path / "p.dcm", plan, (*implant, dropped), REFERENCE, supplements=(beyond, waiting)
    )
    data = pydicom.dcmread(path)
    named = {
        setup.ApplicationSetupName: [
            (channel.ChannelNumber, channel.NumberOfControlPoints // 2)
            for channel in setup.ChannelSequence
        ]
        for setup in data.ApplicationSetupSequence
    }
    assert named == {"Planned seeds": [(1, 3)], "Supplementary seeds": [(1, 1)]}
    group = data.FractionGroupSequence[0]
    assert group.NumberOfBrachyApplicationSetups == 2
    assert (
        [
            reference.ReferencedBrachyApplicationSetupNumber
            for reference in group.ReferencedBrachyApplicationSetupSequence
        ]
        == [setup.ApplicationSetupNumber for setup in data.ApplicationSetupSequence]
        == [1, 2]
    )
    back = read_plan(path)
    said = sorted(s.position_mm for s in (*implant, dropped))
    assert np.allclose(sorted(s.position_mm for s in back.seeds), said, atol=1e-3)
    assert len(back.needles) == 1
    # Without any there is one setup, as before.
    alone = pydicom.dcmread(write_plan(tmp_path / "q.dcm", plan, implant, REFERENCE))
    assert len(alone.ApplicationSetupSequence) == 1


def test_what_leaves_has_what_the_standard_asks_for(tmp_path: Path) -> None:
    """Type 1 attributes of PS3.3 C.8.8 that other systems stumble over."""
    plan, implant = an_implant()
    grid = GridGeometry.from_axes((0, 0, 0), 1.0, (2, 2, 2))
    flat = np.ones((2, 2, 2), np.float32)
    paths = [
        write_dose(tmp_path / "d", flat, grid, REFERENCE, description="x"),
        write_structures(
            tmp_path / "s", (Structure("GTV", (square(0),), "GTV", "1.2.5"),), REFERENCE, needles=()
        ),
        write_plan(tmp_path / "p", plan, implant, REFERENCE),
    ]  # fmt: skip
    wanted = (
        "DoseUnits DoseType DoseSummationType DoseGridScaling GridFrameOffsetVector BitsAllocated",
        "StructureSetLabel StructureSetROISequence ROIContourSequence RTROIObservationsSequence",
        "RTPlanLabel RTPlanGeometry BrachyTreatmentTechnique BrachyTreatmentType SourceSequence "
        "ApplicationSetupSequence TreatmentMachineSequence",
    )
    for path, names in zip(paths, wanted, strict=True):
        data = pydicom.dcmread(path)
        common = "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality"
        for name in f"{common} {names}".split():
            assert data.get(name) not in (None, ""), f"{path.name}: {name}"
        assert len(data.SOPInstanceUID) <= 64
        assert data.PatientID == "P1"


def test_the_same_export_is_the_same_object(tmp_path: Path) -> None:
    plan, implant = an_implant()
    uids = {
        pydicom.dcmread(write_plan(tmp_path / n, plan, implant, REFERENCE)).SOPInstanceUID
        for n in "ab"
    }
    assert len(uids) == 1


def test_other_systems_objects_come_in_or_are_refused_with_a_reason(data_dir: Path) -> None:
    """Every RT object at hand; none may end in anything but a value or a sentence."""
    readers = {"RTSTRUCT": read_structures, "RTPLAN": read_plan, "RTDOSE": read_dose}
    outcomes: dict[str, list[str]] = {}
    reasons: list[str] = []
    files = [*(data_dir / "rt").rglob("*"), *data_dir.glob("*/RS.dcm")]
    for path in sorted(p for p in files if p.is_file()):
        try:
            modality = str(pydicom.dcmread(path, stop_before_pixels=True).Modality)
        except Exception:  # noqa: BLE001 - not DICOM: not for this test
            continue
        try:
            readers[modality](path)  # type: ignore[operator]
        except ImportRefused as error:
            reasons.append(str(error))
            outcomes.setdefault(modality, []).append("refused")
        else:
            outcomes.setdefault(modality, []).append("read")
    assert outcomes["RTSTRUCT"].count("read") >= 4
    assert outcomes["RTDOSE"] == ["read", "read"]
    # MIM's plan names no source model, so its seeds cannot be dosed.
    assert outcomes["RTPLAN"] == ["refused"]
    assert all(len(reason) > 30 and "\n" not in reason for reason in reasons)


def test_a_feet_first_dose_lies_as_its_header_says(data_dir: Path) -> None:
    for path in sorted((data_dir / "rt").rglob("*")):
        if not path.is_file():
            continue
        data = pydicom.dcmread(path, force=True)
        if data.get("Modality") != "RTDOSE":
            continue
        found = read_dose(path)
        first = found.geometry.indices_to_patient([[0, 0, 0]])[0]
        last_frame = float(data.GridFrameOffsetVector[-1])
        ends = [np.array(data.ImagePositionPatient, float)]
        normal = np.cross(data.ImageOrientationPatient[:3], data.ImageOrientationPatient[3:])
        ends.append(ends[0] + last_frame * np.array(normal, float))
        assert min(np.linalg.norm(first - e) for e in ends) < 1e-3
        stored = data.pixel_array * float(data.DoseGridScaling)
        assert found.dose_gy.max() == pytest.approx(stored.max(), rel=1e-6)


def test_what_is_no_rt_object(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_text("nothing")
    for reader in (read_structures, read_plan, read_dose):
        with pytest.raises(ImportRefused, match="no DICOM object"):
            reader(path)
    plan, implant = an_implant()
    write_plan(path, plan, implant, REFERENCE)
    with pytest.raises(ImportRefused):
        read_dose(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImportRefused):
        read_plan(path)
