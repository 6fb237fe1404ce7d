"""The scripted person: does what a careful one would, and leaves out what is in doubt."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_advance import IDENTITY, START, Room, a_plan, planned, ready, series, verified

from dose.geometry import GridGeometry
from guidance.advice import MODELLED, TG43
from guidance.commands import demo
from guidance.planning.protocol import Protocol
from guidance.procedure.acts import SET_ASIDE, Question
from guidance.procedure.events import (
    CaseOpened,
    CheckAnswered,
    DoseReported,
    ImplantVerified,
    PlanImported,
    QuestionAnswered,
    Registered,
    RegistrationAccepted,
    Signed,
    Turned,
)
from guidance.procedure.snapshot import DoseView, ModelledFigures, ModelledView, Snapshot
from guidance.training import story
from guidance.training.autopilot import Autopilot

GRID, EMPTY = GridGeometry.from_axes((0, 0, 0), 1.0, (1, 1, 1)), np.zeros((1, 1, 1), np.float32)
NOTHING_SHOWN = Snapshot(0, START, "case")
SOMEBODY = Autopilot("Li")


def acts(room: Room, most: int = 40) -> list[object]:
    """Let the scripted person act until there is nothing left to do."""
    done: list[object] = []
    for _ in range(most):
        act = SOMEBODY.next_act(room.state, NOTHING_SHOWN, 99)
        if act is None:
            return done
        room.tell(act)
        done.append(act)
    raise AssertionError(f"it never rests: {done[-3:]}")


def test_it_works_off_the_time_out_once_there_is_a_plan() -> None:
    protocol = Protocol(checklist=("Consent signed", "Level confirmed"), checklist_binding=True)
    room = Room().tell(CaseOpened("Li", protocol=protocol))
    assert acts(room) == []
    room.tell(series(1, "CT", "PLANNING"), PlanImported("1.2.3", a_plan()))
    done = [act for act in acts(room) if isinstance(act, CheckAnswered)]
    assert done == [CheckAnswered(item, True, "Li") for item in protocol.checklist]
    assert all(check.good and check.answered_by == "Li" for check in room.state.checklist)


def test_it_leaves_out_what_is_in_doubt() -> None:
    """A scan turned by half: set aside, and nothing made of it is accepted."""
    room = planned().tell(series(4, "CT", "ROOM"))
    swapped = Turned("front to back", "HFS", "HFP")
    room.tell(Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0, turned=swapped))
    done = acts(room)
    answers = [act for act in done if isinstance(act, QuestionAnswered)]
    assert [(a.key, a.answer, a.by) for a in answers] == [("position:1.2.4", SET_ASIDE, "Li")]
    assert answers[0].reason
    assert not any(isinstance(act, RegistrationAccepted) for act in done)
    assert room.state.questions == ()


def test_every_question_has_an_answer_that_it_may_give() -> None:
    question = Question("work:register", "Stopped.", ("run it again",), 3)
    state = replace(ready().state, questions=(question,), alarms=())
    act = SOMEBODY.next_act(state, NOTHING_SHOWN, 99)
    assert isinstance(act, QuestionAnswered)
    assert act.answer in question.answers


def test_it_signs_in_every_role_under_another_name_each() -> None:
    room = verified().tell(ImplantVerified("Li"))
    protocol = replace(room.state.protocol, roles=("physician", "physicist"))
    room.state = replace(room.state, protocol=protocol)
    done = [act for act in acts(room) if isinstance(act, Signed)]
    assert done == [Signed("physician", "Li"), Signed("physicist", "Li (physicist)")]
    assert [s.role for s in room.state.signatures] == ["physician", "physicist"]


def test_it_records_both_doses_before_it_verifies() -> None:
    room = verified()
    tg43 = DoseView(GRID, EMPTY, 100.0, (), 1, 6, "TG-43")
    alarms = tuple(replace(a, acknowledged_by="Li") for a in room.state.alarms)
    room.state = replace(room.state, alarms=alarms)
    named = ModelledFigures("GTV", {"D90_gy": 111.1}, {"D90_gy": 98.0}, EMPTY, EMPTY)
    modelled = ModelledView(
        GRID, EMPTY, EMPTY, EMPTY, EMPTY, (named,), (("target", 0.0187),), "GTV", "",
        room.state.seeds_changed_at, "1.2.4", 6, 800_000, True, "Monte Carlo",
    )  # fmt: skip
    told = []
    while not isinstance(told[-1] if told else None, ImplantVerified):
        shown = replace(NOTHING_SHOWN, event_number=room.state.number, dose=tg43, modelled=modelled)
        act = SOMEBODY.next_act(room.state, shown, 99)
        assert act is not None
        room.tell(act)
        told.append(act)
    reported = [act for act in told if isinstance(act, DoseReported)]
    assert [act.engine for act in reported] == [TG43, MODELLED]
    assert reported[1].figures == {"GTV": {"D90_gy": 111.1}}
    assert "800,000 histories, mean standard uncertainty 1.9 % in the target" in reported[1].method


@pytest.mark.parametrize("physics", ["plain", "sinogram"])
def test_a_demonstration_takes_the_scanner_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, physics: str
) -> None:
    started: list[tuple[str, ...]] = []

    class StartedError(Exception):
        pass

    def running(command: tuple[str, ...], *_: object) -> AbstractContextManager[None]:
        started.append(command)
        if "simulators" in command:
            raise StartedError
        return nullcontext()

    monkeypatch.setattr(story, "_running", running)
    monkeypatch.setattr(story, "_wait", lambda *_: None)
    parser = argparse.ArgumentParser()
    demo.configure(parser)
    given = ["--out", str(tmp_path / "out")]
    given += ["--physics", physics] if physics != "plain" else []
    with pytest.raises(StartedError):
        demo.run(parser.parse_args(given))
    suite = started[-1]
    assert suite[suite.index("--physics") + 1] == physics
