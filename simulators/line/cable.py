"""A serial cable that loses, adds, flips, splits, repeats and delays what it carries."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Old lines kept for replay.
REMEMBERED = 64
BITS_PER_BYTE = 10


@dataclass(frozen=True)
class CableFaults:
    """How bad a cable is.

    Attributes:
        loss: probability that a byte is lost.
        insertion: probability that a random byte comes before a byte.
        flip: probability that one bit of a byte is flipped.
        split: probability of a break after a byte, so that the next one comes in a later read.
        duplicate: probability that a piece comes twice.
        replay: probability that an old line comes again after a piece.
        delay_s: mean extra delay of a piece, s.
        baud: bits per second; 0 for no limit.
    """

    loss: float = 0.0
    insertion: float = 0.0
    flip: float = 0.0
    split: float = 0.0
    duplicate: float = 0.0
    replay: float = 0.0
    delay_s: float = 0.0
    baud: int = 0


class Lane:
    """One direction of a cable; order is kept, whatever the delay."""

    def __init__(self, faults: CableFaults, rng: np.random.Generator) -> None:
        """Take the faults and the stream of randomness."""
        self._faults = faults
        self._rng = rng
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._lines: deque[bytes] = deque(maxlen=REMEMBERED)
        self._line = bytearray()
        self._free_s = 0.0

    def push(self, data: bytes, now_s: float) -> None:
        """Put bytes in at one end; ``now_s`` is any steady clock, s."""
        if not data:
            return
        self._remember(data)
        for piece in self._cut(self._damage(data)):
            self._queue(piece, now_s)
            if self._happens(self._faults.duplicate):
                self._queue(piece, now_s)
            if self._lines and self._happens(self._faults.replay):
                self._queue(self._lines[int(self._rng.integers(len(self._lines)))], now_s)

    def pull(self, now_s: float) -> bytes:
        """Return what has arrived at the other end; at most one piece at a time if it splits."""
        arrived = bytearray()
        while self._pieces and self._pieces[0][0] <= now_s:
            arrived += self._pieces.popleft()[1]
            if self._happens(self._faults.split):
                break
        return bytes(arrived)

    @property
    def waiting(self) -> bool:
        """Whether something is still on its way."""
        return bool(self._pieces)

    def clear(self) -> None:
        """Lose everything on its way."""
        self._pieces.clear()

    def _happens(self, probability: float) -> bool:
        return probability > 0 and bool(self._rng.random() < probability)

    def _damage(self, data: bytes) -> bytes:
        faults, count = self._faults, len(data)
        lost = self._rng.random(count) < faults.loss
        flipped = self._rng.random(count) < faults.flip
        inserted = self._rng.random(count) < faults.insertion
        bits = self._rng.integers(0, 8, count)
        noise = self._rng.integers(0, 256, count)
        out = bytearray()
        for i, byte in enumerate(data):
            if inserted[i]:
                out.append(int(noise[i]))
            if not lost[i]:
                out.append(byte ^ (1 << int(bits[i])) if flipped[i] else byte)
        return bytes(out)

    def _cut(self, data: bytes) -> list[bytes]:
        breaks = np.flatnonzero(self._rng.random(len(data)) < self._faults.split) + 1
        edges = [0, *breaks.tolist(), len(data)]
        return [data[a:b] for a, b in pairwise(edges) if a < b]

    def _queue(self, piece: bytes, now_s: float) -> None:
        faults = self._faults
        delay_s = float(self._rng.exponential(faults.delay_s)) if faults.delay_s > 0 else 0.0
        line_s = BITS_PER_BYTE * len(piece) / faults.baud if faults.baud else 0.0
        self._free_s = max(self._free_s, now_s + delay_s) + line_s
        self._pieces.append((self._free_s, piece))

    def _remember(self, data: bytes) -> None:
        self._line += data
        *whole, rest = bytes(self._line).split(b"\n")
        self._lines.extend(line + b"\n" for line in whole if line)
        self._line = bytearray(rest)


class FaultyCable:
    """Two lanes and a plug.

    Attributes:
        to_device: from host to device.
        to_host: from device to host.
        plugged: whether the cable carries anything.
    """

    def __init__(self, faults: CableFaults, rng: np.random.Generator) -> None:
        """Lay a cable; its two lanes draw from independent streams of ``rng``."""
        down, up = rng.spawn(2)
        self.to_device = Lane(faults, down)
        self.to_host = Lane(faults, up)
        self.plugged = True

    def unplug(self) -> None:
        """Pull the plug: what is on its way is lost."""
        self.plugged = False
        self.to_device.clear()
        self.to_host.clear()

    def plug(self) -> None:
        """Put the plug back in."""
        self.plugged = True

    def down(self, data: bytes, now_s: float) -> bytes:
        """Carry bytes toward the device; return what arrives there now."""
        if not self.plugged:
            return b""
        self.to_device.push(data, now_s)
        return self.to_device.pull(now_s)

    def up(self, data: bytes, now_s: float) -> bytes:
        """Carry bytes toward the host; return what arrives there now."""
        if not self.plugged:
            return b""
        self.to_host.push(data, now_s)
        return self.to_host.pull(now_s)
