"""Opens the room's window and keeps it going."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from types import TracebackType

from PyQt5.QtCore import QTimer
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication

from guidance.configuration import ScreenSettings
from guidance.errors import CommandError
from guidance.screen.acts import Acts
from guidance.screen.keys import Keys
from guidance.screen.language import LANGUAGES, speak
from guidance.screen.stalls import StallMeter
from guidance.screen.window import Clock, RoomWindow, utc_now

log = logging.getLogger(__name__)

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
    window = RoomWindow(acts, operator, clock=clock, banner=banner, keys=Keys(settings.keys))
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
        application.exec()
    finally:
        sys.excepthook = before
        worst = ", ".join(f"{s * 1000:.0f}" for s in sorted(meter.stalls_s, reverse=True)[:8])
        log.info("longest stalls of the window, ms: %s", worst or "none above 20")
        timer.stop()
        window.deleteLater()


def _said_by(
    window: RoomWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Return a hook that says errors in the window; without one PyQt ends the process."""

    def say(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("error in the window", exc_info=(kind, error, trace))
        window.say(f"THE SCREEN MAY BE OUT OF DATE: {error or kind.__name__}", done=False)

    return say
