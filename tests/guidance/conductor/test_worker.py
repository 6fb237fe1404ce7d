"""The worker process: killed, left, orphaned; and what the case says of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from virtual import scans

from guidance.conductor.conductor import Conductor
from guidance.conductor.desk import Desk
from guidance.conductor.foreman import Foreman, WorkDropped, WorkLost
from guidance.conductor.library import Library
from guidance.conductor.orders import Settings
from guidance.conductor.shared import HELD, Shelf, taken
from guidance.conductor.workbench import Workbench
from guidance.configuration import CtSettings, ModelledSettings, SourceSettings
from guidance.errors import ImportRefused
from guidance.imaging.volume import Volume
from guidance.journal import Journal
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.asking import AGAIN
from guidance.procedure.events import (
    CaseOpened,
    Event,
    ObjectRefused,
    PlanImported,
    ScanAnalysed,
    SeriesReceived,
    to_payload,
)
from guidance.procedure.jobs import AnalyseScan, TrackNeedles
from guidance.procedure.snapshot import Snapshot
from guidance.procedure.state import CaseState, Scan

AT = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
LOOKING = "looking for needles and seeds"
SETTINGS = Settings(SourceSettings(), ModelledSettings(), CtSettings())
SERIES = SeriesReceived(4, "CT", "P1", "", "1.1", "1.2.4", "ROOM", "CT", ("f4",))


@pytest.fixture(scope="module")
def scan() -> Volume:
    return scans(2).needles


def looking() -> AnalyseScan:
    return AnalyseScan(Scan(SERIES, AT, "needles"), None)


def foreman(scan: Volume) -> Foreman:
    return Foreman(SETTINGS, Library(read=lambda _: scan))


def nothing(_: object) -> None:
    pass


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


# --- volumes ----------------------------------------------------------------


def test_a_volume_comes_through_shared_memory_as_it_was(scan: Volume) -> None:
    shelf = Shelf()
    laid, descriptor = shelf.lay(("a", "b"), scan)
    again = taken(laid, os.dup(descriptor))
    assert np.array_equal(again.hu, scan.hu)
    assert again.geometry.same_grid(scan.geometry)
    assert again.provenance == scan.provenance
    with pytest.raises(ValueError, match="read-only"):
        again.hu[0, 0, 0] = 1
    # Copied once, and given back when others are at work.
    assert shelf.lay(("a", "b"), scan)[1] == descriptor
    for k in range(HELD):
        shelf.lay((str(k),), scan)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    shelf.clear()
    assert np.array_equal(again.hu, scan.hu), "it is there as long as somebody holds it"


# --- the foreman ------------------------------------------------------------


def test_it_finds_what_is_found_here(scan: Volume) -> None:
    state, worker = CaseState("case"), foreman(scan)
    here = Workbench(Library(read=lambda _: scan)).run(looking(), state)
    worker.start()
    try:
        for _ in range(2):
            there = worker.run(looking(), state, nothing)
            assert isinstance(here, ScanAnalysed)
            assert isinstance(there, ScanAnalysed)
            assert (there.seeds, there.needles, there.remarks) == (
                here.seeds, here.needles, here.remarks,
            )  # fmt: skip
        # One that died while nobody wanted anything is replaced without a word.
        dead = worker.process_id
        assert dead is not None
        os.kill(dead, signal.SIGKILL)
        assert worker.run(looking(), state, nothing).seeds == here.seeds
        assert worker.process_id != dead
    finally:
        worker.clear()
    assert worker.process_id is not None
    assert not psutil.pid_exists(worker.process_id)


def test_a_series_that_is_no_volume_is_refused_with_its_reason() -> None:
    def read(_: object) -> Volume:
        raise ImportRefused("two slices in one place")

    worker = Foreman(SETTINGS, Library(read=read))
    worker.start()
    try:
        found = worker.run(looking(), CaseState("case"), nothing)
    finally:
        worker.clear()
    assert found == ObjectRefused("1.2.4", "two slices in one place")


def test_a_defect_is_told_and_the_worker_goes_on(scan: Volume) -> None:
    worker = foreman(scan)
    worker.start()
    try:
        before = worker.process_id
        # Nobody has a registration: the work itself comes upon what cannot be.
        job = TrackNeedles(Scan(SERIES, AT, "needles"), 1)
        with pytest.raises(WorkLost, match="internal error: AssertionError"):
            worker.run(job, CaseState("case"), nothing)
        assert worker.run(looking(), CaseState("case"), nothing).needles
        assert worker.process_id == before
    finally:
        worker.clear()


def test_work_is_left_in_the_middle(scan: Volume) -> None:
    worker = foreman(scan)
    job = looking()

    def leave() -> None:
        until(lambda: worker.process_id is not None and maps_a_volume(worker.process_id))
        worker.drop(job)

    worker.start()
    thread = threading.Thread(target=leave)
    thread.start()
    try:
        with pytest.raises(WorkDropped):
            worker.run(job, CaseState("case"), nothing)
        thread.join()
        # The next is taken up at once, by another process.
        assert worker.run(looking(), CaseState("case"), nothing).needles
    finally:
        worker.clear()


def maps_a_volume(process_id: int) -> bool:
    """Whether a process is at work on a volume in shared memory."""
    try:
        return "seedguide-volume" in Path(f"/proc/{process_id}/maps").read_text()
    except OSError:
        return False


# --- the case ---------------------------------------------------------------


def a_plan() -> ImplantPlan:
    needle = PlannedNeedle(1, (0.0, 0.0, 0.0), (0.0, -45.0, 0.0))
    seat = PlannedSeed(1, 1, (0.0, 2.25, 0.0), (0.0, 1.0, 0.0), 0.0)
    return ImplantPlan(
        "P", "1.9", "P1", "PLANNING", "1.8", "6711", 0.8, AT, 20.0, "GTV", (needle,), (seat,)
    )


class Room:
    """A conductor with a scan of the room to look at."""

    def __init__(self, journal: Path, scan: Volume) -> None:
        self.path, self.journal = str(journal), Journal(str(journal))
        self.last = Snapshot(0, AT, "case")
        facts: tuple[Event, ...] = (CaseOpened("Dr Li"), PlanImported("1.2.3", a_plan()))
        for fact in facts:
            kind, payload = to_payload(fact)
            self.journal.append("case", kind, payload, at=AT)
        self.conductor = Conductor(self.journal, "case", self._publish, read=lambda _: scan)
        self.conductor.start()
        self.desk = Desk(self.conductor)

    def _publish(self, snapshot: Snapshot) -> None:
        self.last = snapshot

    @property
    def worker(self) -> int:
        found = self.conductor.worker_id
        assert found is not None
        return found

    def look(self) -> int:
        """Let a scan arrive; return the process that looks at it."""
        self.conductor.offer(SERIES).result(10)
        until(lambda: self.conductor.worker_id is not None and maps_a_volume(self.worker))
        return self.worker

    def analysed(self) -> bool:
        known = self.conductor.state.scan("1.2.4")
        return known is not None and known.analysed

    def kinds(self) -> list[str]:
        with Journal(self.path, read_only=True) as journal:
            return [r.kind for r in journal.records("case")]


@pytest.fixture
def room(tmp_path: Path, scan: Volume) -> Iterator[Room]:
    room = Room(tmp_path / "journal.sqlite", scan)
    yield room
    room.conductor.stop()
    room.journal.close()


def test_a_worker_killed_in_mid_detection_is_said_and_the_result_comes_all_the_same(
    room: Room,
) -> None:
    first = room.look()
    os.kill(first, signal.SIGKILL)
    # The case says it a moment after the journal holds it.
    until(lambda: bool(room.conductor.state.alarms))
    assert "WorkBrokeOff" in room.kinds()
    said = room.conductor.state.alarms[0].text
    assert said == (
        f"{LOOKING.capitalize()} broke off (its process was ended by SIGKILL) and is tried "
        "once more."
    )
    until(room.analysed)
    assert room.worker != first
    assert room.conductor.state.scans[-1].needles
    assert not room.conductor.state.broken_off


def test_killed_twice_it_rests_until_a_person_asks(room: Room) -> None:
    os.kill(room.look(), signal.SIGKILL)
    until(lambda: room.kinds().count("WorkBrokeOff") == 1)
    until(lambda: maps_a_volume(room.worker))
    os.kill(room.worker, signal.SIGKILL)
    until(lambda: room.kinds().count("WorkBrokeOff") == 2)
    until(lambda: not room.last.busy)
    assert "broke off twice" in room.last.next_action
    (question,) = room.last.questions
    room.desk.answer(question.key, AGAIN, "Dr Li").result(10)
    until(room.analysed)
    assert not room.last.questions


def test_stopped_in_mid_detection_the_scan_counts_as_not_looked_at(room: Room) -> None:
    first = room.look()
    work = room.last.work
    assert work is not None
    assert (work.what, work.share) == (LOOKING, None)
    room.desk.stop_work(work.key, "Dr Li").result(10)
    until(lambda: room.last.work is None)
    assert not room.analysed()
    assert room.last.next_action.endswith("the scan has not been looked at.")
    until(lambda: room.worker != first)
    (question,) = room.last.questions
    room.desk.answer(question.key, AGAIN, "Dr Li").result(10)
    until(room.analysed)
    assert room.kinds()[-3:] == [
        "WorkStopped", "QuestionAnswered", "ScanAnalysed",
    ]  # fmt: skip


def test_a_console_that_closes_does_not_wait_for_the_work(room: Room) -> None:
    worker = room.look()
    began = time.monotonic()
    room.conductor.stop()
    assert time.monotonic() - began < 5
    until(lambda: not psutil.pid_exists(worker), 2)
    assert not room.analysed()


def test_the_worker_does_not_outlive_a_console_that_is_killed(tmp_path: Path) -> None:
    console = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "looking_console.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with console:
        assert console.stdout is not None
        worker = int(console.stdout.readline())
        until(lambda: maps_a_volume(worker))
        console.kill()
        console.wait()
        until(lambda: not psutil.pid_exists(worker) or gone(worker), 2)


def gone(process_id: int) -> bool:
    """Whether nothing is left of it but its number, for whoever adopted it."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
