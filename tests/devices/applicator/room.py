"""Host, cable, device and hands in any order, with every fault: what must hold all the same.

The invariants stand one for each rule of docs/applicator-protocol.md. ``test_mutants`` takes each
rule out of one side or the other and must see an invariant break.
"""

from __future__ import annotations

from bench import Bench
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from devices.applicator.session import Phase
from simulators.firmware import JournalMemory, Magazine, Passage, PowerLostError
from simulators.firmware.instrument import NEARLY_FULL
from simulators.firmware.memory import Record
from simulators.line import CableFaults

STOPS_MM = (0.0, 5.0, 10.0)
# A lease of 1 s, a tick, and what a slow cable may hold a KEEP back.
LEASE_AT_MOST_S = 1.0 + 0.05 + 1.5
CABLES = (
    None,
    CableFaults(loss=0.003, insertion=0.002, flip=0.003, split=0.1),
    CableFaults(duplicate=0.1, replay=0.2, split=0.2),
    CableFaults(delay_s=0.06),
    CableFaults(loss=0.001, flip=0.001, duplicate=0.05, replay=0.05, delay_s=0.03, split=0.05),
)
QUIET = CableFaults()


class Room(RuleBasedStateMachine):
    """One implant in which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.left = 0
        self.lost = 0
        self.permit = 0
        self.rid = 0
        self.cartridges = 1
        # Strokes that may end unknown: cut, jammed, or with a sensor that says otherwise.
        self.doubtful = 0
        self.judged = 0
        self.versions: dict[int, str] = {}

    # --- how it begins -----------------------------------------------------

    @initialize(
        capacity=st.sampled_from([72, 90, 4096]),
        boot=st.sampled_from([0, 2**16 - 2, 2**32 - 2]),
        permit=st.sampled_from([0, 2**16 - 2, 2**32 - 2]),
        protocol=st.sampled_from(["1.1", "1.1", "1.1", "1.9", "2.0"]),
        cable=st.sampled_from(CABLES),
        seed=st.integers(0, 2**16),
    )
    def begin(
        self,
        capacity: int,
        boot: int,
        permit: int,
        protocol: str,
        cable: CableFaults | None,
        seed: int,
    ) -> None:
        memory = JournalMemory(capacity=capacity)
        memory.set_counters(boot=boot, permit=permit)
        self.permit = permit
        self.bench = Bench(memory=memory, protocol=protocol)
        if cable is not None:
            self.bench.lay_cable(cable, seed)
        self.bench.load(seeds=4, needle=1)

    # --- the line and the host ---------------------------------------------

    @rule(losses=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=20))
    def a_bad_line_and_a_disk_that_fails(self, losses: list[tuple[bool, bool, bool]]) -> None:
        for down, up, keep in losses:
            self.bench.tick(lose_down=down, lose_up=up, keep=keep)

    @rule(ticks=st.integers(1, 60))
    def quiet_time(self, ticks: int) -> None:
        self.bench.settle(ticks)

    @rule(ticks=st.integers(1, 250))
    def the_host_hangs(self, ticks: int) -> None:
        for _ in range(ticks):
            self.bench.idle()

    @rule(cut=st.booleans())
    def the_host_dies(self, cut: bool) -> None:
        """Before or after any sync; a record that it never acknowledged may be torn off."""
        if cut and len(self.bench.log) > self.bench.acknowledged:
            self.bench.log.pop()
        self.bench.restart_host()

    @rule()
    def unplugged(self) -> None:
        self._guarded(lambda: self.bench.controller.cable_lost(self.bench.now_s))
        self.bench.restart_host()
        self.bench.lay_cable(QUIET, 0)

    @rule(rubbish=st.binary(max_size=30))
    def garbage_at_open(self, rubbish: bytes) -> None:
        self.bench.device_hears(rubbish + b"\n")
        self.bench.host_hears(rubbish + b"\n")

    @rule(count=st.integers(1, 40), start=st.integers(0, 200))
    def old_lines_come_again(self, count: int, start: int) -> None:
        """Any stretch of what any host ever said, whole old sessions too."""
        lines = list(self.bench.sent)
        start %= max(1, len(lines))
        for line in lines[start : start + count]:
            self.bench.device_hears(line + b"\n")

    @rule(shift=st.integers(-2, 2), words=st.sampled_from(["OK 99 99 1 1", "OK", "ERR PERMIT"]))
    def an_answer_to_another_request(self, shift: int, words: str) -> None:
        from simulators.firmware.frame import encode

        host = self.bench.host
        if shift:
            self.bench.host_hears(encode(f"R {host.sid} {host._rid + shift} {words}"))

    @rule(
        session=st.sampled_from(["Z1", "Z2"]),
        major=st.sampled_from(["1.1", "1.0", "2.0"]),
        older=st.booleans(),
        count=st.integers(1, 3),
        after=st.integers(-1, 0),
        wrong=st.sampled_from(["", "", "cartridge", "needle"]),
    )
    def a_second_host_permits(
        self, session: str, major: str, older: bool, count: int, after: int, wrong: str
    ) -> None:
        """It keeps to the lines, and to nothing else."""
        bench = self.bench
        self.rid += 1
        name = f"{session}{self.rid}"
        bench.say(name, 1, "HELLO", major)
        self._forged_arm(name, 2, count, after, older=older, wrong=wrong)
        self.versions[self.permit] = major
        if count > 1:
            self._forged_arm(name, 3, count, 0, older=False, wrong="")
            self.versions[self.permit] = major

    def _forged_arm(
        self, name: str, rid: int, count: int, after: int, *, older: bool, wrong: str
    ) -> None:
        bench = self.bench
        self.permit += 0 if older else 1
        magazine = bench.mechanics.magazine
        bench.say(
            *(name, rid, "ARM", self.permit),
            bench.mechanics.needle + (wrong == "needle"),
            "C999" if wrong == "cartridge" or magazine is None else magazine.serial,
            *(count, bench.memory.head_eid + after, 1000),
            _stops(count),
        )

    @rule(count=st.integers(1, 3), older=st.booleans())
    def permit_seeds(self, count: int, older: bool) -> None:
        self.permit += 0 if older else 1
        magazine = self.bench.mechanics.magazine
        self.versions[self.permit] = "1.1"
        self.bench.ask(
            *("ARM", self.permit, self.bench.mechanics.needle),
            *(magazine.serial if magazine else "C0", count, len(self.bench.log), 1000),
            _stops(count),
            ticks=15,
        )

    @rule(eids=st.integers(0, 3))
    def a_person_resolves(self, eids: int) -> None:
        """Says what became of the stroke, as the follower would show it."""
        open_ones = sorted(self.bench.controller.instrument.unresolved)
        if eids < len(open_ones):
            self.bench.ask("RESOLVE", open_ones[eids], "DROP", "Dr_Li", ticks=15)

    # --- the hands ---------------------------------------------------------

    @rule(needle=st.integers(0, 3))
    def move(self, needle: int) -> None:
        self.bench.mechanics.needle = needle
        self.bench.mechanics.retraction_mm = 0.0
        self._guarded(self.bench.controller.instrument.needle_changed)

    @rule(stop=st.sampled_from([*STOPS_MM, 2.0, 30.0]))
    def draw_back(self, stop: float) -> None:
        self.bench.mechanics.retraction_mm = stop
        self._guarded(self.bench.controller.instrument.retracted)

    @rule(seeds=st.integers(0, 4))
    def change_cartridge(self, seeds: int) -> None:
        self.cartridges += 1
        self.bench.mechanics.magazine = Magazine(f"C{self.cartridges}", seeds)
        self._guarded(self.bench.controller.instrument.cartridge_changed)

    @rule(
        fault=st.sampled_from(["", "", "", "misfire", "double", "jam"]),
        at_stop=st.sampled_from([True, True, True, False]),
        wait=st.sampled_from([0, 0, 3, 120]),
        torn=st.sampled_from(["", "", "", "intent", "result"]),
    )
    def stroke(self, fault: str, at_stop: bool, wait: int, torn: str) -> None:
        mechanics, stop_mm = self.bench.mechanics, self._stop_mm()
        if at_stop and stop_mm is not None:
            mechanics.retraction_mm = stop_mm
        if fault:
            getattr(mechanics, f"{fault}_next")()
        if torn == "intent":
            self.bench.memory.tear_next()
        begun = self._guarded(self.bench.controller.instrument.begin_stroke)
        if begun:
            assert stop_mm is not None, "a stroke without a permit"
            assert abs(mechanics.retraction_mm - stop_mm) <= 2.5, "a seed at the wrong stop"
        for _ in range(wait):
            self.bench.idle()
        held = bool(begun) and wait and self.bench.controller.instrument._stroke
        if held:
            assert not mechanics.locked, "the lock closed in a stroke"
        passage = mechanics.push()
        self.left += passage.seeds
        if torn == "result" and begun:
            self.doubtful += 1
            self.bench.memory.tear_next()
        self.doubtful += passage.jammed or passage.gate != passage.seeds
        instrument = self.bench.controller.instrument
        if begun:
            self._guarded(lambda: instrument.end_stroke(passage.gate, jammed=passage.jammed))
        else:
            self._unasked(passage)

    @rule(fault=st.sampled_from(["gate_stuck", "follower_stuck", "lock_fails_open"]))
    def a_part_fails(self, fault: str) -> None:
        setattr(self.bench.mechanics, fault, True)

    @rule()
    def the_parts_are_mended(self) -> None:
        mechanics = self.bench.mechanics
        mechanics.gate_stuck = mechanics.follower_stuck = mechanics.lock_fails_open = False
        self._guarded(lambda: self.bench.ask("SELFTEST", ticks=15))

    @rule()
    def a_seed_falls_late(self) -> None:
        passage = self.bench.mechanics.drop_late()
        self.left += passage.seeds
        self._unasked(passage)

    def _unasked(self, passage: Passage) -> None:
        """Seeds that no stroke asked for: no intent stands for them if their write fails."""
        counted = self._counted()
        self._guarded(lambda: self.bench.controller.passed_unasked(passage))
        self.lost += max(0, passage.seeds - (self._counted() - counted))

    def _counted(self) -> int:
        records = self.bench.memory.records
        return sum({"DROP": 1, "DOUBLE": 2}.get(r.kind, 0) for r in records)

    # --- the device's power and memory -------------------------------------

    @precondition(lambda self: self.bench.controller.armed)
    @rule(pushed=st.booleans(), between=st.booleans(), torn=st.booleans())
    def power_cut_in_a_stroke(self, pushed: bool, between: bool, torn: bool) -> None:
        stop_mm = self._stop_mm()
        if stop_mm is not None:
            self.bench.mechanics.retraction_mm = stop_mm
        if self._guarded(self.bench.controller.instrument.begin_stroke):
            self.doubtful += 1
            if pushed:
                self.left += self.bench.mechanics.push().seeds
            if between:
                self.bench.mechanics.stop_between()
        if torn:
            self.bench.memory.tear_next()
        self.bench.restart_device()

    @rule(times=st.integers(1, 4), torn=st.booleans())
    def brown_out(self, times: int, torn: bool) -> None:
        for _ in range(times):
            if torn:
                self.bench.memory.tear_next()
            self.bench.restart_device()

    @rule()
    def another_applicator_for_a_while(self) -> None:
        """Rule 3: its journal is not ours, so nothing of it is kept, acknowledged or permitted."""
        bench, mine, known = self.bench, self.bench.memory, list(self.bench.log)
        if not known:
            return
        bench.memory, bench.tested_boot = JournalMemory(), 0
        bench.restart_device()
        bench.restart_host()
        bench.settle(40)
        magazine = bench.mechanics.magazine
        self.permit += 1
        words = (self.permit, bench.mechanics.needle, magazine.serial if magazine else "C0", 1)
        bench.ask("ARM", *words, bench.memory.head_eid, 1000, "0", ticks=15)
        assert bench.log == known
        assert not bench.memory.acked_eid
        assert "ARM" not in {r.kind for r in bench.memory.records}
        bench.memory = mine
        bench.restart_device()
        bench.restart_host()

    @rule()
    def the_next_write_is_torn(self) -> None:
        self.bench.memory.tear_next()

    @rule(writes=st.integers(1, 2))
    def the_next_writes_fail(self, writes: int) -> None:
        self.bench.memory.fail_next(writes)

    def _guarded(self, act):  # type: ignore[no-untyped-def]
        try:
            return act()
        except PowerLostError:
            self.doubtful += 1
            self.bench.restart_device()
            return None

    def _stop_mm(self) -> float | None:
        """Where the next seed belongs by the journal alone."""
        stops: list[float] = []
        for record in self.bench.memory.records:
            if record.kind == "ARM":
                stops = [int(s) / 10 for s in record.args[4].split(",")]
            elif record.kind in {"DISARM", "BOOT"}:
                stops = []
            elif record.kind in {"DROP", "DOUBLE"}:
                stops = stops[1 if record.kind == "DROP" else 2 :]
        return stops[0] if stops else None

    # --- what must hold ----------------------------------------------------

    @invariant()
    def rule_1_a_request_is_executed_once(self) -> None:
        tests = sum(r.kind == "TEST" for r in self.bench.memory.records)
        assert tests <= len(self.bench.tests_asked)

    @invariant()
    def rule_1_the_host_stops_and_waits(self) -> None:
        assert not self.bench.hurried

    @invariant()
    def rule_2_the_permit_is_of_the_session_in_force(self) -> None:
        instrument = self.bench.controller.instrument
        if instrument.permit is not None and not instrument._stroke:
            number = instrument.permit.number
            assert self.bench.controller._sid in self.bench.asked_permits[number]

    @invariant()
    def rule_3_one_journal_is_never_mixed_with_another(self) -> None:
        assert {r.jid for r in self.bench.log} <= {self.bench.memory.jid}
        shorter = self.bench.memory.head_eid < len(self.bench.log)
        assert not shorter or self.bench.host.phase in {Phase.HELD, Phase.GREETING}

    @invariant()
    def rule_4_nothing_is_acknowledged_that_is_not_on_disk(self) -> None:
        assert self.bench.memory.acked_eid <= len(self.bench.log)

    @invariant()
    def rule_4_nothing_unacknowledged_is_overwritten(self) -> None:
        memory = self.bench.memory
        assert memory.head_eid - memory.acked_eid <= memory.capacity

    @invariant()
    def rule_5_the_log_is_the_journal_so_far(self) -> None:
        told = [(r.eid, r.kind, r.args) for r in self.bench.log]
        held = [(r.eid, r.kind, r.args) for r in self.bench.memory.records[: len(told)]]
        assert told == held

    @invariant()
    def rule_6_each_permit_was_in_order_when_it_was_given(self) -> None:
        """Judged once for each new ARM, by what the journal and the hands know."""
        records = self.bench.memory.records
        for at in range(self.judged, len(records)):
            if records[at].kind == "ARM":
                self._judge(records[: at + 1])
        self.judged = len(records)

    def _judge(self, records: list[Record]) -> None:
        arm, before = records[-1], records[:-1]
        number, needle, cartridge, count = (
            int(arm.args[0]), int(arm.args[1]), arm.args[2], int(arm.args[3])
        )  # fmt: skip
        assert number > max((int(r.args[0]) for r in before if r.kind == "ARM"), default=0)
        seen = self.bench.asked_permits[number].values()
        assert arm.eid - 1 in seen, "not every record was seen"
        unknown = {r.eid for r in before if r.kind == "UNKNOWN"}
        assert not unknown - {int(r.args[0]) for r in before if r.kind == "RESOLVED"}
        assert not _permitted(before), "a permit while another is in force"
        assert _last(before, "NEEDLE", 0) == str(needle) != "0"
        inside = _last(before, "CART-IN", 0)
        assert inside == cartridge
        assert count <= _remaining(before)
        this_boot = [r for r in before if r.boot == arm.boot]
        tests = [r.args[0] for r in this_boot if r.kind == "TEST"]
        assert tests[-1:] == ["ok"], "not tested since the start"
        faults = [r.kind for r in this_boot if r.kind in {"JAM", "SENSOR", "TEST", "CART-IN"}]
        assert faults[-1:] != ["SENSOR"], "a sensor at fault"
        jammed = [r.kind for r in this_boot if r.kind in {"JAM", "CART-IN"}]
        assert jammed[-1:] != ["JAM"], "a jam was not seen to"
        assert self.versions.get(number, "1.1").split(".")[0] == self.bench.protocol.split(".")[0]
        # Nothing is written between the check and the record, so this is the room there was.
        room = self.bench.memory.capacity - (arm.eid - 1 - self.bench.memory.acked_eid)
        assert room >= NEARLY_FULL

    @invariant()
    def rule_6_no_seed_without_its_permit(self) -> None:
        """Between ARM and DISARM or BOOT, through its needle, and never more than permitted."""
        left, needle = 0, ""
        for record in self.bench.memory.records:
            if record.kind == "ARM":
                needle, left = record.args[1], int(record.args[3])
            elif record.kind in {"DISARM", "BOOT", "NODROP", "JAM", "SENSOR", "UNKNOWN", "DOUBLE"}:
                left = 0
            elif record.kind == "INTENT":
                assert left > 0
                assert record.args[0] == needle
            elif record.kind == "DROP":
                left -= 1

    @invariant()
    def rule_7_a_silent_host_permits_nothing(self) -> None:
        instrument = self.bench.controller.instrument
        if instrument.permit is not None and not instrument._stroke:
            self.bench.device_hears(b"")
        if instrument.permit is not None and not instrument._stroke:
            assert self.bench.now_s - self.bench.renewed_s <= LEASE_AT_MOST_S

    @invariant()
    def rule_8_every_intent_is_closed_once(self) -> None:
        is_open, unasked = False, False
        for record in self.bench.memory.records:
            if record.kind == "INTENT":
                assert not is_open
                is_open = True
            elif record.kind in {"NODROP", "UNKNOWN"}:
                assert is_open
                is_open = False
            elif record.kind in {"DROP", "DOUBLE"}:
                # Without an intent it is a seed that nobody asked for, and is said to be one.
                unasked, is_open = not is_open, False
            elif unasked:
                assert record.kind in {"SENSOR", "BOOT"}
                unasked = False

    @invariant()
    def rule_8_unknown_is_as_rare_as_what_can_cause_it(self) -> None:
        unknown = sum(r.kind == "UNKNOWN" for r in self.bench.memory.records)
        assert unknown <= self.doubtful

    @invariant()
    def rule_9_what_was_told_is_in_the_cells(self) -> None:
        held = self.bench.memory.switched_on_again().records
        assert [r.eid for r in held] == list(range(1, len(held) + 1))
        told = [(r.eid, r.kind, r.args) for r in self.bench.log]
        assert told == [(r.eid, r.kind, r.args) for r in held[: len(told)]]

    @invariant()
    def every_seed_is_in_the_journal(self) -> None:
        """Counted is what left, but for strokes said to be unknown and seeds no sensor saw."""
        records = self.bench.memory.records
        counted = self._counted()
        unknown = sum(r.kind == "UNKNOWN" for r in records)
        outcomes = [
            r.kind for r in records if r.kind in {"INTENT", "DROP", "NODROP", "DOUBLE", "UNKNOWN"}
        ]
        unseen = self.lost + 2 * (outcomes[-1:] == ["INTENT"])
        assert counted - unseen <= self.left <= counted + 2 * unknown + unseen

    def teardown(self) -> None:
        """With a good line, a sound memory and parts everything arrives, once and in order."""
        bench = self.bench
        bench.cable = None
        bench.memory._tear, bench.memory._failures = False, 0
        bench.settle(250)
        for _ in range(20):
            if len(bench.log) == bench.memory.head_eid == bench.memory.acked_eid:
                break
            bench.settle(100)
        assert len(bench.log) == bench.memory.head_eid == bench.memory.acked_eid
        self.rule_5_the_log_is_the_journal_so_far()


def _stops(count: int) -> str:
    return ",".join(str(round(10 * s)) for s in STOPS_MM[:count])


def _permitted(records: list[Record]) -> bool:
    """Whether the last permit of some records is still in force."""
    for record in reversed(records):
        if record.kind in {"DISARM", "BOOT"}:
            return False
        if record.kind == "ARM":
            return True
    return False


def _last(records: list[Record], kind: str, word: int) -> str:
    """A word of the last record of a kind, empty without one; a cartridge may be out again."""
    for record in reversed(records):
        if record.kind == "CART-OUT" and kind == "CART-IN":
            return ""
        if record.kind == kind:
            return record.args[word]
    return ""


def _remaining(records: list[Record]) -> int:
    """Seeds in the cartridge in place, as the journal has them."""
    remaining = 0
    for record in records:
        if record.kind in {"CART-IN", "INTENT", "DROP", "NODROP", "DOUBLE"}:
            remaining = int(record.args[1])
    return remaining
