"""The window: what it shows of a snapshot, and what it asks of the core."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QApplication, QLabel

from guidance.ledger import LedgerView
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow
from guidance.screen.buttons import SURE_WITHIN_MS
from guidance.screen.language import speak
from tests.screen.room_case import NOW, Recorder, dose, snapshot


@pytest.fixture(scope="module")
def case() -> Snapshot:
    return snapshot()


def all_words(window: RoomWindow) -> str:
    return " ".join(label.text() for label in window.findChildren(QLabel))


def press(qtbot, window: RoomWindow, key: Qt.Key) -> None:
    qtbot.keyClick(window, key)


@pytest.mark.parametrize(
    ("position", "expected"), [("HFS", ("R", "L", "A", "P")), ("HFP", ("L", "R", "P", "A"))]
)
def test_orientation_letters(window, position, expected):
    window.show_snapshot(snapshot(position))
    assert window.scene.axial.edge_letters == expected


def test_what_matters_is_on_the_screen(window, case):
    window.show_snapshot(case)
    words = all_words(window)
    for wanted in (
        "Example Case", "P-0042", "L3 left", "3 min ago", "applicator up",
        "Research software, not a medical device", "3.7 mm", "11 / 18", "ARMED: 2 of 3",
        "15 received = 11 implanted", "14.2 mm", "drop 2 more", "1 of 11 counted",
    ):  # fmt: skip
        assert wanted in words, wanted


def test_every_dose_names_what_it_is_made_of_and_says_when_it_is_stale(window, case):
    window.show_snapshot(case)
    assert "12 seeds after event 41" in window.figures.text
    assert "TG-43 2D line source, 6711" in window.figures.text
    assert "STALE" not in window.figures.text
    window.show_snapshot(replace(case, dose_is_stale=True))
    assert "STALE" in window.figures.text


def test_figures_of_a_needle_name_their_scan_and_its_age(qtbot, window, case):
    window.show_snapshot(case)
    said_ = window.card._seen_in.text()
    assert "needles CT taken" in said_
    assert "3 min ago" in said_
    window._clock = lambda: NOW + timedelta(minutes=40)
    window._grow_older()
    assert "43 min ago" in window.card._seen_in.text()
    later = replace(case.scan, series_instance_uid="2.0", purpose="verification")
    window.show_snapshot(replace(case, scan=later, scans=(case.scan, later)))
    assert "EARLIER SCAN: needles CT taken" in window.card._seen_in.text()
    window.show_snapshot(replace(case, scans=()))
    assert "not in this case" in window.card._seen_in.text()
    window.scene.choose_needle(6)
    assert window.card._seen_in.isHidden(), "no scan shows it"


def test_the_count_of_seen_seeds_names_the_scan_they_were_looked_for_in(window, case):
    later = replace(case.scan, series_instance_uid="2.0", purpose="verification")
    # The newest scan has not been searched yet: it is not the one that the count is of.
    window.show_snapshot(replace(case, scans=(case.scan, later)))
    assert "9 seen: needles CT taken" in window.implant._seen.text()


def test_permit_takes_two_presses(qtbot, window, acts, case):
    window.show_snapshot(case)
    button = window.act_bar.permit_button
    button.click()
    assert acts.acts == []
    assert button.ready
    assert "SURE" in button.text()
    button.click()
    assert acts.acts == [("permit", 4, 1, "Dr Example")]
    assert not button.ready


def test_a_stroke_of_unknown_outcome_is_resolved_by_two_presses(window, acts, case):
    window.show_snapshot(case)
    bar = window.act_bar
    assert bar.left_button.isHidden()
    assert bar.stayed_button.isHidden()
    window.show_snapshot(replace(case, unknown_strokes=((17, 3),)))
    assert not bar.left_button.isHidden()
    assert "record 17, needle 3" in bar.left_button.text()
    bar.stayed_button.click()
    assert acts.acts == []
    bar.stayed_button.click()
    assert acts.acts == [("resolve", 17, False, "Dr Example")]


def test_a_readied_permit_stands_down_by_itself(qtbot, window, acts, case, monkeypatch):
    window.show_snapshot(case)
    button = window.act_bar.permit_button
    assert SURE_WITHIN_MS == 3000
    button._timer.setInterval(20)
    button.click()
    qtbot.waitUntil(lambda: not button.ready, timeout=1000)
    button.click()
    assert acts.acts == []


def test_a_readied_permit_stands_down_when_the_needle_changes(window, acts, case):
    window.show_snapshot(case)
    window.act_bar.permit_button.click()
    other = replace(case.applicator, needle=3)
    window.show_snapshot(replace(case, applicator=other))
    assert not window.act_bar.permit_button.ready


def test_a_snapshot_that_changes_nothing_leaves_the_permit_ready(window, case):
    window.show_snapshot(case)
    window.act_bar.permit_button.click()
    window.show_snapshot(replace(case, event_number=43))
    assert window.act_bar.permit_button.ready


def test_ending_the_permit_takes_one_press_at_every_step(qtbot, window, acts, case):
    for step in Step:
        window.show_snapshot(replace(case, step=step))
        press(qtbot, window, Qt.Key.Key_Escape)
    assert acts.acts == [("disarm", "Dr Example")] * len(Step)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step.CASE, "open_case"),
        (Step.REGISTER, "accept_registration"),
        (Step.NEEDLES, "confirm_needles"),
        (Step.VERIFY, "verify_implant"),
    ],
)
def test_one_key_does_the_act_of_the_step(qtbot, window, acts, case, step, expected):
    window.show_snapshot(replace(case, step=step))
    press(qtbot, window, Qt.Key.Key_F2)
    assert [act[0] for act in acts.acts] == [expected]
    if step is Step.VERIFY:
        assert acts.acts[0][1] is case.dose


def test_closing_takes_two_presses_and_the_sentence(qtbot, window, acts, case):
    short = LedgerView(received=15, implanted=14, unresolved=1)
    window.show_snapshot(replace(case, step=Step.CLOSE, ledger=short))
    assert not window.act_bar.sentence.isHidden()
    window.act_bar.sentence.setText("One seed stayed in the needle.")
    press(qtbot, window, Qt.Key.Key_F2)
    assert acts.acts == []
    press(qtbot, window, Qt.Key.Key_F2)
    assert acts.acts == [("close_case", "Dr Example", "One seed stayed in the needle.")]


def test_cartridges_are_checked_in_and_closed(window, acts, case):
    window.show_snapshot(case)
    form = window.cartridges
    form.serial.setText("B2")
    form.seeds.setValue(10)
    form.strength.setText("0.6 U")
    form.check_in()
    form.seeds.setValue(4)
    form.close_cartridge()
    assert acts.acts[0] == ("receive_cartridge", "B2", "6711", 0.6, 10, "Dr Example", "", None)
    assert acts.acts[1][:3] == ("close_cartridge", "B2", 4)
    assert acts.acts[1][3].value == "returned"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lot_and_assay_are_asked_for_at_the_check_in(qtbot, acts, case, language):
    speak(language)
    window = RoomWindow(acts, "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(window)
    window.show_snapshot(case)
    form = window.cartridges
    asked = {label.text() for label in form.findChildren(QLabel)}
    assert asked >= ({"lot", "assay"} if language == "en" else {"批号", "测定值"})
    form.serial.setText("B2")
    form.seeds.setValue(10)
    qtbot.keyClicks(form.lot, "L7")
    qtbot.keyClicks(form.strength, "0.6 U")
    qtbot.keyClicks(form.assay, "0.585U")
    form.check_in_button.click()
    assert acts.acts == [("receive_cartridge", "B2", "6711", 0.6, 10, "Dr Example", "L7", 0.585)]
    form.clear()
    assert (form.lot.text(), form.strength.text(), form.assay.text()) == ("", "", "")


@pytest.mark.parametrize(
    ("language", "typed", "why"),
    [
        ("en", "0.6", "0.6 has no unit; write U, mCi or MBq"),
        ("zh", "0.6", "0.6 没有单位"),
        ("en", "", "cannot be read"),
        ("en", "0.6 Gy", "unit Gy is not known"),
        ("en", "60 U", "no strength of a seed"),
    ],
)
def test_a_strength_without_its_unit_checks_nothing_in(qtbot, acts, case, language, typed, why):
    speak(language)
    window = RoomWindow(acts, "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(window)
    window.show_snapshot(case)
    form = window.cartridges
    assert form.strength.text() == "", "nothing is offered that nobody has read"
    form.serial.setText("B2")
    form.seeds.setValue(10)
    form.strength.setText(typed)
    form.check_in()
    qtbot.waitUntil(lambda: why in html.unescape(window.status.text()))
    form.strength.setText("0.6 U")
    form.assay.setText("0.59")
    form.check_in()
    assert acts.acts == [], "nor an assay without one"


def test_a_strength_in_mci_is_said_in_u_when_it_is_done(qtbot, window, acts, case):
    window.show_snapshot(case)
    form = window.cartridges
    form.serial.setText("B2")
    form.seeds.setValue(10)
    form.strength.setText("0.47 mCi")
    form.check_in()
    assert acts.acts[0][3] == pytest.approx(0.47 * 1.270)
    qtbot.waitUntil(lambda: "10 seeds of 0.597 U" in window.status.text())
    # With the time, so that it does not pass for news later.
    assert f"{NOW.astimezone():%H:%M:%S}" in window.status.text()


def test_spacing_and_next_retraction_are_a_field_of_their_own(window, case):
    window.show_snapshot(case)
    assert "next seed at 10 mm · spacing 10 mm" in all_words(window)
    window.show_snapshot(replace(case, stops_left_mm=(20.0,)))
    assert "last seed at 20 mm" in all_words(window)
    window.show_snapshot(replace(case, stops_left_mm=(-0.001, 10.0)))
    assert "next seed at 0 mm" in all_words(window)
    window.show_snapshot(replace(case, stops_left_mm=()))
    assert "seed at" not in all_words(window)
    window.show_snapshot(case)
    window.scene.choose_needle(3)
    assert "seed at" not in all_words(window), "these are the stops of needle 4"


def test_a_refusal_is_a_sentence_on_the_screen_and_nothing_that_blocks(qtbot, case):
    window = RoomWindow(Recorder("the needles are not confirmed yet"), clock=lambda: NOW)
    qtbot.addWidget(window)
    window.show_snapshot(replace(case, step=Step.NEEDLES))
    press(qtbot, window, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: "the needles are not confirmed yet" in window.status.text())
    assert QApplication.activeModalWidget() is None


def test_the_foremost_alarm_is_shown_and_acknowledged(qtbot, window, acts, case):
    window.show_snapshot(case)
    assert "HIGH" in window.alarm_line.text
    press(qtbot, window, Qt.Key.Key_F8)
    assert acts.acts == [("acknowledge", "seeds:missing", "Dr Example")]
    seen = replace(case.alarms[0], acknowledged_by="Dr Example")
    window.show_snapshot(replace(case, alarms=(seen, case.alarms[1])))
    assert "MEDIUM" in window.alarm_line.text


def test_another_case_clears_everything(window, case):
    window.show_snapshot(case)
    window.act_bar.sentence.setText("of the first case")
    window.cartridges.serial.setText("A17")
    window.act_bar.permit_button.click()
    window.show_snapshot(Snapshot(1, NOW, "case-2"))
    assert window.scene.axial.edge_letters == ("", "", "", "")
    assert all(not view.shapes for view in (window.scene.along, window.scene.across))
    assert window.scene.needle is None
    assert window.table.rowCount() == 0
    assert window.act_bar.sentence.text() == window.cartridges.serial.text() == ""
    assert not window.act_bar.permit_button.ready
    words = all_words(window)
    for left in ("Example", "P-0042", "L3", "133 Gy", "Needle 4", "11 / 18", "case-1"):
        assert left not in words, left


def test_keys_and_wheel_change_the_picture(qtbot, window, case):
    window.show_snapshot(case)
    view = window.scene.axial
    before = view.captions
    press(qtbot, window, Qt.Key.Key_2)
    assert "W 400  L 40" in view.captions[1]
    assert before[0].startswith("slice 18/30")
    press(qtbot, window, Qt.Key.Key_PageUp)
    assert view.captions[0].startswith("slice 19/30")
    middle = QPoint(50, 50)
    view.wheelEvent(
        QWheelEvent(
            QPointF(middle), QPointF(middle), QPoint(0, -120), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )
    )  # fmt: skip
    assert view.captions[0].startswith("slice 18/30")


def test_keys_reach_the_window_until_a_field_is_clicked(qtbot, window, case):
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    window.show_snapshot(case)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_3)
    assert "lung" in window.scene.axial.captions[1]
    assert window.act_bar.operator.text() == "Dr Example"
    window.act_bar.operator.setFocus()
    qtbot.keyClick(window.act_bar.operator, Qt.Key.Key_1)
    assert window.act_bar.operator.text() == "Dr Example1"
    qtbot.keyClick(window.act_bar.operator, Qt.Key.Key_Return)
    assert window.focusWidget() is window.centralWidget()


def test_a_click_in_the_table_shows_that_needle_until_another_is_attached(window, case):
    window.show_snapshot(case)
    assert window.scene.needle.number == 4
    window.table.cellClicked.emit(1, 0)
    assert window.scene.needle.number == 2
    assert "Needle 2 of 6" in all_words(window)
    window.show_snapshot(replace(case, applicator=replace(case.applicator, needle=5)))
    assert window.scene.needle.number == 5


def test_pictures_after_the_needles_are_out_say_so(window, case):
    window.show_snapshot(case)
    assert window.scene.along.captions == ("needle 4, as seen",)
    later = replace(case.scan, series_instance_uid="2.0", purpose="verification")
    window.show_snapshot(replace(case, scan=later))
    assert window.scene.along.captions == ("needle 4, earlier scan",)


def test_a_strange_name_is_shown_as_it_is(window, case):
    window.show_snapshot(replace(case, patient_name="<b>Odd</b>^Name", next_action="a < b"))
    assert "&lt;b&gt;Odd" in all_words(window)


def test_new_dose_is_drawn_anew(window, case):
    window.show_snapshot(case)
    before = window.scene.axial.shapes
    window.show_snapshot(replace(case, dose=dose(scale=1.3)))
    assert before
    assert window.scene.axial.shapes is not before


def test_a_silent_applicator_is_said(window, case):
    old = replace(case.applicator, as_of=NOW - timedelta(seconds=9))
    window.show_snapshot(replace(case, applicator=old))
    assert "NO ANSWER FOR 9 s" in all_words(window)
    older = replace(case.applicator, as_of=NOW - timedelta(hours=3))
    window.show_snapshot(replace(case, applicator=older))
    assert "NO ANSWER FOR 3 h" in all_words(window)


def test_the_account_names_the_places_that_hold_seeds(window, case):
    window.show_snapshot(case)
    assert "15 received = 11 implanted + 4 in cartridges" in all_words(window)
    assert "returned" not in all_words(window)
    held = LedgerView(received=12, implanted=9, returned=2, unresolved=1, directive=9)
    window.show_snapshot(replace(case, ledger=held))
    assert "12 received = 9 implanted + 2 returned + 1 unresolved" in all_words(window)
    window.show_snapshot(replace(case, ledger=LedgerView()))
    assert "0 received = 0" in all_words(window)
