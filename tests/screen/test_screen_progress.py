"""What takes long is told after a moment, with how far it is, and is stopped by key or button."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PyQt5.QtCore import Qt

from guidance.procedure.acts import Question
from guidance.procedure.asking import AGAIN
from guidance.procedure.snapshot import Snapshot, WorkView
from guidance.screen import RoomWindow
from guidance.screen.language import speak
from guidance.screen.progress import PASS_S, SHOWN_AFTER_S, Bar, Task
from tests.screen.room_case import NOW, Recorder, snapshot

KEY = "analyse:1.2.4:300"
STOPPED = "Looking for needles and seeds was stopped by Dr Li; the scan has not been looked at."


class Clock:
    """A time of day that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(qtbot, clock) -> RoomWindow:
    made = RoomWindow(Recorder(), "Dr Example", clock=clock, pulse=lambda: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    return made


def working(share: float | None = None, *, can_stop: bool = True) -> Snapshot:
    work = WorkView(KEY, "looking for needles and seeds", NOW, share, can_stop)
    return snapshot(work=work)


def told(window: RoomWindow) -> str:
    return window.progress.words.toolTip() if window.progress.isVisible() else ""


def test_what_is_over_at_once_is_not_spoken_of(qtbot, window, clock) -> None:
    window.show_snapshot(working())
    assert told(window) == ""
    clock.on(SHOWN_AFTER_S - 0.1)
    qtbot.wait(250)
    assert told(window) == ""
    clock.on(0.2)
    qtbot.waitUntil(lambda: told(window) == "looking for needles and seeds: 0 s")
    clock.on(7)
    qtbot.waitUntil(lambda: told(window).endswith(": 7 s"))
    window.show_snapshot(snapshot())
    assert told(window) == ""


def test_nothing_moves_when_it_comes_and_goes(qtbot, window, clock) -> None:
    clock.on(5)
    for number in (50, 51):
        # The words of the first snapshot still take their room.
        window.show_snapshot(snapshot(event_number=number))
        qtbot.wait(50)
    places = [v.geometry() for v in window.scene.views]
    window.show_snapshot(working())
    qtbot.wait(20)
    assert told(window)
    assert [v.geometry() for v in window.scene.views] == places


def test_the_bar_says_how_far_it_is_or_travels(window, clock) -> None:
    clock.on(1)
    window.show_snapshot(working(0.25))
    assert window.progress.bar.filled() == (0.0, 0.25)
    window.show_snapshot(working())
    start, end = window.progress.bar.filled()
    assert end - start == pytest.approx(0.25)
    bar, seen = Bar(), []
    for k in range(20):
        bar.show_share(None, k * PASS_S / 5)
        seen.append(bar.filled())
    assert all(0 <= a < b <= 1 for a, b in seen)
    assert max(b for _, b in seen) == pytest.approx(1.0)
    assert min(a for a, _ in seen) == pytest.approx(0.0)


def test_work_is_stopped_by_key_or_button_in_the_operators_name(qtbot, window, clock) -> None:
    acts = window._acts
    clock.on(2)
    window.show_snapshot(working())
    assert window.progress.button.text() == "Stop  F7"
    qtbot.keyClick(window, Qt.Key.Key_F7)
    window.progress.button.click()
    assert acts.acts == [("stop_work", KEY, "Dr Example")] * 2
    # Until the work has really ended it says so, and offers nothing.
    window.show_snapshot(working(can_stop=False))
    assert told(window).startswith("stopping: looking for needles and seeds")
    assert not window.progress.button.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F7)
    assert len(acts.acts) == 2


def test_what_was_stopped_is_run_again_by_the_same_key(qtbot, window) -> None:
    question = Question(f"work:{KEY}", STOPPED, (AGAIN,), 12)
    window.show_snapshot(snapshot(questions=(question,)))
    assert told(window) == STOPPED
    assert not window.progress.bar.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F7)
    assert window._acts.acts == [("answer", f"work:{KEY}", AGAIN, "Dr Example", "")]


def test_what_runs_comes_before_what_rests_and_the_rest_is_counted(window, clock) -> None:
    clock.on(2)
    question = Question(f"work:{KEY}", STOPPED, (AGAIN,), 12)
    window.show_snapshot(replace(working(), questions=(question,)))
    window.progress.show_side(Task("export", "writing", NOW))
    assert told(window) == "writing: 2 s (+2 more)"
    window.progress.show_side(None)
    assert told(window) == "looking for needles and seeds: 2 s (+1 more)"


def test_a_key_that_nothing_waits_for_does_nothing(qtbot, window) -> None:
    window.show_snapshot(snapshot())
    qtbot.keyClick(window, Qt.Key.Key_F7)
    assert window._acts.acts == []


def test_it_speaks_chinese(qtbot, clock) -> None:
    speak("zh")
    made = RoomWindow(Recorder(), "Dr Example", clock=clock, pulse=lambda: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    clock.on(3)
    made.show_snapshot(working())
    assert told(made).startswith("正在寻找针与粒子")
    made.show_snapshot(snapshot(questions=(Question(f"work:{KEY}", STOPPED, (AGAIN,), 12),)))
    assert told(made) == "寻找针与粒子已由 Dr Li 停止；该扫描尚未检测。"
