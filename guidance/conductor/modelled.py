"""The model-based dose of given seeds: photons carried through the patient's own CT."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dose.dvh import figures
from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.strength import delivered_fraction
from dose.structures import Samples, Structure
from dose.transport.emission import emission_of, reached
from dose.transport.materials import WATER
from dose.transport.media import Media
from dose.transport.metal import NEEDLE_18G, Metal, capsule_of
from dose.transport.simulation import TransportDose, corrected_gy, simulate
from guidance.conductor.given import GivenSeeds
from guidance.conductor.naming import RESEARCH, modelled_description
from guidance.conductor.offline import (
    TARGET_ROLES,
    Period,
    histogram,
    one_frame,
    samples_of,
)
from guidance.configuration import CtSettings
from guidance.errors import CommandError
from guidance.exchange import ExportReference, read_structures, write_dose
from guidance.exchange.images import write_map
from guidance.imaging import read_series
from guidance.media import Assigned, PatientMedia, assign, calibration_of, region_mask
from guidance.media.assignment import matched
from guidance.media.picture import write_pictures

FloatArray = NDArray[np.float64]
Regions = dict[str, tuple[NDArray[np.bool_], float]]

# Of the cord, the part that lies this much farther from the seeds than its nearest voxel counts
# for the uncertainty: dose is highest there, and far off no photon comes.
CORD_REACH_MM = 15.0
# Without a target, the uncertainty is judged this near to the seeds.
NEAR_MM = 10.0
CORD_WORDS = ("cord", "canal", "cauda", "thecal", "myel")


@dataclass(frozen=True)
class ModelledOptions:
    """How the model-based dose is wanted.

    Attributes:
        uncertainty: mean relative standard uncertainty in target and cord at which it ends.
        time_limit_s: it ends then, whatever it has reached.
        spacing_mm: of the grid.
        needles_mm: tip and entry of needles that are still in place.
        tissues: what structures are said to be.
        pictures: folder for pictures of the media, None for none.
        corrected: TG-43 times MC in the patient over MC in water, in place of the plain dose.
        run: number of the random sequence.
        research_models: seed models that are wanted although their effective source misses.
    """

    uncertainty: float = 0.02
    time_limit_s: float = 60.0
    spacing_mm: float = 2.0
    needles_mm: tuple[tuple[FloatArray, FloatArray], ...] = ()
    tissues: tuple[Assigned, ...] = ()
    pictures: Path | None = None
    corrected: bool = False
    run: int = 1
    research_models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what was given."""
        if not 0.001 <= self.uncertainty <= 0.5:
            raise CommandError("the uncertainty must be 0.1 to 50 %")
        if not self.time_limit_s > 0:
            raise CommandError("the time limit must be above 0 s")
        if not 0.5 <= self.spacing_mm <= 5.0:
            raise CommandError("the grid of the transport has voxels of 0.5 to 5 mm")


@dataclass(frozen=True, eq=False)
class ModelledDose:
    """What was computed.

    Attributes:
        paths: files by what they hold.
        method: in one line.
        structures: figures by structure, dose to medium; with ``_water`` those to water.
        statistics: histories, time, uncertainties, media; for JSON.
        remarks: full sentences.
    """

    paths: dict[str, Path]
    method: str
    structures: dict[str, dict[str, dict[str, float]]]
    statistics: dict[str, Any]
    remarks: tuple[str, ...]


