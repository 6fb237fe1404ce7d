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
        _write_series(folder / "series")
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


def _write_series(folder: Path) -> None:
    folder.mkdir()
    case = draw_case(1, seeds=8, slice_mm=1.0, level="lumbar")
    gantry = Gantry(case, Peer("", 0, ""))
    hu = np.random.default_rng(0).integers(-100, 300, (SLICES, 512, 512)).astype(np.int16)
    protocol = gantry.case.room_protocol
    for image in ct_images(hu, protocol, case.label("needles"), case.identity):
        image.save_as(folder / f"{image.SOPInstanceUID}.dcm", enforce_file_format=True)


def _ours(folder: Path) -> float:
    whole = threading.Event()
    config = ListenerConfig(store=folder / "ours", port=0, host="127.0.0.1", ae_title="PEER")
    with Listener(config, lambda _: whole.set()) as listener:
        seconds = _push(folder / "series", listener.port)
        assert whole.wait(30)
    return seconds


def _theirs(folder: Path) -> float:
    out = folder / "theirs"
    out.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _running(["storescp", "-aet", "PEER", "-od", str(out), str(port)]):
        time.sleep(1.0)
        return _push(folder / "series", port)


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


def _push(series: Path, port: int) -> float:
    start = time.perf_counter()
    # Else Nagle against delayed ACK stalls DCMTK some 40 ms a slice on loopback.
    without_nagle = {**os.environ, "TCP_NODELAY": "1"}
    subprocess.run(
        ["storescu", "-aec", "PEER", "+sd", "127.0.0.1", str(port), str(series)],
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
