"""The listener beside DCMTK's storescp, and beside writing and syncing the same bytes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.harness import Line, show
from devices.dicom import Listener, ListenerConfig
from simulators.operator import Gantry, Peer, draw_case
from simulators.scanner import ct_images

SLICES = 100


def main() -> None:
    if shutil.which("storescu") is None or shutil.which("storescp") is None:
        print("\nlistener: DCMTK is not installed, no peer to measure beside")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "series", SLICES)
        ours = _ours(folder)
        theirs = _theirs(folder)
        disk = _disk(folder)
    show(
        f"listener: {SLICES} slices of 512 x 512 from DCMTK's storescu, written and synced",
        [
            Line("our listener", ours, "DCMTK's storescp (does not sync)", theirs),
            Line("our listener", ours, "writing and syncing the bytes", disk),
        ],
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


def _ours(folder: Path) -> float:
    whole = threading.Event()
    config = ListenerConfig(store=folder / "ours", port=0, host="127.0.0.1", ae_title="PEER")
    with Listener(config, lambda _: whole.set()) as listener:
        seconds = push(sorted((folder / "series").iterdir()), listener.port)
        assert whole.wait(30)
    return seconds


def _theirs(folder: Path) -> float:
    out = folder / "theirs"
    out.mkdir()
    port = free_port()
    with _running(["storescp", "-aet", "PEER", "-od", str(out), str(port)]):
        time.sleep(1.0)
        return push(sorted((folder / "series").iterdir()), port)


def _disk(folder: Path) -> float:
    content = [p.read_bytes() for p in (folder / "series").iterdir()]
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
    # Else Nagle against delayed ACK stalls DCMTK some 40 ms a slice on loopback.
    without_nagle = {**os.environ, "TCP_NODELAY": "1"}
    subprocess.run(
        ["storescu", "-aec", "PEER", "127.0.0.1", str(port), *map(str, files)],
        check=True,
        capture_output=True,
        env=without_nagle,
    )
    return time.perf_counter() - start


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, env={**os.environ, "TCP_NODELAY": "1"})
    try:
        yield
    finally:
        process.terminate()
        process.wait()
