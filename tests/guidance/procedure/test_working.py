"""Work that was stopped or broke off: the case says what it lacks, and how to have it."""

from __future__ import annotations

import pytest
from test_advance import START, Room, drop_all, planned, ready, series, with_needles

from guidance.detection import DetectedNeedle
from guidance.errors import RefusedError
from guidance.procedure.advance import replayed
from guidance.procedure.asking import AGAIN
from guidance.procedure.events import (
    NeedlesConfirmed,
    QuestionAnswered,
    ScanAnalysed,
    SeriesReceived,
    WorkBrokeOff,
    WorkStopped,
)
from guidance.procedure.jobs import Advise, AnalyseScan, jobs, key_of
from guidance.procedure.steps import next_action

LOOK = "analyse:1.2.4:1"
DIED = "its process was ended by signal 9"


def scanned() -> Room:
    room = planned().tell(series(4, "CT", "ROOM"))
    assert LOOK in [key_of(j) for j in jobs(room.state)]
    return room


def looked_at() -> ScanAnalysed:
    return ScanAnalysed("1.2.4", START, (), (DetectedNeedle((0, 0, 0), (0, 80, 0), 0.9),), (), 1.0)


def looking(room: Room) -> bool:
    return any(isinstance(j, AnalyseScan) for j in jobs(room.state))


def test_stopped_work_rests_and_the_case_says_so_until_it_is_run_again() -> None:
    room = scanned().tell(WorkStopped(LOOK, "Dr Li"))
    assert not looking(room)
    said = "Looking for needles and seeds was stopped by Dr Li; the scan has not been looked at."
    assert [(q.key, q.text, q.answers) for q in room.state.questions] == [
        (f"work:{LOOK}", said, (AGAIN,))
    ]
    assert next_action(room.state) == f"Decide: {said}"
    room.tell(QuestionAnswered(f"work:{LOOK}", AGAIN, "Dr Li", ""))
    assert looking(room)
    assert not room.state.questions
    # As often as anybody likes.
    room.tell(WorkStopped(LOOK, "Dr Wu"))
    assert not looking(room)
    room.tell(QuestionAnswered(f"work:{LOOK}", AGAIN, "Dr Li", ""), looked_at())
    assert not looking(room)
    assert not room.state.questions


def test_work_that_broke_off_is_tried_once_more_and_then_asked_about() -> None:
    room = scanned().tell(WorkBrokeOff(LOOK, DIED))
    assert looking(room)
    assert room.state.alarms[0].text == (
        f"Looking for needles and seeds broke off ({DIED}) and is tried once more."
    )
    room.tell(WorkBrokeOff(LOOK, DIED))
    assert not looking(room)
    assert room.state.questions[0].text.startswith("Looking for needles and seeds broke off twice")
    room.tell(QuestionAnswered(f"work:{LOOK}", AGAIN, "Dr Li", ""))
    assert looking(room)
    # It begins anew: it may break off once again without a question.
    room.tell(WorkBrokeOff(LOOK, DIED))
    assert looking(room)
    room.tell(looked_at())
    assert not room.state.broken_off
    assert not [a for a in room.state.alarms if a.active and a.key.startswith("broke-off")]


def test_a_late_slice_makes_another_scan_of_it() -> None:
    room = scanned().tell(WorkStopped(LOOK, "Dr Li"))
    room.tell(SeriesReceived(9, "CT", "P1", "", "1.1", "1.2.4", "ROOM", "CT", ("f4", "f9")))
    assert looking(room)
    assert not room.state.questions
    assert not room.state.stopped


def test_advice_that_was_stopped_stays_so_under_a_permit_and_ends_with_the_next_seed() -> None:
    room = ready()
    (advice,) = (j for j in jobs(room.state) if isinstance(j, Advise))
    room.tell(WorkStopped(key_of(advice), "Dr Li"))
    assert not [j for j in jobs(room.state) if isinstance(j, Advise)]
    assert not next_action(room.state).startswith("Decide")
    after = drop_all(room)
    assert not after.state.questions
    assert [j for j in jobs(after.state) if isinstance(j, Advise)]


def test_only_work_that_is_asked_for_is_stopped_and_by_a_named_person() -> None:
    room = scanned()
    with pytest.raises(RefusedError, match="named person"):
        room.tell(WorkStopped(LOOK, " "))
    for key in ("analyse:1.2.9:1", "nothing"):
        with pytest.raises(RefusedError, match="no such work"):
            room.tell(WorkStopped(key, "Dr Li"))
    room.tell(WorkStopped(LOOK, "Dr Li"))
    with pytest.raises(RefusedError, match="no such work"):
        room.tell(WorkStopped(LOOK, "Dr Li"))
    with pytest.raises(RefusedError, match="no such work"):
        with_needles().tell(WorkStopped(LOOK, "Dr Li"))


def test_a_restart_finds_it_as_it_was() -> None:
    room = scanned().tell(WorkBrokeOff(LOOK, DIED), WorkStopped(LOOK, "Dr Li"))
    assert replayed(room.state.case_id, room.events) == room.state


def test_needles_are_not_confirmed_over_a_scan_that_was_not_looked_at() -> None:
    room = with_needles().tell(series(6, "CT", "ROOM"), WorkStopped("analyse:1.2.6:1", "Dr Li"))
    with pytest.raises(RefusedError, match="answer first: Looking for needles"):
        room.tell(NeedlesConfirmed("Dr Li"))
