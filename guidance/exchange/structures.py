"""RTSTRUCT objects read into structures and needle lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dose.structures import Structure
from guidance.errors import ImportRefused, refusing_damage
from guidance.exchange.objects import items, open_object, points, text

CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"}
CHANNEL = "BRACHY_CHANNEL"


@dataclass(frozen=True)
class StructureSet:
    """A structure set.

    Attributes:
        label: StructureSetLabel.
        sop_instance_uid: SOPInstanceUID.
        patient_id: PatientID.
        study_instance_uid: StudyInstanceUID.
        frame_of_reference_uid: frame of all points; empty where the object names none.
        referenced_series_uid: SeriesInstanceUID of the images it was drawn on, may be empty.
        structures: regions drawn as closed contours.
        lines: open contours (needles, catheters) by ROINumber, (n, 3) LPS mm.
        remarks: what was left out and why, full sentences.
    """

    label: str
    sop_instance_uid: str
    patient_id: str
    study_instance_uid: str
    frame_of_reference_uid: str
    referenced_series_uid: str
    structures: tuple[Structure, ...]
    lines: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    roi_names: dict[int, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_structures(path: Path) -> StructureSet:
    """Read an RTSTRUCT.

    Raises:
        ImportRefused: it is no structure set, has no ROI, or points that are none.
    """
    data = open_object(path, "RTSTRUCT", "structure set")
    with refusing_damage(str(path)):
        return _structure_set(data, path)


def _structure_set(data: Dataset, path: Path) -> StructureSet:
    names = {int(r.ROINumber): text(r, "ROIName") for r in items(data, "StructureSetROISequence")}
    if not names:
        raise ImportRefused(f"{path}: the structure set names no ROI")
    roles = {
        int(o.ReferencedROINumber): text(o, "RTROIInterpretedType")
        for o in items(data, "RTROIObservationsSequence")
        if "ReferencedROINumber" in o
    }
    frame, series = _frame_and_series(data)
    structures, lines, remarks = [], {}, []
    drawn = set()
    for roi in items(data, "ROIContourSequence"):
        number = int(roi.ReferencedROINumber)
        name = names.get(number) or f"ROI {number}"
        closed, opened, other = _contours(roi, f"{path}: ROI {name}")
        drawn.add(number)
        if opened:
            lines[number] = opened[0]
        if closed:
            structures.append(
                Structure(name, tuple(closed), roles.get(number, ""), frame, _color(roi))
            )
        if other:
            remarks.append(f"ROI {name}: {other} contours that enclose nothing were left out.")
        if not closed and not opened and not other:
            remarks.append(f"ROI {name} is empty.")
    remarks += [f"ROI {names[n]} is not drawn." for n in sorted(set(names) - drawn)]
    if not frame:
        remarks.append("The structure set names no frame of reference.")
    return StructureSet(
        label=text(data, "StructureSetLabel"),
        sop_instance_uid=text(data, "SOPInstanceUID"),
        patient_id=text(data, "PatientID"),
        study_instance_uid=text(data, "StudyInstanceUID"),
        frame_of_reference_uid=frame,
        referenced_series_uid=series,
        structures=tuple(structures),
        lines=lines,
        roi_names=names,
        remarks=tuple(remarks),
    )


def _contours(
    roi: Dataset, where: str
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]], int]:
    """Sort the contours of a ROI into closed ones, open lines and the rest."""
    closed, opened, other = [], [], 0
    for contour in items(roi, "ContourSequence"):
        vertices = points(contour, "ContourData", where)
        kind = text(contour, "ContourGeometricType")
        if kind in CLOSED and len(vertices) >= 3:
            closed.append(vertices)
        elif kind in {"OPEN_NONPLANAR", "OPEN_PLANAR"} and len(vertices) >= 2:
            opened.append(vertices)
        else:
            other += 1
    return closed, opened, other


def _frame_and_series(data: Dataset) -> tuple[str, str]:
    frame, series = text(data, "FrameOfReferenceUID"), ""
    for reference in items(data, "ReferencedFrameOfReferenceSequence"):
        frame = text(reference, "FrameOfReferenceUID") or frame
        for study in items(reference, "RTReferencedStudySequence"):
            for image_series in items(study, "RTReferencedSeriesSequence"):
                series = series or text(image_series, "SeriesInstanceUID")
    if not frame:
        rois = items(data, "StructureSetROISequence")
        frame = next((f for r in rois if (f := text(r, "ReferencedFrameOfReferenceUID"))), "")
    return frame, series


def _color(roi: Dataset) -> tuple[int, int, int]:
    values = [int(v) for v in roi.get("ROIDisplayColor") or ()]
    if len(values) != 3:
        return (255, 255, 0)
    red, green, blue = (min(255, max(0, v)) for v in values)
    return (red, green, blue)
