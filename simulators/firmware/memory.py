"""The controller's non-volatile memory: cells that survive a power cut, each with its own CRC."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from simulators.firmware.frame import decode, encode

CAPACITY = 4096


class PowerLostError(Exception):
    """The power went while a cell was written."""


class MemoryFaultError(Exception):
    """A record was not written: the memory is full or the read-back differed."""

    def __init__(self, code: str) -> None:
        """Keep the error code of the wire: ``FULL`` or ``SENSOR``."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Record:
    """One journal record.

    Attributes:
        eid: number in the journal, from 1 on.
        boot: start of the controller it was written in.
        ms: time since that start, ms.
        kind: what happened.
        args: its words.
    """

    eid: int
    boot: int
    ms: int
    kind: str
    args: tuple[str, ...]


class JournalMemory:
    """Journal, counters and identity, in a file or in RAM.

    Cells are only appended; the last cell of a kind counts. A torn or damaged cell counts as
    not written.
    """

    def __init__(
        self, path: Path | None = None, *, capacity: int = CAPACITY, cells: bytes = b""
    ) -> None:
        """Open the memory, and format it if it holds nothing.

        Args:
            path: file; None keeps the memory in RAM.
            capacity: records that may wait for acknowledgement.
            cells: what a memory in RAM holds.
        """
        self._path = path
        self.capacity = capacity
        self.records: list[Record] = []
        self.jid = ""
        self.acked_eid = self.boot = self.permit = 0
        self._tear = False
        self._tear_kind = ""
        self._failures = 0
        self._cells = bytearray(path.read_bytes() if path is not None and path.exists() else cells)
        for line in bytes(self._cells).split(b"\n"):
            body = decode(line)
            if body is not None:
                self._load(body)
        if not self.jid:
            self.wipe()
        elif not self._cells.endswith(b"\n"):
            self._append(b"\n")

    @property
    def head_eid(self) -> int:
        """Number of the last record, 0 if there is none."""
        return len(self.records)

    @property
    def free(self) -> int:
        """Records that fit before something unacknowledged would be overwritten."""
        return self.capacity - (self.head_eid - self.acked_eid)

    def switched_on_again(self) -> JournalMemory:
        """Return what a start of the controller finds in the cells of this memory in RAM."""
        return JournalMemory(capacity=self.capacity, cells=bytes(self._cells))

    def add(self, boot: int, ms: int, kind: str, args: tuple[str, ...]) -> Record:
        """Write a record, read it back and return it.

        Raises:
            ValueError: the record has no form on the wire; nothing was written.
            MemoryFaultError: the memory is full, or what was read back differs.
            PowerLostError: the power went in the middle (made by :meth:`tear_next`).
        """
        if self.free < 1:
            raise MemoryFaultError("FULL")
        record = Record(self.head_eid + 1, boot, ms, kind, args)
        # What has no room in a line of the wire could never be told.
        encode(" ".join(("E", self.jid, str(record.eid), str(boot), str(ms), kind, *args)))
        self._write(" ".join(("J", str(record.eid), str(boot), str(ms), kind, *args)))
        self.records.append(record)
        return record

    def count_boot(self) -> int:
        """Count one more start and return its number, from 1 on."""
        self._write(f"B {self.boot + 1}")
        self.boot += 1
        return self.boot

    def keep_permit(self, permit: int) -> None:
        """Store the number of the last permit."""
        self._write(f"P {permit}")
        self.permit = permit

    def acknowledge(self, eid: int) -> None:
        """Store the number of the last record the host has on disk."""
        self._write(f"A {eid}")
        self.acked_eid = eid

    def wipe(self) -> None:
        """Format the memory: everything is gone and the journal has a new random id."""
        self._cells.clear()
        if self._path is not None:
            self._path.write_bytes(b"")
        self.records.clear()
        self.acked_eid = self.boot = self.permit = 0
        self.jid = secrets.token_hex(6).upper()
        self._write(f"F {self.jid}")

    def tear_next(self, kind: str = "") -> None:
        """Lose the power in the middle of the next write.

        Args:
            kind: of the record, or ``B`` for the count of starts; empty for whatever comes.
        """
        self._tear, self._tear_kind = True, kind

    def tear_none(self) -> None:
        """Forget a tear that has not come."""
        self._tear = False

    def fail_next(self, writes: int = 1) -> None:
        """Make the read-back of the next writes differ."""
        self._failures = writes

    def set_counters(self, *, boot: int | None = None, permit: int | None = None) -> None:
        """Put counters somewhere else, to try their limits."""
        if boot is not None:
            self._write(f"B {boot}")
            self.boot = boot
        if permit is not None:
            self.keep_permit(permit)

    def _write(self, body: str) -> None:
        line = encode(body)
        words = body.split(" ")
        kind = words[4] if words[0] == "J" else words[0]
        if self._tear and self._tear_kind in {"", kind}:
            self._tear = False
            # The newline is what the next start would add before it writes.
            self._append(line[: len(line) // 2] + b"\n")
            raise PowerLostError
        if self._failures > 0:
            self._failures -= 1
            self._append(line[:4] + b"?" + line[5:])
            raise MemoryFaultError("SENSOR")
        self._append(line)

    def _append(self, data: bytes) -> None:
        self._cells += data
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(data)

    def _load(self, body: str) -> None:
        tag, *words = body.split(" ")
        if tag == "F":
            self.jid = words[0]
        elif tag == "B":
            self.boot = int(words[0])
        elif tag == "P":
            self.permit = int(words[0])
        elif tag == "A":
            self.acked_eid = int(words[0])
        elif tag == "J" and int(words[0]) == self.head_eid + 1:
            eid, boot, ms = (int(w) for w in words[:3])
            self.records.append(Record(eid, boot, ms, words[3], tuple(words[4:])))
