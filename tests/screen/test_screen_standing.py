"""Every value on the screen says which scan it stands on, and how old that is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QHelpEvent
from PyQt5.QtWidgets import QApplication, QToolTip, QWidget

from guidance.procedure.snapshot import RegistrationView, ScanView, Snapshot, Step
from guidance.screen import RoomWindow, hovering, standing, theme
from guidance.screen.hovering import seed_under
from guidance.screen.language import speak
from tests.screen.room_case import NOW, Recorder, dose, snapshot, volume

LATER = ScanView("2.0", "verification", "after", NOW + timedelta(minutes=20), NOW)


@pytest.fixture(scope="module")
def case() -> Snapshot:
    return snapshot()


@pytest.fixture
def window(qtbot, case) -> RoomWindow:
    made = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    made.show_snapshot(case)
    return made


def told(widget: QWidget, at: QPoint | None = None) -> str:
    """What is said where the pointer rests on a widget; Qt takes its time to hide a hint."""
    at = widget.rect().center() if at is None else at
    with patch.object(hovering, "QToolTip") as hint:
        there = widget.mapToGlobal(at)
        QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, at, there))
    return hint.showText.call_args.args[1] if hint.showText.called else ""


def test_the_hint_is_one_of_the_window(window):
    at = window.dvh.rect().center()
    there = window.dvh.mapToGlobal(at)
    QApplication.sendEvent(window.dvh, QHelpEvent(QEvent.Type.ToolTip, at, there))
    assert QToolTip.isVisible()
    assert "implant: 12 seeds after event 41" in QToolTip.text()


def test_a_group_of_values_says_scan_and_age_in_few_letters(window):
    for said in (window.needles.text, window.dvh.text, window.figures.text):
        assert "27, 3 min" in said, said
    # Three of the seeds have dropped since that scan.
    for said in (window.dvh.text, window.figures.text):
        assert "27, 3 min + 3 counted" in said


def test_what_is_said_grows_older_without_a_new_snapshot(window):
    window._clock = lambda: NOW + timedelta(minutes=40)
    window._grow_older()
    for said in (window.needles.text, window.dvh.text, window.figures.text):
        assert "27, 43 min" in said, said


@pytest.mark.parametrize(
    ("hours", "age"), [(0.02, "72 s"), (1, "60 min"), (5, "5 h"), (24 * 13, "13 days")]
)
def test_an_age_is_as_long_as_it_need_be(qapp, case, hours, age):
    assert standing.brief_scan(case.scan, case.scan.acquired_at + timedelta(hours=hours)).endswith(
        f", {age}"
    )


def test_an_old_scan_says_its_day(qapp, case):
    old = replace(case.scan, acquired_at=NOW - timedelta(days=13))
    assert standing.brief_scan(old, NOW) == "2026-02-20, 13 days"


def test_the_dose_says_which_seeds_were_seen_where_and_which_were_counted(window, case):
    for part in (window.figures, window.dvh):
        said = told(part)
        assert "implant: 12 seeds after event 41; 9 as seen: needles CT taken" in said
        assert "3 as counted" in said
        assert "plan: 18 seeds after event 20, as planned; registered on needles CT" in said
        assert "residual 0.8 mm on bone" in said


def test_a_dose_stands_on_its_own_scan_and_not_on_the_one_shown(window, case):
    window.show_snapshot(replace(case, scan=LATER, scans=(case.scan, LATER)))
    assert "27, 3 min" in window.dvh.text, "nothing has been seen in the later scan yet"
    newer = replace(case.dose, seen_in=(("1.9", 1), ("2.0", 10)))
    window._clock = lambda: NOW + timedelta(minutes=25)
    window.show_snapshot(replace(case, scan=LATER, scans=(case.scan, LATER), dose=newer))
    assert "50, 5 min" in window.dvh.text
    assert "1 as seen: needles CT" in told(window.dvh)
    assert "10 as seen: verification CT" in told(window.dvh)


def test_a_stale_dose_is_marked_where_its_figures_and_its_curves_are(window, case):
    for part in (window.figures, window.dvh):
        assert "STALE" not in part.text
    window.show_snapshot(replace(case, dose_is_stale=True))
    for part in (window.figures, window.dvh):
        assert "STALE" in part.text
        assert theme.WARN in part.text
        assert "A seed has changed since" in told(part)


def test_the_dose_of_the_plan_alone_does_not_pass_for_the_implant(window, case):
    window.show_snapshot(replace(case, dose=None))
    assert "dashed: TG-43 plan" in window.dvh.text
    assert "implant" not in window.dvh.text
    window.show_snapshot(replace(case, dose=None, planned_dose=None))
    assert window.dvh.text == ""
    assert told(window.dvh) == ""


def test_no_scan_yet_means_the_dose_is_of_counted_seeds(window, case):
    counted = replace(dose(2), seen_in=())
    window.show_snapshot(replace(case, dose=counted))
    assert "2 counted, in no scan yet" in window.dvh.text
    assert "2 seeds after event 41; 2 as counted" in told(window.dvh)
    window.show_snapshot(replace(case, dose=replace(dose(0), seen_in=())))
    assert "no seed yet" in window.dvh.text


def test_the_row_of_a_needle_names_its_scan_and_every_seed_through_it(window, case):
    viewport = window.table.viewport()
    row = window.table.visualItemRect(window.table.item(0, 1)).center()
    said = told(viewport, row)
    assert "needle 1: needles CT taken" in said
    assert "seed 1 (needle 1); seen: needles CT taken" in said
    assert "0.8 mm from where it was counted" in said
    assert "seed 3 (needle 1); counted, NOT SEEN: needles CT taken" in said
    row = window.table.visualItemRect(window.table.item(3, 1)).center()
    assert "seed 10 (needle 4); counted, in no scan yet" in told(viewport, row)
    below = QPoint(row.x(), viewport.height() - 1)
    assert told(viewport, below) == ""


def test_a_needle_of_an_earlier_scan_says_so_in_its_row(window, case):
    state = window.table.columnCount() - 1
    assert window.table.item(3, state).text() == "seen"
    window.show_snapshot(replace(case, scan=LATER, scans=(case.scan, LATER)))
    assert window.table.item(3, state).text() == "earlier"
    assert "EARLIER" in window.needles.text


def test_a_seed_in_a_picture_tells_its_scan(window, case):
    view, plane = window.scene.along, window.scene.along.shown.plane
    window.scene.choose_needle(1)
    plane = view.shown.plane
    seed = case.seeds[0]
    at = view.pixel_of(seed.position_mm).toPoint()
    assert "seed 1 (needle 1); seen: needles CT taken" in told(view, at)
    assert told(view, QPoint(2, view.height() - 2)) == ""
    flat = plane.project(seed.position_mm)[:2]
    assert seed_under(case, plane, tuple(flat)) is seed
    # Along its axis one is still on it, so far beside it not.
    axis = plane.axes[:2] @ seed.axis
    assert seed_under(case, plane, tuple(flat + 2.5 * axis)) is seed
    beside = (-axis[1], axis[0])
    off = (flat[0] + 3 * beside[0], flat[1] + 3 * beside[1])
    assert seed_under(case, plane, off) is not seed


def test_the_count_of_seeds_tells_each_scan(window, case):
    said = told(window.implant.seeds)
    assert "8 seen, 1 not seen: needles CT taken" in said
    assert "2 counted, in no scan yet" in said


def test_the_plan_tells_what_it_was_registered_on_and_how_well(window, case):
    said = told(window.top_bar.plan)
    assert "registered on needles CT taken" in said
    assert "residual 0.8 mm on bone; accepted by Dr Example" in said
    moved = replace(case.registration, residual_is_current=False, accepted_by="", room_uid="9.9")
    window.show_snapshot(replace(case, registration=moved))
    said = told(window.top_bar.plan)
    assert "a scan that is not in this case" in said
    assert "residual is being measured; not accepted yet" in said


def test_the_residual_beside_the_blend_names_its_scan(window, case):
    found = RegistrationView(case.registration.plan_to_room, 0.8, room_uid="1.9")
    waiting = replace(case, step=Step.REGISTER, registration=found, planning_volume=volume("HFP"))
    window.show_snapshot(waiting)
    (line,) = (c for c in window.scene.axial.captions if "residual" in c)
    assert line.startswith("residual 0.8 mm on bone · ")
    assert line.endswith("27, 3 min")


def test_a_measurement_names_the_scan_it_was_taken_in(qtbot, window, case):
    view = window.scene.axial
    window.scene.measure()
    for place in (QPoint(100, 100), QPoint(160, 100)):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)

    def line() -> str:
        return next(c for c in view.captions if c.startswith("measured"))

    assert line().endswith("27, 3 min")
    window._clock = window.scene.clock = lambda: NOW + timedelta(minutes=25)
    window._grow_older()
    assert line().endswith("27, 28 min")
    window.show_snapshot(replace(case, scan=LATER, scans=(case.scan, LATER)))
    assert "EARLIER" in line()
    # What is pressed in the later scan begins anew.
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(120, 120))
    assert window.scene.ruler.distance_mm is None


def test_it_is_said_in_chinese(qtbot, case):
    speak("zh")
    window = RoomWindow(Recorder(), clock=lambda: NOW)
    qtbot.addWidget(window)
    window.show_snapshot(case)
    assert "27，3 分钟" in window.dvh.text
    assert "9 粒按所见" in told(window.dvh)
