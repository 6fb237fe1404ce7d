"""From state to snapshot: the one place where facts, volumes and dose come together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from dose.structures import Structure
from guidance.conductor.dosing import LiveDose, Placed, strength_at
from guidance.conductor.library import Library
from guidance.conductor.limits import dose_figures
from guidance.conductor.room import matrix_of, plan_in_room, structures_in_room, target_of
from guidance.errors import ImportRefused
from guidance.imaging.volume import Volume
from guidance.planning.plan import ImplantPlan
from guidance.procedure.closing import ledger, roles_wanted
from guidance.procedure.events import DoseReported
from guidance.procedure.jobs import model_dose
from guidance.procedure.registering import turn_deg
from guidance.procedure.snapshot import (
    ApplicatorView,
    DoseView,
    ModelledView,
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
    counted: LiveDose
    planned: DoseView
    strength_u: float
    half_life_days: float


class Picture:
    """Builds snapshots; keeps the dose up to date between them."""

    def __init__(self, library: Library) -> None:
        """Draw volumes and structures from a library."""
        self._library = library
        self._room: _Room | None = None
        self._doses: dict[str, tuple[dict[str, Placed], DoseView]] = {}

    def of(
        self, state: CaseState, applicator: ApplicatorView, modelled: ModelledView | None = None
    ) -> Snapshot:
        """Return the snapshot of a state.

        Args:
            state: the case.
            applicator: as last heard.
            modelled: the model-based dose of this very implant, to be held against the limits
                where it leads; None where there is none whole.
        """
        room = self._room_of(state)
        dose = counted = None
        if room is not None:
            known = {s.number: Placed(s.position_mm, s.axis, room.strength_u) for s in state.seeds}
            dose = self._dose_of("known", room.dose, known, state.number, _seen_in(state))
            only = {
                s.number: Placed(s.counted_mm, s.counted_axis, room.strength_u)
                for s in state.seeds
                if s.counted_mm is not None
            }
            counted = self._dose_of("counted", room.counted, only, state.number)
        scan, volume = self._shown(state)
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
            registration=self._registration_of(state),
            needles=state.needles,
            seeds=state.seeds,
            applicator=applicator,
            ledger=ledger(state),
            dose=dose,
            alarms=state.alarms,
            closed=bool(state.closed_by),
            planned_dose=room.planned if room else None,
            stops_left_mm=state.stops_left_mm,
            unknown_strokes=tuple((eid, needle) for eid, _, needle in state.device.unknown),
            advice=(state.advice.reason,) if state.advice else (),
            protocol=state.protocol,
            proposal=state.advice,
            proposal_is_stale=state.advice is not None
            and state.advice.event_number < state.implant_at,
            supplements=state.supplements,
            additions=state.additions,
            dose_counted=counted,
            dose_figures=()
            if room is None
            else dose_figures(
                state,
                room.plan,
                room.structures,
                (dose, counted, room.planned, modelled),
                room.half_life_days,
            ),
            planning_volume=self._planning(state),
            questions=state.questions,
            edits=state.edits,
            checklist=state.checklist,
            signatures=state.signatures,
            roles_wanted=roles_wanted(state),
            courses=state.courses,
            opened_by=state.opened_by,
            engine=state.engine,
            engine_chosen_by=state.engine_chosen_by,
            modelled_reported=_reported(state),
        )

    def _planning(self, state: CaseState) -> Volume | None:
        planning = state.latest("planning")
        return None if planning is None else self._volume(planning)

    def _registration_of(self, state: CaseState) -> RegistrationView | None:
        registration = state.registration
        if registration is None:
            return None
        matrix = matrix_of(registration)
        target = target_of(state.plan, self._library.structures(state))
        shift = (0.0, 0.0, 0.0)
        if target is not None:
            centre = np.concatenate(target.contours).mean(axis=0)
            x, y, z = (float(v) for v in matrix[:3, :3] @ centre + matrix[:3, 3] - centre)
            shift = (x, y, z)
        return RegistrationView(
            matrix,
            registration.result.residual_mm,
            registration.accepted_by,
            registration.measured,
            registration.doubts,
            registration.result.remarks,
            shift,
            turn_deg(matrix),
            registration.nudges,
            registration.result.room_uid,
            registration.result.planning_uid,
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
            return self._library.volume(scan)
        except ImportRefused:
            return None

    def _room_of(self, state: CaseState) -> _Room | None:
        plan, registration = plan_in_room(state), state.registration
        if plan is None or registration is None or state.structures is None:
            return None
        key = (registration.number, state.structures.sop_instance_uid)
        if self._room is None or self._room.key != key:
            structures = structures_in_room(state, self._library.structures(state))
            source = self._library.sources.load(plan.source_model)
            needles = state.latest("needles")
            when = (needles.acquired_at if needles else None) or state.at
            strength_u = strength_at(plan, when, source.half_life_days)
            planned = {
                f"planned {s.number}": Placed(s.position_mm, s.axis, strength_u) for s in plan.seeds
            }
            as_planned = LiveDose(source, structures, plan, how="seeds as planned")
            live = LiveDose(
                source, structures, plan, how="seeds as seen, else as counted", like=as_planned
            )
            self._room = _Room(
                key,
                plan,
                structures,
                live,
                LiveDose(source, structures, plan, how="seeds as counted", like=as_planned),
                as_planned.update(planned, state.number),
                strength_u,
                source.half_life_days,
            )
            self._doses = {}
        return self._room

    def _dose_of(
        self,
        name: str,
        dose: LiveDose,
        seeds: dict[int, Placed],
        number: int,
        seen_in: tuple[tuple[str, int], ...] = (),
    ) -> DoseView:
        """Bring a dose to these seeds; it stays as it is where none has changed."""
        keyed = {f"seed {k}": seed for k, seed in seeds.items()}
        before = self._doses.get(name)
        if before is None or before[0] != keyed:
            self._doses[name] = (keyed, replace(dose.update(keyed, number), seen_in=seen_in))
        elif before[1].seen_in != seen_in:
            # Seen again, in the very same places.
            self._doses[name] = (keyed, replace(before[1], seen_in=seen_in))
        return self._doses[name][1]


def _name_in(volume: Volume | None) -> str:
    return volume.provenance.patient_name if volume else ""


def _reported(state: CaseState) -> DoseReported | None:
    """Return the recorded figures of the model-based dose, if they are of this very implant."""
    found, due = state.modelled_reported, model_dose(state)
    return found if found and due and found.event_number == due.event_number else None


def _seen_in(state: CaseState) -> tuple[tuple[str, int], ...]:
    """Return how many seeds lie where each scan shows them, in the order of the scans."""
    seen = Counter(s.scan_uid for s in state.seeds if s.seen_mm is not None)
    return tuple((scan.uid, seen[scan.uid]) for scan in state.scans if seen[scan.uid])


def _scan_view(scan: Scan) -> ScanView:
    return ScanView(
        scan.uid, scan.purpose, scan.series.description, scan.acquired_at, scan.received_at
    )
