"""The structure set of the plan: outlines and needles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, RTStructureSetStorage

from simulators.identity import Identity
from simulators.planner.needles import Needle
from simulators.planner.outlines import Outline
from simulators.scanner.series import SeriesLabel, image_uid

FloatArray = NDArray[np.float64]

COLOURS = ((255, 80, 80), (255, 200, 60), (80, 200, 255))
NEEDLE_COLOUR = (200, 200, 200)


def needle_roi_number(needle: int, outlines: int) -> int:
    """Return the ROINumber of a needle: they follow the outlines."""
    return outlines + needle


def structure_set(
    outlines: tuple[Outline, ...],
    needles: tuple[Needle, ...],
    label: SeriesLabel,
    slices: int,
    identity: Identity,
) -> FileDataset:
    """Return the RTSTRUCT of a plan.

    Args:
        outlines: in the planning frame.
        needles: in the planning frame; each becomes a ROI of type BRACHY_CHANNEL with an open
            contour of two points, tip and entry.
        label: of the planning CT.
        slices: number of its slices.
        identity: of the case.
    """
    uid = identity.uid("structure set")
    data = identity.dataset(RTStructureSetStorage, uid, label.at)
    data.Modality = "RTSTRUCT"
    data.StudyInstanceUID = identity.uid("planning", "study")
    data.SeriesInstanceUID = identity.uid("structure set", "series")
    data.FrameOfReferenceUID = identity.uid("planning", "frame")
    data.SeriesNumber = 2
    data.SeriesDescription = "Structures of the plan"
    data.StructureSetLabel = "PLAN"
    data.StructureSetDate, data.StructureSetTime = data.ContentDate, data.ContentTime
    data.ReferencedFrameOfReferenceSequence = [_referenced(label, slices, identity)]
    rois, contours, observations = [], [], []
    for number, outline in enumerate(outlines, start=1):
        rois.append(_roi(number, outline.name, identity))
        observations.append(_observation(number, outline.role))
        contours.append(_outline(number, outline, label, identity))
    for needle in needles:
        number = needle_roi_number(needle.number, len(outlines))
        rois.append(_roi(number, f"Needle {needle.number}", identity))
        observations.append(_observation(number, "BRACHY_CHANNEL"))
        contours.append(_line(number, needle))
    data.StructureSetROISequence = Sequence(rois)
    data.ROIContourSequence = Sequence(contours)
    data.RTROIObservationsSequence = Sequence(observations)
    data.ApprovalStatus = "UNAPPROVED"
    return data


def _referenced(label: SeriesLabel, slices: int, identity: Identity) -> Dataset:
    images = []
    for k in range(slices):
        image = Dataset()
        image.ReferencedSOPClassUID = CTImageStorage
        image.ReferencedSOPInstanceUID = image_uid(identity, label.name, k)
        images.append(image)
    series = Dataset()
    series.SeriesInstanceUID = identity.uid(label.name, "series")
    series.ContourImageSequence = Sequence(images)
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = identity.uid("planning", "study")
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = identity.uid("planning", "frame")
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _roi(number: int, name: str, identity: Identity) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = identity.uid("planning", "frame")
    roi.ROIName = name
    roi.ROIGenerationAlgorithm = "MANUAL"
    return roi


def _observation(number: int, role: str) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = number
    observation.ReferencedROINumber = number
    observation.RTROIInterpretedType = role
    observation.ROIInterpreter = ""
    return observation


def _outline(number: int, outline: Outline, label: SeriesLabel, identity: Identity) -> Dataset:
    items = []
    for k, points in outline.contours:
        image = Dataset()
        image.ReferencedSOPClassUID = CTImageStorage
        image.ReferencedSOPInstanceUID = image_uid(identity, label.name, k)
        item = _contour("CLOSED_PLANAR", points)
        item.ContourImageSequence = Sequence([image])
        items.append(item)
    roi = Dataset()
    roi.ROIDisplayColor = list(COLOURS[(number - 1) % len(COLOURS)])
    roi.ContourSequence = Sequence(items)
    roi.ReferencedROINumber = number
    return roi


def _line(number: int, needle: Needle) -> Dataset:
    roi = Dataset()
    roi.ROIDisplayColor = list(NEEDLE_COLOUR)
    line = np.array((needle.tip, needle.entry))
    roi.ContourSequence = Sequence([_contour("OPEN_NONPLANAR", line)])
    roi.ReferencedROINumber = number
    return roi


def _contour(kind: str, points: FloatArray) -> Dataset:
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{value:.3f}" for value in np.asarray(points).ravel()]
    return item
