"""A recorded case on the screen: as it was, in its order, and nothing can be done in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from guidance.commands import main
from guidance.console.playback import Playback, Recording, replay_on_screen
from guidance.console.session import Mailbox
from guidance.errors import RefusedError
from guidance.journal import Journal
from guidance.procedure.events import CaseOpened, Event, LinkChanged, key_of, to_payload
from guidance.screen import RoomWindow
from tests.screen.room_case import NOW

FACTS: tuple[tuple[float, Event], ...] = (
    (0.0, CaseOpened("Dr Example", "P-0042", "Example^Case")),
    (2.0, LinkChanged("up", "")),
    (2.0, LinkChanged("lost", "the cable is out")),
    (600.0, LinkChanged("up", "")),
)


@pytest.fixture
def journal(tmp_path: Path) -> str:
    where = str(tmp_path / "journal.sqlite")
    with Journal(where) as written:
        for seconds, fact in FACTS:
            kind, payload = to_payload(fact)
            at = NOW + timedelta(seconds=seconds)
            written.append("case-7", kind, payload, at=at, key=key_of(fact))
    return where


def test_it_shows_the_case_after_every_event_that_was_followed_by_a_pause(journal):
    shown = []
    with Playback(Recording(journal, "case-7"), shown.append, speed=1000.0) as playback:
        playback.wait()
    assert playback.fault is None
    assert [snapshot.event_number for snapshot in shown] == [1, 3, 4]
    assert [snapshot.applicator.link for snapshot in shown] == ["absent", "lost", "up"]
    assert {snapshot.patient_id for snapshot in shown} == {"P-0042"}
    assert playback.now == NOW + timedelta(seconds=600)


def test_it_stops_in_the_middle(journal):
    with Playback(Recording(journal, "case-7"), lambda _: None, speed=0.01) as playback:
        pass
    assert not playback.running


def test_on_the_screen_it_says_that_it_is_a_recording_and_refuses_every_act(
    qtbot, qapp, journal, monkeypatch
):
    said, last = [], []

    def see(self, snapshot) -> None:
        shown(self, snapshot)
        if snapshot.event_number == len(FACTS):
            self.act_bar.stop()
            said.append(self.status.text())
            last.append((self.top_bar.text, self.sound._priority))
            self.close()

    shown = RoomWindow.show_snapshot
    monkeypatch.setattr(RoomWindow, "show_snapshot", see)
    mailbox = Mailbox()
    playback = Playback(Recording(journal, "case-7"), mailbox.put, speed=1000.0)
    assert replay_on_screen(playback, mailbox, "case-7 ×1000") == 0
    assert "this is a recording" in said[0]
    assert "REPLAY case-7 ×1000" in last[0][0]
    assert "Example Case" in last[0][0]


def test_the_command_says_what_is_wrong(journal, capsys):
    with pytest.raises(RefusedError, match="there are: case-7"):
        Recording(journal, "case-8")
    arguments = ["console", "--journal", journal, "--headless", "--replay"]
    assert main([*arguments, "case-8"]) != 0
    assert main([*arguments, "case-7", "--speed", "0"]) != 0
    assert "--speed 0" in capsys.readouterr().err
    assert main([*arguments, "case-7", "--speed", "1000"]) == 0
