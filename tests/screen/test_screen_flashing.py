"""Alarms flash by priority until somebody has seen them, and are read in both phases."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from PyQt5.QtGui import QColor, QImage

from guidance.alarms import Alarm, Priority
from guidance.screen import RoomWindow, theme
from guidance.screen.flashing import RATE_HZ, Flash
from tests.screen.room_case import NOW, Recorder, snapshot
from tests.screen.test_screen_legible import contrast

# IEC 60601-1-8:2006, table 2.
ALLOWED_HZ = {Priority.HIGH: (1.4, 2.8), Priority.MEDIUM: (0.4, 0.8)}
LIT_SHARE = (0.2, 0.6)


def alarm(priority: Priority, by: str = "") -> Alarm:
    return Alarm("a", priority, "Needle 5 passes the spinal cord at 8.1 mm.", NOW, True, by)


@pytest.fixture
def window(qtbot) -> RoomWindow:
    made = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW, pulse=lambda: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    return made


def phases(qtbot, flash: Flash, cycles: int) -> list[tuple[float, bool]]:
    """Times at which a flash turned, and to what, over so many cycles."""
    seen: list[tuple[float, bool]] = []
    flash.changed.connect(lambda: seen.append((time.monotonic(), flash.lit)))
    qtbot.waitUntil(lambda: len(seen) > 2 * cycles, timeout=20_000)
    return seen


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.MEDIUM])
def test_it_flashes_at_the_rate_of_its_priority(qtbot, priority) -> None:
    flash = Flash()
    flash.show(priority)
    assert flash.lit, "it begins lit"
    cycles = 4 if priority is Priority.HIGH else 2
    seen = phases(qtbot, flash, cycles)
    assert all(one is not other for (_, one), (_, other) in pairwise(seen))
    rate_hz = cycles / (seen[2 * cycles][0] - seen[0][0])
    low, high = ALLOWED_HZ[priority]
    assert low <= RATE_HZ[priority] <= high
    assert low <= rate_hz <= high
    lit_s = sum(b - a for (a, lit), (b, _) in pairwise(seen) if lit)
    share = lit_s / (seen[-1][0] - seen[0][0])
    assert LIT_SHARE[0] <= share <= LIT_SHARE[1]


def test_a_low_one_is_constantly_lit_and_a_seen_one_is_not(qtbot, window) -> None:
    line = window.alarm_line
    turned: list[bool] = []
    window.show_snapshot(snapshot(alarms=(alarm(Priority.LOW),)))
    line.flash.changed.connect(lambda: turned.append(line.flash.lit))
    assert line.flash.lit
    qtbot.wait(700)
    assert turned == []
    assert line.property("role") == "lit-low"
    window.show_snapshot(snapshot(alarms=(alarm(Priority.HIGH, "Dr Li"),)))
    assert not line.flash.lit
    assert line.property("role") == "panel"
    qtbot.wait(700)
    assert turned == [False]
    window.show_snapshot(snapshot(alarms=()))
    assert not line.flash.lit


def test_the_same_alarm_shown_again_does_not_disturb_the_flashing(qtbot, window) -> None:
    """Snapshots come several times a second; each would begin it anew."""
    shown = snapshot(alarms=(alarm(Priority.HIGH),))
    window.show_snapshot(shown)
    turned: list[float] = []
    window.alarm_line.flash.changed.connect(lambda: turned.append(time.monotonic()))
    for number in range(12):
        window.show_snapshot(replace(shown, event_number=100 + number))
        qtbot.wait(100)
    assert len(turned) >= 3


def test_it_is_read_in_both_phases(qtbot, window) -> None:
    line = window.alarm_line
    for priority in Priority:
        colour = theme.PRIORITY_LOOK[priority][1]
        window.show_snapshot(snapshot(alarms=(alarm(priority),)))
        assert line.flash.lit
        assert ground_of(line) == colour
        assert f"color:{theme.GROUND}" in line.text.replace(" ", "")
        assert contrast(theme.GROUND, colour) >= 4.5
        if priority in RATE_HZ:
            qtbot.waitUntil(lambda: not line.flash.lit, timeout=5000)
            assert ground_of(line) == theme.PANEL
            assert f"color:{colour}" in line.text.replace(" ", "")
            assert contrast(colour, theme.PANEL) >= 4.5
        assert "Needle 5 passes the spinal cord" in line.text


def ground_of(line) -> str:
    """The colour that is painted behind the words, below the top edge."""
    image = QImage(line.size(), QImage.Format.Format_RGB32)
    line.render(image)
    return QColor(image.pixel(line.width() // 3, 3)).name()
