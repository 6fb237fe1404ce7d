"""Photons carried through a scan of the room, for the model-based dose of an implant."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numba
import numpy as np
from numpy.typing import NDArray

from dose.dvh import figures
from dose.errors import DoseError
from dose.grid import DoseGrid
from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.structures import Samples, Structure, sample
from dose.transport.emission import Emission, emission_of, reached
from dose.transport.simulation import TransportDose, part_known, simulate
from guidance.conductor.adding import Carried, how_many_more, with_more
from guidance.conductor.dosing import SAMPLE_SPACING_MM, SAMPLES_AT_MOST, strength_at
from guidance.conductor.library import Library
from guidance.conductor.modelled import (
    CORD_REACH_MM,
    Regions,
    distance_mm,
    metal_of,
    regions_of,
)
from guidance.conductor.modelling import Modelled
from guidance.conductor.naming import RESEARCH
from guidance.conductor.offline import histogram
from guidance.conductor.room import (
    TARGET_ROLES,
    organs_at_risk,
    plan_in_room,
    structures_in_room,
    target_of,
)
from guidance.configuration import CtSettings, ModelledSettings
from guidance.errors import GuidanceError
from guidance.media import PatientMedia, assign, calibration_of
from guidance.planning.cord import cord_of
from guidance.procedure.jobs import ModelDose
from guidance.procedure.snapshot import ModelledFigures, ModelledView
from guidance.procedure.state import CaseState

log = logging.getLogger(__name__)

SHOWN_EVERY_S = 0.7
# A structure is whole if this part of it lies inside the grid.
WHOLE = 0.999
NOWHERE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class _Bench:
    """What a run is made of."""

    seeds: Seeds
    source: SourceModel
    emission: Emission
    patient: PatientMedia
    organs: tuple[tuple[Structure, Samples], ...]
    spared: frozenset[str]
    target: str
    cord: str
    regions: Regions
    tg43_gy: NDArray[np.float32]
    prescription_gy: float


class PhotonRun:
    """Makes the model-based dose of a state."""

    def __init__(self, library: Library, settings: ModelledSettings, ct: CtSettings) -> None:
        """Prepare for any case.

        Args:
            library: whose volumes, structures and sources are used.
            settings: how well the dose is wanted.
            ct: HU to density.
        """
        self._library = library
        self._settings = settings
        self._ct = ct
        # The last dose with all that it was made of.
        self._carried: tuple[ModelDose, _Bench, TransportDose] | None = None

    def run(
        self,
        job: ModelDose,
        state: CaseState,
        tell: Callable[[Modelled], None],
        over: Callable[[], bool],
    ) -> None:
        """Do a job, and tell what comes of it as it comes; the last word is ``ended``.

        Args:
            job: what to compute.
            state: for which.
            tell: called with what there is so far.
            over: says whether nobody wants it any more.
        """
        # One core is left to the seeds, to TG-43 and to the screen.
        before = numba.get_num_threads()
        numba.set_num_threads(max(1, before - 1))
        try:
            tell(self._run(job, state, tell, over))
        except (GuidanceError, DoseError) as error:
            tell(Modelled(job, refused=_sentence(str(error)), ended=True))
        except Exception as error:
            # A defect of ours must not stop the room: it is said, logged, and set aside.
            log.exception("the model-based dose failed")
            tell(Modelled(job, refused=f"Internal error: {type(error).__name__}.", ended=True))
        finally:
            numba.set_num_threads(before)

    def _run(
        self,
        job: ModelDose,
        state: CaseState,
        tell: Callable[[Modelled], None],
        over: Callable[[], bool],
    ) -> Modelled:
        quick = self._with_more(job, state)
        if quick is not None:
            tell(Modelled(job, quick))
        bench = self._laid_out(job, state)
        if over():
            return Modelled(job, ended=True)
        least = np.inf if quick is None else dict(quick.reached)["target"]

        def show(dose: TransportDose) -> None:
            # What is there already is better until this is as well known.
            better = dose.reached["target"] <= least
            view = self._view(job, bench, dose, ended=False) if better else None
            tell(Modelled(job, view, share=part_known(dose, bench.regions)))

        dose = simulate(
            bench.patient.media,
            bench.seeds,
            bench.emission,
            bench.source.half_life_days,
            regions=bench.regions,
            time_limit_s=self._settings.time_limit_s,
            metal=metal_of(bench.seeds, bench.source),
            aim="cord" if "cord" in bench.regions else "",
            shown=show,
            every_s=SHOWN_EVERY_S,
            cancelled=over,
        )
        if dose.cancelled:
            return Modelled(job, ended=True)
        self._carried = job, bench, dose
        return Modelled(job, self._view(job, bench, dose, ended=True), ended=True)

    def _with_more(self, job: ModelDose, state: CaseState) -> ModelledView | None:
        """Return the last dose with the seeds dropped since, at once; None where it is no base."""
        if self._carried is None or _place(self._carried[0]) != _place(job):
            return None
        _, bench, dose = self._carried
        carried = Carried(bench.patient.media, bench.seeds, dose)
        seeds = _seeds(state, bench.source)
        more = how_many_more(carried, seeds)
        if not more:
            return None
        added = with_more(
            carried, seeds, bench.source, bench.emission, bench.regions, run=job.event_number + 2
        )
        bench = replace(bench, seeds=seeds, tg43_gy=_tg43_gy(bench.patient, seeds, bench.source))
        self._carried = job, bench, added.dose
        return self._view(job, bench, added.dose, ended=False, added=more)

    def _laid_out(self, job: ModelDose, state: CaseState) -> _Bench:
        plan, scan = plan_in_room(state), state.scan(job.scan_uid)
        assert plan is not None
        assert scan is not None
        source = self._library.sources.load(plan.source_model)
        emission = emission_of(source, self._settings.research_models)
        volume = self._library.volume(scan)
        calibration = calibration_of(volume, self._ct)
        seeds = _seeds(state, source)
        structures = structures_in_room(state, self._library.structures(state))
        target, spared = target_of(plan, structures), organs_at_risk(plan, structures)
        cord, others = cord_of(spared), {s.name for s in spared}
        organs = tuple(
            (s, sample(s, spacing_mm=SAMPLE_SPACING_MM, at_most=SAMPLES_AT_MOST))
            for s in structures
            if s.contours and (s is target or s.name in others or s.role.upper() in TARGET_ROLES)
        )
        by_name = {s.name: samples for s, samples in organs}
        targets = [by_name[target.name]] if target and target.name in by_name else []
        cords = [by_name[cord.name]] if cord and cord.name in by_name else []
        patient = assign(
            volume,
            seeds,
            calibration,
            spacing_mm=self._settings.spacing_mm,
            covering_mm=np.concatenate([np.zeros((0, 3)), *(s.points_mm for s in targets + cords)]),
        )
        grid = patient.media.geometry
        uncertainty = self._settings.uncertainty_percent / 100.0
        return _Bench(
            seeds,
            source,
            emission,
            patient,
            organs,
            frozenset(others),
            target.name if targets and target else "",
            cord.name if cords and cord else "",
            regions_of(targets, cords, grid, seeds, uncertainty),
            _tg43_gy(patient, seeds, source),
            plan.prescription_gy,
        )

    def _view(
        self, job: ModelDose, bench: _Bench, dose: TransportDose, *, ended: bool, added: int = 0
    ) -> ModelledView:
        medium, water = dose.medium_gy.astype(np.float32), dose.water_gy.astype(np.float32)
        found, remarks = [], [*bench.patient.remarks, reached(bench.source)]
        for structure, samples in bench.organs:
            (of_medium, share), (of_water, _) = (
                histogram(gy, dose.geometry, samples) for gy in (medium, water)
            )
            if share < WHOLE:
                percent = f"{100 * (1 - share):.1f} % of {structure.name}"
                is_target = structure.name not in bench.spared
                if is_target or not _far_off(bench, samples):
                    # What it would get there is not known; its figures would be too low.
                    remarks.append(f"{structure.name} is left out: {percent} lies outside the CT.")
                    continue
                remarks.append(
                    f"{percent} lies outside the CT, far from the seeds, and is taken as 0 Gy."
                )
            found.append(
                ModelledFigures(
                    structure.name,
                    figures(of_medium, bench.prescription_gy),
                    figures(of_water, bench.prescription_gy),
                    *of_medium.curve(),
                )
            )
        for name, (_, wanted) in bench.regions.items():
            if ended and dose.reached[name] > wanted:
                remarks.append(
                    f"Ended by the time limit with a mean uncertainty of "
                    f"{100 * dose.reached[name]:.1f} % in the {name}; {100 * wanted:g} % was "
                    "wanted."
                )
        if added:
            last = "The last seed was" if added == 1 else f"The last {added} seeds were"
            remarks.append(
                f"{last} run alone and added; what that metal takes from the others is missing "
                "until all are run again."
            )
        n = len(bench.seeds)
        return ModelledView(
            geometry=dose.geometry,
            dose_gy=medium,
            water_gy=water,
            tg43_gy=bench.tg43_gy,
            uncertainty=dose.uncertainty.astype(np.float32),
            figures=tuple(found),
            reached=tuple(dose.reached.items()),
            target=bench.target,
            cord=bench.cord,
            event_number=job.event_number,
            scan_uid=job.scan_uid,
            seeds=n,
            histories=dose.histories,
            ended=ended,
            method=f"Monte Carlo ({RESEARCH}), {bench.source.model}, dose to medium in medium, "
            f"{n} seed{'' if n == 1 else 's'}, their metal met, no needles, "
            f"grid {self._settings.spacing_mm:g} mm",
            remarks=tuple(remarks),
        )


def _place(job: ModelDose) -> tuple[int, str, str]:
    """Return what tells patient and structures, whatever the seeds."""
    return job.registration_number, job.structures_uid, job.scan_uid


def _tg43_gy(patient: PatientMedia, seeds: Seeds, source: SourceModel) -> NDArray[np.float32]:
    tg43 = DoseGrid(patient.media.geometry, source)
    tg43.become([str(k) for k in range(len(seeds))], seeds)
    return tg43.dose_gy.copy()


def _far_off(bench: _Bench, samples: Samples) -> bool:
    """Return whether what lies outside the grid lies well behind the part nearest to a seed."""
    inside = bench.patient.media.geometry.contains(samples.points_mm)
    if not inside.any():
        return False
    near = distance_mm(samples.points_mm[inside], bench.seeds).min()
    far = distance_mm(samples.points_mm[~inside], bench.seeds).min()
    return bool(far >= near + CORD_REACH_MM)


def _seeds(state: CaseState, source: SourceModel) -> Seeds:
    """Return the implant as TG-43 has it: as seen, else as counted."""
    assert state.plan is not None
    scan = state.latest("needles")
    when = (scan.acquired_at if scan else None) or state.at
    strength_u = strength_at(state.plan, when, source.half_life_days)
    return Seeds(
        np.array([s.position_mm for s in state.seeds]),
        np.array([s.axis or NOWHERE for s in state.seeds]),
        np.full(len(state.seeds), strength_u),
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:].rstrip(".") + "."
