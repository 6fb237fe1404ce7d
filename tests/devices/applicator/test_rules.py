"""The rules of the protocol, one by one, controller and host session without a wire."""

import pytest
from bench import Bench

from devices.applicator.frame import encode
from devices.applicator.session import Phase
from simulators.firmware import (
    Controller,
    JournalMemory,
    Mechanics,
    MemoryFaultError,
    PowerLostError,
)


@pytest.fixture
def ready() -> Bench:
    bench = Bench()
    bench.load()
    return bench


def exchange(controller: Controller, *words: object, at: float = 0.0) -> list[str]:
    controller.output()
    controller.receive(encode(*words), at)
    return [line.split("*")[0] for line in controller.output().decode().splitlines()]


def test_an_ordinary_needle(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    assert [ready.stroke() for _ in range(4)] == [1, 1, 1, 0]
    ready.settle()
    assert " ".join(ready.kinds()[-9:]) == (
        "ARM INTENT DROP INTENT DROP INTENT DROP DISARM BLOCKED"
    )
    assert ready.log[-2].args == ("done",)
    assert ready.log[-1].args == ("3", "permit")
    assert ready.host.acked_eid == len(ready.log) == ready.memory.head_eid


def test_rule_1_a_request_is_executed_once() -> None:
    controller = Controller(JournalMemory(), Mechanics(), serial_number="S", now_s=0.0)
    first = exchange(controller, "C", "A", 1, "HELLO", "1.0")
    assert exchange(controller, "C", "A", 1, "HELLO", "1.0") == first
    assert exchange(controller, "C", "A", 2, "KEEP")[0].startswith("R A 2 OK")
    assert exchange(controller, "C", "A", 1, "HELLO", "1.0") == []
    assert exchange(controller, "C", "B", 3, "KEEP") == ["R B 3 ERR NOSESSION"]
    assert exchange(controller, "C", "A", 3, "JUMP") == ["R A 3 ERR VERB"]
    assert exchange(controller, "C", "A", 4, "READ", "x") == ["R A 4 ERR ARGS"]


def test_rule_1_a_repeated_request_is_not_executed_again(ready: Bench) -> None:
    """Its answer comes again, what it did does not."""
    controller, sid = ready.controller, ready.host.sid
    rid = ready.host._rid + 1
    first = exchange(controller, "C", sid, rid, "READ", 1, at=ready.now_s)
    assert [line[0] for line in first] == [*"EEEEE", "R"]
    assert exchange(controller, "C", sid, rid, "READ", 1, at=ready.now_s) == first[-1:]


def test_rule_2_a_new_session_ends_the_permit(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.restart_host()
    ready.settle(20)
    assert not ready.controller.armed
    assert ready.stroke() == 0
    ready.settle()
    assert ("hello",) in [r.args for r in ready.log if r.kind == "DISARM"]


def test_rule_3_another_journal_is_refused_and_not_read() -> None:
    bench = Bench()
    bench.load()
    known = len(bench.log)
    bench.memory.wipe()
    bench.restart_device()
    bench.restart_host()
    bench.settle()
    assert "another applicator, or its memory was formatted" in bench.host.refusal
    assert len(bench.log) == known


def test_rule_3_a_journal_that_became_shorter_is_refused(ready: Bench) -> None:
    del ready.memory.records[-2:]
    ready.restart_host()
    ready.settle()
    assert "ends at record" in ready.host.refusal


def test_rule_4_what_is_not_on_disk_is_not_acknowledged(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.settle(20)
    known = len(ready.log)
    assert ready.stroke() == 1
    for _ in range(50):
        ready.tick(keep=False)
    assert ready.memory.acked_eid == known
    ready.settle()
    assert ready.memory.acked_eid == ready.memory.head_eid > known


def test_rule_4_a_nearly_full_journal_arms_nothing() -> None:
    bench = Bench(memory=JournalMemory(capacity=66))
    bench.load()
    assert bench.arm()[0] == "OK"
    bench.ask("DISARM")
    for _ in range(12):
        bench.controller.instrument.retracted()
    answer = bench.ask("ARM", 2, 3, "C1", 1, bench.memory.head_eid, 1000, 0, ticks=2)
    assert answer in {("ERR", "FULL"), ("OK", str(bench.memory.head_eid)), ()}
    bench.settle()
    assert bench.arm(permit=3)[0] == "OK"


def test_rule_5_a_lost_last_record_is_noticed_by_the_heartbeat(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    assert ready.stroke() == 1
    ready.tick(lose_up=True)
    ready.settle()
    assert ready.kinds().count("DROP") == 1
    assert len(ready.log) == ready.memory.head_eid


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"permit": 0}, "PERMIT"),
        ({"after": 1}, "STALE"),
        ({"needle": 4}, "NEEDLE"),
        ({"cartridge": "C9"}, "CART"),
        ({"count": 11}, "EMPTY"),
        ({"count": 0}, "ARGS"),
        ({"stops": "0,0"}, "ARGS"),
        ({"stops": "0,0,-50"}, "ARGS"),
        ({"stops": "0,0,x"}, "ARGS"),
        ({"lease": 60000}, "ARGS"),
    ],
)
def test_rule_6_what_does_not_arm(ready: Bench, changes: dict[str, object], code: str) -> None:
    assert ready.arm(**changes) == ("ERR", code)  # type: ignore[arg-type]
    assert not ready.controller.armed
    assert ready.stroke() == 0


