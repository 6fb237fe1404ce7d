"""The dose of given seeds, outside any case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.dvh import Dvh, figures
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.radiobiology import CORD, Course, cumulative_eqd2_gy
from dose.sources import SourceModel
from dose.strength import air_kerma_strength_u
from dose.structures import Structure, sample
from guidance.errors import CommandError, RefusedError
from guidance.exchange import ExportReference, read_structures, write_dose
from guidance.imaging import read_series

Point = tuple[float, float, float]
GRID_SPACING_MM = 1.0
MARGIN_MM = 30.0
SAMPLE_SPACING_MM = 0.5


@dataclass(frozen=True)
class GivenSeed:
    """A seed of a seeds file."""

    position_mm: Point
    axis: Point | None
    strength_u: float


@dataclass(frozen=True)
class GivenSeeds:
    """What a seeds file holds.

    Attributes:
        seeds: in the order of the file.
        frame_of_reference_uid: of their positions; empty if the file does not say.
    """

    seeds: tuple[GivenSeed, ...]
    frame_of_reference_uid: str = ""


@dataclass(frozen=True)
class OfflineDose:
    """What was computed.

    Attributes:
        path: the RTDOSE.
        method: in one line.
        structures: figures by structure.
    """

    path: Path
    method: str
    structures: dict[str, dict[str, float]]


def read_seeds(path: Path, source: SourceModel, strength_u: float | None) -> GivenSeeds:
    """Read a seeds file: ``{"seeds": [{"position_mm", "axis", "strength_u"}]}`` or the bare list.

    The strength of a seed is its own ``strength_u`` or ``apparent_activity_mci``, else the
    file's, else the one given here. A strength without a unit in its name is not taken.

    Args:
        path: JSON file, such as ``seedguide detect --json`` prints.
        source: seed model; its nuclide turns an activity into a strength.
        strength_u: air-kerma strength of seeds that name none, U.

    Raises:
        CommandError: the file is no such file, or a seed has no strength.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}") from error
    common: dict[str, Any] = content if isinstance(content, dict) else {}
    listed = common.get("seeds") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not listed:
        raise CommandError(f"{path}: there are no seeds in it")
    fallback = _strength(common, source, f"{path}") or strength_u
    seeds = (_seed(s, f"{path}: seed {i}", source, fallback) for i, s in enumerate(listed, 1))
    return GivenSeeds(tuple(seeds), str(common.get("frame_of_reference_uid") or ""))


def _seed(value: Any, where: str, source: SourceModel, fallback: float | None) -> GivenSeed:
    if not isinstance(value, dict) or "position_mm" not in value:
        raise CommandError(f"{where} has no position_mm")
    position = _point(value["position_mm"], f"{where}: position_mm")
    axis = value.get("axis")
    strength = _strength(value, source, where) or fallback
    if strength is None:
        raise CommandError(
            f"{where} has no strength_u (1 U = 1 cGy cm2/h); give it there or with --strength-u"
        )
    return GivenSeed(position, None if axis is None else _point(axis, f"{where}: axis"), strength)


def _strength(value: dict[str, Any], source: SourceModel, where: str) -> float | None:
    for key in value:
        if key in {"strength", "activity"}:
            raise CommandError(f"{where}: {key} has no unit; write strength_u")
    try:
        if "strength_u" in value:
            return float(value["strength_u"])
        if "apparent_activity_mci" in value:
            return air_kerma_strength_u(float(value["apparent_activity_mci"]), source.nuclide)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where}: the strength is not a number") from error
    return None


def _point(value: Any, where: str) -> Point:
    try:
        x, y, z = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where} must be three numbers, not {value!r}") from error
    return (x, y, z)


def compute(
    given: GivenSeeds,
    source: SourceModel,
    out: Path,
    *,
    structures: Path | None = None,
    series: Path | None = None,
    prescription_gy: float = 100.0,
) -> OfflineDose:
    """Compute the TG-43 dose to full decay, write it as RTDOSE and return the figures.

    Args:
        given: seeds, LPS mm, in the frame of the structures and the series.
        source: seed model.
        out: folder for ``RTDOSE.dcm``; made if it is not there.
        structures: an RTSTRUCT.
        series: the CT series the dose belongs to; named in the RTDOSE.
        prescription_gy: the 100 % of V90 to V200.

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
    unknown = sum(1 for s in seeds if s.axis is None)
    method = f"TG-43, {source.model}, water in water, {len(seeds)} seeds" + (
        f", {unknown} of them as point sources" if unknown else ""
    )
    reference = (
        ExportReference.from_provenance(volume.provenance, frame)
        if volume
        else _no_series(frame, seeds)
    )
    out.mkdir(parents=True, exist_ok=True)
    path = write_dose(
        out / "RTDOSE.dcm", grid.dose_gy, grid.geometry, reference, description=method
    )
    found = {s.name: figures(_dvh(grid, s), prescription_gy) for s in drawn}
    return OfflineDose(path, method, found)


def histogram(
    dose_gy: NDArray[np.float32], geometry: GridGeometry, structure: Structure
) -> tuple[Dvh, float]:
    """Return the histogram of a structure in a dose grid, and the share of it inside the grid.

    Args:
        dose_gy: (nz, ny, nx).
        geometry: of the grid.
        structure: in the same frame of reference.
    """
    samples = sample(structure, spacing_mm=SAMPLE_SPACING_MM)
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


def _dvh(grid: DoseGrid, structure: Structure) -> Dvh:
    samples = sample(structure, spacing_mm=SAMPLE_SPACING_MM)
    return Dvh(grid.dose_at(samples.points_mm), samples.weight_cc)


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
