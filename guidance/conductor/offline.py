"""The dose of given seeds, outside any case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dose.dvh import Dvh, figures, target_figures
from dose.errors import DoseError
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.interpolation import interpolated
from dose.radiobiology import (
    CORD,
    Course,
    Tissue,
    bed_implant_gy,
    cumulative_eqd2_gy,
    eqd2_gy,
)
from dose.sources import SourceModel
from dose.strength import delivered_fraction, rate_per_h
from dose.structures import Samples, Structure, sample
from guidance.conductor.given import GivenSeed, GivenSeeds
from guidance.errors import CommandError, RefusedError
from guidance.exchange import ExportReference, read_structures, write_dose
from guidance.imaging import read_series

FloatArray = NDArray[np.float64]

GRID_MM = 1.0
# Finer than the voxels of any scan, and as coarse as is still of use near seeds.
FINEST_MM, COARSEST_MM = 0.5, 2.5
MARGIN_MM = 30.0
# A grid of 46 cm each way at 1 mm holds more than any implant.
VOXELS_AT_MOST = 100_000_000
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
    grid_mm: float = GRID_MM,
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
        grid_mm: spacing of the dose grid, which lies along the axes of the series.

    Raises:
        GuidanceError, DoseError: something given cannot be used; the message says which.
    """
    if not prescription_gy > 0:
        raise CommandError(f"--prescription-gy must be positive, not {prescription_gy}")
    volume = read_series(series) if series else None
    drawn: tuple[Structure, ...] = ()
    if structures:
        drawn = tuple(s for s in read_structures(structures).structures if s.contours)
    frame = one_frame(
        {
            "the seeds": given.frame_of_reference_uid,
            str(series): volume.geometry.frame_of_reference_uid if volume else "",
            **{f"{structures} ({s.name})": s.frame_of_reference_uid for s in drawn},
        }
    )
    seeds = given.seeds
    axes = _right_angled(volume.geometry) if volume else np.eye(3)
    grid = DoseGrid(_around(seeds, frame, grid_mm, axes), source)
    for number, seed in enumerate(seeds, 1):
        grid.add(str(number), seed.position_mm, seed.axis, seed.strength_u)
    period = period or Period()
    part = delivered_fraction(period.start_h, period.end_h, source.half_life_days)
    method = f"TG-43 {formalism(seeds)}, {source.model}, water in water, {period}"
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
    if found:
        remarks = (*remarks, "Their dose: TG-43 at every point, not interpolated from the grid.")
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
    dose, inside = interpolated(dose_gy, geometry, samples.points_mm, outside=0.0)
    share = float(samples.weight_cc[inside].sum() / samples.weight_cc.sum())
    return Dvh(dose, samples.weight_cc), share


def with_eqd2(
    figures_gy: dict[str, float],
    courses: Sequence[Course],
    half_life_days: float,
    tissue: Tissue = CORD,
) -> dict[str, float]:
    """Return the figures with BED and EQD2 added: of the implant, and with earlier courses.

    Args:
        figures_gy: of a structure, of the dose to full decay.
        courses: of external beam, as this structure received them.
        half_life_days: of the nuclide.
        tissue: how the structure answers to dose.
    """
    added = {}
    for key in ("Dmax", "D0.1cc"):
        bed = bed_implant_gy(figures_gy[f"{key}_gy"], half_life_days, tissue)
        added[f"{key}_implant_bed_gy"] = bed
        added[f"{key}_implant_eqd2_gy"] = eqd2_gy(bed, tissue)
        added[f"{key}_eqd2_gy"] = cumulative_eqd2_gy(
            figures_gy[f"{key}_gy"], half_life_days, courses, tissue
        )
    return {**figures_gy, **added}


def one_frame(frames: dict[str, str]) -> str:
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


def formalism(seeds: Sequence[GivenSeed]) -> str:
    """Say how many seeds are dosed as lines and how many as points; short enough for DICOM."""
    points, n = sum(1 for s in seeds if s.axis is None), len(seeds)
    count = f"{n} seed{'' if n == 1 else 's'}"
    if points == 0:
        return f"2D (line), {count}"
    return f"1D (point), {count}" if points == n else f"2D, {points} of {count} 1D (point)"


def _right_angled(geometry: GridGeometry) -> FloatArray:
    """Return axes (3, 3) along the rows of an image, its plane and its normal."""
    rows, columns = geometry.axes[:, 0], geometry.axes[:, 1]
    normal = np.cross(rows, columns)
    normal /= np.linalg.norm(normal)
    return np.column_stack((rows, np.cross(normal, rows), normal))


def _around(
    seeds: Sequence[GivenSeed], frame: str, grid_mm: float, axes: FloatArray
) -> GridGeometry:
    if not FINEST_MM <= grid_mm <= COARSEST_MM:
        raise CommandError(
            f"the dose grid must have {FINEST_MM:g} to {COARSEST_MM:g} mm (--grid-mm), "
            f"not {grid_mm:g} mm"
        )
    points = np.array([s.position_mm for s in seeds]) @ axes
    low, high = points.min(axis=0) - MARGIN_MM, points.max(axis=0) + MARGIN_MM
    if np.prod((high - low) / grid_mm) > VOXELS_AT_MOST:
        off = np.linalg.norm(points - np.median(points, axis=0), axis=1)
        raise CommandError(
            f"seed {off.argmax() + 1} lies {off.max():.0f} mm from the middle of the seeds; a dose "
            "grid around all of them is too large. Is its position right? Else choose a coarser "
            "grid (--grid-mm)"
        )
    return GridGeometry.around(low, high, grid_mm, axes=axes, frame_of_reference_uid=frame)


def _no_series(frame: str, seeds: tuple[GivenSeed, ...]) -> ExportReference:
    """Return the reference of a dose that belongs to no images."""
    bare = ExportReference("", "", "", "", frame, (), datetime.now(UTC))
    study = bare.uid("seeds", *seeds)
    return ExportReference(
        "", "", study, "", frame or bare.uid("frame", *seeds), (), datetime.now(UTC)
    )
