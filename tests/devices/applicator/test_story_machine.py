"""Anything may happen in any order: what must hold all the same."""

from bench import Bench
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulators.firmware import Magazine


class Room(RuleBasedStateMachine):
    """A lossy line, hands, power cuts and hosts that die."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.left = 0
        self.permit = 0
        self.cartridges = 0

    @rule(losses=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=30))
    def pass_time(self, losses: list[tuple[bool, bool, bool]]) -> None:
        for down, up, keep in losses:
            self.bench.tick(lose_down=down, lose_up=up, keep=keep)

    @rule()
    def quiet_time(self) -> None:
        self.bench.settle(40)

    @rule(needle=st.integers(0, 3))
    def move(self, needle: int) -> None:
        self.bench.mechanics.needle = needle
        self.bench.controller.instrument.needle_changed()

    @rule(seeds=st.integers(0, 4))
    def change_cartridge(self, seeds: int) -> None:
        self.cartridges += 1
        self.bench.mechanics.magazine = Magazine(f"C{self.cartridges}", seeds)
        self.bench.controller.instrument.cartridge_changed()

    @rule(count=st.integers(1, 3), older=st.booleans())
    def arm(self, count: int, older: bool) -> None:
        self.permit += 0 if older else 1
        magazine = self.bench.mechanics.magazine
        self.bench.ask(
            *("ARM", self.permit, self.bench.mechanics.needle),
            *(magazine.serial if magazine else "C0", count, len(self.bench.log), 1000),
            ",".join(["0"] * count),
            ticks=15,
        )

    @rule(fault=st.sampled_from(["", "", "", "misfire", "double"]))
    def stroke(self, fault: str) -> None:
        if fault:
            getattr(self.bench.mechanics, f"{fault}_next")()
        self.left += self.bench.stroke()

    @precondition(lambda self: self.bench.controller.armed)
    @rule(pushed=st.booleans(), between=st.booleans())
    def power_cut_in_a_stroke(self, pushed: bool, between: bool) -> None:
        if self.bench.controller.instrument.begin_stroke():
            if pushed:
                self.left += self.bench.mechanics.push().seeds
            if between:
                self.bench.mechanics.stop_between()
        self.bench.mechanics.locked = True
        self.bench.restart_device()

    @rule()
    def host_dies(self) -> None:
        self.bench.restart_host()

    @invariant()
    def the_log_is_the_journal_so_far(self) -> None:
        told = [(r.eid, r.kind, r.args) for r in self.bench.log]
        held = [(r.eid, r.kind, r.args) for r in self.bench.memory.records[: len(told)]]
        assert told == held

    @invariant()
    def nothing_is_acknowledged_that_is_not_on_disk(self) -> None:
        assert self.bench.memory.acked_eid <= len(self.bench.log)

    @invariant()
    def every_seed_is_in_the_journal(self) -> None:
        """Counted is what left, but for strokes whose outcome is said to be unknown."""
        records = self.bench.memory.records
        counted = sum({"DROP": 1, "DOUBLE": 2}.get(r.kind, 0) for r in records)
        unknown = sum(r.kind == "UNKNOWN" for r in records)
        assert counted <= self.left <= counted + 2 * unknown

    @invariant()
    def no_seed_without_its_permit(self) -> None:
        """Between ARM and DISARM, through its needle, and never more than permitted."""
        permitted, needle = 0, ""
        for record in self.bench.memory.records:
            if record.kind == "ARM":
                needle, permitted = record.args[1], int(record.args[3])
            elif record.kind in {"DISARM", "BOOT"} and record.kind == "DISARM":
                permitted = 0
            elif record.kind == "INTENT":
                assert permitted > 0
                assert record.args[0] == needle
            elif record.kind in {"DROP", "DOUBLE"}:
                permitted -= 1 if record.kind == "DROP" else permitted

    @invariant()
    def every_intent_is_closed_once(self) -> None:
        is_open = False
        for record in self.bench.memory.records:
            if record.kind == "INTENT":
                assert not is_open
                is_open = True
            elif record.kind in {"DROP", "NODROP", "DOUBLE", "UNKNOWN"}:
                assert is_open
                is_open = False

    @invariant()
    def permit_numbers_rise(self) -> None:
        numbers = [int(r.args[0]) for r in self.bench.memory.records if r.kind == "ARM"]
        assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        """With a good line everything arrives, once and in order."""
        self.bench.settle(400)
        assert len(self.bench.log) == self.bench.memory.head_eid == self.bench.memory.acked_eid


Room.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestRoom = Room.TestCase
