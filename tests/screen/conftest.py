"""The screen is tested on a display of its own, in English where a test asks for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.screen.display import display


@pytest.fixture(scope="session")
def x_display() -> Iterator[str]:
    """Name of the X display that the windows are on; empty where there is no Xvfb."""
    with display() as name:
        yield name


@pytest.fixture(scope="session")
def qapp_args(x_display: str) -> list[str]:
    """Arguments of the application, which must not be made before its display."""
    return ["seedguide"]


@pytest.fixture(autouse=True)
def _english_afterwards(qapp):
    from guidance.screen.language import speak

    yield
    speak("en")


@pytest.fixture
def acts() -> Any:
    """What the window asks of the core, taken down."""
    from tests.screen.room_case import Recorder

    return Recorder()


@pytest.fixture
def window_of(qtbot, acts) -> Callable[..., Any]:
    """Make a window of a size on the display, in the language in use, at the case's time."""
    from guidance.screen import RoomWindow
    from tests.screen.room_case import NOW

    def made(size: tuple[int, int] = (1280, 720), **options: Any) -> RoomWindow:
        window = RoomWindow(acts, "Dr Example", **({"clock": lambda: NOW} | options))
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        return window

    return made


@pytest.fixture
def window(window_of) -> Any:
    """A window as small as one may be, shown, with nothing on it yet."""
    return window_of()
