"""The moving parts: cartridge, gate, follower, stylet lock and rail, with their faults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Magazine:
    """A cartridge as it sits in the applicator.

    Attributes:
        serial: its serial number.
        remaining: seeds really in it.
    """

    serial: str
    remaining: int


@dataclass(frozen=True)
class Passage:
    """What one stroke really did.

    Attributes:
        seeds: that left through the needle.
        gate: seeds the gate sensor counted.
        jammed: the stylet did not reach its end.
    """

    seeds: int
    gate: int
    jammed: bool = False


class Mechanics:
    """The hand instrument; it has no power and keeps its state without any.

    Attributes:
        magazine: the cartridge in place, None without one.
        needle: number of the needle the applicator is on, 0 without one.
        retraction_mm: total drawn back from the deepest seat.
        locked: the stylet lock is closed.
        lock_fails_open: the lock holds nothing.
        follower_stuck: the follower cannot be read.
        gate_stuck: the gate sensor counts nothing.
    """

    def __init__(self) -> None:
        """Start empty, off any needle, with the stylet locked."""
        self.magazine: Magazine | None = None
        self.needle = 0
        self.retraction_mm = 0.0
        self.locked = True
        self.lock_fails_open = False
        self.follower_stuck = False
        self.gate_stuck = False
        self._between = False
        self._next = ""

    def follower(self) -> int | None:
        """Return the seeds the follower counts in the cartridge, None if it cannot be read."""
        if self.magazine is None or self.follower_stuck or self._between:
            return None
        return self.magazine.remaining

    def misfire_next(self) -> None:
        """Let the next stroke push no seed."""
        self._next = "misfire"

    def double_next(self) -> None:
        """Let the next stroke push two seeds."""
        self._next = "double"

    def jam_next(self) -> None:
        """Let the next stroke jam before the seed leaves the cartridge."""
        self._next = "jam"

    def push(self) -> Passage:
        """Push the stylet once; a closed lock stops it before anything moves."""
        if self.locked and not self.lock_fails_open:
            return Passage(0, 0)
        fault, self._next = self._next, ""
        if fault == "jam":
            return Passage(0, 0, jammed=True)
        wanted = {"misfire": 0, "double": 2}.get(fault, 1)
        return self._feed(wanted)

    def drop_late(self) -> Passage:
        """Let a seed that hung in the channel fall now, whatever the lock says."""
        return self._feed(1)

    def stop_between(self) -> None:
        """Leave the follower between two positions, as a power cut in a stroke can."""
        self._between = True

    def settle(self) -> None:
        """Let the follower come to rest on a position again."""
        self._between = False

    def _feed(self, wanted: int) -> Passage:
        seeds = min(wanted, self.magazine.remaining if self.magazine else 0)
        if self.magazine is not None:
            self.magazine.remaining -= seeds
        return Passage(seeds, 0 if self.gate_stuck else seeds)
