"""What follows from the applicator's records, and when seeds may be permitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from guidance.alarms import Priority
from guidance.errors import RefusedError
from guidance.procedure.events import (
    DeviceRecorded,
    Disarmed,
    LinkChanged,
    PermitEnded,
    SeedsPermitted,
    StrokeResolved,
)
from guidance.procedure.state import CaseState, Device
from guidance.tracking import counted_position
from guidance.tracking.implant import ImplantSeed

# A planned seat this far along the needle from the actual one is another seat, mm.
SAME_SEAT_MM = 5.0
# The barrel is at a stop if it is nearer than half a detent of the rail, mm.
AT_STOP_MM = 2.5
# Nothing is permitted while one of these was not acknowledged: what the applicator did was odd.
_MUST_BE_SEEN = ("jam:", "sensor:", "unpermitted:", "double:", "record:")


def device_recorded(state: CaseState, fact: DeviceRecorded) -> CaseState:
    """Fold one record of the device's journal in; a kind not known here is kept and shown."""
    device = replace(state.device, jid=fact.jid, eid=fact.eid)
    state = replace(state, device=device)
    handler = _RECORDS.get(fact.kind)
    if handler is None:
        return state.with_alarm(
            f"record:{fact.jid}:{fact.eid}",
            Priority.MEDIUM,
            f"The applicator recorded {fact.kind} {' '.join(fact.args)}, "
            "which this version does not know.",
        )
    try:
        state = handler(state, fact)
        return _device(state, pulled=None) if fact.kind in _ENDS_A_STROKE else state
    except (IndexError, ValueError):
        return state.with_alarm(
            f"record:{fact.jid}:{fact.eid}",
            Priority.HIGH,
            f"Record {fact.eid} of the applicator cannot be read: "
            f"{fact.kind} {' '.join(fact.args)}. Reconcile by hand.",
        )


def _boot(state: CaseState, fact: DeviceRecorded) -> CaseState:
    if fact.boot <= 1 and fact.eid <= 1:
        return _device(state, armed=False, permitted=0)
    return _device(state, armed=False, permitted=0).with_alarm(
        "device:boot", Priority.LOW, f"The applicator restarted (start {fact.boot})."
    )


def _cartridge_in(state: CaseState, fact: DeviceRecorded) -> CaseState:
    serial, remaining = fact.args[0], int(fact.args[1])
    state = replace(state, account=state.account.insert(serial, remaining))
    state = _device(state, cartridge=serial, remaining=remaining)
    cartridge = state.account.cartridge(serial)
    key = f"cartridge:{serial}"
    if cartridge is None or not cartridge.received:
        return state.with_alarm(
            key, Priority.HIGH, f"Cartridge {serial} is in the applicator but was not checked in."
        )
    if cartridge.booked != remaining:
        return state.with_alarm(
            key,
            Priority.HIGH,
            f"Cartridge {serial} should hold {cartridge.booked} seeds; "
            f"the applicator counts {remaining}.",
        )
    plan = state.plan
    if plan is not None and cartridge.source_model != plan.source_model:
        return state.with_alarm(
            key,
            Priority.HIGH,
            f"Cartridge {serial} holds model {cartridge.source_model}; "
            f"the plan is for {plan.source_model}.",
        )
    return state.without_alarm(key)


def _cartridge_out(state: CaseState, fact: DeviceRecorded) -> CaseState:
    serial, remaining = fact.args[0], int(fact.args[1])
    state = replace(state, account=state.account.remove(serial, remaining))
    state = _device(state, cartridge="", remaining=None).without_alarm(f"unproven:{serial}")
    cartridge = state.account.cartridge(serial)
    if cartridge is not None and cartridge.booked != remaining:
        return state.with_alarm(
            f"cartridge:{serial}",
            Priority.HIGH,
            f"Cartridge {serial} came out with {remaining} seeds by the applicator's count; "
            f"{cartridge.booked} are booked in it.",
        )
    return state


def _needle(state: CaseState, fact: DeviceRecorded) -> CaseState:
    number = int(fact.args[0])
    # Number 0 is the applicator taken off.
    return _device(state, needle=number or None)


def _retract(state: CaseState, fact: DeviceRecorded) -> CaseState:
    needle, total_mm = int(fact.args[0]), float(fact.args[1])
    known = dict(state.device.retraction_mm)
    known[needle] = total_mm
    return _at_its_stop(_device(state, retraction_mm=tuple(sorted(known.items()))), needle)


