"""The assistant drives the applicator: each stop programmed, each reason to lock said aloud."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_advance import START, Room, a_plan, ready, series, with_needles

from dose.structures import Structure
from guidance.detection import DetectedNeedle, DetectedSeed
from guidance.detection.detections import Detections
from guidance.errors import RefusedError
from guidance.ledger import Disposition
from guidance.procedure.advance import Arm
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    ImplantVerified,
    LinkChanged,
    NeedlesConfirmed,
    NeedlesTracked,
    ScanAnalysed,
    SeedsPermitted,
)
from guidance.procedure.steps import next_action
from guidance.tracking import track_needles
from guidance.tracking.implant import SeatClearance


def permitted(count: int = 3) -> Room:
    room = ready().tell(SeedsPermitted(1, 1, "C1", count, "Dr Li"))
    return room.device("ARM", 1, 1, "C1", count, ",".join(["0", "100", "200"][:count]))


def drop(room: Room, left: int) -> Room:
    return room.device("INTENT", 1, left + 1).device("DROP", 1, left)


def test_each_seed_has_its_stop_and_the_next_one_is_shown() -> None:
    room = permitted()
    assert "drop 3 more, next at 0 mm, then every 10 mm" in next_action(room.state)
    drop(room, 14).device("RETRACT", 1, 10.0)
    assert "drop 2 more, next at 10 mm, then every 10 mm" in next_action(room.state)
    drop(room, 13).device("RETRACT", 1, 20.0)
    assert next_action(room.state) == "Needle 1: drop 1 more, next at 20 mm."
    assert not room.alarms()


def test_a_permit_goes_on_at_the_seats_that_are_free() -> None:
    room = drop(permitted(), 14).device("DISARM", "host")
    room.device("RETRACT", 1, 10.0).tell(SeedsPermitted(2, 1, "C1", 2, "Dr Li"))
    assert room.effects[-1] == Arm(2, 1, "C1", room.eid, (10.0, 20.0))


def test_a_step_that_is_not_the_next_one_is_cried_out_and_goes_with_it() -> None:
    room = drop(permitted(), 14).device("RETRACT", 1, 20.0)
    assert "drawn back 20.0 mm; its next seed belongs at 10.0 mm" in room.alarms()["step:1"]
    room.device("RETRACT", 1, 11.0)
    assert "step:1" not in room.alarms()


def test_the_stops_left_are_those_of_the_permit_else_of_the_free_seats() -> None:
    assert ready().state.stops_left_mm == (0.0, 10.0, 20.0)
    room = drop(permitted(), 14)
    assert room.state.stops_left_mm == (10.0, 20.0)
    room.device("DISARM", "host")
    assert room.state.stops_left_mm == (10.0, 20.0)
    assert room.device("NEEDLE", 0).state.stops_left_mm == ()


def test_a_missing_step_locks_the_stylet_and_is_cried_out() -> None:
    room = drop(permitted(), 14).device("BLOCKED", 1, "step", "10.0", "0.0")
    assert "pulled with needle 1 drawn back 0.0 mm" in room.alarms()["step:1"]
    assert "It stayed locked" in room.alarms()["step:1"]


def test_a_needle_whose_plan_is_done_stays_locked() -> None:
    room = permitted()
    for k in range(3):
        drop(room.device("RETRACT", 1, 10.0 * k), 14 - k)
    room.device("DISARM", "done").device("BLOCKED", 1, "permit")
    assert room.alarms()["plan-done:1"] == (
        "Needle 1 has all its 3 planned seeds; the stylet stayed locked."
    )
    with pytest.raises(RefusedError, match="needle 1 has 0 planned seeds left"):
        room.tell(SeedsPermitted(2, 1, "C1", 1, "Dr Li"))


def test_a_pull_without_a_permit_is_said() -> None:
    assert "without a permit" in ready().device("BLOCKED", 1, "permit").alarms()["blocked"]


def test_a_seed_too_near_to_the_cord_is_not_permitted_before_a_person_has_seen_it() -> None:
    """The two deepest seeds of needle 1 are near, the third is not."""
    room = with_needles()
    seats = tuple(
        SeatClearance(stop, "Spinal cord", distance, 10.0)
        for stop, distance in ((0.0, 6.0), (10.0, 9.0), (20.0, 15.0))
    )
    first, *rest = room.state.needles
    tracks = (replace(first, seats=seats), *rest)
    assert room.state.registration is not None
    room.tell(NeedlesTracked("1.2.4", room.state.registration.number, tracks))
    said = room.alarms()["seats:1"]
    assert "2 of its seeds would land nearer than 10.0 mm" in said
    assert "at 0.0 mm: 6.0 mm from Spinal cord" in said
    room.tell(
        NeedlesConfirmed("Dr Li"),
        CartridgeReceived("C1", "6711", 0.8, 15, "RTT"),
        LinkChanged("up", ""),
    )
    room.device("CART-IN", "C1", 15).device("NEEDLE", 1).device("RETRACT", 1, 0.0)
    with pytest.raises(RefusedError, match="2 of these seeds would land too near"):
        room.tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))
    room.tell(AlarmAcknowledged("seats:1", "Dr Li"))
    room.tell(SeedsPermitted(1, 1, "C1", 3, "Dr Li"))


def test_a_stale_link_locks_and_is_cried_out() -> None:
    room = permitted().tell(LinkChanged("lost", "the applicator does not answer (KEEP)"))
    assert not room.state.device.armed
    assert "does not answer" in room.alarms()["link"]
    with pytest.raises(RefusedError, match="link to the applicator is lost"):
        room.tell(SeedsPermitted(2, 1, "C1", 1, "Dr Li"))


def test_a_stroke_begun_under_a_permit_is_permitted_although_the_link_went() -> None:
    room = permitted().device("INTENT", 1, 15).tell(LinkChanged("lost", "gone"))
    room.tell(LinkChanged("up", "")).device("DROP", 1, 14).device("DISARM", "cable")
    assert not any(key.startswith("unpermitted") for key in room.alarms())
    room.device("DROP", 1, 13)
    assert any(key.startswith("unpermitted") for key in room.alarms())


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (("JAM", "stylet", 1), "jam:"),
        (("SENSOR", "gate", 1), "sensor:"),
        (("DOUBLE", 1, 13), "double:"),
        (("NOVELTY", 1), "record:"),
    ],
)
def test_what_is_odd_must_be_acknowledged_before_the_next_permit(
    record: tuple[object, ...], key: str
) -> None:
    room = permitted().device("INTENT", 1, 15).device(*record)  # type: ignore[arg-type]
    room.device("DISARM", "fault")
    alarm = next(a for a in room.alarms() if a.startswith(key))
    with pytest.raises(RefusedError, match="acknowledge first"):
        room.tell(SeedsPermitted(2, 1, "C1", 1, "Dr Li"))
    for found in tuple(room.state.alarms):
        room.tell(AlarmAcknowledged(found.key, "Dr Li"))
    assert alarm.startswith(key)
    room.tell(SeedsPermitted(2, 1, "C1", 1, "Dr Li"))


def test_the_seats_of_a_plan_are_measured() -> None:
    """The distance told is that of the seed's centre from the organ's surface."""
    square = np.array([[-5.0, -30.0], [25.0, -30.0], [25.0, -20.0], [-5.0, -20.0]])
    planes = tuple(np.column_stack([square, np.full(4, z)]) for z in np.arange(-30.0, 31.0, 3.0))
    cord = Structure("Cord", planes, "ORGAN", "ROOM")
    needles = tuple(DetectedNeedle(n.tip_mm, n.entry_mm, 0.9) for n in a_plan().needles)
    tracks = track_needles(a_plan(), Detections((), needles), (cord,), limit_mm=20.0)
    for track, n in zip(tracks, (1, 2), strict=True):
        found = [s.distance_mm for s in track.seats]
        # The cord's face is the plane y = -20; seeds lie at y = -2.25, 7.75, 17.75.
        assert track.number == n
        assert found == pytest.approx([17.75, 27.75, 37.75], abs=0.2)
        assert [s.kept for s in track.seats] == [False, True, True]


def test_an_assay_off_the_directive_is_cried_out() -> None:
    room = ready().tell(CartridgeReceived("C8", "6711", 0.8, 10, "RTT", "L7", 0.72))
    assert "was assayed at 0.720 U a seed" in room.alarms()["strength:C8"]
    kept = room.state.account.cartridge("C8")
    assert kept is not None
    assert (kept.lot, kept.assay_u) == ("L7", 0.72)
    assert (
        "strength:C9"
        not in room.tell(CartridgeReceived("C9", "6711", 0.8, 10, "RTT", "L7", 0.79)).alarms()
    )


def test_an_instrument_that_is_not_proven_empty_is_cried_out_and_keeps_the_case_open() -> None:
    room = ready()
    for permit, needle in ((1, 1), (2, 2)):
        room.device("NEEDLE", needle)
        for k in range(3):
            room.device("RETRACT", needle, 10.0 * k)
            room.device("INTENT", needle, 15).device("DROP", needle, 15 - 3 * (permit - 1) - k)
    room.tell(series(5, "CT", "ROOM"))
    seen = tuple(DetectedSeed(s.position_mm, s.axis, 0.9) for s in room.state.seeds)
    room.tell(ScanAnalysed("1.2.5", START, seen, (), (), 1.0), ImplantVerified("Dr Li"))
    assert "not proven empty" in room.alarms()["unproven:C1"]
    with pytest.raises(RefusedError, match="still in the applicator"):
        room.tell(CartridgeClosed("C1", 9, Disposition.RETURNED, "RTT"))
    with pytest.raises(RefusedError, match="C1 is not closed"):
        room.tell(CaseClosed("Dr Li", "It will be all right."))
    assert "unproven:C1" not in room.device("CART-OUT", "C1", 9).alarms()


def test_a_settled_stroke_is_placed_where_the_barrel_was_in_it() -> None:
    room = drop(permitted(), 14).device("RETRACT", 1, 10.0)
    room.device("INTENT", 1, 14).device("UNKNOWN", 1)
    unknown = room.eid
    room.device("RETRACT", 1, 20.0).device("RESOLVED", unknown, "DROP", "Dr_Li")
    assert room.state.seeds[-1].planned_number == 2
    assert room.state.seeds[-1].counted_mm == pytest.approx((10.0, 7.75, 0.0))


def test_a_plan_s_rounding_and_a_permit_that_is_used_up_are_not_said_as_numbers() -> None:
    room = ready().tell(SeedsPermitted(1, 1, "C1", 1, "Dr Li"))
    room.device("ARM", 1, 1, "C1", 1, "0")
    device = room.state.device
    room.state = replace(room.state, device=replace(device, stops_mm=(0.001,)))
    assert next_action(room.state) == "Needle 1: drop 1 more, next at 0 mm."
    drop(room, 14)
    assert next_action(room.state) == "Needle 1: every permitted seed has left."
