"""A case to look at: a block of tissue with a spine, needles, seeds and a smooth dose."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.alarms import Alarm, Priority
from guidance.errors import RefusedError
from guidance.imaging.volume import Provenance, Volume
from guidance.ledger import LedgerView
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.snapshot import (
    ApplicatorView,
    DoseView,
    DvhView,
    RegistrationView,
    ScanView,
    Snapshot,
    Step,
)
from guidance.tracking.implant import Clearance, Encounter, ImplantSeed, NeedleTrack

NOW = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)


def vector(x: float, y: float, z: float) -> np.ndarray:
    return np.array((x, y, z), float)


TARGET_MM = vector(30, 10, -200)
PRESCRIPTION_GY = 120.0


def volume(position: str = "HFP", side: int = 256, slices: int = 30) -> Volume:
    """A body lying on a table; HFP is stored as the scanner does, rows from P to A."""
    spacing = 360.0 / side
    _, y, x = np.meshgrid(
        np.arange(slices) * 3.0 - 245.0,
        (np.arange(side) - side / 2) * spacing,
        (np.arange(side) - side / 2) * spacing,
        indexing="ij",
        sparse=True,
    )
    hu = np.full((slices, side, side), -1000.0)
    hu[np.broadcast_to((x / 165) ** 2 + (y / 110) ** 2 < 1, hu.shape)] = 40.0
    vertebra = (x / 24) ** 2 + ((y - 20) / 18) ** 2 < 1
    canal = (x / 9) ** 2 + ((y - 46) / 8) ** 2 < 1
    arch = ((x / 16) ** 2 + ((y - 48) / 16) ** 2 < 1) & ~canal
    hu[np.broadcast_to(vertebra | arch, hu.shape)] = 450.0
    hu += np.random.default_rng(0).normal(0, 18, hu.shape)
    table = (y < -112) & (y > -120) if position == "HFP" else (y > 112) & (y < 120)
    hu[np.broadcast_to(table & (np.abs(x) < 170), hu.shape)] = 300.0
    axes = np.eye(3)
    if position == "HFP":
        axes = np.diag((-1.0, -1.0, 1.0))
        hu = hu[:, ::-1, ::-1]
    low, high = -side / 2 * spacing, (side / 2 - 1) * spacing
    first = vector(high, high, -245) if position == "HFP" else vector(low, low, -245)
    geometry = GridGeometry.from_axes(
        first, (spacing, spacing, 3.0), hu.shape, axes=axes, frame_of_reference_uid="1.2.3"
    )
    provenance = Provenance(
        patient_id="P-0042", patient_name="Example^Case", patient_position=position
    )
    return Volume(geometry, np.ascontiguousarray(hu.astype(np.int16)), provenance)


def _ball(name: str, centre: np.ndarray, radius: float, colour: tuple[int, int, int], role: str):
    loops = []
    for z in np.arange(-radius, radius + 0.1, 3.0):
        r = np.sqrt(max(radius**2 - z**2, 1.0))
        turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        loop = np.column_stack((r * np.cos(turn), r * np.sin(turn), np.full(48, z)))
        loops.append(loop + centre)
    return Structure(name, tuple(loops), role, "1.2.3", colour)


def structures() -> tuple[Structure, ...]:
    cord = vector(0, 46, -200)
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    tube = tuple(
        np.column_stack((7 * np.cos(turn), 7 * np.sin(turn), np.full(32, z))) + cord
        for z in np.arange(-30.0, 31.0, 3.0)
    )
    return (
        _ball("GTV", TARGET_MM, 16.0, (255, 90, 90), "GTV"),
        Structure("Spinal cord", tube, "ORGAN", "1.2.3", (90, 220, 255)),
    )


def plan() -> ImplantPlan:
    needles, seeds = [], []
    for number in range(1, 7):
        column, row = divmod(number - 1, 2)
        tip = TARGET_MM + vector(8 * column - 8, -10, 10 * row - 5)
        entry = tip + vector(25, 100, 4)
        needles.append(PlannedNeedle(number, tuple(tip), tuple(entry)))
        along = (tip - entry) / np.linalg.norm(tip - entry)
        for k in range(3):
            seeds.append(
                PlannedSeed(
                    len(seeds) + 1, number, tuple(tip - along * 10 * k), tuple(along), 10.0 * k
                )
            )
    return ImplantPlan(
        "L3 left", "1.2", "P-0042", "1.2.3", "1.3", "6711", 0.6, NOW, PRESCRIPTION_GY, "GTV",
        tuple(needles), tuple(seeds),
    )  # fmt: skip


def needles() -> tuple[NeedleTrack, ...]:
    tracks = []
    for planned in plan().needles:
        off = vector(1.5, -1.0, 0.5) * planned.number / 2
        near = planned.number == 5
        tracks.append(
            NeedleTrack(
                planned.number,
                planned,
                tuple(planned.tip_mm + off),
                tuple(np.array(planned.entry_mm) + off / 2),
                0.9,
                "1.9",
                tip_deviation_mm=float(np.linalg.norm(off)),
                lateral_deviation_mm=1.2,
                depth_deviation_mm=0.7 * planned.number - 2,
                entry_deviation_mm=0.8,
                angle_deg=0.9 * planned.number / 2,
                clearances=(Clearance("Spinal cord", 8.1 if near else 14.2, 10.0),),
                ahead=(
                    Encounter("bone", "bone", 12.0, 20.0, "scan"),
                    Encounter("Spinal cord", "cord", 31.5, 9.0, "structures"),
                ),
            )
        )
    tracks[5] = NeedleTrack(6, plan().needles[5])
    return tuple(tracks)


def seeds() -> tuple[ImplantSeed, ...]:
    made = []
    for seed in plan().seeds[:11]:
        at = tuple(seed.position_mm + vector(0.6, -0.4, 0.3))
        status = {3: "missing", 10: "counted", 11: "counted"}.get(seed.number, "seen")
        made.append(
            ImplantSeed(
                seed.number, seed.needle, seed.number, seed.position_mm, seed.axis,
                at if status == "seen" else None, seed.axis if status == "seen" else None,
                0.9, "" if status == "counted" else "1.9", f"1:{seed.number}",
            )
        )  # fmt: skip
    extra = tuple(TARGET_MM + vector(4, 14, 0))
    made.append(ImplantSeed(12, None, None, None, None, extra, None, 0.8))
    return tuple(made)


def dose(seeds_: int = 12, scale: float = 1.0, event: int = 41) -> DoseView:
    geometry = GridGeometry.around(TARGET_MM - 40, TARGET_MM + 40, 1.0)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), -1)
    far = np.linalg.norm(geometry.indices_to_patient(index[..., ::-1]) - TARGET_MM, axis=-1)
    gray = (scale * 420.0 * np.exp(-far / 14.0)).astype(np.float32)
    axis = np.linspace(0, 500, 200)
    views = []
    for name, middle, width in (("GTV", 190.0 * scale, 45.0), ("Spinal cord", 50.0 * scale, 14.0)):
        figures = {
            "D90_gy": middle * 0.7,
            "V100_percent": 91.3 * scale,
            "V150_percent": 60.2 * scale,
            "Dmax_gy": middle * 1.8,
            "D0.1cc_gy": middle * 1.5,
        }
        volume_percent = 100.0 / (1.0 + np.exp((axis - middle) / width))
        views.append(DvhView(name, 17.2, axis, volume_percent, figures))
    return DoseView(
        geometry, gray, PRESCRIPTION_GY, tuple(views), event, seeds_,
        "TG-43 2D line source, 6711, water in water, seeds as seen, else as counted",
        (("1.9", 9),),
    )  # fmt: skip


def snapshot(position: str = "HFP", **changes: object) -> Snapshot:
    """A case in the middle of the implant."""
    scan = ScanView("1.9", "needles", "needles in place", NOW - timedelta(minutes=3), NOW)
    shown = Snapshot(
        event_number=42, at=NOW, case_id="case-1", patient_id="P-0042",
        patient_name="Example^Case", step=Step.IMPLANT,
        next_action="Needle 4: drop 2 more, drawing back between seeds.",
        plan=plan(), structures=structures(), volume=volume(position), scan=scan, scans=(scan,),
        registration=RegistrationView(np.eye(4), 0.8, "Dr Example", room_uid="1.9"),
        needles=needles(), seeds=seeds(),
        applicator=ApplicatorView(
            "up", "SN7", True, 4, 3, 1, "A17", 4, NOW - timedelta(seconds=1)
        ),
        stops_left_mm=(10.0, 20.0),
        ledger=LedgerView(
            received=15, implanted=11, seen=9, directive=18, in_cartridges=4,
        ),
        dose=dose(),
        planned_dose=replace(
            dose(18, 1.1, 20), method="TG-43, seeds as planned", seen_in=()
        ),
        alarms=(
            Alarm("seeds:missing", Priority.HIGH,
                  "1 of 11 counted seeds are not seen on the scan: 3.", NOW),
            Alarm("clearance:5", Priority.MEDIUM,
                  "Needle 5 passes the spinal cord at 8.1 mm, limit 10 mm.", NOW),
        ),
    )  # fmt: skip
    return replace(shown, **changes)


class Recorder:
    """Takes the acts down; refuses them all if told to."""

    def __init__(self, refusal: str = "") -> None:
        self.acts: list[tuple[object, ...]] = []
        self._refusal = refusal

    def __getattr__(self, name: str):
        def act(*arguments: object, **named: object) -> Future:
            self.acts.append((name, *arguments, named) if named else (name, *arguments))
            answer: Future = Future()
            if self._refusal:
                answer.set_exception(RefusedError(self._refusal))
            else:
                answer.set_result(None)
            return answer

        return act