def _at_its_stop(state: CaseState, needle: int) -> CaseState:
    """Check the barrel against the permit's next seed; the stylet is locked until it is there."""
    stop_mm, key = state.device.next_stop_mm, f"step:{needle}"
    found_mm = state.device.retraction_of(needle)
    if (
        stop_mm is None
        or not state.device.armed
        or needle != state.device.permit_needle
        or abs(found_mm - stop_mm) <= AT_STOP_MM
    ):
        return state.without_alarm(key)
    return state.with_alarm(
        key,
        Priority.MEDIUM,
        f"Needle {needle} is drawn back {found_mm:.1f} mm; its next seed belongs at "
        f"{stop_mm:.1f} mm. The stylet is locked until it is there.",
    )


def _blocked(state: CaseState, fact: DeviceRecorded) -> CaseState:
    """Say why the stylet stayed locked when it was pulled."""
    needle, reason = int(fact.args[0]), fact.args[1]
    if reason == "step":
        text = (
            f"The stylet was pulled with needle {needle} drawn back {float(fact.args[3]):.1f} mm; "
            f"its next seed belongs at {float(fact.args[2]):.1f} mm. It stayed locked."
        )
        return state.with_alarm(f"step:{needle}", Priority.MEDIUM, text)
    planned = len(state.seats_of(needle))
    if planned and state.counted_through(needle) >= planned:
        text = f"Needle {needle} has all its {planned} planned seeds; the stylet stayed locked."
        return state.with_alarm(f"plan-done:{needle}", Priority.MEDIUM, text)
    text = f"The stylet was pulled on needle {needle} without a permit; it stayed locked."
    return state.with_alarm("blocked", Priority.LOW, text)


def _arm(state: CaseState, fact: DeviceRecorded) -> CaseState:
    needle, count = int(fact.args[1]), int(fact.args[3])
    return _device(
        state,
        armed=True,
        permit=int(fact.args[0]),
        permit_needle=needle,
        permitted=count,
        dropped=0,
        stops_mm=_told_stops(fact) or state.device.stops_mm,
    )


def _told_stops(fact: DeviceRecorded) -> tuple[float, ...]:
    """Return the stops of an ARM record, none if an older controller wrote it."""
    return tuple(int(s) / 10 for s in fact.args[4].split(",")) if len(fact.args) > 4 else ()


def _disarm(state: CaseState, fact: DeviceRecorded) -> CaseState:
    reason = fact.args[0].lower() if fact.args else ""
    state = _device(state, armed=False, permitted=0)
    if reason in _ORDINARY_ENDS:
        return state
    return state.with_alarm(
        "device:disarmed", Priority.LOW, f"The permit ended early: {' '.join(fact.args)}."
    )


def _drop(state: CaseState, fact: DeviceRecorded, seeds: int = 1) -> CaseState:
    needle = int(fact.args[0])
    cartridge = state.device.cartridge
    # The device writes an intent under a permit only; the link may have gone in the stroke.
    if state.device.pulled != needle:
        state = state.with_alarm(
            f"unpermitted:{fact.eid}",
            Priority.HIGH,
            f"A seed left through needle {needle} without a permit (record {fact.eid}).",
        )
    state = replace(state, account=state.account.drop(cartridge, seeds))
    state = _device(state, dropped=state.device.dropped + seeds, remaining=int(fact.args[1]))
    for which in range(seeds):
        suffix = f"#{which + 1}" if seeds > 1 else ""
        state = _placed(state, needle, f"{fact.jid}:{fact.eid}{suffix}")
    return state


def _placed(
    state: CaseState, needle: int, event_key: str, retraction_mm: float | None = None
) -> CaseState:
    """Put a counted seed where needle and retraction (that of now if not given) predict it."""
    if retraction_mm is None:
        retraction_mm = state.device.retraction_of(needle)
    track = state.needle(needle)
    counted = state.counted_through(needle)
    number = 1 + max((s.number for s in state.seeds), default=0)
    seats = state.free_seats(needle)
    seat = min(seats, key=lambda s: abs(s.retraction_mm - retraction_mm), default=None)
    if seat is not None and abs(seat.retraction_mm - retraction_mm) > SAME_SEAT_MM:
        seat = None
    if seat is None:
        state = state.with_alarm(
            f"unplanned:{event_key}",
            Priority.MEDIUM,
            f"Seed {counted + 1} through needle {needle} was dropped {retraction_mm:.1f} mm "
            "behind its deepest point, where the plan has no seed left.",
        )
    position, axis = (
        counted_position(track, retraction_mm) if track and track.tip_mm else (None,) * 2
    )
    if position is None:
        return state.with_alarm(
            f"unplaced:{event_key}",
            Priority.HIGH,
            f"A seed left through needle {needle}, whose position is not known; "
            "it is counted but in no dose until a scan shows it.",
        )
    seed = ImplantSeed(
        number, needle, seat.number if seat else None, position, axis, event_key=event_key
    )
    return state.with_seeds((*state.seeds, seed))


def _double(state: CaseState, fact: DeviceRecorded) -> CaseState:
    return _drop(state, fact, seeds=2).with_alarm(
        f"double:{fact.eid}",
        Priority.HIGH,
        f"Two seeds left at once through needle {fact.args[0]} (record {fact.eid}).",
    )


