"""Opens the room's window and keeps it going."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication

from guidance.configuration import ScreenSettings
from guidance.errors import CommandError
from guidance.screen import sampling
from guidance.screen.acts import Acts
from guidance.screen.house import Office
from guidance.screen.keys import Keys
from guidance.screen.language import LANGUAGES, speak
from guidance.screen.scheduled import Worklist
from guidance.screen.stalls import StallMeter
from guidance.screen.window import Clock, RoomWindow, utc_now

log = logging.getLogger(__name__)

# Python hands its lock on only so often (5 ms by default), and one event of the window takes it
# several times: beside a busy worker that added up to stalls of a second.
SWITCH_EVERY_S = 0.0005
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def play(
    acts: Acts,
    operator: str,
    tick: Callable[[RoomWindow], None],
    *,
    every_ms: int,
    clock: Clock = utc_now,
    banner: str = "",
    settings: ScreenSettings | None = None,
    worklist: Worklist | None = None,
    office: Office | None = None,
) -> None:
    """Show the window until it is closed.

    Args:
        acts: what the window may ask of the core.
        operator: name to begin with.
        tick: called again and again in the window's thread; must not wait for anything.
        every_ms: how often.
        clock: the time now, for ages.
        banner: of a recorded case; empty in a room.
        settings: language and keys.
        worklist: who is asked for today's patients; None for nobody.
        office: keeps the settings; None where there are none to keep.

    Raises:
        CommandError: there is no display, or no such language.
        RefusedError: a key is given that cannot be.
    """
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in DISPLAYS):
        raise CommandError("there is no display to open the window on; use --headless")
    # Kept in a variable: Qt crashes if Python lets go of its application.
    application = QApplication.instance() or QApplication(sys.argv[:1])
    settings = settings or ScreenSettings()
    if settings.language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise CommandError(f"screen.language {settings.language!r} is none of {known}")
    speak(settings.language)
    # Before anybody sees a window that stands still.
    sampling.warm_up()
    window = RoomWindow(
        acts,
        operator,
        clock=clock,
        banner=banner,
        keys=Keys(settings.keys),
        by_turns=True,
        worklist=worklist,
        office=office,
    )
    screen = QGuiApplication.primaryScreen()
    if screen is not None:
        # Without a window manager nobody would maximise it.
        window.setGeometry(screen.availableGeometry())
    window.showMaximized()
    timer = QTimer(window)
    timer.timeout.connect(lambda: tick(window))
    timer.start(every_ms)
    meter = StallMeter(window)
    before, sys.excepthook = sys.excepthook, _said_by(window)
    try:
        with _responsive():
            application.exec()
    finally:
        sys.excepthook = before
        log.info(
            "longest stalls of the window, ms (processor time: own, all): %s",
            meter.words,
        )
        timer.stop()
        window.deleteLater()


@contextmanager
def _responsive() -> Iterator[None]:
    """Let the window's thread have the interpreter whenever it asks for it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_EVERY_S)
    # The collector holds the interpreter while it looks at every object: it need not look at
    # the libraries again and again.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


def _said_by(
    window: RoomWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Return a hook that says errors in the window; without one PyQt ends the process."""

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("error in the window", exc_info=(kind, error, trace))
        window.say(f"THE SCREEN MAY BE OUT OF DATE: {error or kind.__name__}", done=False)

    return say
