"""What our listener uses of pynetdicom's inside, and that it does no harm."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless
from pynetdicom import AE, Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dul import DULServiceProvider
from pynetdicom.timer import Timer
from pynetdicom.transport import AssociationSocket

from devices.dicom import Listener, ListenerConfig
from devices.dicom.pace import LARGEST_PDU_BYTES, SteadyTimer, _receive
from devices.dicom.reception import file_head
from devices.dicom.sender import settle

UIDS = st.lists(st.integers(0, 10**9), min_size=2, max_size=6).map(lambda n: ".".join(map(str, n)))


@given(UIDS, st.sampled_from([ExplicitVRLittleEndian, JPEG2000Lossless]))
def test_the_file_head_is_the_one_pydicom_reads_and_writes(uid: str, syntax: UID) -> None:
    head = file_head("1.2.840.10008.5.1.4.1.1.2", uid, syntax)
    read = pydicom.dcmread(BytesIO(head), force=False).file_meta
    assert (read.MediaStorageSOPInstanceUID, read.TransferSyntaxUID) == (uid, syntax)
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, read, enforce_standard=False)
    assert head == b"\0" * 128 + b"DICM" + buffer.getvalue()


def test_the_library_still_has_what_is_replaced() -> None:
    association = Association(AE(), "acceptor")
    assert isinstance(association.dul, DULServiceProvider)
    assert isinstance(association.dimse, DIMSEServiceProvider)
    assert isinstance(association.dul._run_loop_delay, float)
    assert callable(association.dimse.get_msg)
    assert hasattr(association.dimse, "msg_queue")
    assert callable(AssociationSocket.recv)


def test_a_message_waits_until_the_last_pause_is_over() -> None:
    association = Association(AE(), "requestor")
    association.is_established, association._is_paused = True, True
    waker = threading.Timer(0.05, setattr, (association, "_is_paused", False))
    start_s = time.monotonic()
    waker.start()
    settle(association)
    assert time.monotonic() - start_s >= 0.05
    association._is_paused, association.is_established = True, False
    settle(association)  # the peer is gone: nobody wakes


def test_the_timer_is_the_librarys_but_for_its_clock() -> None:
    timer, theirs = SteadyTimer(0.05), Timer(0.05)
    for one in (timer, theirs):
        assert not one.expired
        assert one.remaining == 0.05
        one.start()
        assert 0 < one.remaining <= 0.05
    time.sleep(0.06)
    for one in (timer, theirs):
        assert one.expired
        one.restart()
        assert not one.expired
        one.stop()
        assert not one.expired
        one.timeout = None
        assert one.remaining == 1
    dul = Association(AE(), "acceptor").dul
    assert type(dul.artim_timer) is type(dul._idle_timer) is Timer


class _Association:
    heard_s = 0.0


class _Pair:
    """Has a socket, as pynetdicom's does."""

    def __init__(self) -> None:
        self.socket, self.peer = socket.socketpair()


@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=8))
def test_what_comes_in_pieces_is_received_whole(pieces: list[bytes]) -> None:
    pair = _Pair()
    whole = b"".join(pieces)

    def send() -> None:
        for piece in pieces:
            pair.peer.sendall(piece)
        pair.peer.close()

    sender = threading.Thread(target=send)
    sender.start()
    assert _receive(pair, _Association(), 5.0, len(whole)) == whole
    assert _receive(pair, _Association(), 5.0, 10) == b"", "the connection ended"
    sender.join()
    pair.socket.close()


def test_a_pdu_of_two_gibibytes_is_not_waited_for(tmp_path: Path) -> None:
    """The listener lets go of such a peer at once and keeps its memory."""
    with (
        Listener(ListenerConfig(tmp_path, 0), lambda _: None) as listener,
        socket.create_connection(("127.0.0.1", listener.port)) as peer,
    ):
        peer.sendall(struct.pack(">BBL", 0x01, 0, 2**31 - 1) + b"x" * 4096)
        peer.settimeout(5)
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while peer.recv(4096):
                pass
        assert time.monotonic() - start < 4
    assert LARGEST_PDU_BYTES < 2 << 20


def test_a_release_ends_the_wait_for_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.dicom.pace.LOOK_S", 20.0)
    with Listener(ListenerConfig(tmp_path, 0, ae_title="PEER"), lambda _: None) as listener:
        entity = AE()
        entity.add_requested_context("1.2.840.10008.1.1")
        association = entity.associate("127.0.0.1", listener.port, ae_title="PEER")
        assert association.send_c_echo().Status == 0x0000
        start_s = time.monotonic()
        association.release()
        assert association.is_released
        assert time.monotonic() - start_s < 10.0
