"""Attack and accident, while the scanner sends: it is served, and nothing is kept by mistake."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psutil
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dsutils import encode
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

import devices.dicom.door as door
import devices.dicom.pace as pace
import devices.dicom.reception as reception
from devices.dicom import (
    Announcement,
    Caller,
    Listener,
    ListenerConfig,
    echo,
    read_announcements,
    send,
)
from devices.dicom.announcements import AnnouncementLog
from devices.dicom.reception import Rejected, received
from tests.devices.dicom.test_listener import a_series, generate_uid, slice_file, wait_for


@pytest.fixture
def announced() -> list[Announcement]:
    return []


@pytest.fixture
def listener(tmp_path: Path, announced: list[Announcement]) -> Iterator[Listener]:
    config = ListenerConfig(
        tmp_path / "store",
        0,
        reserve_bytes=0,
        maximum_associations=10,
        maximum_object_bytes=8 << 20,
        idle_s=3.0,
    )
    with Listener(config, announced.append) as running:
        yield running


@pytest.fixture(autouse=True)
def peers() -> Iterator[list[socket.socket]]:
    """Closes what the attackers opened."""
    yield OPENED
    while OPENED:
        OPENED.pop().close()


OPENED: list[socket.socket] = []


def connect(listener: Listener) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", listener.port))
    peer.settimeout(10)
    OPENED.append(peer)
    return peer


def ended(peer: socket.socket, within_s: float) -> bool:
    """Whether the other side lets go in time."""
    peer.settimeout(within_s)
    with contextlib.suppress(ConnectionError):
        try:
            while peer.recv(65536):
                pass
        except TimeoutError:
            return False
    return True


def scanner_is_served(listener: Listener, folder: Path, slices: int = 5) -> None:
    """It may have to call again while others fall silent, as scanners do."""
    deadline = time.monotonic() + 6
    while not echo(host="127.0.0.1", port=listener.port, called_ae="SEEDGUIDE"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    result = send(a_series(folder, slices), host="127.0.0.1", port=listener.port,
                  called_ae="SEEDGUIDE", calling_ae="CT1")  # fmt: skip
    assert not result.failed


def request_bytes() -> bytes:
    """A whole request for an association that may store CT images."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "EVIL", "SEEDGUIDE"
    context = build_context(CTImageStorage, ExplicitVRLittleEndian)
    context.context_id = 1
    primitive.presentation_context_definition_list = [context]
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = 16384
    implementation.implementation_class_uid = "1.2.3.4"
    primitive.user_information = [length, implementation]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def associated(listener: Listener) -> socket.socket:
    peer = connect(listener)
    peer.sendall(request_bytes())
    assert peer.recv(1) == b"\x02"
    return peer


def data_pdu(control: int, content: bytes) -> bytes:
    """P-DATA-TF with one fragment (PS3.8 section 9.3.5) of context 1."""
    item = struct.pack(">LBB", len(content) + 2, 1, control) + content
    return struct.pack(">BBL", 4, 0, len(item)) + item


