"""The screen is tested on a display of its own, in English where a test asks for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

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