def _misfire(state: CaseState, fact: DeviceRecorded) -> CaseState:
    state = replace(state, account=state.account.misfire())
    state = _device(state, remaining=int(fact.args[1]))
    return state.with_alarm(
        f"misfire:{fact.eid}",
        Priority.MEDIUM,
        f"A stroke through needle {fact.args[0]} delivered no seed (record {fact.eid}); "
        f"{state.device.remaining} seeds remain in cartridge {state.device.cartridge}.",
    )


def _unknown(state: CaseState, fact: DeviceRecorded) -> CaseState:
    needle = int(fact.args[0]) if fact.args else None
    cartridge = state.device.cartridge
    state = replace(state, account=state.account.unknown(cartridge))
    unknown = (*state.device.unknown, (fact.eid, cartridge, needle))
    at_mm = (fact.eid, state.device.retraction_of(needle or 0))
    state = _device(state, unknown_at_mm=(*state.device.unknown_at_mm, at_mm))
    return _device(state, unknown=unknown, armed=False, permitted=0).with_alarm(
        f"unknown:{fact.eid}",
        Priority.HIGH,
        f"Whether a seed left through needle {needle} is not known (record {fact.eid}). "
        "No seed is permitted until a person resolves it.",
    )


def _resolved(state: CaseState, fact: DeviceRecorded) -> CaseState:
    eid, outcome = int(fact.args[0]), fact.args[1].upper()
    open_ones = {number: (cartridge, needle) for number, cartridge, needle in state.device.unknown}
    if eid not in open_ones:
        return state
    cartridge, needle = open_ones[eid]
    dropped = outcome in {"DROP", "DROPPED"}
    state = replace(state, account=state.account.resolve(cartridge, dropped=dropped))
    rest = tuple(u for u in state.device.unknown if u[0] != eid)
    state = _device(state, unknown=rest).without_alarm(f"unknown:{eid}")
    if dropped and needle is not None:
        # Where the barrel was in that stroke, not where it is by now.
        at_mm = dict(state.device.unknown_at_mm).get(eid)
        state = _placed(state, needle, f"{fact.jid}:{eid}", at_mm)
    return state


def _jam(state: CaseState, fact: DeviceRecorded) -> CaseState:
    return _device(state, armed=False, permitted=0).with_alarm(
        f"jam:{fact.eid}",
        Priority.HIGH,
        f"The applicator jammed ({' '.join(fact.args) or 'no detail'}). Stop; do not push again.",
    )


def _sensor(state: CaseState, fact: DeviceRecorded) -> CaseState:
    return _device(state, armed=False, permitted=0).with_alarm(
        f"sensor:{fact.eid}",
        Priority.HIGH,
        f"A sensor of the applicator is at fault: {' '.join(fact.args) or 'no detail'}.",
    )


def _pulled(state: CaseState, fact: DeviceRecorded) -> CaseState:
    return _device(state, pulled=int(fact.args[0]))


def _noted(state: CaseState, _fact: DeviceRecorded) -> CaseState:
    return state


_ORDINARY_ENDS = {"done", "host", "nodrop", "hello", ""}
_ENDS_A_STROKE = {"DROP", "NODROP", "DOUBLE", "UNKNOWN"}
_RECORDS: dict[str, Callable[[CaseState, DeviceRecorded], CaseState]] = {
    "BOOT": _boot,
    "CART-IN": _cartridge_in,
    "CART-OUT": _cartridge_out,
    "NEEDLE": _needle,
    "ARM": _arm,
    "DISARM": _disarm,
    "INTENT": _pulled,
    "DROP": _drop,
    "NODROP": _misfire,
    "DOUBLE": _double,
    "UNKNOWN": _unknown,
    "RESOLVED": _resolved,
    "RETRACT": _retract,
    "BLOCKED": _blocked,
    "JAM": _jam,
    "SENSOR": _sensor,
    "TEST": _noted,
}


def seeds_permitted(state: CaseState, fact: SeedsPermitted) -> CaseState:
    """Record a permit, or refuse it with the reason."""
    reason = permit_refusal(state, fact)
    if reason:
        raise RefusedError(reason)
    return permit_given(state, fact)


def permit_given(state: CaseState, fact: SeedsPermitted) -> CaseState:
    """Put a permit down; it is for the device to say, in its ARM record, that it is armed."""
    return _device(
        state,
        permit=fact.permit,
        permit_needle=fact.needle,
        permitted=fact.count,
        dropped=0,
        stops_mm=tuple(s.retraction_mm for s in state.free_seats(fact.needle)[: fact.count]),
    )


