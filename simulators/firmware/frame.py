"""One line of the wire as the controller writes and reads it."""

from __future__ import annotations

import zlib

BODY_BYTES = 150
# An asterisk and eight hexadecimal digits follow the body.
LINE_BYTES = BODY_BYTES + 9


def encode(body: str) -> bytes:
    """Return the line of a body: the body, its CRC-32 and a newline.

    Raises:
        ValueError: the body is empty, too long, or not printable ASCII.
    """
    if not 1 <= len(body) <= BODY_BYTES or not _printable(body):
        raise ValueError(f"{body!r} cannot be sent")
    content = body.encode("ascii")
    return content + b"*%08X\n" % zlib.crc32(content)


def decode(line: bytes) -> str | None:
    """Return the body of a line without its newline, None if the line is damaged."""
    if len(line) > LINE_BYTES or len(line) < 10 or line[-9:-8] != b"*":
        return None
    content, crc = line[:-9], line[-8:]
    if crc != b"%08X" % zlib.crc32(content):
        return None
    body = content.decode("ascii", errors="replace")
    return body if _printable(body) else None


class LineReader:
    """Cuts received bytes into bodies; damaged lines are dropped and counted."""

    def __init__(self) -> None:
        """Start with an empty line."""
        self._line = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> list[str]:
        """Return the whole bodies that these bytes complete."""
        bodies = []
        for byte in data:
            if byte != 0x0A:
                # One byte beyond the limit is kept, so that the line is known to be too long.
                if len(self._line) <= LINE_BYTES:
                    self._line.append(byte)
                continue
            line = bytes(self._line)
            self._line.clear()
            if not line:
                continue
            body = decode(line)
            if body is None:
                self.dropped += 1
            else:
                bodies.append(body)
        return bodies


def _printable(body: str) -> bool:
    return all(" " <= c <= "~" for c in body)
