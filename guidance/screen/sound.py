"""The sound of alarms: bursts by priority, paused by a person, never lost.

The bursts follow IEC 60601-1-8:2006, table 3 (ten, three or one or two pulses); conformance is
not claimed. While sound is paused the alarm line says so; an alarm that is raised then is
still shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtWidgets import QApplication

from guidance.alarms import Alarm, Priority

# Pulses of a burst, and how long until the next burst, s.
BURSTS = {Priority.HIGH: (10, 8.0), Priority.MEDIUM: (3, 15.0), Priority.LOW: (1, 30.0)}
PULSE_EVERY_MS = 200
PAUSE_S = 120.0


class AlarmSound(QObject):
    """Sounds for the most urgent alarm that nobody has seen."""

    changed = pyqtSignal()

    def __init__(self, pulse: Callable[[], None] = QApplication.beep) -> None:
        """Be silent.

        Args:
            pulse: makes one short sound and returns at once.
        """
        super().__init__()
        self._pulse = pulse
        self._priority: Priority | None = None
        self._left = 0
        self._pulses, self._bursts, self._pause = QTimer(self), QTimer(self), QTimer(self)
        self._pulses.setInterval(PULSE_EVERY_MS)
        self._pulses.timeout.connect(self._sound)
        self._bursts.timeout.connect(self._burst)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._resume)

    @property
    def paused(self) -> bool:
        """Whether a person has paused the sound."""
        return self._pause.isActive()

    def hear(self) -> None:
        """Make the sound once, so that a person knows it can be heard."""
        self._pulse()

    def toggle(self) -> None:
        """Pause the sound for two minutes, or end the pause."""
        if self.paused:
            self._pause.stop()
            self._resume()
        else:
            self._pause.start(round(PAUSE_S * 1000))
            self._pulses.stop()
            self._bursts.stop()
            self.changed.emit()

    def listen(self, alarms: Iterable[Alarm]) -> None:
        """Sound for these alarms; the burst begins anew only if it became more urgent."""
        order = list(BURSTS)
        unseen = {a.priority for a in alarms if not a.acknowledged_by}
        before, self._priority = self._priority, next((p for p in order if p in unseen), None)
        if self._priority is None:
            self._pulses.stop()
            self._bursts.stop()
        elif before is None or order.index(self._priority) < order.index(before):
            self._burst()

    def _resume(self) -> None:
        self.changed.emit()
        self._burst()

    def _burst(self) -> None:
        if self._priority is None or self.paused:
            return
        pulses, again_s = BURSTS[self._priority]
        self._left = pulses
        self._sound()
        self._pulses.start()
        self._bursts.start(round(again_s * 1000))

    def _sound(self) -> None:
        if self._left <= 0:
            self._pulses.stop()
            return
        self._left -= 1
        self._pulse()
