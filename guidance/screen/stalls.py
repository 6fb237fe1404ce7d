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
        # What the window itself does at most between two beats; other work on the machine
        # cannot lengthen that as it lengthens a stall.
        self.most_own_s = 0.0
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

        Then how many a person could feel, in how many our own threads worked that long, and
        what the window itself did at most at once.
        """
        stalls = zip(self.stalls_s, self.own_s, self.process_s, strict=True)
        longest = sorted(stalls, reverse=True)[:8]
        shown = [f"{s * 1e3:.0f} ({own * 1e3:.0f}, {all_ * 1e3:.0f})" for s, own, all_ in longest]
        own = f"the window's own work at once at most {self.most_own_s * 1e3:.0f}"
        if not shown:
            return f"none above 20; {own}"
        felt = sum(s > FELT_S for s in self.stalls_s)
        # With cores to spare a stall lasts at most as long as our own threads worked in it.
        worked = sum(all_ > FELT_S for all_ in self.process_s)
        counted = f"{felt} above {FELT_S * 1e3:.0f}, in {worked} of them our threads worked so long"
        return f"{', '.join(shown)}; {counted}; {own}"

    def _beat(self) -> None:
        now, worked, process = time.monotonic(), time.thread_time(), time.process_time()
        if self._last is not None and (stall := now - self._last - BEAT_MS / 1000) > 0.02:
            self.stalls_s.append(stall)
            self.own_s.append(worked - self._worked)
            self.process_s.append(process - self._process)
        if self._last is not None:
            self.most_own_s = max(self.most_own_s, worked - self._worked)
        self._last, self._worked, self._process = now, worked, process
