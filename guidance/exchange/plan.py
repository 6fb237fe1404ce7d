"""Brachytherapy RTPLAN objects of permanent implants read into a plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from guidance.errors import ImportRefused, refusing_damage
from guidance.exchange.objects import items, moment, number, open_object, points, text
from guidance.exchange.structures import StructureSet
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed, Point

FloatArray = NDArray[np.float64]

# At full stroke the stylet is flush with the tip: half a seed ahead of it lies the centre
# (docs/applicator-protocol.md).
SEED_AHEAD_MM = 2.25
# Seeds whose lines lie this near to each other left through one needle.
SAME_LINE_MM, SAME_LINE_DEG = 1.5, 3.0
# How far back a needle is drawn that the plan does not draw.
UNKNOWN_ENTRY_MM = 100.0


@dataclass(frozen=True)
class _Seed:
    channel: int
    roi: int | None
    position: FloatArray
    axis: FloatArray | None


def read_plan(
    path: Path, *, structures: StructureSet | None = None, source_model: str = ""
) -> ImplantPlan:
    """Read an RTPLAN of a permanent implant.

    Args:
        path: of the object.
        structures: structure set the plan refers to: gives needles and the target's name.
        source_model: seed model, for plans that name none.

    Raises:
        ImportRefused: it is no such plan, or lacks what a dose needs.
    """
    data = open_object(path, "RTPLAN", "brachytherapy plan")
    with refusing_damage(str(path)):
        return _plan(data, path, structures, source_model)


def _plan(
    data: Dataset, path: Path, structures: StructureSet | None, source_model: str
) -> ImplantPlan:
    technique = text(data, "BrachyTreatmentTechnique")
    if technique != "PERMANENT":
        kind = technique or "external beam"
        raise ImportRefused(f"{path}: the plan's technique is {kind}; PERMANENT is wanted")
    remarks: list[str] = []
    source = _source(data, path)
    model = text(source, "SourceModelID") or source_model
    if not model:
        isotope = text(source, "SourceIsotopeName") or "no isotope"
        raise ImportRefused(
            f"{path}: the plan names no seed model (Source Model ID), only {isotope}; "
            "without it there is no dose: add it in the planning system"
        )
    strength_at = moment(source, "SourceStrengthReferenceDate", "SourceStrengthReferenceTime")
    if strength_at is None:
        remarks.append("The strength has no reference date; it is taken for the day of implant.")
    seeds = _seeds(data, path)
    needles, planned = _needles_and_seeds(seeds, structures, remarks)
    prescription_gy, target = _prescription(data, structures, path)
    return ImplantPlan(
        label=text(data, "RTPlanLabel") or text(data, "RTPlanName"),
        sop_instance_uid=text(data, "SOPInstanceUID"),
        patient_id=text(data, "PatientID"),
        frame_of_reference_uid=text(data, "FrameOfReferenceUID")
        or (structures.frame_of_reference_uid if structures else ""),
        structure_set_uid=_structure_set_uid(data),
        source_model=model,
        strength_u=_strength_u(source, path),
        strength_at=strength_at,
        prescription_gy=prescription_gy,
        target_name=target,
        needles=needles,
        seeds=planned,
        remarks=tuple(remarks),
        made_at=moment(data, "RTPlanDate", "RTPlanTime"),
    )


def _source(data: Dataset, path: Path) -> Dataset:
    sources = items(data, "SourceSequence")
    if len(sources) != 1:
        raise ImportRefused(f"{path}: the plan has {len(sources)} kinds of sources, not one")
    return sources[0]


def _strength_u(source: Dataset, path: Path) -> float:
    # Reference Air Kerma Rate is in uGy/h at 1 m, which is U (DICOM PS3.3 C.8.8.15).
    units = text(source, "SourceStrengthUnits") or "AIR_KERMA_RATE"
    if units != "AIR_KERMA_RATE":
        raise ImportRefused(f"{path}: the source strength is given as {units}, not as air kerma")
    return number(source, "ReferenceAirKermaRate", str(path))


def _seeds(data: Dataset, path: Path) -> list[_Seed]:
    seeds = []
    channels = [
        channel
        for setup in items(data, "ApplicationSetupSequence")
        for channel in items(setup, "ChannelSequence")
    ]
    # One setup for each seed, all with channel 1, is common: channels then tell no needles apart.
    needles = len(data.get("ApplicationSetupSequence", ())) == 1 or (
        len({int(channel.ChannelNumber) for channel in channels}) > 1
    )
    for channel in channels:
        found = _channel_seeds(channel, path)
        name = int(channel.ChannelNumber) if needles else -1
        roi = channel.get("ReferencedROINumber")
        seeds += [
            _Seed(name, None if roi is None else int(roi), position, axis)
            for position, axis in found
        ]
    if not seeds:
        raise ImportRefused(f"{path}: the plan has no seed with a position")
    return seeds


def _channel_seeds(channel: Dataset, path: Path) -> list[tuple[FloatArray, FloatArray | None]]:
    """Return the distinct dwell positions of a channel; control points come in pairs."""
    found: list[tuple[FloatArray, FloatArray | None]] = []
    for point in items(channel, "BrachyControlPointSequence"):
        position = points(point, "ControlPoint3DPosition", str(path))
        if len(position) != 1:
            continue
        if any(np.linalg.norm(position[0] - p) < 0.01 for p, _ in found):
            continue
        axis = points(point, "ControlPointOrientation", str(path))
        length = float(np.linalg.norm(axis[0])) if len(axis) == 1 else 0.0
        found.append((position[0], axis[0] / length if length > 0 else None))
    return found


def _needles_and_seeds(
    seeds: Sequence[_Seed], structures: StructureSet | None, remarks: list[str]
) -> tuple[tuple[PlannedNeedle, ...], tuple[PlannedSeed, ...]]:
    drawn = structures.lines if structures else {}
    if all(s.roi is not None and s.roi in drawn for s in seeds):
        groups = _by_channel(seeds, drawn)
    else:
        remarks.append(
            "The plan draws no needles; seeds in one line are taken to share a needle, "
            f"and its entry is set {UNKNOWN_ENTRY_MM:.0f} mm behind."
        )
        groups = _by_line(seeds)
    needles: list[PlannedNeedle] = []
    planned: list[PlannedSeed] = []
    for needle, members in groups:
        needles.append(needle)
        tip, direction = np.array(needle.tip_mm), needle.direction
        placed = []
        for seed in members:
            along = float((seed.position - tip) @ direction)
            axis = direction if seed.axis is None else seed.axis
            axis = axis if axis @ direction >= 0 else -axis
            placed.append((SEED_AHEAD_MM - along, seed.position, axis))
        for retraction, position, axis in sorted(placed, key=lambda p: p[0]):
            planned.append(
                PlannedSeed(
                    len(planned) + 1,
                    needle.number,
                    _point(position),
                    _point(axis),
                    round(retraction, 3),
                )
            )
    return tuple(needles), tuple(planned)


def _by_channel(
    seeds: Sequence[_Seed], lines: dict[int, FloatArray]
) -> list[tuple[PlannedNeedle, list[_Seed]]]:
    """Group seeds by channel; the needle is the line of its ROI, its tip the end at the seeds."""
    groups = []
    for channel in sorted({s.channel for s in seeds}):
        members = [s for s in seeds if s.channel == channel]
        roi = members[0].roi
        assert roi is not None
        ends = lines[roi][0], lines[roi][-1]
        middle = np.mean([s.position for s in members], axis=0)
        tip, entry = sorted(ends, key=lambda e: float(np.linalg.norm(e - middle)))
        groups.append((PlannedNeedle(channel, _point(tip), _point(entry)), members))
    return groups


def _by_line(seeds: Sequence[_Seed]) -> list[tuple[PlannedNeedle, list[_Seed]]]:
    """Group seeds that lie on one line."""
    groups: list[tuple[FloatArray, FloatArray, list[_Seed]]] = []
    for seed in seeds:
        axis = seed.axis if seed.axis is not None else np.array((0.0, 0.0, 1.0))
        for start, direction, members in groups:
            off = seed.position - start
            beside = float(np.linalg.norm(off - (off @ direction) * direction))
            if beside <= SAME_LINE_MM and abs(axis @ direction) >= np.cos(
                np.radians(SAME_LINE_DEG)
            ):
                members.append(seed)
                break
        else:
            groups.append((seed.position, axis, [seed]))
    needles = []
    for k, (start, direction, members) in enumerate(groups, start=1):
        deepest = max(float((s.position - start) @ direction) for s in members)
        tip = start + (deepest - SEED_AHEAD_MM) * direction
        entry = tip - UNKNOWN_ENTRY_MM * direction
        needles.append((PlannedNeedle(k, _point(tip), _point(entry)), members))
    return needles


def _prescription(data: Dataset, structures: StructureSet | None, path: Path) -> tuple[float, str]:
    """Return the prescribed dose in Gy and the name of the ROI it is for."""
    for reference in items(data, "DoseReferenceSequence"):
        dose = reference.get("TargetPrescriptionDose")
        if text(reference, "DoseReferenceType") == "TARGET" and dose:
            roi = reference.get("ReferencedROINumber")
            names = structures.roi_names if structures else {}
            name = "" if roi is None else names.get(int(roi), "")
            return float(dose), name or text(reference, "DoseReferenceDescription")
    for group in items(data, "FractionGroupSequence"):
        for setup in items(group, "ReferencedBrachyApplicationSetupSequence"):
            if setup.get("BrachyApplicationSetupDose"):
                return float(setup.BrachyApplicationSetupDose), ""
    stated = re.search(r"(\d+(?:\.\d+)?) ?Gy", text(data, "PrescriptionDescription"))
    if stated:
        return float(stated[1]), ""
    raise ImportRefused(
        f"{path}: the plan prescribes no dose to a target (Target Prescription Dose)"
    )


def _structure_set_uid(data: Dataset) -> str:
    references = items(data, "ReferencedStructureSetSequence")
    return text(references[0], "ReferencedSOPInstanceUID") if references else ""


def _point(values: FloatArray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
