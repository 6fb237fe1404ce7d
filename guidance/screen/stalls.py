"""How long the window's thread was ever away: measured by a timer in the running window."""

from __future__ import annotations

import time

from PyQt5.QtCore import QObject, QTimer

BEAT_MS = 5


class StallMeter(QObject):
    """Beats every 5 ms; the longest time between two beats, less one beat, is a stall."""

    def __init__(self, parent: QObject) -> None:
        """Begin to beat."""
        super().__init__(parent)
        self.stalls_s: list[float] = []
        # Of each stall, how long this thread itself was computing; the rest it waited for the
        # interpreter or for a processor.
        self.own_s: list[float] = []
        self._last: float | None = None
        self._worked = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    @property
    def longest_s(self) -> float:
        """The longest stall so far."""
        return max(self.stalls_s, default=0.0)

    @property
    def words(self) -> str:
        """The eight longest, ms, and how long of each was this thread's own work."""
        pairs = sorted(zip(self.stalls_s, self.own_s, strict=True), reverse=True)[:8]
        shown = ", ".join(f"{s * 1000:.0f} ({own * 1000:.0f})" for s, own in pairs)
        return shown or "none above 20"

    def _beat(self) -> None:
        now, worked = time.monotonic(), time.thread_time()
        if self._last is not None and (stall := now - self._last - BEAT_MS / 1000) > 0.02:
            self.stalls_s.append(stall)
            self.own_s.append(worked - self._worked)
        self._last, self._worked = now, worked
