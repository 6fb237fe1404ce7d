"""From state to snapshot: the one place where facts, volumes and dose come together."""

from __future__ import annotations

from dataclasses import dataclass

from dose.structures import Structure
from guidance.conductor.dosing import LiveDose, Placed, strength_at
from guidance.conductor.workbench import (
    Workbench,
    matrix_of,
    plan_in_room,
    structures_in_room,
)
from guidance.errors import ImportRefused
from guidance.imaging.volume import Volume
from guidance.planning.plan import ImplantPlan
from guidance.procedure.closing import ledger
from guidance.procedure.snapshot import (
    ApplicatorView,
    DoseView,
    RegistrationView,
    ScanView,
    Snapshot,
)
from guidance.procedure.state import CaseState, Scan
from guidance.procedure.steps import next_action, step_of


@dataclass(frozen=True)
class _Room:
    """What holds as long as the registration does."""

    key: tuple[int, str]
    plan: ImplantPlan
    structures: tuple[Structure, ...]
    dose: LiveDose
    planned: DoseView
    strength_u: float


class Picture:
    """Builds snapshots; keeps the dose up to date between them."""

    def __init__(self, workbench: Workbench) -> None:
        """Draw volumes and structures from a workbench's cache."""
        self._workbench = workbench
        self._room: _Room | None = None
        self._dose: DoseView | None = None
        self._dosed: dict[str, Placed] = {}

    def of(self, state: CaseState, applicator: ApplicatorView) -> Snapshot:
        """Return the snapshot of a state."""
        room = self._room_of(state)
        dose = self._dose_of(state, room)
        scan, volume = self._shown(state)
        registration = state.registration
        return Snapshot(
            event_number=state.number,
            at=state.at,
            case_id=state.case_id,
            patient_id=state.patient_id,
            patient_name=state.patient_name or _name_in(volume),
            step=step_of(state),
            next_action=next_action(state),
            plan=room.plan if room else None,
            structures=room.structures if room else (),
            volume=volume,
            scan=_scan_view(scan) if scan else None,
            scans=tuple(_scan_view(s) for s in state.scans),
            registration=None
            if registration is None
            else RegistrationView(
                matrix_of(registration), registration.result.residual_mm, registration.accepted_by
            ),
            needles=state.needles,
            seeds=state.seeds,
            applicator=applicator,
            ledger=ledger(state),
            dose=dose,
            alarms=state.alarms,
            closed=bool(state.closed_by),
            planned_dose=room.planned if room else None,
            unknown_strokes=tuple((eid, needle) for eid, _, needle in state.device.unknown),
        )

    def _shown(self, state: CaseState) -> tuple[Scan | None, Volume | None]:
        """Return the scan to draw on: the room's newest that is read, the planning CT, or any."""
        for scan in reversed(state.scans):
            ready = scan.analysed or scan.purpose == "planning"
            if ready and not scan.refused and scan.purpose != "planning":
                return scan, self._volume(scan)
        planning = state.latest("planning")
        if planning is not None:
            return planning, self._volume(planning)
        # No plan yet, so nobody knows what a scan is for: it can be looked at all the same.
        for scan in reversed(state.scans):
            if not scan.refused and (volume := self._volume(scan)) is not None:
                return scan, volume
        return None, None

    def _volume(self, scan: Scan) -> Volume | None:
        try:
            return self._workbench.volume(scan)
        except ImportRefused:
            return None

    def _room_of(self, state: CaseState) -> _Room | None:
        plan, registration = plan_in_room(state), state.registration
        if plan is None or registration is None or state.structures is None:
            return None
        key = (registration.number, state.structures.sop_instance_uid)
        if self._room is None or self._room.key != key:
            structures = structures_in_room(state, self._workbench.structures(state))
            source = self._workbench.sources.load(plan.source_model)
            needles = state.latest("needles")
            when = (needles.acquired_at if needles else None) or state.at
            strength_u = strength_at(plan, when, source.half_life_days)
            planned = {
                f"planned {s.number}": Placed(s.position_mm, s.axis, strength_u) for s in plan.seeds
            }
            as_planned = LiveDose(source, structures, plan, how="seeds as planned")
            self._room = _Room(
                key,
                plan,
                structures,
                LiveDose(source, structures, plan, how="seeds as seen, else as counted"),
                as_planned.update(planned, state.number),
                strength_u,
            )
            self._dose, self._dosed = None, {}
        return self._room

    def _dose_of(self, state: CaseState, room: _Room | None) -> DoseView | None:
        if room is None:
            return None
        seeds = {
            f"seed {s.number}": Placed(s.position_mm, s.axis, room.strength_u) for s in state.seeds
        }
        if self._dose is None or seeds != self._dosed:
            self._dose = room.dose.update(seeds, state.number)
            self._dosed = seeds
        return self._dose


def _name_in(volume: Volume | None) -> str:
    return volume.provenance.patient_name if volume else ""


def _scan_view(scan: Scan) -> ScanView:
    return ScanView(
        scan.uid, scan.purpose, scan.series.description, scan.acquired_at, scan.received_at
    )
