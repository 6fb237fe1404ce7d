"""The record in words: a person must be able to say what became of each seed."""

from __future__ import annotations

from test_advance import Room, ready

from guidance.procedure.events import LinkChanged, SeedsPermitted
from guidance.procedure.telling import raised, sentence, strokes, tale


def troubled() -> Room:
    """A seed, a misfire, an unplug in a stroke, a power cut, an unknown one that is settled."""
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    room.device("ARM", 1, 1, "C1", 3, "0,100,200")
    room.device("INTENT", 1, 15).device("DROP", 1, 14).device("RETRACT", 1, 10.0)
    room.device("INTENT", 1, 14).device("NODROP", 1, 14).device("DISARM", "nodrop")
    room.device("INTENT", 1, 14).tell(LinkChanged("lost", "the plug"), LinkChanged("up", ""))
    room.device("DROP", 1, 13).device("RETRACT", 1, 20.0)
    room.device("INTENT", 1, 13).device("BOOT", "1.1").device("DROP", 1, 12, "recovered")
    room.device("INTENT", 1, 12).device("UNKNOWN", 1)
    return room.device("RESOLVED", room.eid, "DROP", "Dr_Li")


def test_every_stroke_is_told_once_with_its_place() -> None:
    found = strokes(troubled().events)
    assert [s.outcome for s in found] == ["DROP", "NODROP", "DROP", "DROP", "DROP"]
    assert [s.retraction_mm for s in found] == [0.0, 10.0, 10.0, 20.0, 20.0]
    assert {(s.needle, s.cartridge) for s in found} == {(1, "C1")}
    assert "power went in the stroke" in found[3].note
    assert "was UNKNOWN; Dr_Li settled it" in found[4].note


def test_the_table_numbers_the_seeds_as_they_left() -> None:
    lines = tale(troubled().events)
    assert [line.split()[0] for line in lines[1:]] == ["1", "-", "2", "3", "4"]
    unsettled = ready().device("INTENT", 1, 15).device("UNKNOWN", 1)
    assert tale(unsettled.events)[-1].split()[0] == "?"
    late = ready().device("DROP", 1, 14)
    assert tale(late.events)[-1].endswith("WITHOUT A STROKE")


def test_every_fact_is_a_sentence() -> None:
    told = [sentence(event) for event in troubled().events]
    assert "Dr Li opened the case" in told
    assert any("armed: 3 seeds through needle 1 from C1, at 0, 10, 20 mm" in t for t in told)
    assert any("SEED LEFT through needle 1, 14 remain" in t for t in told)
    assert any("NO SEED left" in t for t in told)
    assert any("Dr_Li settled device record" in t for t in told)
    assert all(0 < len(t) <= 160 for t in told)
    odd = ready().device("DROP")
    assert "DROP" in sentence(odd.events[-1])


def test_an_alarm_is_told_where_it_was_raised() -> None:
    room = ready()
    before = room.state
    room.device("JAM", "stylet", 1)
    assert raised(before, room.state) == (
        "ALARM (high): The applicator jammed (stylet 1). Stop; do not push again.",
    )
    assert raised(room.state, room.state) == ()
