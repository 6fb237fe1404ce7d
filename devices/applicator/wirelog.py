"""A plain text file of everything that went over the wire, for finding faults."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger(__name__)


class WireLog:
    """Appends what was sent and received; a full disk ends the log, not the link."""

    def __init__(self, path: Path | None) -> None:
        """Log to ``path``; None logs nothing."""
        self._path = path

    def sent(self, data: bytes) -> None:
        """Log bytes that went to the controller."""
        self._write(">", data)

    def received(self, data: bytes) -> None:
        """Log bytes that came from the controller."""
        self._write("<", data)

    def note(self, text: str) -> None:
        """Log a remark."""
        self._write("#", text.encode())

    def _write(self, mark: str, data: bytes) -> None:
        if self._path is None or not data:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        text = data.decode("ascii", errors="backslashreplace")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{now} {mark} {text!r}\n")
        except OSError as error:
            log.warning("wire log %s ended: %s", self._path, error)
            self._path = None
