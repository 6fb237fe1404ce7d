"""When is a series whole? By evidence: the sender let go, or nothing came for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class _Open:
    files: set[Path]
    touched_s: float
    senders: set[int] = field(default_factory=set)


class SeriesWatch:
    """Follows series while their instances arrive; time is an argument."""

    def __init__(self, quiet_s: float, whole: Callable[[tuple[Path, ...], str], None]) -> None:
        """Call ``whole(files, evidence)`` for every series that became whole."""
        self._quiet_s = quiet_s
        self._whole = whole
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()

    def stored(
        self, series_uid: str, files: tuple[Path, ...], sender: int | None, now_s: float
    ) -> None:
        """Note instances of a series, stored over the association ``sender``."""
        with self._lock:
            series = self._open.setdefault(series_uid, _Open(set(), now_s))
            series.files.update(files)
            series.touched_s = now_s
            if sender is not None:
                series.senders.add(sender)

    def released(self, sender: int) -> None:
        """Note that a sender said it is done: its series are whole, if nobody else sends them."""
        for series_uid, series in self._snapshot():
            if sender in series.senders:
                series.senders.discard(sender)
                if not series.senders:
                    self._finish(series_uid, "release")

    def lost(self, sender: int) -> None:
        """Note that a sender went away without a word: only quiet can tell."""
        for _, series in self._snapshot():
            series.senders.discard(sender)

    def tick(self, now_s: float) -> None:
        """Finish every series for which nothing came for the quiet time."""
        for series_uid, series in self._snapshot():
            if now_s - series.touched_s >= self._quiet_s:
                self._finish(series_uid, "quiet")

    def _snapshot(self) -> list[tuple[str, _Open]]:
        with self._lock:
            return list(self._open.items())

    def _finish(self, series_uid: str, evidence: str) -> None:
        with self._lock:
            series = self._open.pop(series_uid, None)
        if series is not None:
            self._whole(tuple(sorted(series.files)), evidence)
