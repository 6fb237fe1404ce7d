"""From the last slice on disk to the volume, and the listener's memory, over series in a row."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pydicom
from pydicom.uid import generate_uid

from benchmarks.harness import Line, show
from benchmarks.listener import free_port, sending, wait_for, write_series
from devices.dicom import read_announcements
from guidance.conductor.arrivals import Arrivals
from guidance.conductor.feeds import POLL_S
from guidance.imaging import read_series

SERIES, SLICES = 20, 300
# Scans come minutes apart; the console uses the first second or two to prepare for the next.
BETWEEN_S = 2.5
# What the room asks of 99 series in 100.
GOAL_S = 0.03


def main() -> None:
    if shutil.which("storescu") is None:
        print("\nvolume: DCMTK is not installed, nobody to send")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "series", SLICES)
        port = free_port()
        command = [sys.executable, "-m", "guidance", "listen", "--ae-title", "PEER"]
        command += ["--port", str(port), "--store", str(folder / "store")]
        listener = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            _run(folder, port, psutil.Process(listener.pid))
        finally:
            listener.terminate()
            listener.wait()


def _run(folder: Path, port: int, listener: psutil.Process) -> None:
    arrivals = Arrivals(folder / "store")
    arrivals.start()
    gc.freeze()  # as the console does
    delays, memory, plain = [], [], []
    try:
        for number in range(1, SERIES + 1):
            _renamed(folder / "series", number)
            time.sleep(BETWEEN_S)
            with sending(sorted((folder / "series").iterdir()), port):
                while not (told := read_announcements(folder / "store", number - 1)):
                    time.sleep(POLL_S)
                files = told[0].files
                arrivals.volume(files)
                done_ns = time.time_ns()
            last_ns = max(f.stat().st_mtime_ns for f in files)
            delays.append((done_ns - last_ns) / 1e9)
            memory.append(listener.memory_info().rss / 1e6)
            if number <= 3:
                start = time.perf_counter()
                read_series(files)
                plain.append(time.perf_counter() - start)
            shutil.rmtree(files[0].parent)
    finally:
        arrivals.stop()
    show(
        f"volume: {SERIES} series of {SLICES} slices, last slice on disk to volume",
        [
            Line("median", float(np.median(delays)), "reading the series then", min(plain)),
            Line("largest", max(delays), "reading the series then", min(plain)),
        ],
    )
    print(f"  later than {GOAL_S * 1e3:.0f} ms: {sum(d > GOAL_S for d in delays)} of {SERIES}")
    print(f"  listener's memory: {memory[4]:.0f} MB after 5 series, {memory[-1]:.0f} MB after 20")


def _renamed(folder: Path, number: int) -> None:
    """Give the series new UIDs, its files names in the order of the slices."""
    series_uid = generate_uid()
    for path in sorted(folder.iterdir()):
        data = pydicom.dcmread(path)
        data.SeriesInstanceUID = series_uid
        data.SOPInstanceUID = generate_uid()
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.save_as(path)
