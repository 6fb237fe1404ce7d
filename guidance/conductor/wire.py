"""Messages between two processes of ours, each with the file descriptors that belong to it."""

from __future__ import annotations

import pickle
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any

_HEAD = struct.Struct("!QB")
MOST_DESCRIPTORS = 8


class Wire:
    """One end of a connection; may be written to by several threads, read by one."""

    def __init__(self, end: socket.socket) -> None:
        """Speak over a connected Unix stream socket."""
        self._end = end
        self._writing = threading.Lock()

    def send(self, message: Any, descriptors: Sequence[int] = ()) -> None:
        """Send a message.

        Raises:
            OSError: the other end is gone.
        """
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        head = _HEAD.pack(len(body), len(descriptors))
        with self._writing:
            socket.send_fds(self._end, [head], list(descriptors))
            self._end.sendall(body)

    def receive(self) -> tuple[Any, list[int]]:
        """Wait for a message.

        Raises:
            EOFError: the other end is gone.
        """
        try:
            head, descriptors, _, _ = socket.recv_fds(self._end, _HEAD.size, MOST_DESCRIPTORS)
            head += self._read(_HEAD.size - len(head))
            size, _ = _HEAD.unpack(head)
            return pickle.loads(self._read(size)), list(descriptors)
        except OSError as error:
            raise EOFError from error

    def close(self) -> None:
        """Hang up; whoever waits at the other end is told."""
        self._end.close()

    def _read(self, size: int) -> bytearray:
        found, done = bytearray(size), 0
        view = memoryview(found)
        while done < size:
            count = self._end.recv_into(view[done:])
            if count == 0:
                raise EOFError
            done += count
        return found
