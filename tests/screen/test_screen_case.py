"""The whole demonstration on the real window, by mouse and keyboard alone.

Listener and virtual suite run as processes of their own; the window stands on an X display.
The test presses what a person would press and looks at nothing but the snapshots that the
window was shown. Pictures of every moment, as the display has them, are kept (--artefacts).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PyQt5.QtGui import QGuiApplication

from guidance.console.session import Session, SessionOptions
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow
from guidance.screen.language import said, speak
from guidance.training.story import Rehearsal, Story, rehearsal
from tests.screen.clipping import clipped
from tests.screen.display import WANTED
from tests.screen.hand import Delivery, Hand

SEEDS = 6
WITHIN_S = 380.0
MOMENTS = {
    "1-case", "2-plan", "2-cartridge", "3-registration", "4-needles", "5-permit",
    "5-keys", "5-decisions", "5-armed", "5-dropped", "6-verify", "7-close", "7-closed",
}  # fmt: skip
# The scanner keeps its own time: its first scan may be there before the plan is read.
SOMETIMES = {"3-scan-wanted"}
LATE = pytest.mark.nightly
ON_SCREENS = [
    pytest.param((1280, 720), "en"),
    pytest.param((1280, 720), "zh", marks=LATE),
    pytest.param((1920, 1080), "en", marks=LATE),
    pytest.param((1920, 1080), "zh", marks=LATE),
    pytest.param((3840, 2160), "en", marks=LATE),
    pytest.param((3840, 2160), "zh", marks=LATE),
]


class Album:
    """Pictures of the window as the display has it, each moment once."""

    def __init__(self, qtbot, window: RoomWindow, folder: Path) -> None:
        self._qtbot, self._window, self._folder = qtbot, window, folder
        self.taken: set[str] = set()
        self.clipped: list[str] = []

    def take(self, moment: str) -> None:
        if not moment or moment in self.taken:
            return
        self.taken.add(moment)
        # Words that wrap tell their height only after they have got their width.
        self._qtbot.wait(50)
        self._qtbot.waitUntil(lambda: not self._window._turns.waiting)
        screen = QGuiApplication.primaryScreen()
        picture = screen.grabWindow(int(self._window.winId())).toImage()
        assert picture.size() == self._window.size()
        assert picture.save(str(self._folder / f"{moment}.png"))
        across, down = picture.width(), picture.height()
        at = {picture.pixel(x, y) for x in range(0, across, 7) for y in range(0, down, 7)}
        assert len(at) > 20, f"nothing stands on the display at {moment}"
        self.clipped += [f"{moment}: {words}" for words in clipped(self._window)]


def moment(shown: Snapshot) -> str:
    """Name of what a person would look at now, empty for nothing new."""
    if shown.busy:
        return ""
    match shown.step:
        case Step.CASE:
            return "1-case"
        case Step.PLAN:
            return "2-plan"
        case Step.REGISTER:
            return "3-registration" if shown.registration else "3-scan-wanted"
        case Step.NEEDLES:
            return "4-needles" if shown.needles else ""
        case Step.IMPLANT:
            armed = "5-armed" if shown.applicator.armed else "5-permit"
            return "5-dropped" if len(shown.seeds) >= SEEDS // 2 else armed
        case Step.VERIFY:
            return "6-verify" if shown.dose and not shown.dose_is_stale else ""
        case _:
            return "7-closed" if shown.closed else "7-close"


@contextmanager
def session_of(ready: Rehearsal) -> Iterator[tuple[Session, Delivery]]:
    """Open the console's session of a rehearsal, without its window and its autopilot."""
    command = list(ready.console)
    given = {a: command[i + 1] for i, a in enumerate(command[:-1]) if a.startswith("--")}
    notes = [command[i + 1].rpartition(":") for i, a in enumerate(command) if a == "--cartridge"]
    options = SessionOptions(
        store=Path(given["--store"]),
        journal=given["--journal"],
        applicator=given["--applicator"],
        case_id=given["--case"],
    )
    with Session(options) as session:
        yield session, [(serial, int(seeds)) for serial, _, seeds in notes]


def work_through(qtbot, window: RoomWindow, session: Session, ready: Rehearsal, hand: Hand, album):
    """Work until the case is closed; return the last snapshot shown."""
    until = time.monotonic() + WITHIN_S
    shown = None
    while shown is None or not shown.closed:
        qtbot.wait(20)
        assert time.monotonic() < until, window.next_action._action.text()
        assert ready.suite.poll() in {None, 0}, "the suite gave up; see its log"
        fresh = session.mailbox.take(0.0)
        if fresh is None and shown is None:
            continue
        if fresh is not None:
            shown = fresh
            window.show_snapshot(shown)
            album.take(moment(shown))
            if "5-permit" in album.taken and "5-keys" not in album.taken:
                hand.look_through_pages()
        hand.act(shown, session.conductor.state.account.cartridges)
    return shown


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("size", "language"), ON_SCREENS)
def test_a_case_is_done_on_the_window_from_opening_to_closing(
    qtbot, x_display, artefacts, tmp_path, size, language
):
    if not x_display:
        pytest.skip(WANTED)
    speak(language)
    folder = artefacts / f"case-{language}-{size[0]}x{size[1]}"
    folder.mkdir(exist_ok=True)
    story = Story(tmp_path / "out", 3, SEEDS, 2.0, "lumbar", headless=True)
    with rehearsal(story, lambda _text: None) as ready, session_of(ready) as (session, delivery):
        window = RoomWindow(session.desk, "Dr Example", pulse=lambda: None, by_turns=True)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        hand, album = Hand(qtbot, window, delivery), Album(qtbot, window, folder)
        hand.looked = lambda what: album.take(f"{'2' if what == 'cartridge' else '5'}-{what}")
        shown = work_through(qtbot, window, session, ready, hand, album)
    assert shown.ledger.balanced
    assert shown.ledger.implanted == SEEDS
    assert sum(1 for seed in shown.seeds if seed.seen_mm is not None) >= SEEDS - 1
    assert said("Closed by Dr Example.") in window.next_action._action.text()
    assert album.taken - SOMETIMES == MOMENTS
    assert album.clipped == []
