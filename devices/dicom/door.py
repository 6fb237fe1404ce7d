"""The door of the listener: who gets an association, and how long anybody may keep us waiting.

A connection becomes an association only when its whole A-ASSOCIATE-RQ is there. Until then it
waits at the door, where only so many may stand: for each one more, the one that stood longest is
sent away. So silent peers, slow ones and those of another language cost a moment and no place,
and the scanner, which speaks at once, comes in. When all places are taken, the association that
has been silent longest gives way.
"""

from __future__ import annotations

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
        self._stand(request)
        try:
            admitted = self._admitted(request)
        except (OSError, ValueError, DeviceRefused) as error:
            log.info("a connection from %s came to nothing: %s", client_address[0], error)
            admitted = None
        finally:
            with self._lock:
                self._waiting.pop(id(request), None)
        if admitted is None:
            self.shutdown_request(request)
            return
        super().process_request_thread(admitted, client_address)

    def _stand(self, request: socket.socket) -> None:
        """Take a place at the door, at the cost of who stood there longest."""
        with self._lock:
            self._waiting[id(request)] = request
            longest = self._waiting.popitem(last=False)[1] if len(self._waiting) > WAITING else None
        if longest is not None:
            self.shutdown_request(longest)

    def _admitted(self, request: socket.socket) -> socket.socket:
        """Return the connection once its request is there; with TLS, once hands are shaken.

        Raises:
            OSError: the peer went away, or took too long.
            DeviceRefused: what it says is no request for an association.
        """
        network_s = request.gettimeout()
        request.settimeout(REQUEST_S)
        if self.tls is not None:
            wrapped = self.tls.wrap_socket(request, server_side=True)
            wrapped.settimeout(network_s)
            return wrapped
        end_s = time.monotonic() + REQUEST_S
        wanted = 6
        while len(head := request.recv(wanted, socket.MSG_PEEK)) < wanted:
            if not head or time.monotonic() > end_s:
                raise DeviceRefused("it ended before its request was whole")
            _check_request(head)
            time.sleep(LOOK_S)
        wanted += _check_request(head)
        while len(seen := request.recv(wanted, socket.MSG_PEEK)) < wanted:
            if not seen or time.monotonic() > end_s:
                raise DeviceRefused("it ended before its request was whole")
            time.sleep(LOOK_S)
        request.settimeout(network_s)
        return request


def _check_request(head: bytes) -> int:
    """Return the length of the request that the first bytes announce, as far as they do."""
    if head[0] != ASSOCIATE_RQ:
        raise DeviceRefused("it does not speak DICOM")
    if len(head) < 6:
        return 0
    length = int(struct.unpack(">BBL", head)[2])
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
