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
from collections import Counter
from collections.abc import Callable
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

AFTER_A_START = (Cut.START_COUNTED, Cut.START_RECORDED, Cut.SELF_TEST)
# The follower tells afterwards what happened in the stroke, but not if it stands in between.
IN_A_STROKE = tuple(c for c in Cut if c not in {Cut.SEED_PASSING, *AFTER_A_START})
CARTRIDGE = 15
# A cut that waited so long for its moment comes now, s.
PATIENCE_S = 4.0


class Hands(threading.Thread):
    """Drops every planned seed, whatever happens around.

    No seed is tried before the attack on those before it is over, as no attack goes on to the
    next seed before this one has left: it is spread over the whole implant.
    """

    def __init__(
        self, station: ApplicatorStation, plan: ImplantPlan, attacked: Callable[[], float]
    ) -> None:
        super().__init__(name="hands", daemon=True)
        self.station, self.plan, self._attacked = station, plan, attacked
        self.left, self.loaded = 0, 0
        self.stop = threading.Event()

    @property
    def due(self) -> float:
        """Which part of the attack may be over by now: that on the seed being tried included."""
        return (self.left + 1) / len(self.plan.seeds)

    def run(self) -> None:
        for needle in self.plan.needles:
            self.station.attach_needle(needle.number)
            for seed in self.plan.seeds_of(needle.number):
                while self._attacked() < self.left / len(self.plan.seeds):
                    if self.stop.wait(0.05):
                        return
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


class PowerCuts(threading.Thread):
    """Cuts the applicator's power again and again, and counts the times it came back."""

    def __init__(
        self, station: ApplicatorStation, cuts: int, due: Callable[[], float], rng: random.Random
    ) -> None:
        super().__init__(name="power cuts", daemon=True)
        self.station, self.cuts, self._due, self._rng = station, cuts, due, rng
        self.came: Counter[str] = Counter()
        self.stop = threading.Event()

    @property
    def done(self) -> int:
        return self.station.restarts

    def run(self) -> None:
        while self.done < self.cuts and not self.stop.wait(self._rng.uniform(0.05, 1.0)):
            if self.done < self._due() * self.cuts:
                self._cut(
                    self._rng.choice((*IN_A_STROKE, *IN_A_STROKE, *AFTER_A_START, None, None))
                )

    def _cut(self, at: Cut | None) -> None:
        """Cut there; if its moment does not come, cut in whatever is going on."""
        before = self.done
        self.station.power_cut(at, off_s=0.02)
        if self._came(before + (2 if at in AFTER_A_START else 1)):
            self.came[at.value if at else "at any moment"] += 1
            before += 1
        else:
            self.station.power_cut(None, off_s=0.02)
            self._came(self.done + 1)
        self.came["at any moment"] += self.done - before

    def _came(self, restarts: int) -> bool:
        end = time.monotonic() + PATIENCE_S
        while self.done < restarts:
            if time.monotonic() > end or self.stop.wait(0.01):
                return False
        return True


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
    wanted, killed = needles * each, 0
    with ApplicatorStation(line, seed=2, speed=speed, memory=tmp_path / "memory") as station:
        hands = Hands(station, plan, lambda: min(killed / kills, power.done / cuts))
        power = PowerCuts(station, cuts, lambda: hands.due, random.Random(8))
        running = console(journal, line, wanted)
        try:
            hands.start()
            power.start()
            end = time.monotonic() + 1500
            while hands.is_alive() or power.is_alive() or killed < kills:
                now = f"{hands.left} seeds, {killed} kills, {power.done} cuts"
                assert time.monotonic() < end, now
                time.sleep(rng.uniform(0.1, 1.5))
                assert running.poll() is None, "the console ended by itself"
                if killed < min(kills, hands.due * kills):
                    running.kill()
                    running.wait()
                    killed += 1
                    running = console(journal, line, wanted)
            head = station.head_eid
            while station.acked_eid < station.head_eid:
                assert time.monotonic() < end, "not every record arrived"
                time.sleep(0.05)
        finally:
            hands.stop.set()
            power.stop.set()
            running.terminate()
            running.wait()
            hands.join(10)
            power.join(10)
        device = [r.kind for r in station.memory.records]
        restarts = station.restarts
    agreed(journal, device, head, hands.left, wanted)
    assert killed == kills
    assert restarts >= cuts
    # For whoever runs the nightly tests with -s.
    print(  # noqa: T201
        f"{wanted} seeds, {killed} kills, {restarts} power cuts {dict(power.came)}, "
        f"{device.count('BOOT')} starts and {device.count('ARM')} permits recorded, "
        f"{device.count('UNKNOWN')} unknown: counted {device.count('DROP')}"
    )


def agreed(journal: Path, device: list[str], head: int, left: int, wanted: int) -> None:
    """Hold what really left against the device's journal, the host's and the account."""
    written = [r.payload for r in records(journal) if r.kind == "DeviceRecorded"]
    assert [r["eid"] for r in written] == list(range(1, len(written) + 1))
    assert len(written) >= head
    host = [r["kind"] for r in written]
    assert host == device[: len(host)]
    state = replayed(CASE, map(from_record, records(journal)))
    view = ledger(state)
    counts = (left, device.count("DROP"), host.count("DROP"), view.implanted)
    assert counts == (wanted,) * 4
    assert device.count("UNKNOWN") == host.count("UNKNOWN") == view.unresolved == 0
    assert view.balanced
    assert len({s.event_key for s in state.seeds}) == wanted
    with Journal(journal, read_only=True) as kept:
        assert kept.verify(CASE).whole


def test_a_few_kills_and_cuts(tmp_path: Path) -> None:
    attacked(tmp_path, needles=2, each=4, kills=4, cuts=6, speed=8.0)


@pytest.mark.nightly
def test_two_hundred_kills_and_cuts_in_a_hundred_seeds(tmp_path: Path) -> None:
    attacked(tmp_path, needles=10, each=10, kills=200, cuts=200, speed=1.0)
