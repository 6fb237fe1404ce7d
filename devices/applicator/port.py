"""The serial port; whatever it raises becomes DeviceBroken here and nowhere else."""

from __future__ import annotations

import termios
from collections.abc import Iterator
from contextlib import contextmanager

import serial
from serial.tools import list_ports

from devices.errors import DeviceBroken

BAUD = 115200
READ_WAIT_S = 0.01
WRITE_WAIT_S = 0.5
USB = "usb:"


class Port:
    """An open serial port, for one thread."""

    def __init__(self, url: str) -> None:
        """Open a port.

        Args:
            url: device path, ``usb:SERIAL`` for whichever port the USB adapter of that serial
                number has now, or a pyserial URL (``socket://``, ``rfc2217://``).

        Raises:
            DeviceBroken: it cannot be opened.
        """
        self._url = url
        with self._translated("cannot be opened"):
            # exclusive keeps out others only if they ask too; it catches a second console.
            self._serial = serial.serial_for_url(
                _found(url) if url.startswith(USB) else url,
                baudrate=BAUD,
                timeout=READ_WAIT_S,
                # pyserial's rfc2217 refuses a write timeout; its socket has one of its own.
                write_timeout=None if url.startswith("rfc2217:") else WRITE_WAIT_S,
                exclusive=None if "://" in url else True,
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
        # What pyserial lets out: SerialException and bare OSError on a pulled plug, termios.error
        # (no OSError) from ioctls, ValueError for an unknown URL, TypeError and AttributeError
        # from a port that another thread or a dead socket has closed under it.
        except (
            serial.SerialException, OSError, termios.error, ValueError, TypeError,
            AttributeError, NotImplementedError,
        ) as error:  # fmt: skip
            raise DeviceBroken(f"port {self._url} {what}: {error}") from error


def _found(url: str) -> str:
    """Return the device that the USB adapter of a serial number has now.

    Raises:
        OSError: no such adapter is plugged in.
    """
    wanted = url.removeprefix(USB)
    for port in list_ports.comports():
        if port.serial_number == wanted:
            return str(port.device)
    raise OSError(f"no USB adapter with serial number {wanted} is plugged in")
