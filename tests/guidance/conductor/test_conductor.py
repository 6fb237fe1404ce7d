"""The one writer: what it records, what it refuses, and what cannot stop it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from working_room import Room

from guidance.commands import main
from guidance.conductor.picture import Picture
from guidance.errors import RefusedError
from guidance.journal import Journal
from guidance.procedure.advance import state_at
from guidance.procedure.events import (
    AlarmAcknowledged,
    CaseOpened,
    DeviceRecorded,
    from_record,
    key_of,
    to_payload,
)
from guidance.procedure.snapshot import Snapshot

NOW = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "journal.sqlite")
    yield room
    room.close()


def record(eid: int) -> DeviceRecorded:
    return DeviceRecorded("J1", eid, 1, eid, "TEST", ("ok",))


def test_a_fact_is_on_disk_before_its_answer(room: Room) -> None:
    event = room.conductor.offer(CaseOpened("Dr Li")).result(10)
    assert event.number == 1
    assert [r.kind for r in room.journal.records("case")] == ["CaseOpened"]
    assert room.wait_for(1).next_action.startswith("Send from the planning system")


def test_a_refused_act_is_not_recorded(room: Room) -> None:
    with pytest.raises(RefusedError, match="no alarm"):
        room.conductor.offer(AlarmAcknowledged("nothing", "Dr Li")).result(10)
    assert list(room.journal.records("case")) == []


def test_a_fact_offered_twice_is_recorded_once(room: Room) -> None:
    first = room.conductor.offer(record(1)).result(10)
    again = room.conductor.offer(record(1)).result(10)
    assert first == again
    assert len(list(room.journal.records("case"))) == 1


def test_a_picture_that_fails_does_not_stop_the_count(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.conductor.offer(CaseOpened("Dr Li")).result(10)
    room.wait_for(1)

    def broken(*_: object) -> Snapshot:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(Picture, "of", broken)
        for eid in (1, 2, 3):
            room.conductor.offer(record(eid)).result(10)
        assert len(list(room.journal.records("case"))) == 4
        assert room.until(lambda s: "OUT OF DATE" in s.busy).dose_is_stale
    room.conductor.offer(record(4)).result(10)
    assert room.wait_for(5).busy == ""


def test_a_restart_goes_on_where_the_journal_ends(tmp_path: Path) -> None:
    first = Room(tmp_path / "journal.sqlite")
    first.conductor.offer(CaseOpened("Dr Li")).result(10)
    first.conductor.offer(record(1)).result(10)
    state = first.conductor.state
    first.close()
    again = Room(tmp_path / "journal.sqlite")
    try:
        assert again.conductor.state == state
        assert again.conductor.offer(record(2)).result(10).number == 3
    finally:
        again.close()


def test_a_journal_whose_alarm_is_no_longer_raised_goes_on_with_a_remark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written under older rules; the same act is still refused where it is new."""
    path = tmp_path / "journal.sqlite"
    facts = (CaseOpened("Dr Li"), AlarmAcknowledged("an-older-rule:7", "Dr Li"), record(1))
    with Journal(path) as journal:
        for fact in facts:
            kind, payload = to_payload(fact)
            journal.append("case", kind, payload, at=NOW, key=key_of(fact))
        events = [from_record(r) for r in journal.records("case")]
    again = Room(path)
    try:
        remark = again.conductor.state.alarms[-1]
        assert remark.text == (
            "Event 2 stands as it was recorded: Dr Li acknowledged the alarm an-older-rule:7. "
            "This version would refuse it: there is no alarm an-older-rule:7"
        )
        assert again.conductor.state.device.eid == 1
        with pytest.raises(RefusedError, match="there is no alarm"):
            again.conductor.offer(AlarmAcknowledged("an-older-rule:8", "Dr Li")).result(10)
        again.conductor.offer(AlarmAcknowledged(remark.key, "Dr Li")).result(10)
        assert again.conductor.state.alarms[-1].acknowledged_by == "Dr Li"
        live = again.conductor.state
    finally:
        again.close()
    assert state_at("case", events, 3).device.eid == 1
    assert main(["journal", "show", str(path)]) == 0
    assert "This version would refuse it: there is no alarm" in capsys.readouterr().out
    once_more = Room(path)
    try:
        assert once_more.conductor.state == live
    finally:
        once_more.close()