def compute_modelled(
    given: GivenSeeds,
    source: SourceModel,
    out: Path,
    *,
    series: Path,
    structures: Path | None,
    prescription_gy: float,
    settings: CtSettings,
    options: ModelledOptions,
    period: Period | None = None,
    end_cap: str = "half",
    progress: Callable[[float], None] | None = None,
) -> ModelledDose:
    """Carry photons through a CT, write what comes out and return the figures.

    Args:
        given: seeds, LPS mm, in the frame of the CT.
        source: seed model; it needs a fitted effective source.
        out: folder of the files.
        series: the CT.
        structures: an RTSTRUCT; its target and cord say when it is good enough.
        prescription_gy: the 100 % of V90 to V200.
        settings: ``[ct]`` of the configuration.
        options: how it is wanted.
        period: to full decay if left out.
        end_cap: of the structures.
        progress: told how much is done, 0 to 1.

    Raises:
        GuidanceError, DoseError: something given cannot be used; the message says which.
    """
    emission = emission_of(source, options.research_models)
    volume = read_series(series)
    drawn: tuple[Structure, ...] = ()
    if structures:
        drawn = tuple(s for s in read_structures(structures).structures if s.contours)
    frame = one_frame(
        {
            "the seeds": given.frame_of_reference_uid,
            str(series): volume.geometry.frame_of_reference_uid,
            **{f"{structures} ({s.name})": s.frame_of_reference_uid for s in drawn},
        }
    )
    sampled, said = samples_of(drawn, end_cap=end_cap)
    by_name = {s.name: samples for s, samples in sampled}
    seeds = given.as_seeds()
    patient = assign(
        volume,
        seeds,
        calibration_of(volume, settings),
        spacing_mm=options.spacing_mm,
        needles_mm=options.needles_mm,
        assigned={
            n: (by_name[n], one.material) for n, one in matched(drawn, options.tissues).items()
        },
        covering_mm=np.concatenate(
            [np.zeros((0, 3)), *(p.points_mm for s, p in sampled if _is_target(s) or _is_cord(s))]
        ),
    )
    media = patient.media
    if options.pictures is not None:
        write_pictures(options.pictures, patient, seeds)
    regions = regions_of(
        [samples for s, samples in sampled if _is_target(s)],
        [samples for s, samples in sampled if not _is_target(s) and _is_cord(s)],
        patient.media.geometry,
        seeds,
        options.uncertainty,
    )
    metal = metal_of(seeds, source, options.needles_mm)
    dose = simulate(
        media, seeds, emission, source.half_life_days,
        regions=regions, time_limit_s=options.time_limit_s, run=options.run,
        metal=metal, aim="cord" if "cord" in regions else "", progress=progress,
    )  # fmt: skip
    result = {"medium": dose.medium_gy, "water": dose.water_gy}
    if options.corrected:
        result = _corrected(dose, patient, seeds, source, options)
    period = period or Period()
    part = delivered_fraction(period.start_h, period.end_h, source.half_life_days)
    result = {name: values * part for name, values in result.items()}
    reference = ExportReference.from_provenance(volume.provenance, frame)
    out.mkdir(parents=True, exist_ok=True)
    how = "TG-43 x Monte Carlo ratio" if options.corrected else "Monte Carlo"
    paths = {
        name: write_dose(
            out / f"RTDOSE-MC-{name}.dcm", values.astype(np.float32), media.geometry, reference,
            description=modelled_description(name, source.model, how=how),
            variant=f"mc-{name}",
        )
        for name, values in result.items()
    }  # fmt: skip
    paths["uncertainty"] = write_map(
        out / "uncertainty.nrrd", (dose.uncertainty * 100).astype(np.float32), media.geometry
    )
    remarks = [*said, *patient.remarks, *_said(dose, regions, seeds, source, options)]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for structure, samples in sampled:
        found[structure.name] = {}
        for name, values in result.items():
            dvh, share = histogram(values.astype(np.float32), media.geometry, samples)
            found[structure.name][name] = figures(dvh, prescription_gy)
        if share < 0.999:
            remarks.append(
                f"{structure.name}: only {100 * share:.1f} % lies inside the grid of the "
                "transport; the rest is taken as 0 Gy."
            )
    method = (
        f"{how} ({RESEARCH}), {source.model}, dose to medium in medium, {period}, "
        f"{len(seeds)} seeds, their metal met, grid {options.spacing_mm:g} mm"
    )
    return ModelledDose(paths, method, found, _statistics(dose, regions, patient), tuple(remarks))


def metal_of(
    seeds: Seeds, source: SourceModel, needles_mm: tuple[tuple[FloatArray, FloatArray], ...] = ()
) -> Metal:
    """Return the metal of seeds, and of needles that are still in place."""
    axis = np.where(np.isnan(seeds.axis), (0.0, 0.0, 1.0), seeds.axis)
    metal = Metal.of_seeds(capsule_of(source), seeds.position_mm, axis)
    return metal.with_needles(NEEDLE_18G, needles_mm) if needles_mm else metal


def regions_of(
    targets: Sequence[Samples],
    cords: Sequence[Samples],
    grid: GridGeometry,
    seeds: Seeds,
    uncertainty: float,
) -> Regions:
    """Return where the uncertainty counts: targets, and the part of the cord that is near."""
    target, cord = np.zeros(grid.shape, np.bool_), np.zeros(grid.shape, np.bool_)
    for samples in targets:
        target |= region_mask(samples, grid)
    for samples in cords:
        cord |= region_mask(samples, grid)
    k, j, i = np.indices(grid.shape)
    if not target.any():
        points = grid.indices_to_patient(np.stack((i, j, k), axis=-1))
        target = distance_mm(points.reshape(-1, 3), seeds).reshape(grid.shape) <= NEAR_MM
    regions = {"target": (target, uncertainty)}
    if cord.any():
        points = grid.indices_to_patient(np.argwhere(cord)[:, ::-1])
        distance = distance_mm(points, seeds)
        cord[cord] = distance <= distance.min() + CORD_REACH_MM
        regions["cord"] = (cord, uncertainty)
    return regions


