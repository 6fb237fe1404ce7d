"""What happens on the line for each hazard of docs/hazards.md, as a text that a person can read.

The transcripts lie in ``transcripts/``, those of hazards off the line too (see
``test_record_transcripts.py``). One that differs is to be read by a person; if it is right,
``SEEDGUIDE_WRITE_TRANSCRIPTS=1`` writes it anew.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bench import Bench
from golden import FOLDER, held
from test_record_transcripts import RECORDS

from guidance.procedure.advance import advance
from guidance.procedure.events import CartridgeReceived, DeviceRecorded, ProcedureEvent
from guidance.procedure.state import LONG_AGO, CaseState
from guidance.procedure.telling import raised, sentence
from simulators.firmware import JournalMemory
from simulators.firmware.frame import encode


class Told(Bench):
    """A bench whose line, hands and alarms are written down; the clock is the bench's."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._told = 0
        # No needles are known, so that each seed is said to be in no dose.
        checked_in = CartridgeReceived("C1", "6711", 0.8, 10, "RTT")
        self._state, _ = advance(CaseState("transcript"), ProcedureEvent(1, LONG_AGO, checked_in))
        super().__init__(memory=JournalMemory(cells=encode("F A1B2C3D4E5F6")))
        self.load()
        self.arm()

    def act(self, text: str) -> None:
        self.lines.append(f"\n{self.now_s:7.2f}    -- {text}")

    def note(self, down: bytes) -> None:
        super().note(down)
        self._write(">", down)

    def host_hears(self, data: bytes, *, keep: bool = True) -> None:
        self._write("<", data)
        super().host_hears(data, keep=keep)
        for record in self.log[self._told :]:
            fact = DeviceRecorded(
                record.jid, record.eid, record.boot, record.ms, record.kind, record.args
            )
            event = ProcedureEvent(self._state.number + 1, LONG_AGO, fact)
            before, (self._state, _) = self._state, advance(self._state, event)
            self.lines.append(f"             = {sentence(event)}")
            self.lines += [f"             ! {line}" for line in raised(before, self._state)]
        self._told = len(self.log)

    def _write(self, mark: str, data: bytes) -> None:
        for line in data.decode("ascii", "backslashreplace").split("\n"):
            # A quiet line would be nothing but heartbeats.
            quiet = " KEEP*" in line or (line.startswith("R ") and line.count(" ") == 7)
            if line and not quiet:
                self.lines.append(f"{self.now_s:7.2f}  {mark} {line}")


def a_seed_is_lost_or_counted_twice(told: Told) -> None:
    told.act("a seed; its record is lost on the line, and so is the answer to the next question")
    told.stroke()
    told.tick(lose_up=True)
    told.tick(lose_up=True)
    told.settle(40)
    told.act("the console dies with the last record in hand and not on disk; a new one asks again")
    told.stroke()
    told.tick(keep=False)
    told.restart_host()
    told.settle(40)


def the_power_goes_in_a_stroke(told: Told) -> None:
    told.act("the stylet is pulled, the seed leaves, the power goes before that is written")
    told.controller.instrument.begin_stroke()
    told.mechanics.push()
    told.restart_device()
    told.settle(60)


def the_outcome_of_a_stroke_is_not_known(told: Told) -> None:
    told.act("the power goes while the follower is between two positions")
    told.controller.instrument.begin_stroke()
    told.mechanics.push()
    told.mechanics.stop_between()
    told.restart_device()
    told.settle(80)
    told.act("a permit is refused")
    told.arm(permit=2)
    told.act("a person has looked and says so")
    told.ask("RESOLVE", next(r.eid for r in told.log if r.kind == "UNKNOWN"), "DROP", "Dr_Li")
    told.settle(20)


def seeds_stay_behind_in_a_cartridge(told: Told) -> None:
    told.act("one seed; then the cartridge is taken out with nine in it")
    told.stroke()
    told.mechanics.magazine = None
    told.controller.instrument.cartridge_changed()
    told.settle(40)


def a_seed_is_unaccounted_for(told: Told) -> None:
    told.act("the lock fails: a seed falls that nobody permitted")
    told.ask("DISARM")
    told.mechanics.lock_fails_open = True
    told.stroke()
    told.settle(20)


def a_jam_is_pushed_through(told: Told) -> None:
    told.act("the stylet jams")
    told.mechanics.jam_next()
    told.stroke()
    told.settle(20)
    told.act("it is pushed again: locked")
    told.stroke()
    told.settle(20)


def all_seeds_in_the_wrong_place(told: Told) -> None:
    told.act("a permit with stops at 0, 5 and 10 mm; a seed; the step is forgotten")
    told.ask("DISARM")
    told.settle(10)
    told.arm(permit=2, stops="0,50,100")
    told.stroke()
    told.stroke()
    told.settle(10)
    told.act("the step is made")
    told.mechanics.retraction_mm = 5.0
    told.controller.instrument.retracted()
    told.stroke()
    told.settle(10)


def a_stuck_program_holds_the_applicator_armed(told: Told) -> None:
    told.act("the console hangs for two seconds")
    for _ in range(100):
        told.idle()
    told.act("the stylet is pulled: locked; the console wakes up")
    told.stroke()
    told.settle(40)


HAZARDS: tuple[Callable[[Told], None], ...] = (
    a_seed_is_lost_or_counted_twice,
    the_power_goes_in_a_stroke,
    the_outcome_of_a_stroke_is_not_known,
    seeds_stay_behind_in_a_cartridge,
    a_seed_is_unaccounted_for,
    a_jam_is_pushed_through,
    all_seeds_in_the_wrong_place,
    a_stuck_program_holds_the_applicator_armed,
)


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda h: h.__name__)
def test_transcript(hazard: Callable[[Told], None]) -> None:
    told = Told()
    hazard(told)
    held(hazard.__name__, told.lines)


def test_every_transcript_has_its_hazard() -> None:
    assert {p.stem for p in FOLDER.glob("*.txt")} == {h.__name__ for h in (*HAZARDS, *RECORDS)}
