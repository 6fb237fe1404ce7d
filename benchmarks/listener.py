"""The listener beside Orthanc, DCMTK's storescp, plain TCP, and writing the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.harness import Line, show
from simulators.operator import Gantry, Peer, draw_case
from simulators.scanner import ct_images

SLICES = 300
RUNS = 3


def main() -> None:
    if shutil.which("storescu") is None or shutil.which("storescp") is None:
        print("\nlistener: DCMTK is not installed, no peer to measure beside")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "series", SLICES)
        files = sorted((folder / "series").iterdir())
        ours = min(_ours(folder / f"ours{n}", files) for n in range(RUNS))
        lines = [
            Line("our listener", ours, "DCMTK's storescp (no sync)", _dcmtk(folder, files)),
            Line("our listener", ours, "plain TCP", _plain(files)),
            Line("our listener", ours, "writing and syncing the bytes", _disk(folder, files)),
        ]
        if (orthanc := _orthanc(folder, files)) is not None:
            lines.insert(0, Line("our listener", ours, "Orthanc", orthanc))
    show(
        f"listener: {SLICES} slices of 512 x 512 from DCMTK's storescu, written and synced, "
        f"{SLICES / ours:.0f} a second",
        lines,
    )


def write_series(folder: Path, slices: int) -> None:
    """Write a series of 512 x 512, its files named in the order of the slices."""
    folder.mkdir()
    case = draw_case(1, seeds=8, slice_mm=1.0, level="lumbar")
    gantry = Gantry(case, Peer("", 0, ""))
    hu = np.random.default_rng(0).integers(-100, 300, (slices, 512, 512)).astype(np.int16)
    protocol = gantry.case.room_protocol
    images = ct_images(hu, protocol, case.label("needles"), case.identity)
    for number, image in enumerate(sorted(images, key=lambda i: i.ImagePositionPatient[2])):
        image.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)


def _ours(folder: Path, files: list[Path]) -> float:
    """In a process of its own, as it runs in a room."""
    port = free_port()
    command = [sys.executable, "-m", "guidance", "listen", "--ae-title", "PEER"]
    with _running([*command, "--port", str(port), "--store", str(folder)], port):
        return push(files, port)


def _dcmtk(folder: Path, files: list[Path]) -> float:
    out = folder / "dcmtk"
    out.mkdir()
    port = free_port()
    with _running(["storescp", "-aet", "PEER", "-od", str(out), str(port)], port):
        return push(files, port)


def _orthanc(folder: Path, files: list[Path]) -> float | None:
    program = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return None
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "DicomAet": "PEER",
        "DicomPort": port,
        "HttpPort": free_port(),
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    with _running([program, str(path)], port):
        return push(files, port)


def _plain(files: list[Path]) -> float:
    """The same bytes through a socket, to nobody."""
    content = [p.read_bytes() for p in files]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            peer, _ = server.accept()
            with peer:
                while peer.recv(1 << 20):
                    pass

        taker = threading.Thread(target=take)
        taker.start()
        start = time.perf_counter()
        with socket.create_connection(server.getsockname()) as peer:
            for data in content:
                peer.sendall(data)
        taker.join()
        return time.perf_counter() - start


def _disk(folder: Path, files: list[Path]) -> float:
    content = [p.read_bytes() for p in files]
    (folder / "disk").mkdir()
    start = time.perf_counter()
    for number, data in enumerate(content):
        with (folder / "disk" / str(number)).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def push(files: list[Path], port: int) -> float:
    """Send files with DCMTK's storescu over one association; return the time, s."""
    start = time.perf_counter()
    with sending(files, port):
        pass
    return time.perf_counter() - start


@contextmanager
def sending(files: list[Path], port: int) -> Iterator[None]:
    """Have DCMTK's storescu send files meanwhile; wait for it at the end."""
    # Else Nagle against delayed ACK stalls DCMTK some 40 ms a slice on loopback.
    without_nagle = {**os.environ, "TCP_NODELAY": "1"}
    sender = subprocess.Popen(
        ["storescu", "-aec", "PEER", "127.0.0.1", str(port), *map(str, files)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_nagle,
    )
    try:
        yield
    finally:
        code = sender.wait()
    if code != 0:
        raise SystemExit(f"storescu failed ({code})")


def wait_for(port: int) -> None:
    """Wait until somebody answers C-ECHO."""
    for _ in range(200):
        command = ["echoscu", "-aec", "PEER", "127.0.0.1", str(port)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise SystemExit("nobody listens")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    environment = {**os.environ, "TCP_NODELAY": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait()
