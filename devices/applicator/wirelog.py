r"""A plain text file of everything that went over the wire, line by line.

    2026-03-01T09:12:04.512331Z > C 3F2A90B1 17 KEEP*5D0F8A11
    2026-03-01T09:12:04.514207Z < R 3F2A90B1 17 OK 42 42 1 3*0C77D2E9
    2026-03-01T09:12:09.020114Z # lost: port /dev/ttyUSB0 is gone: ...

``>`` went to the controller, ``<`` came from it, ``#`` is a remark. A line's time is that of its
last byte. Bytes that are no printable ASCII are written as ``\xNN``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)

# A line that grows beyond this without its newline is written as far as it came.
LONGEST = 512


class WireLog:
    """Appends what was sent and received; a full disk ends the log, not the link."""

    def __init__(self, path: Path | None) -> None:
        """Log to ``path``; None logs nothing."""
        self._path = path
        self._rest = b""

    def sent(self, data: bytes) -> None:
        """Log the lines that went to the controller."""
        self._write((">", line) for line in data.split(b"\n") if line)

    def received(self, data: bytes) -> None:
        """Log the lines that these bytes from the controller complete."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            whole, self._rest = [*whole, self._rest], b""
        self._write(("<", line) for line in whole if line)

    def note(self, text: str) -> None:
        """Log a remark, and what came of a line before it."""
        begun, self._rest = self._rest, b""
        self._write((mark, line) for mark, line in (("<", begun), ("#", text.encode())) if line)

    def _write(self, lines: Iterable[tuple[str, bytes]]) -> None:
        if self._path is None:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = "".join(f"{now} {mark} {_printable(line)}\n" for mark, line in lines)
        if not text:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            log.warning("wire log %s ended: %s", self._path, error)
            self._path = None


def _printable(line: bytes) -> str:
    return "".join(chr(b) if 0x20 <= b <= 0x7E else f"\\x{b:02x}" for b in line)
