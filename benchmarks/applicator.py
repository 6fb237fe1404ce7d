"""From a seed at the gate to the journal and to the dose; and how fast a long case resumes."""

from __future__ import annotations

import os
import pty
import tempfile
import termios
import time
import tty
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.harness import Line, best_of, show
from devices.applicator import ApplicatorLink, DeviceRecord
from dose.geometry import GridGeometry
from dose.grid import DoseGrid, warm_up
from dose.sources import load
from guidance.conductor.conductor import Conductor
from guidance.journal import Journal
from guidance.journal.chain import canonical
from guidance.procedure.events import DeviceRecorded, to_payload
from simulators.applicator import ApplicatorStation

DROPS, TRIPS, EVENTS = 60, 300, 10_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorded, dosed = _drops(folder)
        trip = _round_trip()
        show(
            f"applicator: {DROPS} seeds over a pseudo-terminal",
            [
                _line("seed at the gate to the journal, median", recorded, 50, trip),
                _line("seed at the gate to the journal, 99 %", recorded, 99, trip),
                _line("seed at the gate to the dose, median", dosed, 50, trip),
                _line("seed at the gate to the dose, 99 %", dosed, 99, trip),
            ],
        )
        path = folder / "long.sqlite"
        long_case(path, EVENTS)
        with Journal(path) as journal:

            def resume() -> None:
                Conductor(journal, "long", lambda snapshot: None)

            read = best_of(lambda: journal.records("long"))
            show(
                f"journal: a case of {EVENTS} events resumes",
                [Line("verified, read and replayed", best_of(resume), "reading it", read)],
            )


def _line(what: str, times: list[float], percent: float, trip: float) -> Line:
    return Line(what, float(np.percentile(times, percent)), "bare pty round trip", trip)


def _drops(folder: Path) -> tuple[list[float], list[float]]:
    """Times from the stroke to the record on disk, and to the dose of that seed."""
    warm_up()
    at: dict[str, float] = {}
    recorded: list[float] = []
    dosed: list[float] = []
    geometry = GridGeometry.from_axes((0, 0, 0), 1.0, (100, 100, 100))
    grid = DoseGrid(geometry, load("6711"))
    log: list[DeviceRecord] = []
    journal = Journal(folder / "drops.sqlite")

    def record(fact: DeviceRecord) -> None:
        told = DeviceRecorded(fact.jid, fact.eid, fact.boot, fact.ms, fact.kind, fact.args)
        kind, payload = to_payload(told)
        journal.append("drops", kind, payload, at=datetime.now(UTC), key=f"{fact.jid}:{fact.eid}")
        log.append(fact)
        if fact.kind == "DROP":
            recorded.append(time.perf_counter() - at["stroke"])
            grid.add(str(fact.eid), (50.2, 49.7, 20.0 + len(recorded)), (0.0, 0.1, 1.0), 0.7)
            dosed.append(time.perf_counter() - at["stroke"])

    up = []
    with ApplicatorStation(folder / "line", seed=1, speed=1000.0) as station:
        station.insert_cartridge("C1", DROPS)
        station.attach_needle(1)
        link = ApplicatorLink(str(folder / "line"), record=record, heard=up.append)
        link.start()
        try:
            _until(lambda: bool(up) and up[-1].state == "up" and len(log) == station.head_eid)
            for n in range(DROPS):
                link.permit(n + 1, 1, "C1", len(log), (0.0,))
                _until(lambda: station.armed)
                _until(lambda: len(log) == station.head_eid)
                at["stroke"] = time.perf_counter()
                station.stroke()
                _until(lambda n=n: len(recorded) == n + 1 and len(log) == station.head_eid)
        finally:
            link.close()
            journal.close()
    return recorded, dosed


def _until(condition) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the applicator did not answer")
        time.sleep(0.001)


def _round_trip() -> float:
    """The median time of a byte to the other end of a pseudo-terminal and back."""
    near, far = pty.openpty()
    try:
        for descriptor in (near, far):
            tty.setraw(descriptor, termios.TCSANOW)
        times = []
        for _ in range(TRIPS):
            start = time.perf_counter()
            os.write(near, b"x")
            os.read(far, 1)
            os.write(far, b"x")
            os.read(near, 1)
            times.append(time.perf_counter() - start)
        return float(np.median(times))
    finally:
        os.close(near)
        os.close(far)


def long_case(path: Path, events: int) -> None:
    """Write the journal of a case in which a person moved the applicator up and down all day."""
    with Journal(path) as journal, journal._connection.begin():
        for n in range(1, events + 1):
            kind, words = ("BOOT", ("1.0.0",)) if n == 1 else ("RETRACT", ("1", f"{n % 50:.1f}"))
            name, payload = to_payload(DeviceRecorded("J1", n, 1, 10 * n, kind, words))
            when = datetime.now(UTC).isoformat()
            journal._append("long", name, canonical(payload), when, f"J1:{n}")
