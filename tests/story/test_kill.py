"""kill -9 of the console in the middle of the drops, and of its worker; nothing is lost."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from pathlib import Path

import psutil

from guidance.errors import GuidanceError
from guidance.journal import Journal, Record
from guidance.training.story import Story, case_id, rehearsal

SEEDS = 10


def records(path: Path, case: str) -> list[Record]:
    try:
        with Journal(str(path), read_only=True) as journal:
            return list(journal.records(case))
    except (GuidanceError, OSError):
        return []


def drops(path: Path, case: str) -> int:
    return sum(r.payload.get("kind") == "DROP" for r in records(path, case))


def kill_the_worker_at_work(console: subprocess.Popen[bytes], until: float) -> None:
    """Kill the worker while voxels are before it; the console goes on, or the story fails."""
    while True:
        assert time.monotonic() < until
        for worker in psutil.Process(console.pid).children():
            with contextlib.suppress(OSError):
                if "seedguide-volume" in Path(f"/proc/{worker.pid}/maps").read_text():
                    worker.kill()
                    return
        time.sleep(0.01)


def ended(process: psutil.Process) -> bool:
    """Whether a process is over within two seconds; its number may wait for whoever adopted it."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return True
    return False


def test_no_drop_and_no_slice_is_lost(tmp_path: Path) -> None:
    story = Story(
        tmp_path / "demo", seed=4, seeds=SEEDS, slice_mm=2.0, case="lumbar", headless=True
    )
    case = case_id(story)
    with rehearsal(story, lambda _: None) as ready:
        for wanted in (2, 5):
            console = subprocess.Popen(ready.console, stderr=subprocess.DEVNULL)
            until = time.monotonic() + 180
            if wanted == 2:
                kill_the_worker_at_work(console, until)
            while drops(ready.journal, case) < wanted:
                assert console.poll() is None, "the console ended by itself"
                assert time.monotonic() < until
                time.sleep(0.02)
            (worker,) = psutil.Process(console.pid).children()
            console.kill()
            console.wait()
            assert ended(worker), "nothing outlives a console that was killed"
        quiet = subprocess.DEVNULL
        done = subprocess.run(ready.console, stderr=quiet, timeout=300, check=False)
        assert done.returncode == 0
    truth = json.loads(ready.truth.read_text())
    summary = json.loads((story.out / "summary.json").read_text())
    assert summary["closed"]
    assert summary["ledger"]["balanced"]
    assert summary["ledger"]["implanted"] == len(truth["seeds"]) == SEEDS
    assert summary["ledger"]["misfires"] == truth["misfires"]
    written = records(ready.journal, case)
    broke_off = [r.payload for r in written if r.kind == "WorkBrokeOff"]
    assert [b["reason"] for b in broke_off] == ["its process was ended by SIGKILL"]
    device = [r.payload["eid"] for r in written if r.kind == "DeviceRecorded"]
    assert device == list(range(1, len(device) + 1))
    assert drops(ready.journal, case) == SEEDS
    series = [r.payload for r in written if r.kind == "SeriesReceived"]
    assert len(series) == 5
    ct = [s["files"] for s in series if s["modality"] == "CT"]
    assert len({len(files) for files in ct}) == 1
    assert all(Path(f).is_file() for files in ct for f in files)
    assert len(ct[0]) > 40
