"""A case at one moment, as values: what its record says up to one event, and nothing later."""

from __future__ import annotations

from typing import Any

from guidance.procedure.closing import ledger
from guidance.procedure.state import CaseState
from guidance.procedure.steps import next_action, step_of


def moment(state: CaseState) -> dict[str, Any]:
    """Return a state as JSON values; points are LPS mm of the room."""
    view, registration, device = ledger(state), state.registration, state.device
    return {
        "case_id": state.case_id,
        "event_number": state.number,
        "at": state.at.isoformat(),
        "step": step_of(state).value,
        "next_action": next_action(state),
        "opened_by": state.opened_by,
        "verified_by": state.verified_by,
        "closed_by": state.closed_by,
        "registration": None
        if registration is None
        else {
            "residual_mm": registration.result.residual_mm,
            "accepted_by": registration.accepted_by,
        },
        "needles": [
            {"number": n.number, "tip_mm": n.tip_mm, "tip_deviation_mm": n.tip_deviation_mm}
            for n in state.needles
        ],
        "needles_confirmed_by": state.needles_confirmed_by,
        "seeds": [
            {
                "number": s.number,
                "needle": s.needle,
                "status": s.status,
                "position_mm": s.position_mm,
                "planned_number": s.planned_number,
            }
            for s in state.seeds
        ],
        "leading_dose": {"engine": state.engine, "chosen_by": state.engine_chosen_by},
        "advice": None
        if state.advice is None
        else {
            "event_number": state.advice.event_number,
            "engine": state.advice.engine,
            "verdict": state.advice.verdict,
            "reason": state.advice.reason,
        },
        "supplements": [{"number": s.number, "needle": s.needle} for s in state.supplements],
        "applicator": {
            "link": device.link,
            "needle": device.needle,
            "cartridge": device.cartridge,
            "remaining": device.remaining,
            "armed": device.armed,
            "permitted": device.permitted,
            "dropped": device.dropped,
        },
        "ledger": {
            "received": view.received,
            "implanted": view.implanted,
            "in_cartridges": view.in_cartridges,
            "unresolved": view.unresolved,
            "directive": view.directive,
            "seen": view.seen,
        },
        "questions": [q.text for q in state.questions],
        "alarms": [
            {"priority": a.priority.value, "text": a.text, "seen_by": a.acknowledged_by}
            for a in state.alarms
            if a.active
        ],
    }


def in_words(state: CaseState) -> list[str]:
    """Return the same in lines for a person."""
    view, registration, device = ledger(state), state.registration, state.device
    lines = [
        f"case {state.case_id} after event {state.number}, {state.at:%Y-%m-%d %H:%M:%S} UTC",
        f"step: {step_of(state).value}; next: {next_action(state)}",
    ]
    if registration is not None:
        who = registration.accepted_by
        accepted = f"accepted by {who}" if who else "not accepted"
        lines.append(f"registration: residual {registration.result.residual_mm:.1f} mm, {accepted}")
    if state.needles:
        seen = sum(1 for n in state.needles if n.tip_mm is not None)
        who = state.needles_confirmed_by
        confirmed = f"confirmed by {who}" if who else "not confirmed"
        lines.append(f"needles: {seen} of {len(state.needles)} seen, {confirmed}")
    lines.append(_applicator(state))
    lines.append(
        f"seeds: {view.received} received, {view.implanted} counted of {view.directive} planned"
        + (f" ({len(state.supplements)} of them beyond the plan)" if state.supplements else "")
        + ("" if view.seen is None else f", {view.seen} seen")
        + f", {view.unresolved} unresolved"
    )
    chosen = f", chosen by {state.engine_chosen_by}" if state.engine_chosen_by else ""
    lines.append(f"leading dose: {state.engine}{chosen}")
    if (advice := state.advice) is not None:
        about = f"{advice.engine}, after event {advice.event_number}"
        lines.append(f"advice ({about}): {advice.verdict}: {advice.reason}")
    for seed in state.seeds:
        where = "place not known"
        if seed.position_mm is not None:
            where = "({:.1f}, {:.1f}, {:.1f}) mm".format(*seed.position_mm)
        lines.append(f"  seed {seed.number}, needle {seed.needle}: {seed.status}, {where}")
    lines += [f"asked: {q.text}" for q in state.questions]
    lines += [
        f"alarm: {a.priority.value}: {a.text}"
        + (f" (seen by {a.acknowledged_by})" if a.acknowledged_by else "")
        for a in state.alarms
        if a.active
    ]
    if device.unknown:
        lines.append(f"strokes of unknown outcome: {', '.join(str(u[0]) for u in device.unknown)}")
    for what, who in (("verified", state.verified_by), ("closed", state.closed_by)):
        if who:
            lines.append(f"{what} by {who}")
    return lines


def _applicator(state: CaseState) -> str:
    device = state.device
    parts = [f"applicator: {device.link}"]
    if device.needle is not None:
        parts.append(f"on needle {device.needle}")
    if device.cartridge:
        parts.append(f"cartridge {device.cartridge}, {device.remaining} left")
    if device.armed:
        left = device.permitted - device.dropped
        parts.append(f"armed for needle {device.permit_needle}, {left} to drop")
    return ", ".join(parts)
