"""The screen is tested without one, and in English where a test asks for nothing else."""

import os

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(autouse=True)
def _english_afterwards(qapp):
    from guidance.screen.language import speak

    yield
    speak("en")
