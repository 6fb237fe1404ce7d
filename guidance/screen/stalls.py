"""How long the window's thread was ever away: measured by a timer in the running window."""

from __future__ import annotations

import time

from PyQt5.QtCore import QObject, QTimer

BEAT_MS = 5
# From here on a person feels that the window stood still.
FELT_S = 0.05


class StallMeter(QObject):
    """Beats every 5 ms; the longest time between two beats, less one beat, is a stall."""

    def __init__(self, parent: QObject) -> None:
        """Begin to beat."""
        super().__init__(parent)
        self.stalls_s: list[float] = []
        # Processor time of each stall: of this thread, and of all threads. Where both are far
        # less than the stall, the machine was busy with something else.
        self.own_s: list[float] = []
        self.process_s: list[float] = []
        self._last: float | None = None
        self._worked = self._process = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    @property
    def longest_s(self) -> float:
        """The longest stall so far."""
        return max(self.stalls_s, default=0.0)

    @property
    def words(self) -> str:
        """The eight longest, ms, each with the processor time of this thread and of all.

        Then how many a person could feel, and in how many our own threads worked that long.
        """
        stalls = zip(self.stalls_s, self.own_s, self.process_s, strict=True)
        longest = sorted(stalls, reverse=True)[:8]
        shown = [f"{s * 1e3:.0f} ({own * 1e3:.0f}, {all_ * 1e3:.0f})" for s, own, all_ in longest]
        if not shown:
            return "none above 20"
        felt = sum(s > FELT_S for s in self.stalls_s)
        # With cores to spare a stall lasts at most as long as our own threads worked in it.
        worked = sum(all_ > FELT_S for all_ in self.process_s)
        counted = f"{felt} above {FELT_S * 1e3:.0f}, in {worked} of them our threads worked so long"
        return f"{', '.join(shown)}; {counted}"

    def _beat(self) -> None:
        now, worked, process = time.monotonic(), time.thread_time(), time.process_time()
        if self._last is not None and (stall := now - self._last - BEAT_MS / 1000) > 0.02:
            self.stalls_s.append(stall)
            self.own_s.append(worked - self._worked)
            self.process_s.append(process - self._process)
        self._last, self._worked, self._process = now, worked, process
