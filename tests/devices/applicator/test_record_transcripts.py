"""What the record says for each hazard that is not on the wire, as a text that a person can read.

Each story is told to a real journal as the conductor would tell it; what stands in the
transcript is what ``seedguide journal`` prints. See ``golden.py``.
"""

from __future__ import annotations

import io
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from golden import held

from guidance.commands import main
from guidance.detection import DetectedNeedle
from guidance.errors import BrokenError, RefusedError
from guidance.journal import Journal
from guidance.ledger import Disposition
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.advance import advance
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseOpened,
    DeviceRecorded,
    Event,
    LinkChanged,
    NeedlesConfirmed,
    NeedlesTracked,
    PlanImported,
    ProcedureEvent,
    Registered,
    RegistrationAccepted,
    ScanAnalysed,
    SeedsPermitted,
    SeriesReceived,
    to_payload,
)
from guidance.procedure.state import CaseState
from guidance.tracking.implant import NeedleTrack, SeatClearance

START = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
IDENTITY = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
CASE, JID = "L3-left", "A1B2C3D4E5F6"


def a_plan() -> ImplantPlan:
    needle = PlannedNeedle(1, (10.0, 0.0, 0.0), (10.0, 80.0, 0.0))
    seeds = tuple(
        PlannedSeed(k + 1, 1, (10.0, 10.0 * k - 2.25, 0.0), (0.0, -1.0, 0.0), 10.0 * k)
        for k in range(3)
    )
    return ImplantPlan(
        "PLAN", "1.9", "P1", "PLANNING", "1.8", "6711", 0.8, START, 100.0, "GTV", (needle,), seeds
    )


def ct(number: int, frame: str) -> SeriesReceived:
    uid = f"1.2.{number}"
    return SeriesReceived(number, "CT", "P1", "", "1.1", uid, frame, "CT", (f"f{number}",))


