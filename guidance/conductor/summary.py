"""The figures of a case as plain JSON values: what the screen showed, for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from guidance.journal import Verification
from guidance.procedure.events import (
    CaseClosed,
    DeviceRecorded,
    ImplantVerified,
    NeedlesConfirmed,
    ProcedureEvent,
    Registered,
    RegistrationAccepted,
    ScanAnalysed,
    SeriesReceived,
)
from guidance.procedure.snapshot import DoseView, Snapshot
from guidance.procedure.state import CaseState
from guidance.tracking.implant import ImplantSeed, NeedleTrack

NOTICE = "Research software, not a medical device."


def summary(
    state: CaseState,
    snapshot: Snapshot,
    events: Sequence[ProcedureEvent],
    verification: Verification,
) -> dict[str, Any]:
    """Return all figures of a case.

    Args:
        state: the case.
        snapshot: made from that state.
        events: all events of the case.
        verification: of its journal.
    """
    registration = snapshot.registration
    return {
        "notice": NOTICE,
        "case_id": state.case_id,
        "patient_id": snapshot.patient_id,
        "patient_name": snapshot.patient_name,
        "step": snapshot.step.value,
        "closed": snapshot.closed,
        "closed_by": state.closed_by,
        "plan": _plan(state),
        "registration": None
        if registration is None
        else {
            "residual_mm": registration.residual_mm,
            "plan_to_room": registration.plan_to_room.tolist(),
            "accepted_by": registration.accepted_by,
        },
        "needles": [_needle(n) for n in snapshot.needles],
        "seeds": _seeds(snapshot),
        "dose": _dose(snapshot.dose),
        "planned_dose": _dose(snapshot.planned_dose),
        "model_based_dose": _modelled(snapshot),
        "leading_dose": {"engine": snapshot.engine, "chosen_by": snapshot.engine_chosen_by},
        "advice": asdict(snapshot.proposal) if snapshot.proposal is not None else None,
        "ledger": {**asdict(snapshot.ledger), "balanced": snapshot.ledger.balanced},
        "cartridges": [_cartridge(c) for c in state.account.cartridges],
        "alarms": [
            {
                "key": a.key,
                "priority": a.priority.value,
                "text": a.text,
                "raised_at": a.raised_at.isoformat(),
                "active": a.active,
                "acknowledged_by": a.acknowledged_by,
            }
            for a in snapshot.alarms
        ],
        "journal": {
            "records": verification.records,
            "digest": verification.digest,
            "whole": verification.whole,
        },
        "timings_s": timings_s(events),
    }


def _plan(state: CaseState) -> dict[str, Any] | None:
    plan = state.plan
    if plan is None:
        return None
    return {
        "label": plan.label,
        "source_model": plan.source_model,
        "strength_u": plan.strength_u,
        "strength_at": plan.strength_at.isoformat() if plan.strength_at else None,
        "prescription_gy": plan.prescription_gy,
        "target": plan.target_name,
        "needles": len(plan.needles),
        "seeds": len(plan.seeds),
        "remarks": list(plan.remarks),
    }


def _needle(needle: NeedleTrack) -> dict[str, Any]:
    found = asdict(needle)
    planned = found.pop("planned")
    found["planned_tip_mm"] = planned["tip_mm"] if planned else None
    found["planned_entry_mm"] = planned["entry_mm"] if planned else None
    return found


def _seeds(snapshot: Snapshot) -> dict[str, Any]:
    seeds = snapshot.seeds

    def numbers(status: str) -> list[int]:
        return [s.number for s in seeds if s.status == status]

    return {
        "planned": snapshot.ledger.directive,
        "counted": sum(1 for s in seeds if s.counted_mm is not None),
        "seen": sum(1 for s in seeds if s.seen_mm is not None),
        "missing": numbers("missing"),
        "extra": numbers("extra"),
        "list": [_seed(s) for s in seeds],
    }


def _seed(seed: ImplantSeed) -> dict[str, Any]:
    return {**asdict(seed), "status": seed.status, "position_mm": seed.position_mm}


def _dose(dose: DoseView | None) -> dict[str, Any] | None:
    if dose is None:
        return None
    return {
        "method": dose.method,
        "seeds": dose.seeds,
        "event_number": dose.event_number,
        "prescription_gy": dose.prescription_gy,
        "structures": {d.structure: dict(d.figures) for d in dose.dvh},
    }


def _modelled(snapshot: Snapshot) -> dict[str, Any] | None:
    view = snapshot.modelled
    if view is None:
        return {"refused": snapshot.modelled_refused} if snapshot.modelled_refused else None
    return {
        "method": view.method,
        "seeds": view.seeds,
        "event_number": view.event_number,
        "scan_uid": view.scan_uid,
        "stale": snapshot.modelled_is_stale,
        "ended": view.ended,
        "histories": view.histories,
        "uncertainty_percent": {n: round(100 * value, 2) for n, value in view.reached},
        "structures": {f.structure: {"medium": f.medium, "water": f.water} for f in view.figures},
        "remarks": list(view.remarks),
    }


def _cartridge(cartridge: Any) -> dict[str, Any]:
    found: dict[str, Any] = asdict(cartridge)
    found["disposition"] = cartridge.disposition.value if cartridge.disposition else None
    return found


def timings_s(events: Sequence[ProcedureEvent]) -> dict[str, float]:
    """Return how long each part of the story took, in seconds.

    Detection and registration are the work's own time; the steps are from fact to fact.
    """
    found: dict[str, float] = {}
    marks: dict[str, datetime] = {}
    for event in events:
        match event.fact:
            case SeriesReceived(modality="CT"):
                marks["last scan"] = event.at
            case ScanAnalysed(seeds=seeds, needles=needles, elapsed_s=elapsed):
                name = "needles" if len(needles) >= len(seeds) else "seeds"
                found[f"detection_{name}"] = elapsed
                found[f"scan_to_{name}"] = _seconds(marks.get("last scan"), event.at)
            case Registered(elapsed_s=elapsed):
                found["registration"] = elapsed
            case RegistrationAccepted():
                marks["registered"] = event.at
            case NeedlesConfirmed():
                marks["confirmed"] = event.at
            case DeviceRecorded(kind="DROP"):
                marks["last drop"] = event.at
            case ImplantVerified():
                marks["verified"] = event.at
            case CaseClosed():
                found["close_out"] = _seconds(marks.get("verified"), event.at)
    if "confirmed" in marks and "last drop" in marks:
        found["implant"] = _seconds(marks["confirmed"], marks["last drop"])
    if events:
        found["case"] = _seconds(events[0].at, events[-1].at)
    return {name: round(value, 3) for name, value in found.items()}


def _seconds(start: datetime | None, end: datetime) -> float:
    return (end - start).total_seconds() if start else 0.0
