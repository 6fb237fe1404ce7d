"""The export at the end of a case: stopped it is not whole and says so, and can be run again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from guidance.conductor.exports import export_case
from guidance.console.exporting import CaseExport
from guidance.console.session import Session
from guidance.errors import RefusedError
from guidance.procedure.snapshot import Snapshot

SNAPSHOT = Snapshot(9, datetime(2026, 1, 13, 9, 0, tzinfo=UTC), "case")
FIGURES = {"journal": {"digest": "d"}}


class Disk:
    """A session whose export waits where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slow = folder, threading.Event()
        self.full = False

    def export(self, snapshot: Snapshot, *, go_on: Callable[[], None]) -> tuple[Path, ...]:
        if self.full:
            raise OSError("No space left on device")
        self.slow.wait(10)
        return export_case(self.folder, snapshot, FIGURES, [], go_on=go_on)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_stopped_it_is_not_whole_until_it_is_run_again(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "out")
    with ThreadPoolExecutor(1) as worker:
        export = CaseExport(cast(Session, disk), worker)
        assert export.whole
        assert export.task() is None
        export.begin(SNAPSHOT)
        task = export.task()
        assert task is not None
        assert task.since is not None
        assert task.press is not None
        task.press()
        stopping = export.task()
        assert stopping is not None
        assert stopping.press is None
        disk.slow.set()
        until(lambda: (t := export.task()) is not None and t.since is None)
        assert not export.whole
        assert not (tmp_path / "out" / "report.pdf").exists()
        resting = export.task()
        assert resting is not None
        assert resting.what == "The case has not been exported: the export was stopped"
        assert resting.press is not None
        resting.press()
        until(lambda: export.task() is None)
        assert export.whole
    assert (tmp_path / "out" / "report.pdf").exists()


def test_a_full_disk_is_said_and_tried_again_when_asked(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "out")
    disk.slow.set()
    disk.full = True
    with ThreadPoolExecutor(1) as worker:
        export = CaseExport(cast(Session, disk), worker)
        export.begin(SNAPSHOT)
        until(lambda: (t := export.task()) is not None and t.since is None)
        resting = export.task()
        assert resting is not None
        assert "No space left on device" in resting.what
        assert resting.press is not None
        assert not export.whole
        disk.full = False
        resting.press()
        until(lambda: export.whole)


def test_what_is_raised_between_two_parts_ends_it_there(tmp_path: Path) -> None:
    asked: list[int] = []

    def go_on() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise RefusedError("enough")

    with pytest.raises(RefusedError, match="enough"):
        export_case(tmp_path, SNAPSHOT, FIGURES, [], go_on=go_on)
    assert (tmp_path / "summary.json").exists()
    assert not (tmp_path / "report.pdf").exists()
