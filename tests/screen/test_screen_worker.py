"""The window over a real worker: it says what runs, stops it, and stays up when it is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt, QTimer
from virtual import scans

from guidance.console.session import Mailbox
from guidance.procedure.snapshot import Snapshot
from guidance.screen import RoomWindow
from tests.guidance.conductor.test_worker import SERIES, Room, maps_a_volume


class Shown(Room):
    """The same room with a window that shows it, as the console does."""

    def __init__(self, journal: Path) -> None:
        self.mailbox = Mailbox()
        super().__init__(journal, scans(2).needles)
        self.window = RoomWindow(self.desk, "Dr Example", pulse=lambda: None, by_turns=True)
        self.window.resize(1280, 720)
        self.window.show()
        self._look = QTimer(self.window)
        self._look.timeout.connect(self._take)
        self._look.start(20)

    def _publish(self, snapshot: Snapshot) -> None:
        super()._publish(snapshot)
        self.mailbox.put(snapshot)

    def _take(self) -> None:
        if (snapshot := self.mailbox.take(0.0)) is not None:
            self.window.show_snapshot(snapshot)

    def looked_at(self, qtbot) -> int:
        """Let a scan arrive; return the process that looks at it."""
        self.conductor.offer(SERIES).result(10)
        qtbot.waitUntil(
            lambda: self.conductor.worker_id is not None and maps_a_volume(self.worker),
            timeout=60_000,
        )
        return self.worker

    def foot(self) -> str:
        task = self.window.progress.task
        return task.what if task is not None else ""


@pytest.fixture
def room(tmp_path, qtbot) -> Iterator[Shown]:
    room = Shown(tmp_path / "journal.sqlite")
    qtbot.addWidget(room.window)
    yield room
    room.conductor.stop()
    room.journal.close()


def test_f7_stops_what_runs_and_runs_it_again(qtbot, room) -> None:
    first = room.looked_at(qtbot)
    # Held where it is, so that it cannot be over before the key is pressed.
    os.kill(first, signal.SIGSTOP)
    qtbot.waitUntil(lambda: room.foot() == "looking for needles and seeds", timeout=20_000)
    qtbot.keyClick(room.window, Qt.Key.Key_F7)
    rests = (
        "Looking for needles and seeds was stopped by Dr Example; the scan has not been looked at."
    )
    qtbot.waitUntil(lambda: room.foot() == rests, timeout=20_000)
    assert not room.analysed()
    qtbot.keyClick(room.window, Qt.Key.Key_F7)
    qtbot.waitUntil(room.analysed, timeout=60_000)
    qtbot.waitUntil(lambda: room.foot() == "", timeout=20_000)
    assert room.worker != first


def test_a_worker_killed_in_mid_detection_is_said_in_the_window_that_stays_up(qtbot, room) -> None:
    first = room.looked_at(qtbot)
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: "is tried once more" in room.window.alarm_line.text, timeout=20_000)
    qtbot.waitUntil(room.analysed, timeout=60_000)
    assert room.window.isVisible()
    assert room.conductor.state.scans[-1].needles
