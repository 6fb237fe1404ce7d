"""The report says what the snapshot says, whatever of it there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.advice import MODELLED, TG43, Advice, Figures, ModelledUse
from guidance.alarms import Alarm, Priority
from guidance.imaging import Volume
from guidance.ledger import LedgerView
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.events import DoseReported
from guidance.procedure.snapshot import (
    Addition,
    Check,
    DoseView,
    DvhView,
    Edit,
    ModelledFigures,
    ModelledView,
    Signature,
    Snapshot,
    Step,
)
from guidance.report import Curve, curves_png, write_report
from guidance.report.figures import dvh_png
from guidance.tracking.implant import ImplantSeed, NeedleTrack

AT = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)


def full() -> Snapshot:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rings = tuple(
        np.column_stack((12 * np.cos(angle), 12 * np.sin(angle), np.full(40, z)))
        for z in np.arange(-8.0, 9.0, 2.0)
    )
    target = Structure("GTV <b>", rings, "GTV", "F", (255, 0, 0))
    geometry = GridGeometry.from_axes((-40, -40, -20), (1, 1, 2), (21, 81, 81))
    hu = np.full(geometry.shape, 40, np.int16)
    needle = PlannedNeedle(1, (0.0, 0.0, 0.0), (0.0, 80.0, 0.0))
    seats = tuple(
        PlannedSeed(k + 1, 1, (0.0, 10.0 * k - 2.25, 0.0), (0.0, -1.0, 0.0), 10.0 * k)
        for k in range(2)
    )
    plan = ImplantPlan(
        "P & Q", "", "P1", "F", "", "6711", 0.889, AT, 110.0, "GTV <b>", (needle,), seats
    )
    x = np.linalg.norm(np.mgrid[-20:21:2, -40:41, -40:41].astype(float), axis=0)
    dose = DoseView(
        geometry,
        (1e4 / (x + 3) ** 2).astype(np.float32),
        110.0,
        (
            DvhView(
                "GTV <b>", 9.05, np.linspace(0, 400, 50), np.linspace(100, 0, 50),
                {"D90_gy": 123.4, "V100_percent": 94.2, "V150_percent": 51.7, "Dmax_gy": 900.0,
                 "D0.1cc_gy": 700.0},
            ),
        ),
        12, 2, "TG-43 2D line source, 6711, water in water",
    )  # fmt: skip
    seen = ImplantSeed(1, 1, 1, seats[0].position_mm, seats[0].axis, (0.5, -2.0, 0.0), None, 0.9,
                       "scan", "J:1")  # fmt: skip
    missing = ImplantSeed(2, 1, 2, seats[1].position_mm, seats[1].axis, scan_uid="scan",
                          event_key="J:2")  # fmt: skip
    track = NeedleTrack(1, needle, (1.0, 1.0, 0.0), (1.0, 80.0, 0.0), 0.9, "scan", 1.4, 1.0, -1.0,
                        0.7, 0.9)  # fmt: skip
    return Snapshot(
        12, AT, "case-7", "P1", "王^小明 <x>", Step.CLOSE, "", plan, (target,),
        Volume(geometry, hu), needles=(track,), seeds=(seen, missing),
        ledger=LedgerView(received=5, implanted=2, seen=1, directive=2, returned=3, misfires=1),
        dose=dose, planned_dose=dose, closed=True,
        alarms=(Alarm("k", Priority.HIGH, "1 of 2 seeds is not seen.", AT, True, "Dr Li"),),
    )  # fmt: skip


def text_of(path: Path) -> str:
    pages = [page.extract_text() for page in PdfReader(path).pages]
    assert all("Research software, not a medical device" in page for page in pages)
    assert all(f"page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1))
    return " ".join(" ".join(pages).split())


def test_every_figure_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, full(), journal_digest="abc123")
    text = text_of(path)
    for words in (
        *("case-7", "P1", "王", "小明", "<x>", "P & Q", "GTV <b>"),
        *("0.889 U", "0.700 mCi", "1.270 U/mCi", "110 Gy"),
        *("123.4", "94.2", "51.7", "900.0"),
        *("1.4 mm", "-1.0 mm", "2 of 2"),
        *("2 seeds planned, 2 counted, 1 seen", "Not seen on the scan: 2"),
        *("Every seed has a known place", "1 of 2 seeds is not seen", "Dr Li"),
        *("abc123", "Physicist", "Radiologist"),
    ):
        assert words in text, words


def with_supplements() -> Snapshot:
    """Three seeds asked for in the room: one dropped, one not, one taken back."""
    case, later = full(), AT + timedelta(minutes=41, seconds=7)
    waiting, dropped = (
        PlannedSeed(n, 1, (0.0, 20.0 * n, 0.0), (0.0, -1.0, 0.0), 20.0 * n) for n in (3, 4)
    )
    seed = ImplantSeed(3, 1, 4, (0.0, 80.0, 0.0), None, (0.4, 80.0, 0.0), None, 0.9, "scan", "J:3")
    return replace(
        case,
        supplements=(waiting, dropped),
        seeds=(*case.seeds, seed),
        additions=(
            Addition(31, AT, "Dr Wu", 3, 1, 35.0, "TG-43", "Dr Li", later),
            Addition(33, later, "Dr Li", 3, 1, 60.0, "TG-43"),
            Addition(34, later, "王^医生", 4, 1, 80.0, "model-based"),
        ),
    )


def test_seeds_planned_in_the_room_are_named_with_what_became_of_them(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, with_supplements())
    text = text_of(path)
    for words in (
        "Supplementary seeds: planned in the room, beyond the plan",
        "P & Q: 2 seeds in 1 needles, and 2 beyond it, planned in the room",
        "3 1 35.0 mm 2026-01-13 09:00:00 UTC, event 31, advice by TG-43 Dr Wu "
        "taken back by Dr Li, 09:41:07",
        "3 1 60.0 mm 2026-01-13 09:41:07 UTC, event 33, advice by TG-43 Dr Li NOT DROPPED",
        "4 1 80.0 mm 2026-01-13 09:41:07 UTC, event 34, advice by model-based",
        "dropped as seed 3, seen",
        "3 of 2 + 2",
    ):
        assert words in text, words
    write_report(path, full())
    assert "Supplementary" not in text_of(path)


def test_what_people_answered_corrected_and_signed_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    case = replace(
        full(),
        checklist=(
            Check("Consent signed", "Nurse Wu", good=True, at=AT),
            Check("Coagulation known", "Nurse Wu", note="INR 1.9", at=AT),
            Check("Survey meter there"),
        ),
        edits=(Edit(9, AT, "Dr Li", "moved", "needle 1", "a rib beside the tip", "scan"),),
        signatures=(Signature("radiologist", "Dr Li", AT),),
        roles_wanted=("physicist",),
    )
    write_report(path, case)
    text = text_of(path)
    for words in (
        "Consent signed in order Nurse Wu - 09:00:00",
        "Coagulation known NOT IN ORDER Nurse Wu INR 1.9 09:00:00",
        "Survey meter there OPEN - - -",
        "needle 1 moved Dr Li a rib beside the tip 09:00:00",
        "radiologist Dr Li 2026-01-13 09:00:00",
        "physicist NOBODY YET",
    ):
        assert words in text, words
    write_report(path, full())
    for title in ("Time-out", "Corrections by hand", "Signed in the room"):
        assert title not in text_of(path)


def modelled(snapshot: Snapshot) -> ModelledView:
    assert snapshot.dose is not None
    dose = snapshot.dose
    figures = {"D90_gy": 111.1, "V100_percent": 88.8, "V150_percent": 44.4, "Dmax_gy": 901.0}
    return ModelledView(
        dose.geometry, dose.dose_gy, dose.dose_gy, dose.dose_gy,
        np.full_like(dose.dose_gy, 0.02),
        (
            ModelledFigures(
                "GTV <b>", figures, {**figures, "D90_gy": 122.2},
                np.linspace(0, 350, 50), np.linspace(100, 0, 50),
            ),
        ),
        (("target", 0.0187),), "GTV <b>", "", 12, "scan", 2, 1_600_000, True,
        "Monte Carlo (model-based, research), 6711, dose to medium in medium",
        ("0.31 cc of metal.",),
    )  # fmt: skip


def test_both_methods_stand_side_by_side_under_their_names(tmp_path: Path) -> None:
    path, case = tmp_path / "report.pdf", full()
    write_report(path, case)
    assert "Monte Carlo" not in text_of(path)
    case = replace(case, modelled=modelled(case))
    write_report(path, case)
    text = text_of(path)
    for words in (
        *(
            "Model-based dose (Monte Carlo, research)",
            "Dose by TG-43: the dose that leads",
            "Monte Carlo (model-based, research), 6711",
        ),
        *("TG-43 (water)", "Monte Carlo to medium", "Monte Carlo to water"),
        *("D90 / Gy 123.4 111.1 122.2 0.90", "1.9 % in the target", "1,600,000 histories"),
        *("not validated against measurements in bone", "0.31 cc of metal"),
    ):
        assert words in text, words
    assert "has changed since the model-based" not in text
    write_report(path, replace(case, modelled_is_stale=True))
    assert "The implant has changed since the model-based dose" in text_of(path)
    write_report(path, replace(case, modelled=None, modelled_refused="No curve."))
    assert "There is no model-based dose. No curve." in text_of(path)


def test_the_dose_that_leads_stands_first_and_is_named(tmp_path: Path) -> None:
    path, case = tmp_path / "report.pdf", full()
    case = replace(
        case, modelled=modelled(case), engine=MODELLED, engine_chosen_by="Dr Li",
    )  # fmt: skip
    write_report(path, case)
    text = text_of(path)
    title = "Model-based dose (Monte Carlo, research): the dose that leads"
    assert "Leading dose model-based, research, chosen by Dr Li" in text
    assert text.index(title) < text.index("Dose by TG-43") < text.index("Isodoses on CT, by TG-43")
    assert "Dose by TG-43: the dose" not in text
    assert "Monte Carlo to medium Monte Carlo to water TG-43 (water)" in text
    assert "D90 / Gy 111.1 122.2 123.4 0.90" in text
    assert "1.9 % in the target" in text
    assert "it is not validated against measurements in bone" in text
    assert case.dose is not None
    pictures = {
        dvh_png(case.dose, None, case.modelled, engine) for engine in (TG43, MODELLED)
    }  # fmt: skip
    assert len(pictures) == 2


def test_where_the_dose_that_leads_is_not_there_no_other_is_taken_for_it(tmp_path: Path) -> None:
    path, case = tmp_path / "report.pdf", replace(full(), engine=MODELLED)
    write_report(path, case)
    text = text_of(path)
    assert "There is no model-based dose. It was not computed to its end for this implant" in text
    assert "The figures below are TG-43." in text
    told = "Monte Carlo (model-based, research), mean standard uncertainty 1.9 % in the target"
    recorded = DoseReported(12, told, {"GTV <b>": {"D90_gy": 111.1}}, MODELLED)
    write_report(path, replace(case, modelled_reported=recorded))
    text = text_of(path)
    assert told in text
    assert "those recorded when the implant was verified" in text
    assert "D90 / Gy 111.1 - 123.4 0.90" in text


def test_advice_has_the_name_of_its_dose_beside_its_figures(tmp_path: Path) -> None:
    path, now = tmp_path / "report.pdf", Figures(64.0, 60.6, 20.0, 17.1, 15.2, 11.9)
    used = ModelledUse(
        "Monte Carlo (model-based, research), 6711", 12, "scan", 2, 1_600_000, (("target", 0.0187),)
    )
    advice = Advice(
        12, "stop", "D90 is 64.0 Gy.", 110.0, now, Figures(91.3, 84.9, 40.0), engine=MODELLED,
        modelled=used, remarks=("What must be said.",),
    )  # fmt: skip
    write_report(path, replace(full(), engine=MODELLED, proposal=advice))
    text = text_of(path)
    for words in (
        "Advice, weighed by model-based, research",
        "stop (model-based, research, after event 12): D90 is 64.0 Gy. Never an order.",
        "Figures by model-based, research",
        "the implant as it is 64.0 60.6 20.0 17.1 15.2 11.9",
        "91.3 84.9 40.0 - - -",
        "after event 12, 1,600,000 histories, mean standard uncertainty 1.9 % in the target",
        "What must be said.",
    ):
        assert words in text, words
    old = replace(advice, engine=TG43, modelled=None)
    write_report(path, replace(full(), engine=MODELLED, proposal=old, proposal_is_stale=True))
    text = text_of(path)
    assert "Advice, weighed by TG-43" in text
    assert "Since then model-based, research leads; this advice is not by it." in text


def test_the_model_based_histogram_is_dotted_and_only_of_this_implant() -> None:
    case = full()
    assert case.dose is not None
    view = modelled(case)
    alone, both = dvh_png(case.dose, None), dvh_png(case.dose, None, view)
    assert alone != both
    one = view.figures[0]
    lines = [Curve("GTV", name, one.dose_gy, one.volume_percent) for name in ("TG-43", "MC")]
    assert curves_png(lines) != curves_png(lines[:1])


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, Snapshot(0, AT, "empty"))
    text = text_of(path)
    assert "No dose was computed" in text
    assert "none was registered" in text
    assert "provisional" in text
    bare = replace(full(), volume=None, planned_dose=None, needles=(), alarms=(), closed=False)
    write_report(path, bare)
    assert "No slices: the scan or the target is missing" in text_of(path)


def test_a_report_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"old")
    monkeypatch.setattr("guidance.report.doses.dvh_png", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(path, full())
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.pdf"]


def test_an_unbalanced_ledger_is_loud(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, replace(full(), ledger=LedgerView(received=5, implanted=2, unresolved=1)))
    assert "NOT BALANCED" in text_of(path)