def _is_target(structure: Structure) -> bool:
    return structure.role.upper() in TARGET_ROLES


def _is_cord(structure: Structure) -> bool:
    return any(word in structure.name.lower() for word in CORD_WORDS)


def distance_mm(points_mm: FloatArray, seeds: Seeds) -> FloatArray:
    """Return the distance of points (n, 3) from the nearest seed."""
    nearest = np.full(len(points_mm), np.inf)
    for position in seeds.position_mm:
        nearest = np.minimum(nearest, np.linalg.norm(points_mm - position, axis=1))
    return nearest


def _corrected(
    dose: TransportDose,
    patient: PatientMedia,
    seeds: Seeds,
    source: SourceModel,
    options: ModelledOptions,
) -> dict[str, FloatArray]:
    """Return TG-43 times what the patient changes, from a second run in water."""
    grid = patient.media.geometry
    in_water = simulate(
        Media.of(grid, WATER), seeds, emission_of(source, options.research_models),
        source.half_life_days,
        histories=dose.histories, run=options.run + 1,
    )  # fmt: skip
    tg43 = DoseGrid(grid, source)
    for number, position in enumerate(seeds.position_mm):
        axis = None if np.isnan(seeds.axis[number]).any() else seeds.axis[number]
        tg43.add(str(number), position, axis, float(seeds.strength_u[number]))
    tg43_gy = tg43.dose_gy.astype(np.float64)
    return {
        "medium": corrected_gy(tg43_gy, dose.medium_gy, in_water.medium_gy),
        "water": corrected_gy(tg43_gy, dose.water_gy, in_water.medium_gy),
    }


def _said(
    dose: TransportDose,
    regions: Regions,
    seeds: Seeds,
    source: SourceModel,
    options: ModelledOptions,
) -> list[str]:
    """Return what a reader of the dose must know."""
    remarks = [
        f"The model-based dose is {RESEARCH}: it is not validated against measurements in bone.",
        reached(source),
    ]
    for name, (_, wanted) in regions.items():
        if dose.reached[name] > wanted:
            remarks.append(
                f"Ended by the time limit with a mean uncertainty of "
                f"{100 * dose.reached[name]:.1f} % in the {name}; {100 * wanted:g} % was wanted."
            )
    unknown = int(np.isnan(seeds.axis).any(axis=1).sum())
    if unknown:
        remarks.append(
            f"{unknown} seeds of unknown axis shine as the mean over all axes; their capsules "
            "are taken along the patient."
        )
    if capsule_of(source).rod_radius_mm == 0:
        remarks.append(
            f"Of the metal of {source.model} only a titanium capsule is known; what else the "
            "seed holds takes nothing from the photons of others."
        )
    if options.needles_mm:
        remarks.append(f"{len(options.needles_mm)} needles of 18 gauge steel are in place.")
    return remarks


def _statistics(
    dose: TransportDose, regions: Mapping[str, tuple[NDArray[np.bool_], float]], patient: Any
) -> dict[str, Any]:
    return {
        "histories": dose.histories,
        "elapsed_s": round(dose.elapsed_s, 2),
        "energy_balance": round(dose.balance, 9),
        "uncertainty_percent": {
            name: {
                "mean": round(100 * float(dose.uncertainty[mask].mean()), 3),
                "p95": round(100 * float(np.quantile(dose.uncertainty[mask], 0.95)), 3),
                "voxels": int(mask.sum()),
            }
            for name, (mask, _) in regions.items()
        },
        "media_cc": patient.volumes_cc,
        "metal_replaced_cc": round(patient.metal_cc, 2),
        "streaks_replaced_cc": round(patient.streak_cc, 2),
    }


def read_needles(path: Path) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Read needles as ``seedguide detect --json`` prints them.

    Raises:
        CommandError: the file holds no needles with tip and entry.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        listed = content["needles"]
        pairs = tuple(
            (np.array(n["tip_mm"], dtype=float), np.array(n["entry_mm"], dtype=float))
            for n in listed
        )
        if not pairs or any(p.shape != (3,) for pair in pairs for p in pair):
            raise ValueError
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, DoseError) as error:
        raise CommandError(f"{path} holds no needles with tip_mm and entry_mm") from error
    return pairs