def permit_refusal(state: CaseState, fact: SeedsPermitted) -> str:
    """Return why seeds may not be permitted now, an empty string if they may."""
    device, needle = state.device, state.needle(fact.needle)
    cartridge = state.account.cartridge(fact.cartridge)
    planned = len(state.seats_of(fact.needle))
    left = planned - state.counted_through(fact.needle)
    clearance = next((a for a in state.alarms if a.key == f"clearance:{fact.needle}"), None)
    seats = next((a for a in state.alarms if a.key == f"seats:{fact.needle}"), None)
    stops_mm = [s.retraction_mm for s in state.free_seats(fact.needle)[: max(0, fact.count)]]
    near = [s for s in needle.seats if not s.kept and s.retraction_mm in stops_mm] if needle else []
    unheeded = [
        a for a in state.alarms if a.key.startswith(_MUST_BE_SEEN) and not a.acknowledged_by
    ]
    open_items = [c.item for c in state.checklist if not c.good]
    time_out = "; ".join(open_items) if state.protocol.checklist_binding else ""
    checks = (
        (not fact.by.strip(), "seeds are permitted by a named person; give a name"),
        (bool(state.closed_by), "the case is closed"),
        (bool(time_out), f"the time-out is not complete: {time_out}"),
        (not state.needles_confirmed_by, "the needles are not confirmed yet"),
        (needle is None or needle.tip_mm is None, f"needle {fact.needle} has not been seen"),
        (device.link != "up", f"the link to the applicator is {device.link}"),
        (device.armed, f"needle {device.permit_needle} is already permitted"),
        (
            device.permitted > 0 and not device.armed,
            f"the applicator has not answered permit {device.permit} yet",
        ),
        (bool(device.unknown), "a stroke of unknown outcome must be resolved first"),
        (
            device.needle != fact.needle,
            f"the applicator is on needle {device.needle}, not on needle {fact.needle}",
        ),
        (
            not fact.cartridge or device.cartridge != fact.cartridge,
            f"cartridge {fact.cartridge or '(none)'} is not in the applicator",
        ),
        (
            cartridge is None or cartridge.booked < fact.count,
            f"cartridge {fact.cartridge} is not checked in with {fact.count} seeds",
        ),
        (fact.count < 1, "at least one seed must be permitted"),
        (
            fact.count > left,
            f"needle {fact.needle} has {left} planned seeds left, not {fact.count}",
        ),
        (
            clearance is not None and clearance.active and not clearance.acknowledged_by,
            f"needle {fact.needle} is too near to an organ at risk; acknowledge that first",
        ),
        (
            bool(near) and (seats is None or not seats.acknowledged_by),
            f"{len(near)} of these seeds would land too near to an organ at risk; permit fewer, "
            "or acknowledge that first",
        ),
        (
            bool(unheeded),
            f"acknowledge first: {unheeded[0].text if unheeded else ''}",
        ),
        (fact.permit <= device.permit, f"permit {fact.permit} was used before"),
    )
    return next((reason for applies, reason in checks if applies), "")


def permit_ended(state: CaseState, fact: PermitEnded) -> CaseState:
    """Note that a permit did not come into force."""
    if fact.permit != state.device.permit:
        return state
    return _device(state, armed=False, permitted=0).with_alarm(
        "permit", Priority.LOW, f"Permit {fact.permit} is not in force: {fact.reason}"
    )


def disarmed(state: CaseState, _fact: Disarmed) -> CaseState:
    """Note that a person ended the permit; the device's DISARM record follows."""
    return _device(state, permitted=0)


def stroke_resolved(state: CaseState, fact: StrokeResolved) -> CaseState:
    """Check what a person says of a stroke; the device's RESOLVED record settles it."""
    if not fact.by.strip():
        raise RefusedError("a stroke is resolved by a named person; give a name")
    if fact.eid not in {eid for eid, _, _ in state.device.unknown}:
        raise RefusedError(f"record {fact.eid} is no stroke of unknown outcome")
    if state.device.link != "up":
        raise RefusedError(f"the link to the applicator is {state.device.link}; try again")
    return state


def link_changed(state: CaseState, fact: LinkChanged) -> CaseState:
    """Follow the link; a lost one ends what was permitted."""
    # A new session disarms, and an answer that did not come in the old one never will.
    state = _device(state, link=fact.state, link_detail=fact.detail, armed=False, permitted=0)
    if fact.state == "up":
        return state.without_alarm("link")
    if fact.state in {"lost", "refused"}:
        priority = Priority.HIGH if fact.state == "refused" else Priority.MEDIUM
        text = f"The link to the applicator is {fact.state}: {fact.detail or 'no detail'}"
        return state.with_alarm("link", priority, text)
    return state


def _device(state: CaseState, **changes: object) -> CaseState:
    device: Device = replace(state.device, **changes)  # type: ignore[arg-type]  # by name
    return replace(state, device=device)