class Record:
    """A journal on disk, the state beside it, and what was written down of both."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines = path, list[str]()
        self.journal = Journal(path)
        self._state, self._shown, self._eid = CaseState(CASE), 0, 0

    def act(self, text: str) -> None:
        self.lines.append(f"\n-- {text}")

    def tell(self, *facts: Event) -> None:
        """Fold facts in and record them, as the conductor does; a refusal is written down."""
        for fact in facts:
            number = self._state.number + 1
            event = ProcedureEvent(number, START + timedelta(seconds=10 * number), fact)
            try:
                state, _ = advance(self._state, event)
                kind, payload = to_payload(fact)
                self.journal.append(CASE, kind, payload, at=event.at)
            except (RefusedError, BrokenError) as error:
                self.show()
                self.lines.append(f"NOT DONE ({type(error).__name__}): {self._plain(str(error))}")
                continue
            self._state = state
        self.show()

    def device(self, kind: str, *words: object) -> DeviceRecorded:
        self._eid += 1
        return DeviceRecorded(JID, self._eid, 1, self._eid, kind, tuple(map(str, words)))

    def show(self) -> None:
        """Write down what ``journal show`` says since the last time."""
        said = self._said("journal", "show", str(self.path))
        self.lines += said[self._shown :]
        self._shown = len(said)

    def verify(self) -> None:
        """Write down what ``journal verify`` says."""
        self.lines += self._said("journal", "verify", str(self.path))

    def show_seeds(self) -> None:
        self.lines += self._said("journal", "show", str(self.path), "--seeds")

    def tries(self, what: Callable[[], object]) -> None:
        """Write down the error of what cannot be done."""
        with pytest.raises((RefusedError, BrokenError)) as caught:
            what()
        self.lines.append(f"NOT DONE ({caught.type.__name__}): {self._plain(str(caught.value))}")

    def pragma(self, text: str) -> None:
        self.journal._connection.exec_driver_sql(f"PRAGMA {text}")
        self.journal._connection.rollback()

    def _said(self, *words: str) -> list[str]:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            main(list(words))
        return [self._plain(line) for line in out.getvalue().splitlines()]

    def _plain(self, text: str) -> str:
        """Leave out what is of this run or of the form of a payload: place, process, digest."""
        text = text.replace(str(self.path), "JOURNAL")
        text = text.replace(f"process {os.getpid()}", "process N")
        return re.sub("digest [0-9a-f]{64}", "digest (64 digits)", text)

    def needles_in(self, *seats: SeatClearance) -> None:
        """Come to the confirmed needle, with the seats as it lies."""
        needle = a_plan().needles[0]
        track = NeedleTrack(1, needle, needle.tip_mm, needle.entry_mm, 0.9, "1.2.4")
        seen = DetectedNeedle(needle.tip_mm, needle.entry_mm, 0.9)
        self.tell(
            CaseOpened("Dr Li"),
            ct(1, "PLANNING"),
            PlanImported("1.2.3", a_plan()),
            ct(4, "ROOM"),
            ScanAnalysed("1.2.4", START, (), (seen,), (), 1.0),
            Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0),
            RegistrationAccepted("Dr Li"),
            NeedlesTracked("1.2.4", 6, (replace(track, seats=seats),)),
            NeedlesConfirmed("Dr Li"),
        )

    def loaded(self) -> None:
        """Check a cartridge in and put the applicator on the needle."""
        self.tell(
            CartridgeReceived("C1", "6711", 0.8, 10, "RTT", "L7", 0.79),
            LinkChanged("up", ""),
            self.device("BOOT", "1.1.0"),
            self.device("CART-IN", "C1", 10),
            self.device("NEEDLE", 1),
            self.device("RETRACT", 1, "0.0"),
        )


def a_seed_lands_too_near_to_the_cord(told: Record) -> None:
    told.act("the needle lies otherwise than planned: two of its three seats are near to the cord")
    distances = ((0.0, 6.0), (10.0, 9.0), (20.0, 15.0))
    told.needles_in(*(SeatClearance(stop, "Spinal cord", mm, 10.0) for stop, mm in distances))
    told.act("the cartridge and the applicator are there; three seeds are asked for")
    told.loaded()
    told.tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    told.act("a person has looked, says so by name, and asks again")
    told.tell(AlarmAcknowledged("seats:1", "Dr Li"), SeedsPermitted(1, 1, "C1", 3, "Dr Li"))


def a_permit_is_given_that_nobody_can_record(told: Record) -> None:
    told.act("a case ready for its first seed")
    told.needles_in()
    told.loaded()
    told.act("a second console on the same journal")
    told.tries(lambda: Journal(told.path))
    told.act("nothing can be written: neither a permit nor a record of the applicator")
    told.pragma("query_only=1")
    permit, moved = SeedsPermitted(1, 1, "C1", 3, "Dr Li"), told.device("RETRACT", 1, "5.0")
    told.tell(permit, moved)
    told.act("it can be written again; the applicator, never acknowledged, sends its record again")
    told.pragma("query_only=0")
    told.tell(moved, permit)
    told.act("the disk is full: a scan of 4000 files has no room, and nothing of before is lost")
    told.pragma("max_page_count=1")
    long = replace(ct(9, "ROOM"), files=tuple(f"{n:080d}" for n in range(4000)))
    told.tell(long)
    told.verify()


def the_record_is_changed_afterwards(told: Record) -> None:
    told.act("a case with one seed")
    told.needles_in()
    told.loaded()
    told.tell(
        SeedsPermitted(1, 1, "C1", 1, "Dr Li"),
        told.device("ARM", 1, 1, "C1", 1, "0"),
        told.device("INTENT", 1, 10),
        told.device("DROP", 1, 9),
        told.device("DISARM", "done"),
    )
    told.verify()
    told.journal.close()
    told.act("behind the program's back the seed is made a misfire")
    changed = "UPDATE record SET payload = replace(payload, '\"DROP\"', '\"NODROP\"')"
    with sqlite3.connect(told.path) as database:
        (before,) = database.execute("SELECT payload FROM record WHERE number = 19").fetchone()
        database.execute(f"{changed} WHERE number = 19")
    told.verify()
    told.act("it is put back, and the record before it is taken out")
    with sqlite3.connect(told.path) as database:
        database.execute("UPDATE record SET payload = ? WHERE number = 19", (before,))
        database.execute("DELETE FROM record WHERE number = 18")
    told.verify()


def the_delivery_is_not_the_directives(told: Record) -> None:
    told.act("the plan is for 0.8 U a seed; a cartridge of 1.016 U (0.8 mCi), one assayed low")
    told.needles_in()
    told.tell(
        CartridgeReceived("C1", "6711", 1.016, 10, "RTT", "L7"),
        CartridgeReceived("C2", "6711", 0.8, 10, "RTT", "L7", 0.72),
    )
    told.act("a third is put in that nobody has checked in; then one of another model")
    told.tell(
        LinkChanged("up", ""),
        told.device("CART-IN", "C3", 10),
        told.device("CART-OUT", "C3", 10),
        CartridgeReceived("C4", "IAI-125A", 0.8, 10, "RTT", "L8", 0.8),
        told.device("CART-IN", "C4", 10),
        told.device("CART-OUT", "C4", 10),
    )
    told.act("each is counted and closed; the account")
    told.tell(
        CartridgeClosed("C1", 10, Disposition.RETURNED, "RTT"),
        CartridgeClosed("C2", 10, Disposition.ASSAYED, "RTT"),
        CartridgeClosed("C4", 10, Disposition.RETURNED, "RTT"),
    )
    told.show_seeds()


RECORDS: tuple[Callable[[Record], None], ...] = (
    a_seed_lands_too_near_to_the_cord,
    a_permit_is_given_that_nobody_can_record,
    the_record_is_changed_afterwards,
    the_delivery_is_not_the_directives,
)


@pytest.mark.parametrize("hazard", RECORDS, ids=lambda h: h.__name__)
def test_transcript_of_the_record(hazard: Callable[[Record], None], tmp_path: Path) -> None:
    told = Record(tmp_path / "journal.sqlite")
    try:
        hazard(told)
    finally:
        told.journal.close()
    held(hazard.__name__, told.lines)
