"""The heart, without threads, scans or devices: facts in, state and effects out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.detection import DetectedNeedle, DetectedSeed
from guidance.errors import BrokenError, RefusedError
from guidance.ledger import Disposition
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.advance import Arm, Disarm, Effect, Resolve, advance, replayed
from guidance.procedure.closing import ledger
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    DeviceRecorded,
    Event,
    ImplantVerified,
    LinkChanged,
    NeedlesConfirmed,
    NeedlesTracked,
    PlanImported,
    ProcedureEvent,
    Registered,
    RegistrationAccepted,
    ScanAnalysed,
    SeedsPermitted,
    SeriesReceived,
    StrokeResolved,
    StructuresImported,
    from_record,
    to_payload,
)
from guidance.procedure.jobs import AnalyseScan, ReadPlan, ReadStructures, RegisterPlan, jobs
from guidance.procedure.snapshot import Step
from guidance.procedure.state import CaseState
from guidance.procedure.steps import next_action, step_of
from guidance.tracking.implant import Clearance, NeedleTrack

START = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
IDENTITY = ((1.0, 0, 0, 0), (0, 1.0, 0, 0), (0, 0, 1.0, 0), (0, 0, 0, 1.0))


def a_plan(patient: str = "P1") -> ImplantPlan:
    needles = tuple(PlannedNeedle(n, (10.0 * n, 0.0, 0.0), (10.0 * n, 80.0, 0.0)) for n in (1, 2))
    # The stylet pushes a seed out of the tip: its centre lies half a length beyond.
    seeds = tuple(
        PlannedSeed(
            3 * (n - 1) + k + 1, n, (10.0 * n, 10.0 * k - 2.25, 0.0), (0.0, -1.0, 0.0), 10.0 * k
        )
        for n in (1, 2)
        for k in range(3)
    )
    return ImplantPlan(
        "PLAN", "1.9", patient, "PLANNING", "1.8", "6711", 0.8, START, 100.0, "GTV", needles, seeds
    )


class Room:
    """Folds facts as the conductor does, and remembers the effects."""

    def __init__(self) -> None:
        self.state = CaseState("case")
        self.events: list[ProcedureEvent] = []
        self.effects: list[Effect] = []
        self.eid = 0

    def tell(self, *facts: Event) -> Room:
        for fact in facts:
            number = self.state.number + 1
            event = ProcedureEvent(number, START + timedelta(seconds=number), fact)
            self.state, effects = advance(self.state, event)
            self.events.append(event)
            self.effects += effects
        return self

    def device(self, kind: str, *args: object) -> Room:
        self.eid += 1
        words = tuple(map(str, args))
        return self.tell(DeviceRecorded("J1", self.eid, 1, self.eid, kind, words))

    def alarms(self) -> dict[str, str]:
        return {a.key: a.text for a in self.state.alarms if a.active}


def series(number: int, modality: str, frame: str, patient: str = "P1") -> SeriesReceived:
    uid = f"1.2.{number}"
    return SeriesReceived(
        number, modality, patient, "", "1.1", uid, frame, modality, (f"f{number}",)
    )


def planned() -> Room:
    return Room().tell(
        CaseOpened("Dr Li"),
        series(1, "CT", "PLANNING"),
        series(2, "RTSTRUCT", "PLANNING"),
        series(3, "RTPLAN", "PLANNING"),
        StructuresImported("1.2.2", "1.8", "S", "f2", "PLANNING", ("GTV",)),
        PlanImported("1.2.3", a_plan()),
    )


def with_needles(clearance_mm: float = 20.0) -> Room:
    room = planned().tell(series(4, "CT", "ROOM"))
    seen = tuple(DetectedNeedle(n.tip_mm, n.entry_mm, 0.9) for n in a_plan().needles)
    room.tell(
        ScanAnalysed("1.2.4", START, (), seen, (), 1.0),
        Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0),
        RegistrationAccepted("Dr Li"),
    )
    assert room.state.registration is not None
    tracks = tuple(
        NeedleTrack(
            n.number, n, n.tip_mm, n.entry_mm, 0.9, "1.2.4",
            clearances=(Clearance("Spinal cord", clearance_mm, 10.0),),
        )
        for n in a_plan().needles
    )  # fmt: skip
    return room.tell(NeedlesTracked("1.2.4", room.state.registration.number, tracks))


def ready(clearance_mm: float = 20.0) -> Room:
    room = with_needles(clearance_mm).tell(
        NeedlesConfirmed("Dr Li"),
        CartridgeReceived("C1", "6711", 0.8, 15, "RTT"),
        LinkChanged("up", ""),
    )
    return (
        room.device("BOOT", "1.0")
        .device("CART-IN", "C1", 15)
        .device("NEEDLE", 1)
        .device("RETRACT", 1, 0.0)
    )


def drop_all(room: Room) -> Room:
    left = 15
    for permit, needle in ((1, 1), (2, 2)):
        if needle == 2:
            room.device("NEEDLE", 2)
        room.tell(SeedsPermitted(permit, needle, "C1", 3, "Dr Li"))
        room.device("ARM", permit, needle, "C1", 3)
        for k in range(3):
            left -= 1
            room.device("RETRACT", needle, 10.0 * k)
            room.device("INTENT", needle, left + 1).device("DROP", needle, left)
        room.device("DISARM", "done")
    return room.device("NEEDLE", 0).device("CART-OUT", "C1", left)


def verified(missing: int = 0) -> Room:
    room = drop_all(ready()).tell(series(5, "CT", "ROOM"))
    seen = tuple(DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds[missing:])
    return room.tell(ScanAnalysed("1.2.5", START, seen, (), (), 1.0))


def test_the_whole_story_balances_and_closes() -> None:
    room = verified()
    assert [s.status for s in room.state.seeds] == ["seen"] * 6
    assert step_of(room.state) is Step.VERIFY
    room.tell(
        ImplantVerified("Dr Li"),
        CartridgeClosed("C1", 9, Disposition.RETURNED, "RTT"),
        CaseClosed("Dr Li", ""),
    )
    view = ledger(room.state)
    assert (view.received, view.implanted, view.returned, view.unresolved) == (15, 6, 9, 0)
    assert jobs(room.state) == ()
    assert next_action(room.state) == "Closed by Dr Li."


def test_counted_seeds_lie_where_needle_and_retraction_say() -> None:
    room = drop_all(ready())
    for seed, seat in zip(room.state.seeds, a_plan().seeds, strict=True):
        assert (seed.needle, seed.planned_number) == (seat.needle, seat.number)
        assert seed.counted_mm == pytest.approx(seat.position_mm, abs=1e-9)


def test_a_permit_becomes_an_effect_once() -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    assert room.effects == [Arm(1, 1, "C1", room.eid, (0.0, 10.0, 20.0))]
    assert replayed("case", room.events) == room.state


def test_a_new_scan_ends_the_permit() -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li")).device("ARM", 1, 1, "C1", 3)
    room.tell(series(6, "CT", "ROOM"))
    assert room.effects[-1] == Disarm("a new scan has arrived")


@pytest.mark.parametrize(
    ("permit", "words"),
    [
        (SeedsPermitted(1, 1, "C1", 3, " "), "by a named person"),
        (SeedsPermitted(1, 2, "C1", 3, "Dr Li"), "is on needle 1, not on needle 2"),
        (SeedsPermitted(1, 1, "C2", 3, "Dr Li"), "C2 is not in the applicator"),
        (SeedsPermitted(1, 1, "C1", 4, "Dr Li"), "has 3 planned seeds left, not 4"),
        (SeedsPermitted(1, 1, "C1", 0, "Dr Li"), "at least one seed"),
        (SeedsPermitted(0, 1, "C1", 3, "Dr Li"), "was used before"),
    ],
)
def test_what_is_not_permitted(permit: SeedsPermitted, words: str) -> None:
    room = ready()
    with pytest.raises(RefusedError, match=words):
        room.tell(permit)
    assert room.effects == []


def test_nothing_is_permitted_before_the_needles_are_confirmed_or_without_a_link() -> None:
    permit = SeedsPermitted(1, 1, "C1", 3, "Dr Li")
    with pytest.raises(RefusedError, match="not confirmed"):
        with_needles().tell(permit)
    with pytest.raises(RefusedError, match="link to the applicator is lost"):
        ready().tell(LinkChanged("lost", "gone"), permit)


def test_an_unknown_stroke_blocks_until_resolved() -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li")).device("ARM", 1, 1, "C1", 3)
    room.device("INTENT", 1, 15).device("UNKNOWN", 1)
    unknown = room.eid
    assert ledger(room.state).unresolved == 1
    with pytest.raises(RefusedError, match="unknown outcome"):
        room.tell(SeedsPermitted(2, 1, "C1", 1, "Dr Li"))
    room.device("RESOLVED", unknown, "DROP", "Dr_Li")
    assert ledger(room.state).unresolved == 0
    assert len(room.state.seeds) == 1


def test_a_person_resolves_a_stroke_and_the_device_settles_it() -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li")).device("ARM", 1, 1, "C1", 3)
    room.device("INTENT", 1, 15).device("UNKNOWN", 1)
    unknown = room.eid
    with pytest.raises(RefusedError, match="by a named person"):
        room.tell(StrokeResolved(unknown, True, ""))
    with pytest.raises(RefusedError, match="no stroke of unknown outcome"):
        room.tell(StrokeResolved(unknown + 1, True, "Dr Li"))
    room.tell(StrokeResolved(unknown, False, "Dr Li"))
    assert room.effects[-1] == Resolve(unknown, False, "Dr Li")
    assert ledger(room.state).unresolved == 1
    room.device("RESOLVED", unknown, "NODROP", "Dr_Li")
    assert ledger(room.state).unresolved == 0
    assert room.state.seeds == ()


def test_a_needle_too_near_to_the_cord_must_be_acknowledged() -> None:
    room = ready(clearance_mm=4.0)
    assert "clearance:1" in room.alarms()
    with pytest.raises(RefusedError, match="too near to an organ at risk"):
        room.tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    room.tell(AlarmAcknowledged("clearance:1", "Dr Li"))
    room.tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))


def test_a_seed_without_a_permit_is_counted_and_cried_out() -> None:
    room = ready().device("DROP", 1, 14)
    assert len(room.state.seeds) == 1
    assert any("without a permit" in text for text in room.alarms().values())


def test_a_cartridge_nobody_checked_in() -> None:
    room = ready().device("CART-OUT", "C1", 15).device("CART-IN", "X9", 10)
    assert "was not checked in" in room.alarms()["cartridge:X9"]
    room.tell(CartridgeReceived("X9", "6711", 0.8, 10, "RTT"))
    assert "cartridge:X9" not in room.alarms()


def test_a_strength_off_the_plan_is_said() -> None:
    room = planned().tell(CartridgeReceived("C7", "6711", 1.016, 10, "RTT"))
    assert "1.016 U" in room.alarms()["strength:C7"]


def test_missing_seeds_are_named_and_do_not_unbalance_the_account() -> None:
    room = verified(missing=2)
    assert "seed 1 (needle 1), seed 2 (needle 1)" in room.alarms()["seeds:missing"]
    assert [s.status for s in room.state.seeds].count("missing") == 2


def test_a_case_with_an_open_cartridge_or_a_lost_seed_does_not_close() -> None:
    room = verified().tell(ImplantVerified("Dr Li"))
    with pytest.raises(RefusedError, match="C1 is not closed"):
        room.tell(CaseClosed("Dr Li", ""))
    room.tell(CartridgeClosed("C1", 8, Disposition.RETURNED, "RTT"))
    with pytest.raises(RefusedError, match="1 seeds have no known place"):
        room.tell(CaseClosed("Dr Li", ""))
    room.tell(CaseClosed("Dr Li", "One seed found in the drape, in the lead pot."))
    assert room.state.closed_by


def test_scans_of_another_patient_are_held() -> None:
    room = planned().tell(series(9, "CT", "ROOM", patient="P2"))
    assert "of patient P2" in room.alarms()["patient:1.2.9"]
    assert room.state.latest("needles") is None


def test_a_strangers_scan_that_came_before_the_plan_is_held_when_the_plan_comes() -> None:
    room = Room().tell(
        CaseOpened("Dr Li"),
        series(1, "CT", "PLANNING"),
        series(2, "CT", "OTHER", patient="P2"),
        PlanImported("1.2.3", a_plan()),
    )
    assert [s.uid for s in room.state.scans] == ["1.2.1"]
    assert "P2" in room.alarms()["patient:1.2.2"]


def test_a_case_opened_after_the_plan_keeps_its_patient() -> None:
    room = Room().tell(series(3, "RTPLAN", "PLANNING"), PlanImported("1.2.3", a_plan()))
    assert room.tell(CaseOpened("Dr Li")).state.patient_id == "P1"


def test_a_case_with_a_plan_is_not_opened_for_another_patient() -> None:
    room = Room().tell(series(3, "RTPLAN", "PLANNING"), PlanImported("1.2.3", a_plan()))
    with pytest.raises(RefusedError, match="plan of patient P1; it is not opened for patient P2"):
        room.tell(CaseOpened("Dr Li", patient_id="P2"))
    assert room.tell(CaseOpened("Dr Li", patient_id="P1")).state.opened_by == "Dr Li"


def test_a_strangers_scan_that_came_before_the_case_was_opened_is_held() -> None:
    room = Room().tell(
        series(1, "CT", "PLANNING"),
        series(2, "CT", "OTHER", patient="P2"),
        CaseOpened("Dr Li", patient_id="P1"),
    )
    assert [s.uid for s in room.state.scans] == ["1.2.1"]
    assert "P2" in room.alarms()["patient:1.2.2"]


def test_outstanding_work_follows_from_the_facts() -> None:
    room = Room().tell(CaseOpened("Dr Li"), series(2, "RTSTRUCT", "PLANNING"))
    room.tell(series(3, "RTPLAN", "PLANNING"))
    assert [type(j) for j in jobs(room.state)] == [ReadStructures]
    room.tell(StructuresImported("1.2.2", "1.8", "S", "f2", "PLANNING", ("GTV",)))
    assert [type(j) for j in jobs(room.state)] == [ReadPlan]
    room.tell(PlanImported("1.2.3", a_plan()), series(1, "CT", "PLANNING"), series(4, "CT", "ROOM"))
    assert [type(j) for j in jobs(room.state)] == [AnalyseScan, RegisterPlan]


def test_events_out_of_order_are_no_case() -> None:
    with pytest.raises(BrokenError, match="cannot follow"):
        advance(CaseState("case"), ProcedureEvent(2, START, CaseOpened("Dr Li")))


def test_an_unknown_record_of_the_device_is_kept_and_shown() -> None:
    room = ready().device("TILT", 12)
    assert any("recorded TILT 12" in text for text in room.alarms().values())
    room.device("DROP", "one")
    assert any("cannot be read" in text for text in room.alarms().values())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["ARM", "INTENT", "DROP", "NODROP", "DOUBLE", "UNKNOWN", "DISARM", "NEEDLE",
                 "RETRACT", "CART-IN", "CART-OUT", "JAM", "BOOT", "RESOLVED", "ODD"]
            ),
            st.lists(
                st.sampled_from(["0", "1", "2", "14", "C1", "C2", "DROP", "x", "3.5"]), max_size=4
            ),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_no_record_of_the_device_can_stop_the_room(
    records: list[tuple[str, list[str]]],
) -> None:
    """Whatever a device says, in whatever order: it is folded in, and replay gives the same."""
    room = ready()
    for kind, args in records:
        room.device(kind, *args)
        ledger(room.state)
        next_action(room.state)
    assert replayed("case", room.events) == room.state


def test_every_fact_survives_the_journal() -> None:
    class Kept:
        def __init__(self, event: ProcedureEvent) -> None:
            self.case_id, self.number, self.at = "case", event.number, event.at
            self.kind, self.payload = to_payload(event.fact)

    room = verified()
    assert [from_record(Kept(e)) for e in room.events] == room.events  # type: ignore[arg-type]
