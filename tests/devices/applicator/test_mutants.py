"""Each rule of the protocol taken out, one at a time: the room of stories must notice.

A mutant that nothing notices is a rule that no test holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from room import Room

from devices.applicator import session as host
from devices.applicator.records import parse_record
from simulators.firmware import controller as firmware
from simulators.firmware import instrument as parts
from simulators.firmware import memory as cells
from simulators.firmware.mechanics import Mechanics
from simulators.line import CableFaults

# Enough for the rarest of them ten times over; most fall within the first dozen.
AT_RANDOM = settings(
    max_examples=600,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


Act = tuple[str, dict[str, Any]]
NOTICED = (AssertionError, IndexError, KeyError, ValueError)


def permit(count: int, *, older: bool = False) -> Act:
    return "permit_seeds", {"count": count, "older": older}


def stroke(*, fault: str = "", at_stop: bool = True) -> Act:
    return "stroke", {"fault": fault, "at_stop": at_stop, "wait": 0, "torn": ""}


def cut(*, pushed: bool, between: bool) -> Act:
    return "power_cut_in_a_stroke", {"pushed": pushed, "between": between, "torn": False}


def resolved() -> Act:
    return "a_person_resolves", {"eids": 0}


QUIET: Act = ("quiet_time", {"ticks": 60})
HANGS: Act = ("the_host_hangs", {"ticks": 250})
LOSING_ANSWERS: Act = (
    "a_bad_line_and_a_disk_that_fails",
    {"losses": [(False, n % 3 == 0, True) for n in range(60)]},
)


def forged(*, major: str = "1.1", wrong: str = "") -> Act:
    words = {"older": False, "count": 1, "after": 0, "wrong": wrong}
    return "a_second_host_permits", {"session": "Z", "major": major, **words}


def again(start: int) -> Act:
    return "old_lines_come_again", {"start": start, "count": 40}


FORGED = forged()
DOUBLES = CableFaults(duplicate=1.0)


def play(story: tuple[Act, ...], cable: CableFaults | None = None) -> None:
    """Tell a story in the room; raises where an invariant breaks."""
    room = Room()
    room.begin(72, 0, 0, "1.1", cable, 0)
    for act, words in story:
        # Behind hypothesis' back: the rules are plain methods.
        getattr(Room, act).__get__(room)(**words)
        for name in dir(Room):
            if name.startswith(("rule_", "every_")):
                getattr(room, name)()
    room.teardown()


def is_noticed(story: tuple[Act, ...]) -> bool:
    for cable in (None, DOUBLES):
        try:
            play(story, cable)
        except NOTICED:
            return True
    return False


def is_noticed_at_random() -> bool:
    try:
        run_state_machine_as_test(Room, settings=AT_RANDOM)
    except NOTICED:
        return True
    return False


def without_check(*codes: str) -> Mutant:
    """A controller that does not ask one of the questions before it arms."""
    checks = parts.Instrument._checks

    def mutant(patch: Patch) -> None:
        def fewer(self: Any, *words: Any) -> Any:
            return tuple(c for c in checks(self, *words) if c[1] not in codes)

        patch.setattr(parts.Instrument, "_checks", fewer)

    return mutant


def permit_outlives(*reasons: str) -> Mutant:
    """A controller that keeps its permit although something should have ended it."""
    end_permit = parts.Instrument.end_permit

    def mutant(patch: Patch) -> None:
        def end(self: Any, reason: str, *words: str) -> None:
            if reason not in reasons:
                end_permit(self, reason, *words)

        patch.setattr(parts.Instrument, "end_permit", end)

    return mutant


def rewritten_line(rewrite: Callable[[Any, list[str]], None]) -> Mutant:
    """A controller that takes a request otherwise than it was sent."""
    line = firmware.Controller._line

    def mutant(patch: Patch) -> None:
        def taken(self: Any, body: str) -> None:
            words = body.split(" ")
            if len(words) >= 4 and words[2].isdecimal():
                rewrite(self, words)
            line(self, " ".join(words))

        patch.setattr(firmware.Controller, "_line", taken)

    return mutant


def executes_again(self: Any, words: list[str]) -> None:
    if words[1] == self._sid and int(words[2]) == self._rid:
        self._rid -= 1


def executes_older(self: Any, words: list[str]) -> None:
    if words[1] == self._sid and int(words[2]) < self._rid:
        self._rid = int(words[2]) - 1


def obeys_any_session(self: Any, words: list[str]) -> None:
    if self._sid and words[1] != self._sid and words[3] != "HELLO":
        words[1], words[2] = self._sid, str(self._rid + 1)


def speaks_any_version(patch: Patch) -> None:
    hello = firmware.Controller._hello

    def welcome(self: Any, host_protocol: str) -> str:
        answer = hello(self, host_protocol)
        self._host_major = self._protocol.split(".", maxsplit=1)[0]
        return answer

    patch.setattr(firmware.Controller, "_hello", welcome)


def host_ignores_versions(patch: Patch) -> None:
    """Caught only by a controller that does not ask either."""
    speaks_any_version(patch)
    patch.setattr(host.Identity, "same_major", True)


def acknowledges_before_the_disk(patch: Patch) -> None:
    receive = host.HostSession.receive

    def received(self: Any, words: Any, now_s: float) -> Any:
        record = receive(self, words, now_s)
        if record is not None:
            self.kept(record)
        return record

    patch.setattr(host.HostSession, "receive", received)


def takes_any_record(patch: Patch) -> None:
    receive = host.HostSession.receive

    def received(self: Any, words: Any, now_s: float) -> Any:
        record = receive(self, words, now_s)
        later = parse_record(words) if words[0] == "E" and self.identity else None
        return later if later is not None and later.eid > self.last_eid else record

    patch.setattr(host.HostSession, "receive", received)


def counts_twice(patch: Patch) -> None:
    receive = host.HostSession.receive

    def received(self: Any, words: Any, now_s: float) -> Any:
        record = receive(self, words, now_s)
        again = parse_record(words) if words[0] == "E" and self.identity else None
        return again if again is not None and again.eid == self.last_eid else record

    patch.setattr(host.HostSession, "receive", received)


def overwrites_what_is_not_acknowledged(patch: Patch) -> None:
    patch.setattr(cells.JournalMemory, "free", 10_000)


def hears_no_head(patch: Patch) -> None:
    understand = host.HostSession._understand

    def understood(self: Any, verb: str, words: Any) -> None:
        head = self.head_eid
        understand(self, verb, words)
        if verb in {"KEEP", "STATUS"}:
            self.head_eid = head

    patch.setattr(host.HostSession, "_understand", understood)


def a_retry_is_a_new_request(patch: Patch) -> None:
    poll = host.HostSession.poll

    def polled(self: Any, now_s: float) -> bytes:
        pending = self._pending
        line = poll(self, now_s)
        if pending is not None and line and self._pending is pending:
            self._rid += 1
            pending.rid = self._rid
            words = (pending.request.verb, *pending.request.args)
            return host.encode("C", self.sid, self._rid, *words)
        return line

    patch.setattr(host.HostSession, "poll", polled)


def arms_over_a_restart(patch: Patch) -> None:
    start, arm = parts.Instrument.__init__, parts.Instrument.arm
    stored: dict[str, Any] = {}

    def started(self: Any, memory: Any, *others: Any) -> None:
        start(self, memory, *others)
        self.permit = stored.get(memory.jid)
        self._tested = True

    def armed(self: Any, *words: Any) -> None:
        arm(self, *words)
        stored[self.memory.jid] = self.permit

    patch.setattr(parts.Instrument, "__init__", started)
    patch.setattr(parts.Instrument, "arm", armed)


def endless_lease(patch: Patch) -> None:
    patch.setattr(parts.Instrument, "at", lambda self, now_s: setattr(self, "_now_s", now_s))


def locks_in_a_stroke(patch: Patch) -> None:
    def at(self: Any, now_s: float) -> None:
        self._now_s = now_s
        if self.permit is not None and now_s >= self.permit.until_s:
            self.mechanics.locked = True

    patch.setattr(parts.Instrument, "at", at)


def unlocks_without_intent(patch: Patch) -> None:
    record = parts.Instrument._record

    def written(self: Any, kind: str, *args: str) -> Any:
        return True if kind == "INTENT" else record(self, kind, *args)

    patch.setattr(parts.Instrument, "_record", written)


def unlocks_before_the_intent_is_read_back(patch: Patch) -> None:
    record = parts.Instrument._record

    def written(self: Any, kind: str, *args: str) -> Any:
        if kind == "INTENT":
            self.memory._failures = max(self.memory._failures, parts.WRITE_TRIES)
            permit = self.permit
            record(self, kind, *args)
            self.permit = permit
            return True
        return record(self, kind, *args)

    patch.setattr(parts.Instrument, "_record", written)


def leaves_intents_open(patch: Patch) -> None:
    patch.setattr(parts.Instrument, "_recover", lambda self: None)


def always_guesses_a_drop(patch: Patch) -> None:
    follower = Mechanics.follower
    recover = parts.Instrument._recover

    def recovered(self: Any) -> None:
        before = self._remaining
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Mechanics, "follower", lambda _: before - 1)
            recover(self)
        assert Mechanics.follower is follower

    patch.setattr(parts.Instrument, "_recover", recovered)


def tells_before_it_is_written(patch: Patch) -> None:
    record = parts.Instrument._record

    def written(self: Any, kind: str, *args: str) -> Any:
        memory = self.memory
        ms = round(self._now_s * 1000)
        self._recorded(cells.Record(memory.head_eid + 1, memory.boot, ms, kind, args))
        return record(self, kind, *args)

    patch.setattr(parts.Instrument, "_record", written)


def takes_torn_cells(patch: Patch) -> None:
    whole = cells.decode

    def torn(line: bytes) -> str | None:
        return whole(line) or (line.decode("ascii", "replace") if line[:2] == b"J " else None)

    def load(self: Any, body: str) -> None:
        try:
            original(self, body)
        except (ValueError, IndexError):
            return

    original = cells.JournalMemory._load
    patch.setattr(cells, "decode", torn)
    patch.setattr(cells.JournalMemory, "_load", load)


def takes_another_journal(patch: Patch) -> None:
    patch.setattr(host.HostSession, "_objection", lambda self: "")


def any_stop_will_do(patch: Patch) -> None:
    patch.setattr(parts, "STOP_TOLERANCE_MM", 1000.0)


MUTANTS: dict[str, Mutant] = {
    "1 a repeated request is executed again": rewritten_line(executes_again),
    "1 an older request is executed": rewritten_line(executes_older),
    "1 any session is obeyed": rewritten_line(obeys_any_session),
    "1 a retry gets a number of its own": a_retry_is_a_new_request,
    "2 HELLO leaves the permit": permit_outlives("hello"),
    "2 another major version is armed": speaks_any_version,
    "2 neither side looks at the version": host_ignores_versions,
    "3 another journal is taken": takes_another_journal,
    "4 ACK before the disk": acknowledges_before_the_disk,
    "4 a nearly full journal arms": without_check("FULL"),
    "4 what is not acknowledged is overwritten": overwrites_what_is_not_acknowledged,
    "5 the heartbeat's head is not heard": hears_no_head,
    "5 records are taken out of order": takes_any_record,
    "5 a record is counted twice": counts_twice,
    "6 armed over a permit": without_check("ARMED"),
    "6 a permit number serves twice": without_check("PERMIT"),
    "6 records that the host has not seen": without_check("STALE"),
    "6 an unresolved stroke": without_check("UNRESOLVED"),
    "6 another cartridge": without_check("CART"),
    "6 another needle": without_check("NEEDLE"),
    "6 more than the cartridge holds": without_check("EMPTY", "SENSOR"),
    "6 no self-test": without_check("TEST"),
    "6 a fault": without_check("JAM", "SENSOR"),
    "6 the count is not the end": permit_outlives("done"),
    "6 a stroke without a seed is not the end": permit_outlives("nodrop"),
    "6 a fault is not the end": permit_outlives("fault"),
    "6 armed over a restart": arms_over_a_restart,
    "6 a seed anywhere along the needle": any_stop_will_do,
    "7 the lease never ends": endless_lease,
    "7 the lock closes in a stroke": locks_in_a_stroke,
    "8 the gate opens without an intent": unlocks_without_intent,
    "8 the intent is not read back": unlocks_before_the_intent_is_read_back,
    "8 an open intent stays open": leaves_intents_open,
    "8 an open intent is taken for a drop": always_guesses_a_drop,
    "9 a record is told before it is written": tells_before_it_is_written,
    "9 a torn cell is taken": takes_torn_cells,
}


# Short stories in which each rule is all that stands between the hands and a mistake. Those that
# the mutants do not fall to are told at random.
STORIES: tuple[tuple[Act, ...], ...] = (
    # More strokes than were permitted.
    (permit(1), stroke(), stroke()),
    # No seed, two seeds, a jam; and on.
    (permit(3), stroke(fault="misfire"), stroke()),
    (permit(3), stroke(fault="double"), stroke()),
    (permit(3), stroke(fault="jam"), stroke(), permit(2), stroke()),
    # A sensor at fault; and on.
    (permit(2), ("a_part_fails", {"fault": "gate_stuck"}), stroke(), resolved(), permit(2)),
    # The power goes with the seed gone, not gone, and in between; and on.
    *(
        (permit(2), cut(pushed=pushed, between=between), QUIET, permit(2), stroke())
        for pushed in (False, True)
        for between in (False, True)
    ),
    # The barrel is not where the seed belongs.
    (permit(2), stroke(), stroke(at_stop=False)),
    # The writes of the intent fail.
    (permit(2), ("the_next_writes_fail", {"writes": 3}), stroke(), stroke()),
    # Nobody reads the journal until it is full, and beyond.
    tuple(("draw_back", {"stop": 5.0 * (n % 3)}) for n in range(80)),
    (HANGS, *(("draw_back", {"stop": 5.0 * (n % 3)}) for n in range(12)), FORGED, stroke()),
    # The host hangs, or dies, or repeats itself.
    (permit(2), HANGS, stroke()),
    (permit(2), ("the_host_dies", {"cut": False}), QUIET, stroke()),
    *(
        (
            ("draw_back", {"stop": 5.0}),
            ("a_bad_line_and_a_disk_that_fails", {"losses": [loss] * 20}),
            QUIET,
        )
        for loss in ((False, True, True), (False, False, False))
    ),
    (("brown_out", {"times": 1, "torn": False}), LOSING_ANSWERS, QUIET),
    (permit(1), permit(1, older=True)),
    (permit(1), stroke(), QUIET, permit(1, older=True)),
    (permit(2), permit(2)),
    (QUIET, again(0), QUIET),
    (("the_host_dies", {"cut": False}), QUIET, again(1), QUIET),
    # A second host that keeps to the lines and to nothing else.
    *((forged(major=major),) for major in ("1.0", "2.0")),
    *((forged(wrong=wrong),) for wrong in ("cartridge", "needle")),
    (("brown_out", {"times": 1, "torn": False}), FORGED),
    (("the_next_write_is_torn", {}), ("draw_back", {"stop": 5.0}), QUIET),
    # The power goes in the cell of a moved barrel: the half that stays does not say where to.
    (
        ("brown_out", {"times": 1, "torn": False}),
        ("the_next_write_is_torn", {}),
        ("draw_back", {"stop": 15.0}),
        QUIET,
    ),
    (("another_applicator_for_a_while", {}), permit(1), stroke()),
)


@pytest.mark.parametrize("rule", MUTANTS)
def test_a_rule_that_is_taken_out_is_missed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[rule](monkeypatch)
    assert any(map(is_noticed, STORIES)) or is_noticed_at_random(), rule


@pytest.mark.parametrize("story", STORIES)
def test_with_all_its_rules_nothing_is_noticed(
    story: tuple[tuple[str, dict[str, Any]], ...],
) -> None:
    play(story)
