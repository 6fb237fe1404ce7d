"""The window's work goes piece by piece, newest first wins, and nothing old stays on it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PyQt5.QtCore import QTimer

from guidance.screen import RoomWindow
from guidance.screen.overlays import Line
from guidance.screen.turns import Turns
from tests.screen.room_case import NOW, Recorder, dose, snapshot, volume


@pytest.fixture
def window(window_of):
    return window_of(by_turns=True)


def drawn(window):
    return [view for view in window.scene.views if view.shown is not None]


def test_other_events_come_in_between_two_pieces(qtbot):
    turns, order = Turns(), []
    for name in ("one", "two", "three"):
        turns.do(name, lambda name=name: order.append(name))
    QTimer.singleShot(0, lambda: order.append("a key"))
    qtbot.waitUntil(lambda: not turns.waiting)
    assert order.index("a key") < order.index("three")
    assert [o for o in order if o != "a key"] == ["one", "two", "three"]


def test_a_piece_that_waits_is_replaced_by_the_newer_one(qtbot):
    turns, done = Turns(), []
    turns.do("picture", lambda: done.append("old"))
    turns.do("picture", lambda: done.append("new"))
    turns.finish()
    assert done == ["new"]


def test_showing_a_snapshot_draws_no_picture_before_its_turn_and_all_of_them_after(qtbot, window):
    window.show_snapshot(snapshot())
    assert drawn(window) == []
    qtbot.waitUntil(lambda: len(drawn(window)) == 5)


def test_isodoses_of_an_earlier_dose_are_never_drawn_after_a_newer_one(qtbot, window):
    case = snapshot()
    window.show_snapshot(case)
    window.show_snapshot(replace(case, dose=dose(scale=2.0), event_number=43))
    qtbot.waitUntil(lambda: len(drawn(window)) == 5)
    at_once = RoomWindow(Recorder(), clock=lambda: NOW)
    qtbot.addWidget(at_once)
    at_once.show_snapshot(replace(case, dose=dose(scale=2.0), event_number=43))

    def outlines(shown):
        return [s.points for s in shown.scene.axial.shapes if isinstance(s, Line)]

    assert len(outlines(window)) == len(outlines(at_once))
    assert all(map(np.array_equal, outlines(window), outlines(at_once)))


def test_pictures_of_another_scan_are_taken_away_at_once(qtbot, window):
    window.show_snapshot(snapshot())
    qtbot.waitUntil(lambda: len(drawn(window)) == 5)
    window.show_snapshot(snapshot(volume=volume("HFP", slices=28), event_number=43))
    assert drawn(window) == []
    qtbot.waitUntil(lambda: len(drawn(window)) == 5)


def test_what_waits_of_one_case_is_not_drawn_in_the_next(qtbot, window):
    window.show_snapshot(snapshot())
    window.show_snapshot(snapshot(case_id="case-2", volume=None, dose=None, needles=()))
    qtbot.wait(50)
    assert drawn(window) == []


def test_a_picture_hidden_by_another_is_drawn_when_it_comes_back(qtbot, window):
    window.show_snapshot(snapshot())
    qtbot.waitUntil(lambda: len(drawn(window)) == 5)
    scene = window.scene
    before = scene.coronal.shown
    scene.maximise(scene.axial)
    scene._sight.go(scene.point + np.array((0.0, 15.0, 0.0)))
    scene.draw()
    scene.maximise(scene.axial)
    qtbot.waitUntil(lambda: scene.coronal.shown is not before)


def test_pictures_that_change_their_size_are_drawn_one_a_turn(qtbot, window):
    window.show()
    window.show_snapshot(snapshot())
    views = window.scene.views
    qtbot.waitUntil(lambda: len(drawn(window)) == 5 and not window._turns.waiting)
    qtbot.waitUntil(lambda: not any(view._is_stale for view in views))
    before = {view: view._painted for view in views}

    def anew():
        return sum(before[view] is not view._painted for view in views)

    found, beside = [], QTimer()
    beside.timeout.connect(lambda: found.append(anew()))
    window.resize(window.width() + 40, window.height() + 40)
    beside.start(0)
    qtbot.waitUntil(lambda: all(view._painted.size() == view.size() for view in views))
    assert found[-1] >= 4
    assert all(later - earlier <= 1 for earlier, later in pairwise(found))
