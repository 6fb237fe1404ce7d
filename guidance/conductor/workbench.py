"""The long work: reading, detecting, registering, tracking, weighing. Frozen values.

A job goes in, a fact comes out; what went wrong becomes a fact too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.structures import plane_stack
from guidance.advice import advise
from guidance.conductor.library import Library
from guidance.conductor.modelling import Modelled
from guidance.conductor.room import (
    matrix_of,
    organs_at_risk,
    plan_in_room,
    structures_in_room,
    target_of,
)
from guidance.conductor.weighing import medium_of, situation_of
from guidance.detection import Detections, detect
from guidance.errors import GuidanceError, UnmatchedError
from guidance.exchange import read_plan
from guidance.procedure.events import (
    AdviceFailed,
    Advised,
    Event,
    NeedlesTracked,
    ObjectRefused,
    PlanImported,
    Registered,
    RegistrationFailed,
    RegistrationMeasured,
    ScanAnalysed,
    StructuresImported,
    Turned,
)
from guidance.procedure.jobs import (
    Advise,
    AnalyseScan,
    Job,
    MeasureRegistration,
    ReadPlan,
    ReadStructures,
    RegisterPlan,
    TrackNeedles,
)
from guidance.procedure.state import CaseState
from guidance.registration import register, residual_mm
from guidance.tracking import Surroundings, line_ahead, outside_body, track_needles
from guidance.tracking.implant import NeedleTrack

log = logging.getLogger(__name__)


class Workbench:
    """Does jobs."""

    def __init__(self, library: Library) -> None:
        """Work with what a library has."""
        self._library = library

    def run(self, job: Job, state: CaseState, dose: Modelled | None = None) -> Event:
        """Do one job for a state and return the fact it led to.

        Args:
            job: what to do.
            state: for which.
            dose: the model-based dose of the implant, for advice that goes by it.
        """
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
            case MeasureRegistration():
                return self._measure(job, state)
            case Advise():
                return self._advise(state, dose)

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
        found = self._library.structure_set(path)
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
            found.referenced_series_uid,
        )

    def _read_plan(self, job: ReadPlan, state: CaseState) -> Event:
        structures = (
            self._library.structure_set(state.structures.path) if state.structures else None
        )
        plan = read_plan(Path(job.series.files[-1]), structures=structures)
        # A plan whose seeds cannot be dosed is refused here, not when the first one drops.
        self._library.sources.load(plan.source_model)
        return PlanImported(job.series.series_instance_uid, plan)

    def _analyse(self, job: AnalyseScan, state: CaseState) -> Event:
        volume = self._library.volume(job.scan)
        prior = state.latest("needles")
        prior_needles = prior.needles if prior and job.scan.purpose == "verification" else ()
        found: Detections = detect(
            volume, expected_seeds=job.expected_seeds, prior_needles=prior_needles
        )
        outside = outside_body(volume, [s.position_mm for s in found.seeds])
        seeds = tuple(
            replace(s, outside=bool(out)) for s, out in zip(found.seeds, outside, strict=True)
        )
        return ScanAnalysed(
            job.scan.uid,
            volume.provenance.acquired_at,
            seeds,
            found.needles,
            (*volume.provenance.remarks, *found.remarks),
            round(found.elapsed_s, 3),
        )

    def _register(self, job: RegisterPlan, state: CaseState) -> Event:
        try:
            about = self._about(state)
            found = register(
                self._library.volume(job.room), self._library.volume(job.planning), about_mm=about
            )
        except (GuidanceError, DoseError, RuntimeError) as error:
            # SimpleITK reports its own failures as RuntimeError.
            why = " ".join(str(error).split())
            axis = error.turned_about if isinstance(error, UnmatchedError) else ""
            turned = self._turned(job, axis)
            return RegistrationFailed(job.room.uid, job.planning.uid, why, turned)
        matrix = tuple(tuple(float(x) for x in row) for row in found.plan_to_room)
        return Registered(
            job.room.uid,
            job.planning.uid,
            matrix,
            float(found.residual_mm),
            tuple(found.remarks),
            round(found.elapsed_s, 3),
            turned=self._turned(job, found.turned_about),
        )

    def _turned(self, job: RegisterPlan, axis: str) -> Turned | None:
        if not axis:
            return None
        planning, room = (
            self._library.volume(scan).provenance.patient_position
            for scan in (job.planning, job.room)
        )
        return Turned(axis, planning, room)

    def _about(self, state: CaseState) -> NDArray[np.float64] | None:
        """Return the target's centre in the planning frame, None without a target."""
        target = target_of(state.plan, self._library.structures(state))
        return None if target is None else np.concatenate(target.contours).mean(axis=0)

    def _measure(self, job: MeasureRegistration, state: CaseState) -> Event:
        assert state.registration is not None
        try:
            found = residual_mm(
                self._library.volume(job.room),
                self._library.volume(job.planning),
                matrix_of(state.registration),
                about_mm=self._about(state),
            )
        except (GuidanceError, DoseError) as error:
            return RegistrationFailed(job.room.uid, job.planning.uid, str(error))
        return RegistrationMeasured(job.registration_number, found)

    def _advise(self, state: CaseState, dose: Modelled | None) -> Event:
        assert state.plan is not None
        try:
            source = self._library.sources.load(state.plan.source_model)
            situation = situation_of(state, self._library.structures(state), source)
            return Advised(advise(replace(situation, medium=medium_of(state, dose))))
        except (GuidanceError, DoseError) as error:
            return AdviceFailed(state.implant_at, str(error))
        except Exception as error:
            # A defect in advice must not stop the room: it is said, logged, and set aside.
            log.exception("advice failed")
            return AdviceFailed(state.implant_at, f"internal error: {type(error).__name__}")

    def _track(self, job: TrackNeedles, state: CaseState) -> Event:
        assert state.registration is not None
        plan, structures = (
            plan_in_room(state),
            structures_in_room(state, self._library.structures(state)),
        )
        organs = organs_at_risk(state.plan, structures)
        detections = Detections(job.scan.seeds, job.scan.needles)
        tracks = track_needles(plan, detections, organs, limit_mm=state.protocol.clearance_mm)
        target = target_of(plan, structures)
        around = Surroundings.of(
            self._library.volume(job.scan), structures, target.name if target else ""
        )
        seen = {n.tip_mm: n.confirmed_by for n in job.scan.needles}
        tracks = tuple(_looking_ahead(t, around, job.scan.uid, seen) for t in tracks)
        return NeedlesTracked(job.scan.uid, job.registration_number, tracks)


def _looking_ahead(
    track: NeedleTrack, around: Surroundings, scan_uid: str, seen: dict[Any, str]
) -> NeedleTrack:
    """Return a track with what lies ahead of it, and who placed it."""
    track = replace(track, scan_uid=scan_uid)
    if track.tip_mm is None or track.entry_mm is None:
        return track
    return replace(
        track,
        ahead=line_ahead(track.tip_mm, track.entry_mm, around),
        confirmed_by=seen.get(track.tip_mm, ""),
    )
