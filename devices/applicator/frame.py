"""One line of the wire: a body, its CRC-32, a newline."""

from __future__ import annotations

import zlib

from devices.errors import DeviceRefused

BODY_BYTES = 150
# An asterisk and eight hexadecimal digits follow the body.
LINE_BYTES = BODY_BYTES + 9
_SUFFIX = 9


def encode(*words: object) -> bytes:
    """Return the line of some words.

    Raises:
        DeviceRefused: a word is empty, has a space or is not printable ASCII, or the line is
            longer than 150 bytes.
    """
    body = " ".join(map(str, words))
    if not _sound(body):
        raise DeviceRefused(f"{body!r} cannot be sent to the applicator")
    content = body.encode("ascii")
    return content + b"*%08X\n" % zlib.crc32(content)


def decode(line: bytes) -> tuple[str, ...] | None:
    """Return the words of a line without its newline, None if the line is damaged."""
    content, star, crc = line[:-_SUFFIX], line[-_SUFFIX : 1 - _SUFFIX], line[1 - _SUFFIX :]
    if star != b"*" or crc != b"%08X" % zlib.crc32(content) or not content.isascii():
        return None
    body = content.decode("ascii")
    return tuple(body.split(" ")) if _sound(body) else None


class LineCutter:
    """Cuts a stream of bytes into lines.

    Attributes:
        dropped: lines that were damaged, so far.
    """

    def __init__(self) -> None:
        """Start with an empty line."""
        self._rest = b""
        self._overlong = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[tuple[str, ...]]:
        """Return the words of each whole line that these bytes complete."""
        *whole, rest = (self._rest + data).split(b"\n")
        lines = []
        for line in whole:
            words = None if self._overlong else decode(line)
            if words is not None:
                lines.append(words)
            elif line or self._overlong:
                self.dropped += 1
            self._overlong = False
        # Nothing that long can become a line; it is forgotten, not collected.
        self._overlong = self._overlong or len(rest) > LINE_BYTES
        self._rest = b"" if self._overlong else rest
        return lines


def _sound(body: str) -> bool:
    printable = len(body) <= BODY_BYTES and all(" " <= c <= "~" for c in body)
    return printable and all(body.split(" "))
