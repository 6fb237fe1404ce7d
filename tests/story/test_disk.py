"""The disk fails under the real console: nothing acknowledged is lost, and the applicator locks."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from implant_case import write_case
from test_kill_often import console, records

from simulators.applicator import ApplicatorStation, Outcome

LOCKS_WITHIN_S = 3.0


@pytest.fixture
def station(tmp_path: Path) -> Iterator[ApplicatorStation]:
    write_case(tmp_path / "journal.sqlite", 1, 4)
    with ApplicatorStation(tmp_path / "line", seed=2, speed=50.0) as found:
        found.insert_cartridge("K1", 15)
        found.attach_needle(1)
        yield found


def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def recorded(tmp_path: Path) -> list[str]:
    written = records(tmp_path / "journal.sqlite")
    return [r.payload["kind"] for r in written if r.kind == "DeviceRecorded"]


def test_a_full_disk_locks_the_applicator_and_loses_nothing(
    tmp_path: Path, station: ApplicatorStation
) -> None:
    running = console(tmp_path / "journal.sqlite", tmp_path / "line", 4)
    try:
        assert station.wait_armed(30)
        until(lambda: station.acked_eid == station.head_eid)
        known = len(recorded(tmp_path))
        # From now on no file of the console grows, as on a full disk.
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert station.stroke() is Outcome.DELIVERED
        until(lambda: not station.armed, LOCKS_WITHIN_S)
        assert station.stroke() is Outcome.LOCKED
        assert station.acked_eid == known == len(recorded(tmp_path))
        assert running.poll() is None
        no_limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, no_limit)
        until(lambda: station.acked_eid == station.head_eid > known)
        until(lambda: len(recorded(tmp_path)) == station.head_eid)
        assert recorded(tmp_path).count("DROP") == 1
    finally:
        running.terminate()
        running.wait()


def test_a_second_console_is_refused_and_the_first_goes_on(
    tmp_path: Path, station: ApplicatorStation
) -> None:
    running = console(tmp_path / "journal.sqlite", tmp_path / "line", 4)
    try:
        assert station.wait_armed(30)
        second = ended(console(tmp_path / "journal.sqlite", tmp_path / "line", 4, told=True))
        assert f"in use by another seedguide (process {running.pid})" in second
        assert station.armed
        assert station.stroke() is Outcome.DELIVERED
    finally:
        running.terminate()
        running.wait()


def test_a_journal_that_was_cut_is_said_and_nothing_is_permitted(
    tmp_path: Path, station: ApplicatorStation
) -> None:
    journal = tmp_path / "journal.sqlite"
    content = journal.read_bytes()
    for share in (0.3, 0.7):
        journal.write_bytes(content[: int(share * len(content))])
        told = ended(console(journal, tmp_path / "line", 4, told=True))
        assert "journal" in told
        assert "Traceback" not in told
        assert not station.armed


def test_a_read_only_disk_is_said_and_nothing_is_permitted(
    tmp_path: Path, station: ApplicatorStation
) -> None:
    mount = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path}"
    sealed = ("unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh")
    if subprocess.run([*sealed, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a read-only mount is not allowed here")
    told = ended(
        console(tmp_path / "journal.sqlite", tmp_path / "line", 4, told=True, under=sealed)
    )
    assert "journal" in told
    assert "ead-only" in told or "readonly" in told
    assert "Traceback" not in told
    assert not station.armed


def ended(process: subprocess.Popen[bytes]) -> str:
    """What a console says that cannot start."""
    _, told = process.communicate(timeout=30)
    assert process.returncode == 2, told
    return told.decode()
