"""A case whose needles are confirmed, written as the console would have written it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from guidance.detection import DetectedNeedle
from guidance.journal import Journal
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.events import (
    CaseOpened,
    Event,
    NeedlesConfirmed,
    NeedlesTracked,
    PlanImported,
    Registered,
    RegistrationAccepted,
    ScanAnalysed,
    SeriesReceived,
    to_payload,
)
from guidance.tracking.implant import NeedleTrack

CASE = "C"
AT = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
IDENTITY = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))


def a_plan(needles: int, each: int) -> ImplantPlan:
    """Straight needles side by side, a seed every 5 mm."""
    numbers = range(1, needles + 1)
    planned = tuple(PlannedNeedle(n, (10.0 * n, 0.0, 0.0), (10.0 * n, 80.0, 0.0)) for n in numbers)
    seeds = tuple(
        PlannedSeed(
            each * (n - 1) + k + 1, n, (10.0 * n, 5.0 * k - 2.25, 0.0), (0.0, -1.0, 0.0), 5.0 * k
        )
        for n in numbers
        for k in range(each)
    )
    return ImplantPlan(
        "PLAN", "1.9", "P1", "PLANNING", "1.8", "6711", 0.8, AT, 100.0, "GTV", planned, seeds
    )


def _ct(number: int, frame: str) -> SeriesReceived:
    uid = f"1.2.{number}"
    return SeriesReceived(number, "CT", "P1", "", "1.1", uid, frame, "CT", (f"f{number}",))


def write_case(path: Path, needles: int, each: int) -> ImplantPlan:
    """Write the journal of a case that waits for its first seed."""
    plan = a_plan(needles, each)
    tracks = tuple(
        NeedleTrack(n.number, n, n.tip_mm, n.entry_mm, 0.9, "1.2.4") for n in plan.needles
    )
    seen = tuple(DetectedNeedle(n.tip_mm, n.entry_mm, 0.9) for n in plan.needles)
    facts: tuple[Event, ...] = (
        CaseOpened("Dr Li"),
        _ct(1, "PLANNING"),
        PlanImported("1.2.3", plan),
        _ct(4, "ROOM"),
        ScanAnalysed("1.2.4", AT, (), seen, (), 1.0),
        Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0),
        RegistrationAccepted("Dr Li"),
        NeedlesTracked("1.2.4", 6, tracks),
        NeedlesConfirmed("Dr Li"),
    )
    with Journal(path) as journal:
        for fact in facts:
            kind, payload = to_payload(fact)
            journal.append(CASE, kind, payload, at=AT)
    return plan
