"""The current needle, and its two pictures: the plane that holds it, the view along it."""

from __future__ import annotations

import numpy as np

from guidance.imaging.volume import Volume
from guidance.procedure.snapshot import Snapshot
from guidance.screen import words
from guidance.screen.framing import planes, scan_uid
from guidance.screen.language import tr
from guidance.screen.overlays import here
from guidance.screen.reslice import Slice
from guidance.tracking.implant import NeedleTrack

Ends = tuple[tuple[float, ...], tuple[float, ...]]
# A turn of the wheel over a picture of a needle.
STEP_MM = 1.0


class Choice:
    """Which needle is the current one."""

    def __init__(self) -> None:
        """Begin with none chosen."""
        self.by_hand: int | None = None
        self._attached: int | None = None

    def follow(self, snapshot: Snapshot) -> None:
        """Take a new snapshot; a needle taken in hand is the one to look at from then on."""
        if snapshot.applicator.needle != self._attached:
            self._attached, self.by_hand = snapshot.applicator.needle, None

    def of(self, snapshot: Snapshot) -> NeedleTrack | None:
        """Return the needle chosen by hand, else that on the applicator, else the first seen."""
        needles = {n.number: n for n in words.tracks(snapshot)}
        for number in (self.by_hand, snapshot.applicator.needle):
            if number in needles:
                return needles[number]
        seen = (n for n in needles.values() if n.tip_mm is not None)
        return next(seen, next(iter(needles.values()), None))

    def beside(self, snapshot: Snapshot, step: int) -> int | None:
        """Return the number of the needle some steps after the current one, None without any."""
        needle, numbers = self.of(snapshot), [n.number for n in words.tracks(snapshot)]
        if needle is None:
            return None
        return numbers[(numbers.index(needle.number) + step) % len(numbers)]


class NeedleCuts:
    """The slices of the current needle, and how far off it they lie."""

    def __init__(self) -> None:
        """Begin without a needle."""
        self._beside_mm = self._depth_mm = 0.0
        self._made: tuple[tuple[object, ...], Slice, Slice] | None = None

    def forget(self) -> None:
        """Cut anew: the volume or its turn is another."""
        self._made = None

    def home(self) -> None:
        """Lie in the needle and across its tip again."""
        self._beside_mm = self._depth_mm = 0.0
        self._made = None

    def step(self, *, beside: int = 0, depth: int = 0) -> None:
        """Go some millimetres beside the needle, or deeper."""
        self._beside_mm += beside * STEP_MM
        self._depth_mm += depth * STEP_MM

    def key(self, needle: NeedleTrack, ends: Ends) -> tuple[object, ...]:
        """Return what tells the slices of a needle apart."""
        return (needle.number, *ends, self._beside_mm, self._depth_mm)

    def of(
        self, volume: Volume, needle: NeedleTrack, ends: Ends, position: str
    ) -> tuple[Slice, Slice, bool]:
        """Return both slices, and whether the needle is another than before.

        Args:
            volume: to cut.
            needle: the current one.
            ends: its entry and tip, LPS mm.
            position: PatientPosition by which pictures are turned.
        """
        key, first = self.key(needle, ends), False
        if self._made is None or self._made[0] != key:
            first = self._made is None or self._made[0][:3] != key[:3]
            made = planes(volume, *ends, position, self._beside_mm, self._depth_mm)
            self._made = (key, *made)
        return self._made[1], self._made[2], first

    def captions(self, what: str, snapshot: Snapshot, needle: NeedleTrack) -> tuple[str, ...]:
        """Return which needle a picture shows, and how far off it lies.

        Args:
            what: ``along`` or ``across``.
            snapshot: of the case.
            needle: the current one.
        """
        named = _named(snapshot, needle)
        if what == "along" and self._beside_mm:
            return (named, tr("{mm} mm beside", mm=f"{self._beside_mm:+.0f}"))
        if what == "across" and self._depth_mm:
            return (named, tr("{mm} mm from the tip", mm=f"{self._depth_mm:+.0f}"))
        return (named,)


def frame(entry: np.ndarray) -> tuple[np.ndarray, float]:
    """Return centre and least length of the picture of a needle, from its entry in the plane.

    Most of the needle is in it, and what lies beyond its tip.
    """
    return 0.4 * entry, 1.2 * float(np.linalg.norm(entry))


def _named(snapshot: Snapshot, needle: NeedleTrack) -> str:
    if needle.tip_mm is None:
        return tr("needle {number}, as planned", number=needle.number)
    if here(needle, scan_uid(snapshot)):
        return tr("needle {number}, as seen", number=needle.number)
    return tr("needle {number}, earlier scan", number=needle.number)
