"""The long work: reading, detecting, registering, tracking. One worker, frozen values.

A job goes in, facts come out; what went wrong becomes a fact too. Volumes and structures are
kept here by UID, since the state holds only references to them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.structures import Structure, plane_stack
from guidance.configuration import SourceSettings
from guidance.detection import Detections, detect
from guidance.errors import GuidanceError
from guidance.exchange import StructureSet, read_plan, read_structures
from guidance.imaging import read_latest
from guidance.imaging.volume import Volume
from guidance.planning.plan import ImplantPlan
from guidance.procedure.events import (
    Event,
    NeedlesTracked,
    ObjectRefused,
    PlanImported,
    Registered,
    RegistrationFailed,
    ScanAnalysed,
    StructuresImported,
)
from guidance.procedure.jobs import (
    AnalyseScan,
    Job,
    ReadPlan,
    ReadStructures,
    RegisterPlan,
    TrackNeedles,
)
from guidance.procedure.state import CaseState, Registration, Scan
from guidance.registration import register
from guidance.tracking import track_needles

log = logging.getLogger(__name__)

TARGET_ROLES = ("CTV", "PTV", "GTV")
CLEARANCE_LIMIT_MM = 10.0


class Workbench:
    """Does jobs; caches what they read."""

    def __init__(
        self,
        sources: SourceSettings | None = None,
        read: Callable[[Sequence[Path]], Volume] = read_latest,
    ) -> None:
        """Start with an empty cache.

        Args:
            sources: which seed models the site may use; the enabled ones if left out.
            read: makes a volume of a series' files.
        """
        self.sources = sources or SourceSettings()
        self._read = read
        self._volumes: dict[tuple[str, int], Volume] = {}
        self._structures: dict[str, StructureSet] = {}

    def run(self, job: Job, state: CaseState) -> Event:
        """Do one job for a state and return the fact it led to."""
        match job:
            case ReadStructures(series):
                return self._guarded(series.series_instance_uid, lambda: self._read_set(job))
            case ReadPlan(series):
                return self._guarded(
                    series.series_instance_uid, lambda: self._read_plan(job, state)
                )
            case AnalyseScan(scan, _):
                return self._guarded(scan.uid, lambda: self._analyse(job, state))
            case RegisterPlan():
                return self._register(job, state)
            case TrackNeedles():
                return self._track(job, state)

    def volume(self, scan: Scan) -> Volume:
        """Return a scan as a volume, read once.

        Raises:
            ImportRefused: it is no volume.
        """
        key = (scan.uid, len(scan.series.files))
        if key not in self._volumes:
            self._volumes[key] = self._read([Path(f) for f in scan.series.files])
        return self._volumes[key]

    def structures(self, state: CaseState) -> tuple[Structure, ...]:
        """Return the case's structures in the planning frame, without the needles' lines."""
        if state.structures is None:
            return ()
        found = self._structure_set(state.structures.path).structures
        return tuple(s for s in found if s.role != "BRACHY_CHANNEL")

    def _structure_set(self, path: str) -> StructureSet:
        if path not in self._structures:
            self._structures[path] = read_structures(Path(path))
        return self._structures[path]

    @staticmethod
    def _guarded(uid: str, work: Callable[[], Event]) -> Event:
        try:
            return work()
        except (GuidanceError, DoseError) as error:
            return ObjectRefused(uid, str(error))
        except Exception as error:
            # A defect of ours must not stop the room: it is said, logged, and set aside.
            log.exception("work on series %s failed", uid)
            return ObjectRefused(uid, f"internal error: {type(error).__name__}: {error}")

    def _read_set(self, job: ReadStructures) -> Event:
        path = job.series.files[-1]
        found = self._structure_set(path)
        # What cannot be measured is refused here, by name, not when its dose is wanted.
        for structure in found.structures:
            plane_stack(structure)
        return StructuresImported(
            job.series.series_instance_uid,
            found.sop_instance_uid,
            found.label,
            path,
            found.frame_of_reference_uid,
            tuple(s.name for s in found.structures),
        )

    def _read_plan(self, job: ReadPlan, state: CaseState) -> Event:
        structures = self._structure_set(state.structures.path) if state.structures else None
        plan = read_plan(Path(job.series.files[-1]), structures=structures)
        # A plan whose seeds cannot be dosed is refused here, not when the first one drops.
        self.sources.load(plan.source_model)
        return PlanImported(job.series.series_instance_uid, plan)

    def _analyse(self, job: AnalyseScan, state: CaseState) -> Event:
        volume = self.volume(job.scan)
        prior = state.latest("needles")
        prior_needles = prior.needles if prior and job.scan.purpose == "verification" else ()
        found: Detections = detect(
            volume, expected_seeds=job.expected_seeds, prior_needles=prior_needles
        )
        return ScanAnalysed(
            job.scan.uid,
            volume.provenance.acquired_at,
            found.seeds,
            found.needles,
            (*volume.provenance.remarks, *found.remarks),
            round(found.elapsed_s, 3),
        )

    def _register(self, job: RegisterPlan, state: CaseState) -> Event:
        try:
            target = target_of(state.plan, self.structures(state))
            about = None if target is None else np.concatenate(target.contours).mean(axis=0)
            found = register(self.volume(job.room), self.volume(job.planning), about_mm=about)
        except (GuidanceError, DoseError, RuntimeError) as error:
            # SimpleITK reports its own failures as RuntimeError.
            return RegistrationFailed(job.room.uid, job.planning.uid, " ".join(str(error).split()))
        matrix = tuple(tuple(float(x) for x in row) for row in found.plan_to_room)
        return Registered(
            job.room.uid,
            job.planning.uid,
            matrix,
            float(found.residual_mm),
            tuple(found.remarks),
            round(found.elapsed_s, 3),
        )

    def _track(self, job: TrackNeedles, state: CaseState) -> Event:
        assert state.registration is not None
        plan = plan_in_room(state)
        organs = organs_at_risk(state.plan, structures_in_room(state, self.structures(state)))
        detections = Detections(job.scan.seeds, job.scan.needles)
        tracks = track_needles(plan, detections, organs, limit_mm=CLEARANCE_LIMIT_MM)
        tracks = tuple(replace(t, scan_uid=job.scan.uid) for t in tracks)
        return NeedlesTracked(job.scan.uid, job.registration_number, tracks)


def matrix_of(registration: Registration) -> NDArray[np.float64]:
    """Return the 4x4 rigid matrix, planning frame to room frame, LPS mm."""
    return np.array(registration.result.plan_to_room, dtype=np.float64)


def plan_in_room(state: CaseState) -> ImplantPlan | None:
    """Return the plan in the room's frame, None without a plan or a registration."""
    if state.plan is None or state.registration is None:
        return None
    return state.plan.transformed(matrix_of(state.registration), _room_frame(state))


