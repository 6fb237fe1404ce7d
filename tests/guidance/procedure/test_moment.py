"""A case as it stood at any event: every field from the record up to there, nothing later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_advance import Room, drop_all, ready, verified

from guidance.commands import main
from guidance.journal import Journal
from guidance.procedure.events import SeedsPermitted, key_of, to_payload


def written(path: Path, room: Room) -> Path:
    with Journal(path) as journal:
        for event in room.events:
            kind, payload = to_payload(event.fact)
            journal.append("case", kind, payload, at=event.at, key=key_of(event.fact))
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["journal", "show", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_every_moment_is_shown_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = drop_all(ready())
    path = written(tmp_path / "journal.sqlite", room)
    counts, steps = [], []
    for number in range(len(room.events) + 1):
        told = json.loads(shown(capsys, path, "--at", number, "--json"))
        assert told["event_number"] == number
        counts.append(len(told["seeds"]))
        steps.append(told["step"])
    assert counts == sorted(counts)
    assert counts[-1] == len(room.state.seeds) == 6
    assert steps[0] == "case"
    assert list(dict.fromkeys(steps)) == ["case", "plan", "register", "needles", "implant"]
    assert told["ledger"]["implanted"] == 6


def test_a_moment_under_a_permit_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    room.device("ARM", 1, 1, "C1", 3).device("INTENT", 1, 1).device("DROP", 1, 14)
    path = written(tmp_path / "journal.sqlite", room)
    text = shown(capsys, path, "--at", room.state.number)
    assert f"case case after event {room.state.number}" in text
    assert "step: implant; next: Needle 1: drop 2 more, next at 10 mm" in text
    assert "armed for needle 1, 2 to drop" in text
    assert "1 counted of 6 planned" in text
    assert "seed 1, needle 1: counted, (10.0, -2.2, 0.0) mm" in text
    before = shown(capsys, path, "--at", room.state.number - 1)
    assert "0 counted of 6 planned" in before


def test_alarms_questions_and_signatories_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = verified()
    room.device("CART-IN", "X9", 5)
    path = written(tmp_path / "journal.sqlite", room)
    text = shown(capsys, path, "--at", room.state.number)
    assert "alarm: high: Cartridge X9 is in the applicator but was not checked in." in text


def test_what_cannot_be_shown_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "journal.sqlite", ready())
    assert main(["journal", "show", str(path), "--at", "999"]) == 2
    assert "there is no event 999" in capsys.readouterr().err
    assert main(["journal", "verify", str(path), "--at", "3"]) == 2
    assert "goes with show" in capsys.readouterr().err
