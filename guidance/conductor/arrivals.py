"""Slices are decoded while the next ones arrive, so that a whole series is a volume at once."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from devices.dicom import StoreWatch
from guidance.errors import GuidanceError
from guidance.imaging import SeriesAssembler, Volume, read_series

log = logging.getLogger(__name__)

POLL_S = 0.02
# Series that may arrive at once; older ones are read when they are asked for.
SERIES = 3


class Arrivals:
    """Follows a store and keeps the slices of the newest series decoded.

    A saver of time and nothing more: what cannot be decoded early is read, and refused, when
    the volume is asked for.
    """

    def __init__(self, store: Path) -> None:
        """Follow ``store`` from now on."""
        self._watch = StoreWatch(store)
        self._series: OrderedDict[Path, _Early] = OrderedDict()
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
        """Return the volume of a whole series.

        Args:
            files: all of its files.

        Raises:
            ImportRefused: they are no volume.
        """
        with self._lock:
            early = self._series.pop(files[0].parent, None)
            if early is not None and early.usable and early.files <= set(files):
                for path in files:
                    if path not in early.files:
                        early.add(path)
                if early.usable:
                    return early.assembler.volume()
        return read_series(files)

    def _follow(self) -> None:
        while not self._stop.wait(POLL_S):
            for path in self._watch.new():
                with self._lock:
                    early = self._series.setdefault(path.parent, _Early())
                    self._series.move_to_end(path.parent)
                    while len(self._series) > SERIES:
                        self._series.popitem(last=False)
                    early.add(path)


class _Early:
    """The slices of one series that were decoded so far."""

    def __init__(self) -> None:
        self.assembler = SeriesAssembler()
        self.files: set[Path] = set()
        self.usable = True

    def add(self, path: Path) -> None:
        if not self.usable:
            return
        try:
            self.assembler.add(path)
            self.files.add(path)
        except (GuidanceError, OSError) as error:
            # Said again, and properly, when the series is read as a whole.
            log.info("%s was not decoded early: %s", path, error)
            self.usable = False
            self.assembler = SeriesAssembler()
