"""Journals written under older rules are read on: what was recorded is what happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from test_advance import START, Room, drop_all, ready, verified

from guidance.commands import main
from guidance.errors import RefusedError
from guidance.journal import Journal
from guidance.procedure.advance import advance, replayed, state_at
from guidance.procedure.events import (
    CaseClosed,
    CourseNoted,
    Event,
    ImplantVerified,
    NeedlesConfirmed,
    ProcedureEvent,
    RegistrationAccepted,
    SeedsPermitted,
    key_of,
    to_payload,
)
from guidance.procedure.state import CaseState


def events(facts: list[Event]) -> list[ProcedureEvent]:
    return [
        ProcedureEvent(number, START + timedelta(seconds=number), fact)
        for number, fact in enumerate(facts, start=1)
    ]


def under_older_rules() -> list[Event]:
    """Seeds permitted before the needles were confirmed, which was once allowed."""
    room = ready()
    facts = [e.fact for e in room.events if not isinstance(e.fact, NeedlesConfirmed)]
    facts.append(SeedsPermitted(7, 1, "C1", 2, "Dr Li"))
    told = Room()
    told.eid = room.eid
    for kind, args in (
        ("ARM", (7, 1, "C1", 2)),
        ("INTENT", (1, 1)),
        ("DROP", (1, 14)),
    ):
        told.eid += 1
        facts.append(_record(told.eid, kind, args))
    return facts


def _record(eid: int, kind: str, args: tuple[object, ...]) -> Event:
    from guidance.procedure.events import DeviceRecorded

    return DeviceRecorded("J1", eid, 1, eid, kind, tuple(map(str, args)))


def refused_at(facts: list[Event]) -> RefusedError:
    """What today's rules say to the first act they refuse."""
    state = CaseState("case")
    for event in events(facts):
        try:
            state, _ = advance(state, event)
        except RefusedError as error:
            return error
    raise AssertionError("nothing is refused")


def test_a_permit_that_would_be_refused_today_replays_with_what_followed() -> None:
    facts = under_older_rules()
    assert "the needles are not confirmed yet" in str(refused_at(facts))
    state = replayed("case", events(facts))
    assert [(s.needle, s.event_key != "") for s in state.seeds] == [(1, True)]
    assert (state.device.armed, state.device.permit, state.device.dropped) == (True, 7, 1)
    assert state.device.stops_mm == (0.0, 10.0)
    alarms = {a.key: a.text for a in state.alarms}
    assert not [key for key in alarms if key.startswith("unpermitted")]
    number = next(e.number for e in events(facts) if isinstance(e.fact, SeedsPermitted))
    assert alarms[f"replay:{number}"] == (
        f"Event {number} stands as it was recorded: Dr Li permitted 2 seeds through needle 1. "
        "This version would refuse it: the needles are not confirmed yet"
    )
    assert state_at("case", events(facts), number).device.permit == 7


def test_such_a_journal_is_shown_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        for event in events(under_older_rules()):
            kind, payload = to_payload(event.fact)
            journal.append("case", kind, payload, at=event.at, key=key_of(event.fact))
    assert main(["journal", "show", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "This version would refuse it: the needles are not confirmed yet" in shown
    assert main(["journal", "show", "--seeds", str(path)]) == 0
    assert "1 implanted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("left_out", "act", "holds"),
    [
        (RegistrationAccepted, NeedlesConfirmed("Dr Li"), lambda s: s.needles_confirmed_by),
        (None, CaseClosed("Dr Li", ""), lambda s: s.closed_by),
        (NeedlesConfirmed, ImplantVerified("Dr Li"), lambda s: s.verified_by),
    ],
)
def test_so_do_the_other_acts_that_move_a_case_on(left_out, act, holds) -> None:
    facts = [e.fact for e in ready().events]
    if left_out is not None:
        facts = facts[: next(i for i, f in enumerate(facts) if isinstance(f, left_out))]
    facts.append(act)
    refused_at(facts)
    state = replayed("case", events(facts))
    assert holds(state) == "Dr Li"
    assert any("stands as it was recorded" in a.text for a in state.alarms)


def test_an_act_that_nothing_can_be_made_of_still_ends_the_reading() -> None:
    with pytest.raises(RefusedError):
        replayed("case", events([*(e.fact for e in ready().events), CourseNoted("x", "Dr Li")]))
    with pytest.raises(RefusedError, match="no registration"):
        replayed("case", events([RegistrationAccepted("Dr Li")]))


def test_what_is_right_today_leaves_no_remark() -> None:
    for room in (drop_all(ready()), verified()):
        state = replayed("case", events([e.fact for e in room.events]))
        assert not [a for a in state.alarms if a.key.startswith("replay:")]
