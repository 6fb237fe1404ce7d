"""The meter of the window's stalls tells a machine that was busy from work of our own."""

from __future__ import annotations

import time

from PyQt5.QtCore import QObject

from guidance.screen.stalls import StallMeter


def test_a_stall_is_counted_and_whose_it_was_is_told(qtbot) -> None:
    owner = QObject()
    meter = StallMeter(owner)
    qtbot.wait(30)
    # Somebody else has the machine.
    time.sleep(0.08)
    qtbot.wait(30)
    idle = meter.words
    # We work ourselves, by processor time: so it holds on a busy machine too.
    until = time.thread_time() + 0.08
    while time.thread_time() < until:
        pass
    qtbot.waitUntil(lambda: max(meter.own_s) > 0.07)
    assert meter.longest_s > 0.07
    assert meter.most_own_s == max(meter.own_s)
    assert f"own work at once at most {meter.most_own_s * 1e3:.0f}" in meter.words
    assert "in 0 of them" in idle
    assert "in 1 of them our threads worked so long" in meter.words
