"""Slices are decoded while the next ones arrive, so that a whole series is a volume at once."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from devices.dicom import StoreWatch
from guidance.imaging import Ground, SeriesAssembler, Volume, read_latest

log = logging.getLogger(__name__)

# Between looks at the store: while slices arrive, and when none did for a while.
BUSY_S, IDLE_S = 0.004, 0.05
STILL_BUSY_S = 1.0
# Series that may arrive at once; older ones are read when they are asked for.
SERIES = 3
# Memory made ready for the next series, in slices on either side of the first.
READY, SHAPE = 150, (512, 512)


class Arrivals:
    """Follows a store and keeps the slices of the newest series decoded.

    A saver of time and nothing more: what cannot be decoded early is read, and refused, when
    the volume is asked for.
    """

    def __init__(self, store: Path) -> None:
        """Follow ``store`` from now on."""
        self._watch = StoreWatch(store)
        self._series: OrderedDict[Path, _Early] = OrderedDict()
        self._ground: Ground | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="arrivals")

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(timeout=10)

    def volume(self, files: Sequence[Path]) -> Volume:
        """Return the volume of a whole series; of a place imaged several times, the last.

        Args:
            files: all of its files.

        Raises:
            ImportRefused: they are no volume.
        """
        with self._lock:
            # Kept, for the slice that comes late and the next burst of the same place.
            early = self._series.get(files[0].parent)
            if early is not None and early.usable and early.files <= set(files):
                early.add(files)
                if early.usable:
                    return early.assembler.latest()
        return read_latest(files)

    def _follow(self) -> None:
        last_s = float("-inf")
        while not self._stop.wait(self._pause_s(last_s)):
            found = self._watch.new()
            if found:
                last_s = time.monotonic()
            elif time.monotonic() - last_s > STILL_BUSY_S:
                self._make_ready()
            for folder, files in groupby(found, key=lambda path: path.parent):
                with self._lock:
                    if folder not in self._series:
                        self._series[folder], self._ground = _Early(self._ground), None
                    early = self._series[folder]
                    self._series.move_to_end(folder)
                    while len(self._series) > SERIES:
                        self._series.popitem(last=False)
                    early.add(list(files))

    def _make_ready(self) -> None:
        """Make memory ready for the next series, give back what the last ones left over."""
        if self._ground is None:
            with self._lock:
                for early in self._series.values():
                    early.assembler.trim()
            self._ground = Ground(SHAPE)
            self._ground.warm(READY)

    @staticmethod
    def _pause_s(last_s: float) -> float:
        return BUSY_S if time.monotonic() - last_s < STILL_BUSY_S else IDLE_S


class _Early:
    """The slices of one series that were decoded so far."""

    def __init__(self, ground: Ground | None) -> None:
        self.assembler = SeriesAssembler(ground)
        self.files: set[Path] = set()
        self.usable = True

    def add(self, paths: Sequence[Path]) -> None:
        if not self.usable:
            return
        try:
            self.assembler.add(*(path for path in paths if path not in self.files))
            self.files.update(paths)
        except Exception:
            # Said again, and properly, when the series is read as a whole; whatever it is, the
            # next series must be followed.
            log.info("a series was not decoded early", exc_info=True)
            self.usable = False
            self.assembler = SeriesAssembler()
