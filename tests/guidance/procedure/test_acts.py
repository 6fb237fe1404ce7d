"""What people do beside the applicator: edits, nudges, checks, signatures, supplements."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_advance import IDENTITY, Room, drop_all, ready, series, verified, with_needles

from guidance.advice import MODELLED, TG43, Advice, Figures, ModelledUse, Supplement
from guidance.detection import DetectedSeed
from guidance.errors import RefusedError
from guidance.journal import Record
from guidance.ledger import Disposition
from guidance.planning.protocol import Protocol
from guidance.procedure.advance import replayed, state_at
from guidance.procedure.closing import ledger
from guidance.procedure.dropping import permit_refusal
from guidance.procedure.events import (
    Advised,
    CartridgeClosed,
    CaseClosed,
    CaseOpened,
    CheckAnswered,
    CourseNoted,
    DoseReported,
    EngineChosen,
    Event,
    ImplantVerified,
    NeedleDeleted,
    NeedlePlaced,
    NeedlesConfirmed,
    RegistrationAccepted,
    RegistrationMeasured,
    RegistrationNudged,
    ScanAnalysed,
    SeedAdded,
    SeedConfirmed,
    SeedDeleted,
    SeedMoved,
    SeedsPermitted,
    Signed,
    SupplementAccepted,
    SupplementWithdrawn,
    from_record,
    to_payload,
)
from guidance.procedure.jobs import Advise, MeasureRegistration, TrackNeedles, jobs
from guidance.procedure.state import CaseState

WHY = "seen on the coronal view"


def under(protocol: Protocol, room: Room) -> Room:
    """The same story, opened under another protocol."""
    facts = [e.fact for e in room.events]
    opened = next(f for f in facts if isinstance(f, CaseOpened))
    return Room().tell(*(replace(f, protocol=protocol) if f is opened else f for f in facts))


def test_a_seed_is_confirmed_moved_deleted_and_added_by_name_and_reason() -> None:
    room = verified(missing=1)
    home = room.state.seeds[0].counted_mm
    assert home is not None
    with pytest.raises(RefusedError, match="give both"):
        room.tell(SeedConfirmed(2, "Dr Li", ""))
    room.tell(SeedConfirmed(2, "Dr Li", WHY))
    assert room.state.seeds[1].confirmed_by == "Dr Li"
    x, y, z = room.state.seeds[1].position_mm
    room.tell(SeedMoved(2, (x + 1.0, y, z), None, "Dr Li", WHY))
    assert room.state.seeds[1].seen_mm == (x + 1.0, y, z)
    with pytest.raises(RefusedError, match="not seen on the last scan"):
        room.tell(SeedDeleted(1, "Dr Li", WHY))
    room.tell(SeedAdded(home, None, "Dr Li", WHY))
    assert room.state.seeds[0].status == "seen"
    assert "seeds:missing" not in room.alarms()
    room.tell(SeedDeleted(3, "Dr Li", WHY))
    assert room.state.seeds[2].status == "missing"
    assert [(e.act, e.what) for e in room.state.edits] == [
        ("confirmed", "seed 2"),
        ("moved", "seed 2"),
        ("added", "seed"),
        ("deleted", "seed 3"),
    ]
    assert ledger(room.state).implanted == 6
    assert replayed("case", room.events) == room.state


def test_an_edit_voids_verification_and_signatures() -> None:
    room = under(Protocol(roles=("physicist",)), verified())
    room.tell(ImplantVerified("Dr Li"), Signed("physicist", "Wang"))
    room.tell(SeedDeleted(3, "Dr Li", WHY))
    assert (room.state.verified_by, room.state.signatures) == ("", ())


def test_needles_placed_by_hand_are_tracked_again() -> None:
    room = with_needles()
    track = room.state.needle(1)
    assert track is not None
    assert track.tip_mm is not None
    assert track.entry_mm is not None
    x, y, z = track.tip_mm
    room.tell(NeedlePlaced(1, (x, y - 3.0, z), track.entry_mm, "Dr Li", WHY))
    assert room.state.needles == ()
    assert any(isinstance(j, TrackNeedles) for j in jobs(room.state))
    scan = room.state.latest("needles")
    assert scan is not None
    assert scan.needles[0].tip_mm == (x, y - 3.0, z)
    assert scan.needles[0].confirmed_by == "Dr Li"


def test_a_needle_with_seeds_is_not_deleted() -> None:
    with pytest.raises(RefusedError, match="seeds were dropped through needle 1"):
        drop_all(ready()).tell(NeedleDeleted(1, "Dr Li", WHY))


def test_a_nudged_registration_is_measured_and_accepted_anew() -> None:
    room = with_needles()
    nudge = RegistrationNudged((1.0, 2.0, -3.0), (0.0, 0.0, 90.0 / 6), (5.0, 5.0, 5.0), "Li", WHY)
    room.tell(nudge)
    registration = room.state.registration
    assert registration is not None
    assert registration.accepted_by == ""
    matrix = np.array(registration.result.plan_to_room)
    about = matrix[:3, :3] @ (5.0, 5.0, 5.0) + matrix[:3, 3]
    assert about == pytest.approx((6.0, 7.0, 2.0))
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)
    with pytest.raises(RefusedError, match="until its residual is measured"):
        room.tell(RegistrationAccepted("Li"))
    assert any(isinstance(j, MeasureRegistration) for j in jobs(room.state))
    room.tell(RegistrationMeasured(registration.number, 1.1), RegistrationAccepted("Li"))
    assert room.state.registration is not None
    assert room.state.registration.result.residual_mm == 1.1
    assert room.state.registration.nudges[0].by == "Li"
    with pytest.raises(RefusedError, match="30 mm"):
        room.tell(replace(nudge, shift_mm=(40.0, 0.0, 0.0)))


def test_the_time_out_is_said_or_binds() -> None:
    permit = SeedsPermitted(1, 1, "C1", 3, "Dr Li")
    items = ("Consent signed", "Level confirmed")
    assert permit_refusal(ready().state, permit) == ""
    room = under(Protocol(checklist=items, checklist_binding=True), ready())
    assert "Consent signed; Level confirmed" in permit_refusal(room.state, permit)
    with pytest.raises(RefusedError, match="needs a note"):
        room.tell(CheckAnswered(items[0], False, "RTT"))
    room.tell(CheckAnswered(items[0], False, "RTT", "form is missing"))
    assert "form is missing" in room.alarms()["time-out"]
    room.tell(*(CheckAnswered(item, True, "RTT") for item in items))
    assert "time-out" not in room.alarms()
    assert permit_refusal(room.state, permit) == ""
    with pytest.raises(RefusedError, match="has no item"):
        room.tell(CheckAnswered("something else", True, "RTT"))


def test_two_roles_sign_and_nobody_signs_twice() -> None:
    room = under(Protocol(roles=("radiologist", "physicist")), verified())
    with pytest.raises(RefusedError, match="not verified yet"):
        room.tell(Signed("physicist", "Wang"))
    room.tell(
        ImplantVerified("Dr Li"),
        CartridgeClosed("C1", 9, Disposition.RETURNED, "RTT"),
        Signed("radiologist", "Dr Li"),
    )
    with pytest.raises(RefusedError, match="another person"):
        room.tell(Signed("physicist", "dr li "))
    with pytest.raises(RefusedError, match="not signed yet by: physicist"):
        room.tell(CaseClosed("Dr Li", ""))
    room.tell(Signed("physicist", "Wang"), CaseClosed("Dr Li", ""))
    assert [s.by for s in room.state.signatures] == ["Dr Li", "Wang"]


def test_an_earlier_course_must_be_one() -> None:
    room = ready().tell(CourseNoted("10x3", "Wang"))
    assert room.state.courses == ("10x3",)
    with pytest.raises(RefusedError, match="FRACTIONSxGY"):
        room.tell(CourseNoted("30 Gy", "Wang"))


def proposal(room: Room) -> Advised:
    figures = Figures(90.0, 85.0, 50.0)
    seeds = (
        Supplement(1, 1, (10.0, -32.25, 0.0), (0.0, -1.0, 0.0), 30.0, figures, 1),
        Supplement(2, 2, (20.0, -32.25, 0.0), (0.0, -1.0, 0.0), 30.0, figures, 2),
    )
    return Advised(Advice(room.state.implant_at, "adjust", "cold", 100.0, figures, seeds=seeds))


def test_supplements_are_accepted_one_by_one_and_permitted_like_planned_seeds() -> None:
    room = ready()
    assert any(isinstance(j, Advise) for j in jobs(room.state))
    fact = proposal(room)
    room.tell(fact)
    assert not any(isinstance(j, Advise) for j in jobs(room.state))
    number = fact.advice.event_number
    with pytest.raises(RefusedError, match="by a named person"):
        room.tell(SupplementAccepted(number, 1, ""))
    room.tell(SupplementAccepted(number, 1, "Dr Li"))
    with pytest.raises(RefusedError, match="accepted before"):
        room.tell(SupplementAccepted(number, 1, "Dr Li"))
    assert [(s.number, s.needle) for s in room.state.supplements] == [(7, 1)]
    assert ledger(room.state).directive == 7
    assert permit_refusal(room.state, SeedsPermitted(1, 1, "C1", 4, "Dr Li")) == ""
    asked = room.state.number
    room.tell(SupplementWithdrawn(7, "Dr Wu"))
    assert "has 3 planned seeds" in permit_refusal(
        room.state, SeedsPermitted(1, 1, "C1", 4, "Dr Li")
    )
    # Who asked for it, and who took it back, stays known.
    (addition,) = room.state.additions
    assert (addition.number, addition.by, addition.advised_by) == (asked, "Dr Li", TG43)
    assert (addition.seed, addition.needle, addition.retraction_mm) == (7, 1, 30.0)
    assert (addition.withdrawn_by, addition.withdrawn_at) == ("Dr Wu", room.state.at)


def test_advice_on_an_earlier_implant_is_not_taken() -> None:
    room = ready()
    fact = proposal(room)
    room.tell(fact).device("DROP", 1, 14)
    with pytest.raises(RefusedError, match="changed since this advice"):
        room.tell(SupplementAccepted(fact.advice.event_number, 1, "Dr Li"))


def weighed(room: Room, engine: str) -> Advised:
    """The advice of a room, weighed by a dose."""
    used = ModelledUse(
        "Monte Carlo", room.state.seeds_changed_at, "1.2.4", 1, 800_000, (("target", 0.019),)
    )
    modelled = used if engine == MODELLED else None
    return Advised(replace(proposal(room).advice, engine=engine, modelled=modelled))


def test_a_named_person_lets_the_other_dose_lead_and_advice_is_weighed_anew() -> None:
    room = ready().device("DROP", 1, 14)
    assert room.state.engine == TG43
    room.tell(old := weighed(room, TG43))
    for engine, by, why in (
        (MODELLED, " ", "by a named person"), ("Monaco", "Dr Li", "no dose is called Monaco"),
        (TG43, "Dr Li", "TG-43 leads already"),
    ):  # fmt: skip
        with pytest.raises(RefusedError, match=why):
            room.tell(EngineChosen(engine, by))
    room.tell(EngineChosen(MODELLED, "Dr Li"))
    state = room.state
    assert (state.engine, state.engine_chosen_by) == (MODELLED, "Dr Li")
    assert jobs(state)[-1:] == (Advise(state.number),)
    # No seed of the one is accepted while the other leads.
    with pytest.raises(RefusedError, match="weighed by TG-43; wait for that by model-based"):
        room.tell(SupplementAccepted(old.advice.event_number, 1, "Dr Li"))
    room.tell(new := weighed(room, MODELLED))
    assert not any(isinstance(j, Advise) for j in jobs(room.state))
    room.tell(SupplementAccepted(new.advice.event_number, 1, "Dr Li"))
    # Seen again from the record, each moment has the dose and the advice it had.
    assert state_at("case", room.events, state.number) == state
    assert state.advice == old.advice
    assert state_at("case", room.events, state.number - 1).engine == TG43
    again = replayed("case", [from_record(r) for r in recorded(room)])
    assert again.advice == new.advice
    assert again == room.state


def recorded(room: Room) -> list[Record]:
    """The events of a room as a journal gives them back."""
    found = []
    for event in room.events:
        kind, payload = to_payload(event.fact)
        payload = json.loads(json.dumps(payload))
        found.append(Record("case", event.number, event.at, kind, payload, "", ""))
    return found


def test_advice_by_the_model_based_dose_is_asked_from_the_first_seed_on() -> None:
    room = ready().tell(EngineChosen(MODELLED, "Dr Li"))
    assert not any(isinstance(j, Advise) for j in jobs(room.state))
    room.device("DROP", 1, 14)
    assert Advise(room.state.seeds_changed_at) in jobs(room.state)


def test_the_figures_of_the_model_based_dose_are_kept_under_its_name() -> None:
    room = verified()
    tg43 = DoseReported(room.state.number, "TG-43", {"GTV": {"D90_gy": 120.0}})
    mc = DoseReported(room.state.number, "Monte Carlo", {"GTV": {"D90_gy": 110.0}}, MODELLED)
    room.tell(tg43)
    at = room.state.dose_reported_at
    room.tell(mc)
    assert room.state.modelled_reported == mc
    assert room.state.dose_reported_at == at


def test_what_is_signed_keeps_its_leading_dose() -> None:
    room = under(Protocol(roles=("physicist",)), verified())
    room.tell(EngineChosen(MODELLED, "Dr Li"), ImplantVerified("Dr Li"))
    room.tell(Signed("physicist", "Dr Li"))
    with pytest.raises(RefusedError, match="the leading dose stands"):
        room.tell(EngineChosen(TG43, "Dr Li"))


def test_a_seed_found_elsewhere_in_the_next_scan_has_moved_and_keeps_its_evidence() -> None:
    room = verified().tell(series(6, "CT", "ROOM"))
    seen = [DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds]
    x, y, z = seen[0].position_mm
    seen[0] = replace(seen[0], position_mm=(x, y, z + 3.5))
    a, b, c = seen[5].position_mm
    seen[5] = replace(seen[5], position_mm=(a, b, c + 20.0))
    room.tell(ScanAnalysed("1.2.6", None, tuple(seen), (), (), 1.0))
    assert [s.fate for s in room.state.seeds] == [
        "moved",
        "seen",
        "seen",
        "seen",
        "seen",
        "migrated",
    ]
    first, last = room.state.seeds[0], room.state.seeds[5]
    assert first.moved_mm == pytest.approx(3.5)
    assert last.by_elimination
    assert [e.partition(":")[0] for e in first.evidence[:3]] == ["Counted", "Scan 1", "Scan 2"]
    text = room.alarms()["seeds:moved"]
    assert "by 3.5 mm" in text
    assert "20 mm from where it was counted" in text


def test_nothing_is_taken_for_astray_where_two_could_be_meant() -> None:
    room = drop_all(ready()).tell(series(5, "CT", "ROOM"))
    seen = [DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds]
    stray = DetectedSeed((15.0, 10.0, 12.0), None, 0.9)
    room.tell(ScanAnalysed("1.2.5", None, (*seen[2:], stray), (), (), 1.0))
    assert [s.status for s in room.state.seeds].count("missing") == 2
    assert [s.status for s in room.state.seeds].count("extra") == 1


ACTS: list[Event] = [
    SeedConfirmed(1, "A", WHY),
    SeedMoved(2, (10.0, 8.0, 0.5), None, "A", WHY),
    SeedAdded((30.0, 0.0, 0.0), None, "A", WHY),
    SeedDeleted(3, "A", WHY),
    NeedlePlaced(3, (30.0, 0.0, 0.0), (30.0, 80.0, 0.0), "A", WHY),
    NeedlesConfirmed("A"),
    RegistrationNudged((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), "A", WHY),
    RegistrationAccepted("A"),
    CheckAnswered(Protocol().checklist[0], True, "A"),
    CourseNoted("10x3", "A"),
    ImplantVerified("A"),
    Signed("physicist", "A"),
    SupplementAccepted(0, 1, "A"),
    EngineChosen(MODELLED, "A"),
    EngineChosen(TG43, "B"),
    CartridgeClosed("C1", 9, Disposition.RETURNED, "A"),
    CaseClosed("A", ""),
    series(8, "CT", "ROOM"),
    series(9, "CT", "ELSEWHERE"),
    series(10, "CT", "ROOM", patient="P2"),
    ScanAnalysed("1.2.8", None, (DetectedSeed((10.0, -2.0, 0.0), None, 0.9),), (), (), 1.0),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=12), st.data())
def test_any_moment_of_any_case_can_be_seen_again(acts: list[Event], data: st.DataObject) -> None:
    """What was refused leaves no trace; every prefix of the journal gives the state it gave."""
    room = verified()
    live: dict[int, CaseState] = {}
    for act in acts:
        try:
            room.tell(act)
        except RefusedError:
            continue
        live[room.state.number] = room.state
    for number, state in live.items():
        assert state_at("case", room.events, number) == state
    number = data.draw(st.integers(0, len(room.events)))
    assert state_at("case", room.events, number) == replayed("case", room.events[:number])
    with pytest.raises(RefusedError, match="there is no event"):
        state_at("case", room.events, len(room.events) + 1)


def test_identity_is_a_registration_without_doubts() -> None:
    registration = with_needles().state.registration
    assert registration is not None
    assert registration.result.plan_to_room == IDENTITY
    assert registration.doubts == ()
