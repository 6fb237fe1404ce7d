"""The registration judged by eye, moved by keys; and what waits for a person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QPushButton

from guidance.advice import Advice
from guidance.planning.plan import PlannedSeed
from guidance.procedure.acts import Check, Question
from guidance.procedure.snapshot import RegistrationView, Step
from guidance.screen import theme, words
from guidance.screen.framing import legend
from guidance.screen.fusion import blended, difference, matched
from guidance.screen.overlays import Capsule
from guidance.screen.reslice import axial
from guidance.tracking.implant import ImplantSeed
from tests.screen.room_case import plan, snapshot, volume


def to_register(**changes):
    shown = snapshot()
    planning = volume("HFS")
    registration = RegistrationView(np.eye(4), 0.8)
    return replace(
        shown, step=Step.REGISTER, registration=registration, planning_volume=planning, **changes
    )


def test_the_planning_ct_lies_where_the_registration_says():
    room = volume("HFP", side=64, slices=12)
    shown = axial(room, 5)
    np.testing.assert_array_equal(matched(room, np.eye(4), shown), shown.hu)
    # A plan that has to be moved by one pixel and one slice to lie on the room.
    step = np.eye(4)
    step[:3, 3] = room.geometry.index_to_patient[:3, 0] + room.geometry.index_to_patient[:3, 2]
    moved = matched(room, step, axial(room, 6))
    # Rows are drawn from the table up, columns from the patient's left: compare as stored.
    stored = room.hu[5]
    drawn = moved if np.array_equal(axial(room, 6).hu, room.hu[6]) else moved[::-1, ::-1]
    np.testing.assert_array_equal(drawn[:, 1:], stored[:, :-1])


def test_where_both_agree_the_blend_is_grey():
    grey = np.arange(256, dtype=np.uint8)[None]
    assert (np.ptp(blended(grey, grey)[..., :3], axis=-1) == 0).all()
    assert (difference(grey, grey)[..., 0] == 128).all()
    plan_alone = blended(np.uint8([[0]]), np.uint8([[200]]))[0, 0]
    assert tuple(plan_alone) == (0, 100, 200, 255)  # B, G, R: orange


def test_a_registration_to_be_accepted_is_shown_as_a_blend_with_its_residual(qtbot, window):
    window.show_snapshot(to_register())
    view = window.scene.axial
    assert "BLEND" in " ".join(view.captions)
    assert "residual 0.8 mm" in " ".join(view.captions)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert "DIFFERENCE" in " ".join(view.captions)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert "residual" not in " ".join(view.captions)
    window.show_snapshot(snapshot())
    assert "BLEND" not in " ".join(view.captions)


def test_the_same_registration_in_another_snapshot_is_shown_as_well(window):
    window.show_snapshot(to_register())
    shapes = window.scene.axial.shapes
    again = replace(window._snapshot, registration=RegistrationView(np.eye(4), 0.8))
    window.show_snapshot(replace(again, event_number=43))
    assert window.scene.axial.shapes is shapes  # nothing that is drawn has changed


def test_keys_move_the_plan_on_the_screen_and_return_asks_for_it(qtbot, window, acts):
    window.show_snapshot(to_register())
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_BracketRight):
        qtbot.keyClick(window, key)
    qtbot.keyClick(window, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert acts.acts == []
    assert "NOT YET APPLIED" in " ".join(window.scene.axial.captions)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    ((name, shift, turn, _, by, reason),) = acts.acts
    assert name == "nudge_registration"
    # Prone, table below: right on the screen is the patient's right (-x), up is posterior (+y).
    assert shift == pytest.approx((-1.0, 0.5, 0.5))
    assert turn == pytest.approx((0.0, 0.0, 0.5))
    assert (by, reason) == ("Dr Example", "by eye, on the blend")
    other = np.eye(4)
    other[0, 3] = -1.0
    window.show_snapshot(to_register(event_number=43))
    assert window.scene.nudge.any()
    moved = replace(to_register(), registration=RegistrationView(other, 0.7))
    window.show_snapshot(moved)
    assert not window.scene.nudge.any()


def test_arrows_choose_needles_where_nothing_is_to_be_registered(qtbot, window, acts):
    window.show_snapshot(snapshot())
    qtbot.keyClick(window, Qt.Key.Key_Right)
    assert window.scene.needle.number == 5
    qtbot.keyClick(window, Qt.Key.Key_Left)
    assert window.scene.needle.number == 4
    assert acts.acts == []


def button(window, text: str) -> QPushButton:
    (found,) = (b for b in window.decisions.findChildren(QPushButton) if b.text() == text)
    return found


def test_questions_and_checks_are_answered_by_name_with_the_reason_typed(qtbot, window, acts):
    question = Question("frame:1.9", "Another frame of reference?", ("set aside", "use it"), 40)
    checks = (Check("Consent signed"), Check("Survey meter there and working", "Dr B", True))
    window.show_snapshot(snapshot(questions=(question,), checklist=checks))
    assert "1" in window.act_bar.decisions_button.text()
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert window.decisions.isVisible()
    assert not window.table.isVisible()
    said = " ".join(label.text() for label in window.decisions.findChildren(QLabel))
    assert "Another frame of reference?" in said
    assert "✓ Survey meter" in said
    window.decisions.reason.setText("same couch, same hour")
    qtbot.mouseClick(button(window, "use it"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(window, "in order"), Qt.MouseButton.LeftButton)
    assert acts.acts == [
        ("answer", "frame:1.9", "use it", "Dr Example", "same couch, same hour"),
        ("check", "Consent signed", True, "Dr Example", ""),
    ]
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert window.table.isVisible()


def test_advice_names_its_event_and_says_when_it_is_out_of_date(window):
    from guidance.advice import Figures

    advice = Advice(41, "adjust", "2 cc of the target are cold.", 120.0, Figures(100, 80, 40))
    window.show_snapshot(snapshot(proposal=advice, proposal_is_stale=True))
    said = " ".join(label.text() for label in window.decisions.findChildren(QLabel))
    assert "ADJUST (TG-43, after event 41 STALE): 2 cc of the target are cold." in said


def test_accepted_seeds_are_shown_as_planned_supplements_and_can_be_taken_back(qtbot, window, acts):
    from guidance.advice import Figures, Supplement

    tip, entry = (np.array(end) for end in (plan().needles[0].tip_mm, plan().needles[0].entry_mm))
    along = (tip - entry) / np.linalg.norm(tip - entry)
    places = tuple(tuple(tip - along * back_mm) for back_mm in (30.0, 36.0))
    seeds = tuple(
        Supplement(k, 1, place, (0.0, 1.0, 0.0), 30.0, Figures(110, 90, 50), k)
        for k, place in enumerate(places, start=1)
    )
    advice = Advice(41, "adjust", "cold", 120.0, Figures(100, 80, 40), seeds=seeds)
    accepted = PlannedSeed(19, 1, places[0], (0.0, 1.0, 0.0), 30.0)
    shown = snapshot(proposal=advice, supplements=(accepted,))
    window.show_snapshot(shown)
    window.toggle_decisions()
    said = " ".join(label.text() for label in window.decisions.findChildren(QLabel))
    assert "supplementary seed 19, planned: needle 1, drawn back 30 mm" in said
    assert said.count("seed through needle 1") == 1, "the accepted one is not offered again"
    qtbot.mouseClick(button(window, "take back"), Qt.MouseButton.LeftButton)
    assert acts.acts == [("withdraw_supplement", 19, "Dr Example")]

    window.scene.choose_needle(1)
    colours = [s.colour for s in window.scene.along.shapes if isinstance(s, Capsule)]
    assert theme.SUPPLEMENT in colours
    assert theme.SUPPLEMENT in [key.colour for key in legend(shown)]
    # Four seeds belong through needle 1 now, and that is what is offered to permit.
    assert words.planned_through(shown, 1) == 4

    dropped = ImplantSeed(13, 1, 19, places[0], (0.0, 1.0, 0.0), event_key="1:99")
    window.show_snapshot(replace(shown, seeds=(*shown.seeds, dropped)))
    assert "✓ supplementary seed 19" in " ".join(
        label.text() for label in window.decisions.findChildren(QLabel)
    )
    with pytest.raises(ValueError, match="not enough values"):
        button(window, "take back")


def test_signatures_are_asked_for_by_role(qtbot, window, acts):
    window.show_snapshot(snapshot(roles_wanted=("physicist",)))
    window.toggle_decisions()
    qtbot.mouseClick(button(window, "sign"), Qt.MouseButton.LeftButton)
    assert acts.acts == [("sign", "physicist", "Dr Example")]


def test_a_reason_typed_goes_with_the_registration_that_is_accepted(qtbot, window, acts):
    window.show_snapshot(to_register())
    window.decisions.reason.setText("level counted twice")
    qtbot.keyClick(window, Qt.Key.Key_F2)
    assert acts.acts == [("accept_registration", "Dr Example", "level counted twice")]