def test_silent_peers_take_no_place_from_the_scanner(listener: Listener, tmp_path: Path) -> None:
    for _ in range(300):
        connect(listener)
    scanner_is_served(listener, tmp_path / "scan")
    deadline = time.monotonic() + 4  # before their own time is up
    while threading.active_count() > door.WAITING + 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_silent_peer_is_sent_away(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUEST_S", 0.5)
    assert ended(connect(listener), 3)


def test_a_slow_peer_is_sent_away(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte of the request at a time: the time runs from the first."""
    monkeypatch.setattr(door, "REQUEST_S", 1.0)
    peer = connect(listener)
    with contextlib.suppress(OSError):
        for byte in request_bytes()[:40]:
            peer.sendall(bytes([byte]))
            time.sleep(0.1)
    assert ended(peer, 1)


def test_a_peer_that_speaks_http_is_sent_away(listener: Listener, tmp_path: Path) -> None:
    peer = connect(listener)
    peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert ended(peer, 1)
    scanner_is_served(listener, tmp_path)


def test_a_slow_data_set_is_ended(listener: Listener, tmp_path: Path) -> None:
    peer = associated(listener)
    peer.sendall(struct.pack(">BBL", 4, 0, 200_000))
    end = time.monotonic() + 6
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            peer.sendall(b"\0")
            time.sleep(0.2)
        pytest.fail("the listener went on waiting")
    scanner_is_served(listener, tmp_path)


def store_command(data_set_follows: bool = True) -> bytes:
    """P-DATA of a C-STORE-RQ of instance 1.2.3."""
    command = pydicom.Dataset()
    command.AffectedSOPClassUID = CTImageStorage
    command.CommandField, command.MessageID, command.Priority = 1, 1, 0
    command.CommandDataSetType = 1 if data_set_follows else 0x0101
    command.AffectedSOPInstanceUID = "1.2.3"
    encoded = encode(command, True, True)
    assert encoded is not None
    head = struct.pack("<HHI", 0, 0, 4) + struct.pack("<I", len(encoded))
    return data_pdu(3, head + encoded)


def poured(peer: socket.socket, piece: bytes, times: int) -> int:
    """Send a piece again and again; return how many bytes went before the other side let go."""
    count = 0
    with contextlib.suppress(OSError):
        for _ in range(times):
            peer.sendall(piece)
            count += len(piece)
    return count


# What the kernel may hold of a connection on its way, on both sides.
BUFFERS_BYTES = 16 << 20


def test_a_data_set_without_end_is_ended(listener: Listener, tmp_path: Path) -> None:
    memory = psutil.Process().memory_info().rss
    peer = associated(listener)
    peer.sendall(store_command())
    taken = poured(peer, data_pdu(0, b"\0" * 60_000), 2000)
    assert taken < (8 << 20) + BUFFERS_BYTES
    assert psutil.Process().memory_info().rss - memory < 60 << 20
    scanner_is_served(listener, tmp_path)


def test_a_command_without_end_is_ended(listener: Listener, tmp_path: Path) -> None:
    peer = associated(listener)
    assert poured(peer, data_pdu(1, b"\0" * 10_000), 10_000) < BUFFERS_BYTES
    scanner_is_served(listener, tmp_path)


def begun_bytes(listener: Listener) -> list[int]:
    """How much of unfinished objects the listener holds, for each association."""
    messages = [a.dimse.message for a in listener._server.active_associations]
    return [m.data_set.tell() for m in messages if m is not None]


def test_objects_that_are_begun_and_never_ended_take_so_much_together(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is too large by itself; the largest goes, and the scanner's never is."""
    monkeypatch.setattr(pace, "SMALL_BYTES", 1 << 20)
    monkeypatch.setattr(pace, "LARGEST_TOGETHER_BYTES", 10 << 20)
    sizes = (3, 5, 4)
    peers = []
    for megabytes in sizes:
        peer = associated(listener)
        peer.sendall(store_command())
        poured(peer, data_pdu(0, b"\0" * (1 << 16)), 16 * megabytes)
        peers.append(peer)
        deadline = time.monotonic() + 10
        while len(peers) < 3 and megabytes << 20 not in begun_bytes(listener):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert ended(peers[1], 3)
    assert not ended(peers[0], 0.2)
    assert not ended(peers[2], 0.2)
    scanner_is_served(listener, tmp_path)


def test_whole_objects_without_waiting_for_answers_wait_in_the_network(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not worked on yet is not read yet either."""
    gate = threading.Event()
    monkeypatch.setattr(
        "devices.dicom.listener.received",
        lambda *a: gate.wait(20) and received(*a),
    )
    peer = associated(listener)
    message = store_command() + data_pdu(2, b"\0" * (1 << 20))
    peer.settimeout(1.0)
    taken = poured(peer, message, 60)
    assert taken < (4 << 20) + BUFFERS_BYTES
    gate.set()
    peer.close()
    scanner_is_served(listener, tmp_path)


def test_a_disk_that_fills_before_the_announcement_delays_it(
    listener: Listener,
    announced: list[Announcement],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, real = [3], os.fsync

    def fsync(descriptor: int) -> None:
        if left[0] > 0 and Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".jsonl":
            left[0] -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    scanner_is_served(listener, tmp_path / "a")
    wait_for(announced, 1)
    assert left == [0]
    scanner_is_served(listener, tmp_path / "b")
    wait_for(announced, 2)
    store = tmp_path / "store"
    assert [a.number for a in read_announcements(store)] == [1, 2]


def test_a_clock_that_jumps_changes_nothing(
    listener: Listener,
    announced: list[Announcement],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A year on and two years back, in the middle of a series and before a quiet time ends."""
    jump_s = [0.0]
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + jump_s[0])
    entity = AE("CT1")
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    entity.network_timeout = None  # the sender's clock jumps with ours here
    association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
    for path, years in zip(a_series(tmp_path / "scan", 4), (0, 1, -2, 1), strict=True):
        jump_s[0] += years * 3.2e7
        assert association.send_c_store(path).Status == 0
    association.abort()
    jump_s[0] = -9e7
    wait_for(announced, 1)
    assert len(announced[0].files) == 4


def test_a_hundred_associations_at_once(listener: Listener, tmp_path: Path) -> None:
    """They fill every place and fall silent; the scanner gets one of theirs."""
    for _ in range(100):
        connect(listener).sendall(request_bytes())
    time.sleep(0.5)
    scanner_is_served(listener, tmp_path)


def test_addresses_that_are_not_allowed_are_not_even_heard(tmp_path: Path) -> None:
    config = ListenerConfig(tmp_path, 0, allow=(Caller("CT1", "10.9.9.9"),))
    with Listener(config, lambda _: None) as running:
        assert ended(connect(running), 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_abort_in_the_middle_leaves_nothing_half_done(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    for cut in (10, 5000, 100_000):
        path = slice_file(tmp_path / "big.dcm", generate_uid(), 1, size=512)
        entity = AE("CT1")
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        entity.dimse_timeout = entity.network_timeout = 1
        association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
        raw = association.dul.socket.socket
        sent = 0

        def torn(data: bytes, raw: socket.socket = raw, cut: int = cut) -> None:
            nonlocal sent
            if sent + len(data) > cut:
                raw.shutdown(socket.SHUT_RDWR)
                raise OSError("the cable was pulled")
            sent += len(data)
            raw.sendall(data)

        association.dul.socket.send = torn
        with contextlib.suppress(Exception):
            association.send_c_store(pydicom.dcmread(path))
        association.abort()
    scanner_is_served(listener, tmp_path / "scan")
    wait_for(announced, 1)
    store = tmp_path / "store"
    assert len(list((store / "objects").rglob("*.dcm"))) == 5
    assert not list((store / "incoming").iterdir())


def test_a_disk_that_fills_in_the_middle_leaves_no_half_file(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.write, [20_000]

    def write(descriptor: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= len(data)
        return real(descriptor, data[: max(1, len(data) // 2)])

    monkeypatch.setattr("devices.dicom.store.os.write", write)
    paths = a_series(tmp_path / "scan", 12)
    result = send(paths, host="127.0.0.1", port=listener.port, called_ae="SEEDGUIDE")
    assert result.failed
    assert {reason for _, reason in result.failed} == {"status 0xA700"}
    store = tmp_path / "store"
    assert len(list((store / "objects").rglob("*.dcm"))) == 12 - len(result.failed)
    assert not list((store / "incoming").iterdir())
    monkeypatch.undo()
    again = send(paths, host="127.0.0.1", port=listener.port, called_ae="SEEDGUIDE")
    assert not again.failed


def _fuzzed(rounds: int, listener: Listener) -> None:
    rng = random.Random(7)
    whole = request_bytes()
    for _ in range(rounds):
        mutated = bytearray(whole)
        for _ in range(rng.randint(1, 12)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        if rng.random() < 0.3:
            del mutated[rng.randrange(len(mutated)) :]
        tail = rng.randbytes(rng.choice((0, 10, 3000))) if rng.random() < 0.5 else b""
        with contextlib.suppress(OSError), connect(listener) as peer:
            if rng.random() < 0.5:
                peer.sendall(whole + data_pdu(rng.randrange(4), rng.randbytes(200)) + tail)
            else:
                peer.sendall(bytes(mutated) + tail)
            peer.settimeout(0.02)
            with contextlib.suppress(OSError):
                peer.recv(4096)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_garbage_on_the_wire(listener: Listener, tmp_path: Path) -> None:
    _fuzzed(200, listener)
    scanner_is_served(listener, tmp_path)


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_much_garbage_on_the_wire(listener: Listener, tmp_path: Path) -> None:
    _fuzzed(20_000, listener)
    scanner_is_served(listener, tmp_path)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = slice_file(tmp_path_factory.mktemp("one") / "x.dcm", "1.2.3.4", 1, size=16)
    head = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
    return path.read_bytes()[132 + 12 + head :]


@settings(max_examples=300, deadline=None)
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=20),
    cut=st.floats(0.0, 1.0),
)
def test_a_mutated_data_set_is_refused_or_kept_whole(
    encoded: bytes, edits: list[tuple[float, int]], cut: float
) -> None:
    mutated = bytearray(encoded)
    for place, value in edits:
        mutated[int(place * (len(mutated) - 1))] = value
    if cut < 0.5:
        del mutated[int(2 * cut * len(mutated)) :]
    found, status = None, 0
    try:
        found = received(bytes(mutated), CTImageStorage, "1.2.3.4.1", ExplicitVRLittleEndian)
    except Rejected as error:
        status = error.status
    if found is None:
        assert status in {0xA700, 0xA900, 0xC000}
        return
    assert found.content.endswith(bytes(mutated))
    assert pydicom.dcmread(BytesIO(found.content), stop_before_pixels=True).Rows is not None
    # And whatever its other elements hold, its series can be announced.
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / found.instance.series_instance_uid / "1.dcm"
        path.parent.mkdir()
        path.write_bytes(found.content)
        said = AnnouncementLog(Path(name)).announce((path,), "quiet")
        assert read_announcements(Path(name)) == (said,)


def test_an_image_larger_than_the_memory_is_refused(encoded: bytes) -> None:
    data = pydicom.dcmread(BytesIO(encoded), force=True)
    data.Rows = data.Columns = 65535
    data.NumberOfFrames = 100
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, data, implicit_vr=False, little_endian=True)
    with pytest.raises(Rejected, match="would take") as refused:
        received(buffer.getvalue(), CTImageStorage, "1.2.3.4.1", ExplicitVRLittleEndian)
    assert refused.value.status == 0xA700


def test_a_kilobyte_that_inflates_without_end_is_refused(
    encoded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "LARGEST_INFLATED_BYTES", 1 << 20)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    small = deflate.compress(encoded) + deflate.flush()
    arguments = CTImageStorage, "1.2.3.4.1", DeflatedExplicitVRLittleEndian
    assert received(small, *arguments).content.endswith(small)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = deflate.compress(encoded + b"\0" * (50 << 20)) + deflate.flush()
    assert len(bomb) < 100_000
    with pytest.raises(Rejected, match="inflated") as refused:
        received(bomb, *arguments)
    assert refused.value.status == 0xA700