def structures_in_room(
    state: CaseState, structures: tuple[Structure, ...]
) -> tuple[Structure, ...]:
    """Return structures in the room's frame; none before a registration."""
    if state.registration is None:
        return ()
    matrix, frame = matrix_of(state.registration), _room_frame(state)
    return tuple(
        replace(
            s,
            contours=tuple(c @ matrix[:3, :3].T + matrix[:3, 3] for c in s.contours),
            frame_of_reference_uid=frame,
        )
        for s in structures
    )


def target_of(plan: ImplantPlan | None, structures: tuple[Structure, ...]) -> Structure | None:
    """Return the structure the prescription is for: as the plan names it, else by role."""
    if plan is not None and plan.target_name:
        for structure in structures:
            if structure.name == plan.target_name:
                return structure
    for role in TARGET_ROLES:
        for structure in structures:
            if role in {structure.role.upper(), structure.name.upper()}:
                return structure
    return None


def organs_at_risk(
    plan: ImplantPlan | None, structures: tuple[Structure, ...]
) -> tuple[Structure, ...]:
    """Return the structures to keep clear of: all that are neither target nor outline."""
    spared = {*TARGET_ROLES, "EXTERNAL", "BODY", "SUPPORT", "MARKER", "BRACHY_CHANNEL"}
    target = plan.target_name if plan else ""
    return tuple(
        s
        for s in structures
        if s.role.upper() not in spared and s.name.upper() not in spared and s.name != target
    )


def _room_frame(state: CaseState) -> str:
    assert state.registration is not None
    scan = state.scan(state.registration.result.room_uid)
    return scan.series.frame_of_reference_uid if scan else ""
