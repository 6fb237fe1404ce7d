"""The door of the listener: who gets an association, and how long anybody may keep us waiting.

A connection becomes an association only when its whole A-ASSOCIATE-RQ is there. Until then it
waits at the door, where only so many may stand: for each one more, the one that stood longest is
sent away. So silent peers, slow ones and those of another language cost a moment and no place,
and the scanner, which speaks at once, comes in. When all places are taken, the association that
has been silent longest gives way.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import struct
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynetdicom.transport import ThreadedAssociationServer

from devices.errors import DeviceBroken, DeviceRefused

log = logging.getLogger(__name__)

WAITING = 64
# From the connection to the whole request; a scanner takes milliseconds.
REQUEST_S = 5.0
# PS3.8 section 9.3.2: type 1; some 100 presentation contexts make 20 kB.
ASSOCIATE_RQ = 0x01
LARGEST_REQUEST_BYTES = 64 << 10
LOOK_S = 0.01
# An association that said nothing for so long gives way when all places are taken.
GIVE_WAY_S = 2.0


@dataclass(frozen=True)
class Tls:
    """TLS of the listener.

    Attributes:
        certificate: PEM file of our certificate, with those that signed it.
        key: PEM file of its private key.
        authority: PEM file of the authorities whose peers may call; without it, any may.
    """

    certificate: Path
    key: Path
    authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what handshakes are made with (PS3.15 annex B.9: TLS 1.2 or newer).

        Raises:
            DeviceBroken: a file is missing or is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = HeardSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.authority is not None:
                context.load_verify_locations(self.authority)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise DeviceBroken(
                f"TLS with {self.certificate}, {self.key} and {self.authority or 'no authority'} "
                f"cannot be set up: {error}"
            ) from error
        return context


class Door(ThreadedAssociationServer):
    """pynetdicom's server with a door in front of it.

    Attributes:
        addresses: those that may connect; empty for all.
        tls: of handshakes; None for none.
    """

    request_queue_size = 128
    daemon_threads = True
    addresses: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Stand before the same server."""
        self._waiting: OrderedDict[int, socket.socket] = OrderedDict()
        self._lock = threading.Lock()
        super().__init__(*arguments, **named)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Let nobody in from an address that is not on the list."""
        allowed = not self.addresses or client_address[0] in self.addresses
        if not allowed:
            log.warning("a connection from %s was closed: not on the allow-list", client_address[0])
        return allowed

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Wait for the request at the door, then go on as the library does."""
        place = id(request)
        self._stand(place, request)
        network_s = request.gettimeout()
        try:
            request.settimeout(REQUEST_S)
            if self.tls is not None:
                request = self.tls.wrap_socket(
                    request, server_side=True, do_handshake_on_connect=False
                )
                self._stand(place, request)
                request.do_handshake()
            _hear(request)
            request.settimeout(network_s)
        except (OSError, ValueError, DeviceRefused) as error:
            log.info("a connection from %s came to nothing: %s", client_address[0], error)
            self.shutdown_request(request)
            return
        finally:
            with self._lock:
                self._waiting.pop(place, None)
        super().process_request_thread(request, client_address)

    def _stand(self, place: int, request: socket.socket) -> None:
        """Take a place at the door, at the cost of who stood there longest."""
        with self._lock:
            self._waiting[place] = request
            longest = self._waiting.popitem(last=False)[1] if len(self._waiting) > WAITING else None
        if longest is not None:
            with contextlib.suppress(OSError):
                # Wakes the thread that reads from it; of TLS, the connection below it.
                socket.socket.shutdown(longest, socket.SHUT_RDWR)
            self.shutdown_request(longest)


class HeardSocket(ssl.SSLSocket):
    """A TLS connection from which something was read that is yet to be received.

    What came over TLS cannot be peeked at, as that of a plain socket can.
    """

    _heard: bytes = b""

    def peek(self, wanted: int) -> bytes:
        """Return the next bytes, at most so many, and keep them; none where it ended."""
        more = self.recv(wanted - len(self._heard))
        self._heard += more
        return self._heard if more else b""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive, what was heard before first."""
        if not self._heard:
            return super().recv_into(buffer, nbytes, flags)
        count = min(len(self._heard), len(buffer))
        buffer[:count] = self._heard[:count]
        self._heard = self._heard[count:]
        return count

    def pending(self) -> int:
        """Return how much can be received at once."""
        return len(self._heard) + super().pending()


def _hear(request: socket.socket) -> None:
    """Return once the whole request for an association is there.

    Raises:
        OSError: the peer went away, or took too long.
        DeviceRefused: what it says is no request for an association.
    """
    end_s = time.monotonic() + REQUEST_S
    head = _peeked(request, 6, end_s)
    _peeked(request, 6 + _check_request(head), end_s)


def _peeked(request: socket.socket, wanted: int, end_s: float) -> bytes:
    while True:
        if isinstance(request, HeardSocket):
            seen = request.peek(wanted)
        else:
            seen = request.recv(wanted, socket.MSG_PEEK)
        if not seen or time.monotonic() > end_s:
            raise DeviceRefused("it ended before its request was whole")
        _check_request(seen)
        if len(seen) >= wanted:
            return seen
        time.sleep(LOOK_S)


def _check_request(head: bytes) -> int:
    """Return the length of the request that the first bytes announce, as far as they do."""
    if head[0] != ASSOCIATE_RQ:
        raise DeviceRefused("it does not speak DICOM")
    if len(head) < 6:
        return 0
    length = int(struct.unpack(">BBL", head[:6])[2])
    if length > LARGEST_REQUEST_BYTES:
        raise DeviceRefused(f"a request of {length} bytes was announced")
    return length


def make_room(associations: list[Any], places: int) -> None:
    """End the association that has been silent longest, if there are more than places.

    Args:
        associations: all that are there, the new one too.
        places: how many there may be.
    """
    if len(associations) <= places:
        return
    now_s = time.monotonic()
    silent = [(now_s - a.heard_s, a) for a in associations]
    silent_s, association = max(silent, key=lambda pair: pair[0], default=(0.0, None))
    if association is not None and silent_s >= GIVE_WAY_S:
        log.warning("an association that was silent for %.0f s gives way to a new one", silent_s)
        association.abort()
        association.kill()
        association.join(timeout=1.0)
