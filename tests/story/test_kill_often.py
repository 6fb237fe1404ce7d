"""The console killed and the applicator's power cut again and again, in one long implant.

The console is the real program on a real pseudo-terminal. Nobody resolves anything: the
follower works, so that nothing is ever unknown.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from implant_case import CASE, write_case

from guidance.errors import GuidanceError
from guidance.journal import Journal, Record
from guidance.planning.plan import ImplantPlan
from guidance.procedure.advance import replayed
from guidance.procedure.closing import ledger
from guidance.procedure.events import from_record
from simulators.applicator import ApplicatorStation, Cut

FOLLOWED = tuple(cut for cut in Cut if cut is not Cut.SEED_PASSING)
CARTRIDGE = 15


class Hands(threading.Thread):
    """Drops every planned seed, whatever happens around."""

    def __init__(self, station: ApplicatorStation, plan: ImplantPlan) -> None:
        super().__init__(name="hands", daemon=True)
        self.station, self.plan = station, plan
        self.left, self.loaded = 0, 0
        self.stop = threading.Event()

    def run(self) -> None:
        for needle in self.plan.needles:
            self.station.attach_needle(needle.number)
            for seed in self.plan.seeds_of(needle.number):
                self._drop(seed.retraction_mm)
        self.station.detach_needle()
        self.station.remove_cartridge()

    def _drop(self, stop_mm: float) -> None:
        before = self.left
        while self.left == before and not self.stop.is_set():
            if not self.station.remaining:
                if self.station.remaining == 0:
                    self.station.remove_cartridge()
                self.loaded += 1
                self.station.insert_cartridge(f"K{self.loaded}", CARTRIDGE)
            self.station.retract(stop_mm)
            if self.station.wait_armed(0.5):
                held = self.station.remaining or 0
                self.station.stroke()
                self.left += held - (self.station.remaining or 0)
                time.sleep(0.02)


def console(
    journal: Path, line: Path, seeds: int, *, told: bool = False, under: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start the real console; ``told`` keeps what it says on stderr."""
    command = [
        *under,
        *(sys.executable, "-m", "guidance", "console", "--headless", "--autopilot"),
        *("--journal", str(journal), "--applicator", str(line), "--case", CASE),
        *("--store", str(journal.parent / "store"), "--operator", "Dr Li"),
        *("--wire-log", str(journal.parent / "wire.log")),
    ]
    for n in range(1, seeds // CARTRIDGE + 2):
        command += ["--cartridge", f"K{n}:{CARTRIDGE}"]
    errors = subprocess.PIPE if told else subprocess.DEVNULL
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)


def records(path: Path) -> list[Record]:
    try:
        with Journal(path, read_only=True) as journal:
            return list(journal.records(CASE))
    except GuidanceError:
        return []


def attacked(
    tmp_path: Path, *, needles: int, each: int, kills: int, cuts: int, speed: float
) -> None:
    """Implant every seed under so many kills and cuts, and compare all four accounts."""
    journal, line, rng = tmp_path / "journal.sqlite", tmp_path / "line", random.Random(7)
    plan = write_case(journal, needles, each)
    wanted = needles * each
    killed = 0
    with ApplicatorStation(line, seed=2, speed=speed, memory=tmp_path / "memory") as station:
        hands = Hands(station, plan)
        running = console(journal, line, wanted)
        try:
            hands.start()
            end = time.monotonic() + 1500
            # Only a start of the device counts as a cut: one waiting for a stroke may never come.
            while hands.is_alive() or killed < kills or station.memory.boot <= cuts:
                assert time.monotonic() < end, f"{hands.left} seeds, {killed} kills"
                time.sleep(rng.uniform(0.3, 1.2 + 1.0 / speed))
                if station.memory.boot <= cuts:
                    at = rng.choice((None, *FOLLOWED)) if hands.is_alive() else None
                    station.power_cut(at, off_s=0.02)
                if killed < kills and rng.random() < 0.8:
                    running.kill()
                    running.wait()
                    killed += 1
                    running = console(journal, line, wanted)
                assert running.poll() is None, "the console ended by itself"
            head = station.head_eid
            while station.acked_eid < station.head_eid:
                assert time.monotonic() < end, "not every record arrived"
                time.sleep(0.05)
        finally:
            hands.stop.set()
            running.terminate()
            running.wait()
            hands.join(10)
        device = [r.kind for r in station.memory.records]
    written = [r.payload for r in records(journal) if r.kind == "DeviceRecorded"]
    assert [r["eid"] for r in written] == list(range(1, len(written) + 1))
    assert len(written) >= head
    host = [r["kind"] for r in written]
    state = replayed(CASE, map(from_record, records(journal)))
    view = ledger(state)
    counts = (hands.left, device.count("DROP"), host.count("DROP"), view.implanted)
    assert counts == (wanted,) * 4
    assert device.count("UNKNOWN") == host.count("UNKNOWN") == view.unresolved == 0
    assert view.balanced
    assert len({s.event_key for s in state.seeds}) == wanted
    with Journal(journal, read_only=True) as kept:
        assert kept.verify(CASE).whole
    # For whoever runs the nightly tests with -s.
    print(  # noqa: T201
        f"{wanted} seeds, {killed} kills, {host.count('BOOT') - 1} power cuts, "
        f"{host.count('ARM')} permits, {host.count('UNKNOWN')} unknown: counted {counts}"
    )


def test_a_few_kills_and_cuts(tmp_path: Path) -> None:
    attacked(tmp_path, needles=2, each=4, kills=4, cuts=6, speed=8.0)


@pytest.mark.nightly
def test_two_hundred_kills_and_cuts_in_a_hundred_seeds(tmp_path: Path) -> None:
    attacked(tmp_path, needles=10, each=10, kills=200, cuts=200, speed=0.6)
