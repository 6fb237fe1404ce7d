"""The serial port; whatever it raises becomes DeviceBroken here and nowhere else."""

from __future__ import annotations

import termios
from collections.abc import Iterator
from contextlib import contextmanager

import serial

from devices.errors import DeviceBroken

BAUD = 115200
READ_WAIT_S = 0.01
WRITE_WAIT_S = 0.5


class Port:
    """An open serial port, for one thread."""

    def __init__(self, url: str) -> None:
        """Open a port.

        Args:
            url: device name or pyserial URL.

        Raises:
            DeviceBroken: it cannot be opened.
        """
        self._url = url
        with self._translated("cannot be opened"):
            # exclusive keeps out others only if they ask too; it catches a second console.
            self._serial = serial.serial_for_url(
                url,
                baudrate=BAUD,
                timeout=READ_WAIT_S,
                write_timeout=WRITE_WAIT_S,
                exclusive=True,
            )

    def read(self) -> bytes:
        """Return what has come, waiting up to 10 ms for a first byte.

        Raises:
            DeviceBroken: the port is gone.
        """
        with self._translated("is gone"):
            first: bytes = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Write all bytes.

        Raises:
            DeviceBroken: the port is gone or takes nothing; the bytes may have left all the same.
        """
        with self._translated("takes nothing"):
            self._serial.write(data)

    def close(self) -> None:
        """Close the port."""
        with self._translated("cannot be closed"):
            self._serial.close()

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        # termios.error is no OSError; a pulled plug raises either (or ValueError in pyserial).
        except (serial.SerialException, OSError, termios.error, ValueError, TypeError) as error:
            raise DeviceBroken(f"port {self._url} {what}: {error}") from error
