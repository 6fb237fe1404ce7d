"""What contradicts the case is held with a clear question, never mixed in silently."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from test_advance import (
    IDENTITY,
    START,
    Room,
    a_plan,
    drop_all,
    planned,
    ready,
    series,
    verified,
    with_needles,
)

from guidance.detection import DetectedNeedle, DetectedSeed
from guidance.errors import RefusedError
from guidance.procedure.acts import SET_ASIDE
from guidance.procedure.advance import replayed
from guidance.procedure.asking import ANEW, IS_SEED, LEAVE_OUT, RIGHT, ROOM, SAME_FRAME, USE
from guidance.procedure.events import (
    NeedlesConfirmed,
    PlanImported,
    QuestionAnswered,
    Registered,
    RegistrationAccepted,
    RegistrationFailed,
    ScanAnalysed,
    StructuresImported,
    Turned,
)
from guidance.procedure.jobs import AnalyseScan, RegisterPlan, jobs
from guidance.procedure.steps import next_action


def answer(key: str, what: str, reason: str = "looked at it") -> QuestionAnswered:
    return QuestionAnswered(key, what, "Dr Li", reason)


def asked(room: Room) -> list[str]:
    return [q.key for q in room.state.questions]


def test_another_patients_scan_can_only_be_set_aside() -> None:
    room = planned().tell(series(9, "CT", "ROOM", patient="P2"))
    question = room.state.questions[0]
    assert (question.key, question.answers) == ("patient:1.2.9", (SET_ASIDE,))
    assert "Patient ID" in question.text
    assert room.state.scan("1.2.9") is None
    with pytest.raises(RefusedError, match="answer one of"):
        room.tell(answer("patient:1.2.9", USE))
    room.tell(answer("patient:1.2.9", SET_ASIDE))
    assert asked(room) == []
    assert room.state.scan("1.2.9") is None


def test_a_scan_in_another_frame_is_held_until_somebody_says_what_it_is() -> None:
    room = drop_all(ready()).tell(series(5, "CT", "ELSEWHERE"))
    assert asked(room) == ["frame:1.2.5"]
    assert room.state.latest("verification") is None
    assert not [j for j in jobs(room.state) if isinstance(j, (AnalyseScan, RegisterPlan))]
    with pytest.raises(RefusedError, match="needs a reason"):
        room.tell(answer("frame:1.2.5", SAME_FRAME, reason=" "))
    room.tell(answer("frame:1.2.5", SET_ASIDE))
    assert room.state.latest("verification") is None
    assert asked(room) == []


def test_the_implant_is_carried_into_a_new_frame_before_its_seeds_are_matched() -> None:
    room = drop_all(ready()).tell(series(5, "CT", "ELSEWHERE"), answer("frame:1.2.5", ANEW))
    work = [j for j in jobs(room.state) if isinstance(j, (AnalyseScan, RegisterPlan))]
    assert [type(j) for j in work] == [RegisterPlan]
    before = room.state.seeds
    turn = ((0.0, -1.0, 0.0, 5.0), (1.0, 0.0, 0.0, 7.0), (0.0, 0.0, 1.0, 90.0), (0, 0, 0, 1.0))
    room.tell(Registered("1.2.5", "1.2.1", turn, 0.5, (), 3.0))
    matrix = np.array(turn)
    for old, new in zip(before, room.state.seeds, strict=True):
        assert new.counted_mm == pytest.approx(matrix[:3, :3] @ old.counted_mm + matrix[:3, 3])
    assert any(isinstance(j, AnalyseScan) for j in jobs(room.state))
    seen = tuple(DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds)
    room.tell(ScanAnalysed("1.2.5", START, seen, (), (), 1.0))
    assert {s.status for s in room.state.seeds} == {"seen"}


def test_the_same_frame_by_a_persons_word() -> None:
    room = drop_all(ready()).tell(series(5, "CT", "ELSEWHERE"), answer("frame:1.2.5", SAME_FRAME))
    assert any(isinstance(j, AnalyseScan) for j in jobs(room.state))
    assert not any(isinstance(j, RegisterPlan) for j in jobs(room.state))


def test_a_second_ct_in_the_planning_frame_is_no_planning_ct_by_itself() -> None:
    room = planned().tell(series(4, "CT", "PLANNING"))
    assert asked(room) == ["frame:1.2.4"]
    planning = room.state.latest("planning")
    assert planning is not None
    assert planning.uid == "1.2.1"
    room.tell(answer("frame:1.2.4", ROOM))
    found = room.state.latest("needles")
    assert found is not None
    assert found.uid == "1.2.4"


@pytest.mark.parametrize("frame", ["PLANNING", "OTHER"])
def test_a_structure_set_of_another_series_or_frame_is_held(frame: str) -> None:
    room = planned()
    other = StructuresImported(
        "1.2.7", "1.9.9", "S2", "f7", frame, ("GTV",), "9.9" if frame == "PLANNING" else ""
    )
    room.tell(other)
    assert asked(room) == ["structures:1.9.9"]
    assert room.state.structures is None
    room.tell(answer("structures:1.9.9", USE))
    assert room.state.structures == other


def test_a_structure_set_that_came_before_its_planning_ct_is_checked_when_that_comes() -> None:
    room = Room().tell(
        StructuresImported("1.2.2", "1.8", "S", "f2", "PLANNING", ("GTV",), "1.2.77"),
        PlanImported("1.2.3", a_plan()),
    )
    assert asked(room) == []
    room.tell(series(1, "CT", "PLANNING"))
    assert asked(room) == ["structures:1.8"]


def test_a_plan_much_older_than_the_scan_must_be_decided_before_the_needles() -> None:
    room = Room().tell(
        series(1, "CT", "PLANNING"),
        StructuresImported("1.2.2", "1.8", "S", "f2", "PLANNING", ("GTV",)),
        PlanImported("1.2.3", replace(a_plan(), made_at=START - timedelta(days=45))),
        series(4, "CT", "ROOM"),
    )
    needles = tuple(DetectedNeedle(n.tip_mm, n.entry_mm, 0.9) for n in a_plan().needles)
    room.tell(
        ScanAnalysed("1.2.4", START, (), needles, (), 1.0),
        Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0),
        RegistrationAccepted("Dr Li"),
    )
    key = room.state.questions[0].key
    assert "45 days" in room.state.questions[0].text
    with pytest.raises(RefusedError, match="answer first"):
        room.tell(NeedlesConfirmed("Dr Li"))
    used = replayed("case", room.events)
    room.tell(answer(key, SET_ASIDE))
    assert room.state.plan is None
    assert used.plan is not None


def test_a_plan_older_than_the_one_in_use_is_held() -> None:
    newer = replace(a_plan(), made_at=START)
    older = replace(a_plan(), label="OLD", made_at=START - timedelta(days=2))
    room = Room().tell(PlanImported("1.2.3", newer), PlanImported("1.2.8", older))
    assert asked(room) == ["plan:1.2.8"]
    assert room.state.plan == newer
    room.tell(answer("plan:1.2.8", USE))
    assert room.state.plan == older


def test_a_plan_after_the_first_seed_can_only_be_set_aside() -> None:
    room = drop_all(ready()).tell(PlanImported("1.2.8", replace(a_plan(), label="LATE")))
    assert room.state.questions[0].answers == (SET_ASIDE,)


def test_an_implausible_registration_is_not_accepted_without_a_reason() -> None:
    room = planned().tell(series(4, "CT", "ROOM"))
    half_turn = ((-1.0, 0, 0, 0), (0, -1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))
    room.tell(Registered("1.2.4", "1.2.1", half_turn, 4.2, (), 3.0, ("The wrong side is up.",)))
    text = room.state.questions[0].text
    assert "wrong side" in text
    assert "4.2 mm" in text
    assert "180 degrees" in text
    with pytest.raises(RefusedError, match="Give a reason"):
        room.tell(RegistrationAccepted("Dr Li"))
    aside = Room().tell(*(e.fact for e in room.events)).tell(answer("registration", SET_ASIDE))
    assert aside.state.registration is None
    assert not any(isinstance(j, RegisterPlan) for j in jobs(aside.state))
    room.tell(answer("registration", USE, reason="old scan turned by hand"))
    assert room.state.registration is not None
    assert room.state.registration.despite == "old scan turned by hand"
    assert asked(room) == []


SWAPPED = Turned("front to back", "HFS", "HFP")


def test_head_and_feet_swapped_in_the_room_is_asked_before_anything_is_accepted() -> None:
    """However well a vertebra fits: it looks much the same head up and head down."""
    room = planned().tell(series(4, "CT", "ROOM"))
    room.tell(Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0, turned=SWAPPED))
    question = room.state.questions[0]
    assert (question.key, question.answers) == ("position:1.2.4", (SET_ASIDE, RIGHT))
    assert "head and feet, left and right seem to be swapped" in question.text
    assert "planning CT HFS, this scan HFP" in question.text
    assert next_action(room.state) == f"Decide: {question.text}"
    with pytest.raises(RefusedError, match="answer first"):
        room.tell(RegistrationAccepted("Dr Li"))

    aside = Room().tell(*(e.fact for e in room.events)).tell(answer(question.key, SET_ASIDE))
    assert aside.state.registration is None
    scan = aside.state.scan("1.2.4")
    assert scan is not None
    assert "wrong patient position" in scan.refused
    assert aside.state.latest_room_scan is None
    again = aside.tell(series(5, "CT", "ROOM"))
    assert [j for j in jobs(again.state) if isinstance(j, RegisterPlan)], "the next scan is used"

    room.tell(answer(question.key, RIGHT), RegistrationAccepted("Dr Li"))
    assert room.state.registration is not None
    assert room.state.registration.accepted_by == "Dr Li"


def test_head_and_feet_swapped_is_asked_too_where_nothing_could_be_registered() -> None:
    room = planned().tell(series(4, "CT", "ROOM"))
    room.tell(RegistrationFailed("1.2.4", "1.2.1", "most of it lies outside", SWAPPED))
    assert asked(room) == ["position:1.2.4"]
    room.tell(answer("position:1.2.4", SET_ASIDE))
    assert asked(room) == []
    assert not [a for a in room.state.alarms if a.active and a.key == "registration"]


def test_what_is_seen_far_from_the_implant_is_in_no_dose_until_decided() -> None:
    room = drop_all(ready()).tell(series(5, "CT", "ROOM"))
    near = tuple(DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds)
    far = DetectedSeed((10.0, 0.0, 190.0), None, 0.8)
    table = DetectedSeed((12.0, 30.0, 0.0), None, 0.8, outside=True)
    room.tell(ScanAnalysed("1.2.5", START, (*near, far, table), (), (), 1.0))
    assert asked(room) == ["seed:1.2.5:6", "seed:1.2.5:7"]
    assert "outside the body" in room.state.questions[1].text
    assert len(room.state.seeds) == 6
    room.tell(answer("seed:1.2.5:6", IS_SEED), answer("seed:1.2.5:7", LEAVE_OUT))
    extra = [s for s in room.state.seeds if s.status == "extra"]
    assert [s.seen_mm for s in extra] == [far.position_mm]
    assert extra[0].confirmed_by == "Dr Li"
    assert replayed("case", room.events) == room.state


def test_nothing_in_order_asks_nothing() -> None:
    assert asked(verified()) == []
    assert asked(with_needles()) == []