def test_rule_6_a_permit_number_serves_once_even_after_a_restart(ready: Bench) -> None:
    assert ready.arm(permit=7)[0] == "OK"
    assert ready.arm(permit=8) == ("ERR", "ARMED")
    ready.ask("DISARM")
    ready.settle()
    assert ready.arm(permit=7) == ("ERR", "PERMIT")
    ready.restart_device()
    ready.settle(300)
    assert ready.arm(permit=7) == ("ERR", "PERMIT")
    assert ready.arm(permit=8)[0] == "OK"


def test_rule_6_a_stroke_without_a_seed_ends_the_permit(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.mechanics.misfire_next()
    assert ready.stroke() == 0
    ready.settle()
    assert ready.kinds()[-3:] == ["INTENT", "NODROP", "DISARM"]
    assert ready.log[-2].args == ("3", "10")
    assert ready.arm(permit=2)[0] == "OK"


def test_rule_6_another_needle_or_cartridge_ends_the_permit(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.mechanics.needle = 4
    ready.controller.instrument.needle_changed()
    assert not ready.controller.armed
    assert ready.stroke() == 0


def test_rule_7_the_lease_ends_when_the_host_dies(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.controller.tick(ready.now_s + 0.9)
    assert ready.controller.armed
    ready.controller.tick(ready.now_s + 1.1)
    assert not ready.controller.armed
    assert ready.memory.records[-1].args == ("lease",)
    assert ready.stroke() == 0


def test_rule_7_a_stroke_in_progress_is_finished(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    instrument = ready.controller.instrument
    assert instrument.begin_stroke()
    ready.controller.tick(ready.now_s + 5.0)
    assert not ready.mechanics.locked
    instrument.end_stroke(ready.mechanics.push().gate)
    ready.controller.tick(ready.now_s + 5.1)
    assert ready.mechanics.locked
    assert [r.kind for r in ready.memory.records[-3:]] == ["INTENT", "DROP", "DISARM"]


@pytest.mark.parametrize(("pushed", "kind"), [(True, "DROP"), (False, "NODROP")])
def test_rule_8_the_follower_closes_an_open_intent(ready: Bench, pushed: bool, kind: str) -> None:
    assert ready.arm()[0] == "OK"
    assert ready.controller.instrument.begin_stroke()
    if pushed:
        ready.mechanics.push()
    ready.restart_device()
    ready.settle(300)
    closing = [r for r in ready.log if r.kind == kind]
    assert [r.args[-1] for r in closing] == ["recovered"]
    assert not ready.controller.armed


def test_rule_8_unknown_blocks_until_a_person_resolves(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    assert ready.controller.instrument.begin_stroke()
    ready.mechanics.push()
    ready.mechanics.stop_between()
    ready.restart_device()
    ready.settle(300)
    assert ready.kinds().count("UNKNOWN") == 1
    unknown = next(r for r in ready.log if r.kind == "UNKNOWN")
    assert ready.arm(permit=2) == ("ERR", "UNRESOLVED")
    assert ready.ask("RESOLVE", unknown.eid, "DROP", "Dr_Li")[0] == "OK"
    ready.settle()
    assert ready.log[-1].args == (str(unknown.eid), "DROP", "Dr_Li")
    assert ready.arm(permit=3)[0] == "OK"


def test_rule_9_a_torn_record_counts_as_not_written(tmp_path: object) -> None:
    whole = JournalMemory()
    whole.add(1, 0, "BOOT", ("1.0",))
    cells = bytes(whole._cells)
    # Without its newline alone the record is whole.
    for cut in range(len(cells) - 1):
        path = tmp_path / f"memory-{cut}"  # type: ignore[operator]
        path.write_bytes(cells[:cut])
        again = JournalMemory(path)
        assert again.head_eid == 0
        again.add(1, 1, "NEEDLE", ("2",))
        third = JournalMemory(path)
        assert [(r.eid, r.kind) for r in third.records] == [(1, "NEEDLE")]


def test_rule_9_a_failed_write_arms_nothing(ready: Bench) -> None:
    ready.memory.fail_next()
    assert ready.arm() == ("ERR", "SENSOR")
    assert not ready.controller.armed
    ready.memory.fail_next()
    with pytest.raises(MemoryFaultError):
        ready.memory.add(1, 0, "TEST", ())
    ready.memory.tear_next()
    with pytest.raises(PowerLostError):
        ready.memory.add(1, 0, "TEST", ())


def test_a_lock_that_fails_open_is_recorded(ready: Bench) -> None:
    ready.mechanics.lock_fails_open = True
    assert ready.stroke() == 1
    ready.settle()
    assert ready.kinds()[-2:] == ["DROP", "SENSOR"]
    ready.mechanics.lock_fails_open = False
    assert ready.arm(permit=2) == ("ERR", "SENSOR")


def test_a_double_seed_and_a_jam_are_said(ready: Bench) -> None:
    assert ready.arm()[0] == "OK"
    ready.mechanics.double_next()
    assert ready.stroke() == 2
    ready.settle()
    assert ready.kinds()[-2:] == ["DOUBLE", "DISARM"]
    assert ready.log[-2].args == ("3", "8")
    assert ready.arm(permit=2)[0] == "OK"
    ready.mechanics.jam_next()
    ready.stroke()
    ready.settle()
    assert "JAM" in ready.kinds()
    assert ready.arm(permit=3)[0] == "ERR"


def test_the_stylet_is_locked_until_the_step_is_made(ready: Bench) -> None:
    """One seed at 0 mm, one at 5, one at 15: each only there."""
    assert ready.arm(stops="0,50,150")[0] == "OK"
    mechanics = ready.mechanics
    assert ready.stroke() == 1
    assert [ready.stroke(), ready.stroke()] == [0, 0]
    ready.settle(10)
    assert ready.log[-1].kind == "BLOCKED"
    assert ready.log[-1].args == ("3", "step", "5.0", "0.0")
    assert ready.kinds().count("BLOCKED") == 1
    mechanics.retraction_mm = 6.0
    assert ready.stroke() == 1
    mechanics.retraction_mm = 10.0
    assert ready.stroke() == 0
    mechanics.retraction_mm = 15.0
    assert [ready.stroke(), ready.stroke()] == [1, 0]
    ready.settle()
    assert ready.kinds().count("DROP") == 3


def test_a_controller_that_has_not_tested_itself_permits_nothing() -> None:
    bench = Bench()
    bench.host.tested_boot = 1
    bench.load()
    assert "TEST" not in bench.kinds()
    assert bench.arm() == ("ERR", "TEST")
    assert bench.ask("SELFTEST") == ("OK", "ok")
    bench.settle()
    assert bench.arm(permit=2)[0] == "OK"


def test_a_failed_self_test_holds_until_one_passes() -> None:
    bench = Bench()
    bench.mechanics.follower_stuck = True
    bench.load()
    assert bench.host.phase is Phase.FAULTY
    assert "self-test failed (SENSOR)" in bench.host.refusal
    assert bench.arm() == ("ERR", "HELD")
    bench.mechanics.follower_stuck = False
    assert bench.ask("SELFTEST") == ("OK", "ok")
    bench.settle()
    assert bench.host.phase is Phase.OPEN
    assert bench.arm(permit=2)[0] == "OK"


def test_a_session_tests_each_start_once(ready: Bench) -> None:
    assert ready.kinds().count("TEST") == 1
    ready.host.tested_boot = 0
    ready.restart_host()
    ready.settle()
    assert ready.kinds().count("TEST") == 1 + (ready.tested_boot == 0)
    ready.restart_device()
    ready.settle(300)
    assert ready.log[-1].kind == "TEST"


def test_a_barrel_moved_without_power_is_told_at_the_start(ready: Bench) -> None:
    """A seed is counted where the barrel is, not where it was."""
    ready.mechanics.retraction_mm = 10.0
    ready.restart_device()
    ready.settle(300)
    moved = [r.args for r in ready.log if r.kind == "RETRACT"]
    assert moved[-1] == ("3", "10.0")
    ready.restart_device()
    ready.settle(300)
    assert [r.args for r in ready.log if r.kind == "RETRACT"] == moved
