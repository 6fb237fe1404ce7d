"""kill -9 of the console in the middle of the drops; a restart loses nothing."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

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


def test_no_drop_and_no_slice_is_lost(tmp_path: Path) -> None:
    story = Story(
        tmp_path / "demo", seed=4, seeds=SEEDS, slice_mm=2.0, case="lumbar", headless=True
    )
    case = case_id(story)
    with rehearsal(story, lambda _: None) as ready:
        for wanted in (2, 5):
            console = subprocess.Popen(ready.console, stderr=subprocess.DEVNULL)
            until = time.monotonic() + 180
            while drops(ready.journal, case) < wanted:
                assert console.poll() is None, "the console ended by itself"
                assert time.monotonic() < until
                time.sleep(0.02)
            console.kill()
            console.wait()
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
    device = [r.payload["eid"] for r in written if r.kind == "DeviceRecorded"]
    assert device == list(range(1, len(device) + 1))
    assert drops(ready.journal, case) == SEEDS
    series = [r.payload for r in written if r.kind == "SeriesReceived"]
    assert len(series) == 5
    ct = [s["files"] for s in series if s["modality"] == "CT"]
    assert len({len(files) for files in ct}) == 1
    assert all(Path(f).is_file() for files in ct for f in files)
    assert len(ct[0]) > 40
