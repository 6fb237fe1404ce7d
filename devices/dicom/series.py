"""When is a series whole? By evidence, never by a count of seconds alone.

Its sender let go; or all images that the scanner says it took are there, with no gap between
them, and no next acquisition follows on their heels; or nothing came for a while, longer where
the scanner counted images that did not come yet. A late instance opens it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

log = logging.getLogger(__name__)

# After the last image that the scanner counts, the next table position would follow this soon.
COUNTED_S = 0.1
# Quiet is believed so many times later while the sender holds on and owes images it has counted.
OWED_QUIETS = 10
# A gap of so many times the usual one has room for a slice that is still to come.
WIDE_GAP = 1.5


@dataclass(frozen=True)
class SliceEvidence:
    """What a slice says of the series it belongs to.

    Attributes:
        acquisition: AcquisitionNumber.
        images: ImagesInAcquisition, of that acquisition.
        place_mm: where it lies along the normal of its plane.
    """

    acquisition: str
    images: int
    place_mm: float


@dataclass
class _Open:
    files: set[Path]
    touched_s: float
    senders: set[int] = field(default_factory=set)
    slices: list[SliceEvidence] = field(default_factory=list)

    def is_counted_out(self) -> bool:
        """Tell whether every image the scanner says it took is here, without a gap."""
        if not self.slices or len(self.slices) != len(self.files) or self.owed() != 0:
            return False
        # A place may be imaged again and again: bursts of one table position.
        places = sorted({round(s.place_mm, 2) for s in self.slices})
        gaps = [b - a for a, b in pairwise(places)]
        return not gaps or max(gaps) <= WIDE_GAP * median(gaps)

    def owed(self) -> int:
        """Return how many images more the scanner says it took; 0 where it says nothing."""
        return sum({s.acquisition: s.images for s in self.slices}.values()) - len(self.slices)

    def quiets(self) -> int:
        """Return how many quiet times tell that nothing more comes."""
        return OWED_QUIETS if self.senders and self.owed() > 0 else 1


class SeriesWatch:
    """Follows series while their instances arrive; time is an argument."""

    def __init__(self, quiet_s: float, whole: Callable[[tuple[Path, ...], str], None]) -> None:
        """Call ``whole(files, evidence)`` for every series that became whole.

        Should it fail, it is called again after the quiet time.
        """
        self._quiet_s = quiet_s
        self._whole = whole
        self._open: dict[str, _Open] = {}
        # Ended by quiet, with images owed: what a late one goes on from.
        self._short: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._now_s = float("-inf")

    def stored(
        self,
        series_uid: str,
        files: tuple[Path, ...],
        sender: int | None,
        now_s: float,
        evidence: SliceEvidence | None = None,
    ) -> None:
        """Note instances of a series, stored over the association ``sender``.

        Args:
            series_uid: of the series.
            files: where they are.
            sender: the association; None for what was found on disk.
            now_s: the time.
            evidence: what a slice says of its series, if it says anything.
        """
        with self._lock:
            if series_uid not in self._open:
                self._open[series_uid] = self._short.pop(series_uid, _Open(set(), now_s))
            series = self._open[series_uid]
            series.files.update(files)
            series.touched_s = now_s
            if sender is not None:
                series.senders.add(sender)
            if evidence is not None:
                series.slices.append(evidence)

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
        """Finish every series that is counted out, or for which nothing came for the quiet time."""
        self._now_s = now_s
        for series_uid, series in self._snapshot():
            silence_s = now_s - series.touched_s
            if silence_s >= self._quiet_s * series.quiets():
                self._finish(series_uid, "quiet")
            elif silence_s >= COUNTED_S and series.is_counted_out():
                self._finish(series_uid, "count")

    def _snapshot(self) -> list[tuple[str, _Open]]:
        with self._lock:
            return list(self._open.items())

    def _finish(self, series_uid: str, evidence: str) -> None:
        with self._lock:
            series = self._open.pop(series_uid, None)
            if series is not None and evidence == "quiet" and series.owed() > 0:
                self._short[series_uid] = replace(series, senders=set())
        if series is None:
            return
        try:
            self._whole(tuple(sorted(series.files)), evidence)
        except Exception:
            # A full disk, say: it stays open, and quiet will try again.
            with self._lock:
                now = self._open.setdefault(series_uid, series)
                now.files.update(series.files)
                now.touched_s = max(now.touched_s, self._now_s)
            log.exception("series %s could not be announced; it will be tried again", series_uid)
