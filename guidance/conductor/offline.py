"""The dose of given seeds, outside any case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.dvh import Dvh, figures, target_figures
from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.radiobiology import CORD, Course, cumulative_eqd2_gy
from dose.sources import SourceModel
from dose.strength import delivered_fraction, rate_per_h
from dose.structures import Samples, Structure, sample
from guidance.conductor.given import GivenSeed, GivenSeeds
from guidance.errors import CommandError, RefusedError
from guidance.exchange import ExportReference, read_structures, write_dose
from guidance.imaging import read_series

GRID_SPACING_MM = 1.0
MARGIN_MM = 30.0
SAMPLE_SPACING_MM = 0.5
TARGET_ROLES = {"GTV", "CTV", "PTV"}
DMAX = f"Dmax: the highest dose at any point in or on a structure, points {SAMPLE_SPACING_MM:g} mm"


@dataclass(frozen=True)
class Period:
    """From when to when after the implant dose is asked for, hours; to full decay if left out."""

    start_h: float = 0.0
    end_h: float = math.inf

    def __post_init__(self) -> None:
        """Check that time runs forward."""
        if not 0 <= self.start_h < self.end_h:
            raise CommandError(
                f"the dose is asked for from {self.start_h:g} h to {self.end_h:g} h after the "
                "implant; the end must come after the start"
            )

    def __str__(self) -> str:
        """Say which dose it is."""
        if self.start_h == 0 and math.isinf(self.end_h):
            return "dose to full decay"
        end = "full decay" if math.isinf(self.end_h) else f"{self.end_h:g} h"
        return f"dose from {self.start_h:g} h to {end} after the implant"


@dataclass(frozen=True)
class OfflineDose:
    """What was computed.

    Attributes:
        path: the RTDOSE.
        method: in one line.
        structures: figures by structure.
        remarks: how structures were sampled, and which were left out.
    """

    path: Path
    method: str
    structures: dict[str, dict[str, float]]
    remarks: tuple[str, ...] = ()


def compute(
    given: GivenSeeds,
    source: SourceModel,
    out: Path,
    *,
    structures: Path | None = None,
    series: Path | None = None,
    prescription_gy: float = 100.0,
    period: Period | None = None,
    rate_at_h: float | None = None,
    end_cap: str = "half",
) -> OfflineDose:
    """Compute the TG-43 dose, write it as RTDOSE and return the figures.

    Args:
        given: seeds, LPS mm, in the frame of the structures and the series.
        source: seed model.
        out: folder for ``RTDOSE.dcm``; made if it is not there.
        structures: an RTSTRUCT.
        series: the CT series the dose belongs to; named in the RTDOSE.
        prescription_gy: the 100 % of V90 to V200.
        period: to full decay if left out.
        rate_at_h: adds dose rates at this time after the implant to the figures, hours.
        end_cap: of the structures, see ``dose.structures.sample``.

    Raises:
        GuidanceError, DoseError: something given cannot be used; the message says which.
    """
    if not prescription_gy > 0:
        raise CommandError(f"--prescription-gy must be positive, not {prescription_gy}")
    volume = read_series(series) if series else None
    drawn: tuple[Structure, ...] = ()
    if structures:
        drawn = tuple(s for s in read_structures(structures).structures if s.contours)
    frame = _one_frame(
        {
            "the seeds": given.frame_of_reference_uid,
            str(series): volume.geometry.frame_of_reference_uid if volume else "",
            **{f"{structures} ({s.name})": s.frame_of_reference_uid for s in drawn},
        }
    )
    seeds = given.seeds
    grid = DoseGrid(_around(seeds, frame), source)
    for number, seed in enumerate(seeds, 1):
        grid.add(str(number), seed.position_mm, seed.axis, seed.strength_u)
    period = period or Period()
    part = delivered_fraction(period.start_h, period.end_h, source.half_life_days)
    unknown = sum(1 for s in seeds if s.axis is None)
    method = f"TG-43, {source.model}, water in water, {period}, {len(seeds)} seeds" + (
        f", {unknown} of them as point sources" if unknown else " as line sources"
    )
    reference = (
        ExportReference.from_provenance(volume.provenance, frame)
        if volume
        else _no_series(frame, seeds)
    )
    out.mkdir(parents=True, exist_ok=True)
    dose_gy = grid.dose_gy * np.float32(part)
    path = write_dose(out / "RTDOSE.dcm", dose_gy, grid.geometry, reference, description=method)
    sampled, remarks = samples_of(drawn, end_cap=end_cap)
    found = {}
    for structure, samples in sampled:
        whole = grid.dose_at(samples.points_mm)
        dvh = Dvh(whole * part, samples.weight_cc)
        found[structure.name] = figures(dvh, prescription_gy)
        if structure.role.upper() in TARGET_ROLES:
            prescribed_cc = grid.volume_at_least_cc(prescription_gy / part)
            found[structure.name] |= target_figures(dvh, prescription_gy, prescribed_cc)
        if rate_at_h is not None:
            rate = Dvh(rate_per_h(whole, rate_at_h, source.half_life_days), samples.weight_cc)
            found[structure.name] |= {
                "D90_rate_gy_per_h": rate.d_percent_gy(90),
                "Dmax_rate_gy_per_h": rate.dmax_gy,
            }
    return OfflineDose(path, method, found, remarks)


def samples_of(
    structures: Sequence[Structure], *, end_cap: str = "half"
) -> tuple[list[tuple[Structure, Samples]], tuple[str, ...]]:
    """Sample what can be sampled, and say how it was done and what had to be left out."""
    sampled, remarks = [], []
    for structure in structures:
        try:
            sampled.append((structure, sample(structure, end_cap=end_cap)))
        except DoseError as error:
            remarks.append(f"{structure.name} is left out: {error}.")
    if sampled:
        remarks.append(f"Structures: {sampled[0][1].method}. {DMAX}.")
    return sampled, tuple(remarks)


def histogram(
    dose_gy: NDArray[np.float32], geometry: GridGeometry, samples: Samples
) -> tuple[Dvh, float]:
    """Return the histogram of a structure in a dose grid, and the share of it inside the grid.

    Args:
        dose_gy: (nz, ny, nx).
        geometry: of the grid.
        samples: of the structure, in the same frame of reference.
    """
    inside = geometry.contains(samples.points_mm)
    share = float(samples.weight_cc[inside].sum() / samples.weight_cc.sum())
    dose = np.zeros(len(samples.points_mm))
    index = geometry.patient_to_indices(samples.points_mm[inside])[:, ::-1].T
    dose[inside] = ndimage.map_coordinates(dose_gy, index, np.float64, order=1, mode="nearest")
    return Dvh(dose, samples.weight_cc), share


def with_eqd2(
    figures_gy: dict[str, float], courses: Sequence[Course], half_life_days: float
) -> dict[str, float]:
    """Return the figures with the cord's EQD2 of implant and earlier courses added.

    Args:
        figures_gy: of a structure.
        courses: of external beam, as this structure received them.
        half_life_days: of the nuclide.
    """
    added = {
        key.replace("_gy", "_eqd2_gy"): cumulative_eqd2_gy(
            figures_gy[key], half_life_days, courses, CORD
        )
        for key in ("Dmax_gy", "D0.1cc_gy")
    }
    return {**figures_gy, **added}


def _one_frame(frames: dict[str, str]) -> str:
    """Return the one frame of reference that all name, empty if none names any."""
    named = {what: uid for what, uid in frames.items() if uid}
    first = next(iter(named), "")
    for what, uid in named.items():
        if uid != named[first]:
            raise RefusedError(
                f"{first} and {what} are in different frames of reference; positions of one "
                "mean nothing in the other"
            )
    return named.get(first, "")


def _around(seeds: tuple[GivenSeed, ...], frame: str) -> GridGeometry:
    points = np.array([s.position_mm for s in seeds])
    return GridGeometry.around(
        points.min(axis=0) - MARGIN_MM,
        points.max(axis=0) + MARGIN_MM,
        GRID_SPACING_MM,
        frame_of_reference_uid=frame,
    )


def _no_series(frame: str, seeds: tuple[GivenSeed, ...]) -> ExportReference:
    """Return the reference of a dose that belongs to no images."""
    bare = ExportReference("", "", "", "", frame, (), datetime.now(UTC))
    study = bare.uid("seeds", *seeds)
    return ExportReference(
        "", "", study, "", frame or bare.uid("frame", *seeds), (), datetime.now(UTC)
    )
