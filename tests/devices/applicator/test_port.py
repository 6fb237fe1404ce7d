"""Every way to reach the controller, and what a port does when it dies."""

from __future__ import annotations

import os
import socket
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial import rfc2217

from devices.applicator import ApplicatorLink, LinkStatus
from devices.applicator.link import REOPEN_AT_MOST_S, reopen_after_s
from devices.applicator.port import Port
from devices.applicator.wirelog import WireLog
from devices.errors import DeviceBroken
from simulators.applicator import ApplicatorStation


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Path]:
    with ApplicatorStation(tmp_path / "line", seed=5, speed=100.0) as station:
        station.insert_cartridge("C1", 5)
        yield tmp_path / "line"


class _Pty(serial.Serial):  # type: ignore[misc]
    """A serial port without modem lines, as a pseudo-terminal is."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None: ...

    def _update_rts_state(self) -> None: ...

    def _update_break_state(self) -> None: ...


def _received(peer: socket.socket) -> bytes:
    try:
        data = peer.recv(1024)
    except TimeoutError:
        return b""
    if not data:
        raise ConnectionResetError
    return data


@contextmanager
def served(wire: Path, *, telnet: bool) -> Iterator[int]:
    """A terminal server in front of a line: plain TCP, or RFC 2217."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        peer, _ = listening.accept()
        peer.settimeout(0.01)
        with peer, _Pty(str(wire), timeout=0.01) as port:
            told = SimpleNamespace(write=peer.sendall)
            manager = rfc2217.PortManager(port, told) if telnet else None
            while not stop.is_set():
                try:
                    down = _received(peer)
                    port.write(b"".join(manager.filter(down)) if manager else down)
                    up = port.read(256)
                    peer.sendall(b"".join(manager.escape(up)) if manager else up)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stop.set()
        thread.join(5)
        listening.close()


def introduced(url: str, log: Path | None = None) -> LinkStatus:
    """The status of a link that is up."""
    up = threading.Event()
    heard: list[LinkStatus] = []

    def hear(status: LinkStatus) -> None:
        heard.append(status)
        if status.state == "up":
            up.set()

    link = ApplicatorLink(url, record=lambda _: None, heard=hear, wire_log=log)
    link.start()
    try:
        assert up.wait(10), heard[-1:]
        return next(s for s in heard if s.state == "up")
    finally:
        link.close()


def test_by_device_path(wire: Path) -> None:
    assert introduced(str(wire)).serial_number == "SA000005"


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's own
@pytest.mark.parametrize(("scheme", "telnet"), [("socket", False), ("rfc2217", True)])
def test_over_the_network(wire: Path, scheme: str, telnet: bool) -> None:
    with served(wire, telnet=telnet) as port:
        assert introduced(f"{scheme}://127.0.0.1:{port}").serial_number == "SA000005"


def test_by_usb_serial_number(wire: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever name the adapter has now."""
    there = [SimpleNamespace(serial_number="A50285BI", device=str(wire))]
    monkeypatch.setattr("devices.applicator.port.list_ports.comports", lambda: there)
    assert introduced("usb:A50285BI").serial_number == "SA000005"
    with pytest.raises(DeviceBroken, match="no USB adapter with serial number OTHER"):
        Port("usb:OTHER")


@pytest.mark.parametrize(
    "url",
    ["/nowhere/tty", "nonsense://x", "socket://127.0.0.1:1", "rfc2217://127.0.0.1:1", "/dev/null"],
)
def test_what_cannot_be_opened_is_said(url: str) -> None:
    with pytest.raises(DeviceBroken, match=r"port .* cannot be opened"):
        Port(url)


@pytest.mark.parametrize(
    "error",
    [
        serial.SerialException("device reports readiness to read but returned no data"),
        OSError(5, "Input/output error"),
        termios.error(5, "Input/output error"),
        TypeError("'NoneType' object cannot be interpreted as an integer"),
        AttributeError("'NoneType' object has no attribute 'recv'"),
        serial.SerialTimeoutException("Write timeout"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_everything_pyserial_lets_out_is_translated(
    wire: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    port = Port(str(wire))

    def broken(*_: object) -> bytes:
        raise error

    try:
        with monkeypatch.context() as patch:
            patch.setattr(port._serial, "read", broken)
            patch.setattr(port._serial, "write", broken)
            with pytest.raises(DeviceBroken, match="is gone"):
                port.read()
            with pytest.raises(DeviceBroken, match="takes nothing"):
                port.write(b"x")
    finally:
        port.close()


def test_a_second_program_does_not_get_the_port(wire: Path) -> None:
    first = Port(str(wire))
    try:
        with pytest.raises(DeviceBroken, match=r"cannot be opened.*lock"):
            Port(str(wire))
    finally:
        first.close()


def test_a_stuck_transmitter_is_a_broken_port() -> None:
    """Nobody reads the other end: the write gives up, what was written is not known."""
    near, far = os.openpty()
    try:
        port = Port(os.ttyname(far))
        with pytest.raises(DeviceBroken, match="takes nothing"):
            port.write(b"x" * 1_000_000)
        port.close()
    finally:
        os.close(near)
        os.close(far)


def test_the_port_is_tried_again_ever_more_slowly() -> None:
    waits = [reopen_after_s(n) for n in range(40)]
    assert waits[0] < 0.5
    assert waits == sorted(waits)
    assert waits[-1] == REOPEN_AT_MOST_S
    assert all(b <= 2 * a for a, b in pairwise(waits))


def test_the_wire_log_has_each_line_with_its_time(wire: Path, tmp_path: Path) -> None:
    introduced(str(wire), tmp_path / "wire.log")
    lines = (tmp_path / "wire.log").read_text().splitlines()
    times = [line.split(" ")[0] for line in lines]
    assert times == sorted(times)
    marks = {line.split(" ")[1] for line in lines}
    assert marks == {">", "<", "#"}
    words = [line.split(" ")[2:] for line in lines if line.split(" ")[1] in "<>"]
    assert {w[0] for w in words} == {"C", "R", "E"}
    assert any(w[:1] == ["E"] and "CART-IN" in w for w in words)


def test_the_wire_log_puts_pieces_together_and_shows_what_is_no_text(tmp_path: Path) -> None:
    log = WireLog(tmp_path / "wire.log")
    for piece in (b"\nE J1 1", b" 1 5 BOOT", b" 1.0*00\nR \xff", b"\x00x\n"):
        log.received(piece)
    log.received(b"half a li")
    log.note("lost")
    told = [line.split(" ", 1)[1] for line in (tmp_path / "wire.log").read_text().splitlines()]
    assert told == ["< E J1 1 1 5 BOOT 1.0*00", "< R \\xff\\x00x", "< half a li", "# lost"]


def test_a_full_disk_ends_the_wire_log_and_not_the_link(wire: Path) -> None:
    assert introduced(str(wire), Path("/dev/full")).state == "up"
