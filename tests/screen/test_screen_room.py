"""The room: from the mailbox to the window, to the autopilot and to the folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from guidance.configuration import ScreenSettings, WorklistSettings
from guidance.console import room
from guidance.console.session import Mailbox
from guidance.errors import CommandError, RefusedError
from guidance.ledger import LedgerView
from guidance.procedure.snapshot import Step
from guidance.screen import RoomWindow
from guidance.screen.keys import Keys
from guidance.screen.language import language, speak
from tests.screen.room_case import Recorder, snapshot


class FakeSession:
    """A session whose snapshots the test puts into the mailbox."""

    screen = ScreenSettings()

    def __init__(self, out: Path | None = None, *, autopilot: bool = True) -> None:
        self.options = SimpleNamespace(
            operator="Dr Example",
            out=out,
            autopilot=autopilot,
            deliveries=(),
            screen=self.screen,
            worklist=WorklistSettings(),
            ae_title="SEEDGUIDE",
            site=None,
        )
        self.mailbox = Mailbox()
        self.desk = Recorder()
        self.exported = []

    def folder(self, _case_id: str) -> Path | None:
        return self.options.out

    def export(self, shown, **_named):
        self.exported.append(shown)


class FakeDriver:
    """Closes the case once it has seen it open."""

    def __init__(self, session: FakeSession) -> None:
        self._session = session
        self.closing = LedgerView(received=15, implanted=11, returned=4)

    def see(self, shown) -> None:
        done = replace(shown, step=Step.CLOSE, closed=True, ledger=self.closing)
        self._session.mailbox.put(done)


@pytest.fixture
def quick(qapp, monkeypatch):
    monkeypatch.setattr(room, "FAREWELL_S", 0.05)
    monkeypatch.setattr(room, "Driver", FakeDriver)


def test_it_runs_a_case_to_its_end(quick, tmp_path):
    session = FakeSession(tmp_path)
    session.mailbox.put(snapshot())
    assert room.run_on_screen(session, timeout_s=20) == 0
    assert [shown.closed for shown in session.exported] == [True]
    assert {p.name for p in tmp_path.glob("*.png")} == {
        "screen-5-implant.png",
        "screen-7-close.png",
    }


def test_an_account_that_does_not_balance_is_no_success(quick, monkeypatch):
    class Short(FakeDriver):
        def __init__(self, session: FakeSession) -> None:
            super().__init__(session)
            self.closing = LedgerView(received=15, implanted=11, returned=3, unresolved=1)

    monkeypatch.setattr(room, "Driver", Short)
    session = FakeSession()
    session.mailbox.put(snapshot())
    assert room.run_on_screen(session, timeout_s=20) == 1


def test_language_and_keys_come_from_the_configuration(quick, monkeypatch):
    seen = []
    monkeypatch.setattr(
        RoomWindow, "show_snapshot", lambda self, _: seen.append((language(), self.keys.of("act")))
    )
    session = FakeSession()
    session.screen = ScreenSettings("zh", ("act=F13",))
    session.options.screen = session.screen
    session.mailbox.put(snapshot())
    try:
        room.run_on_screen(session, timeout_s=2.0)
    finally:
        speak("en")
    assert seen[0] == ("zh", "F13")
    session.options.screen = ScreenSettings("xx")
    with pytest.raises(CommandError, match="none of en, zh"):
        room.run_on_screen(session, timeout_s=1)


@pytest.mark.parametrize(
    ("given", "why"),
    [("fly=F13", "no action fly"), ("act=", "no key"), ("act=5", "no key"), ("act=M", "given to")],
)
def test_a_key_that_cannot_be_given_is_said(given, why):
    with pytest.raises(RefusedError, match=why):
        Keys((given,))


def test_it_gives_up_in_time(quick):
    assert room.run_on_screen(FakeSession(), timeout_s=0.3) == 1


def test_without_a_display_it_says_what_to_do(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CommandError, match="--headless"):
        room.run_on_screen(FakeSession(), timeout_s=1)


def test_an_error_while_drawing_is_said_in_the_window(qtbot, quick, monkeypatch, caplog):
    said = []

    def broken(self, shown) -> None:
        raise ValueError("no such plane")

    monkeypatch.setattr(RoomWindow, "show_snapshot", broken)
    monkeypatch.setattr(RoomWindow, "say", lambda self, text, done: said.append(text))
    session = FakeSession()
    session.mailbox.put(snapshot())
    with qtbot.capture_exceptions():
        assert room.run_on_screen(session, timeout_s=2.0) == 1
    assert any("no such plane" in text for text in said)
