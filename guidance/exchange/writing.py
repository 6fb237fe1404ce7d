"""RTDOSE, RTSTRUCT and RTPLAN of an implant, written for other systems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    CTImageStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
)

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.errors import RefusedError
from guidance.exchange.reference import ExportReference, save
from guidance.planning.plan import ImplantPlan, PlannedSeed
from guidance.tracking.implant import ImplantSeed, NeedleTrack

NEEDLE_COLOUR = (200, 200, 200)


def write_dose(
    path: Path,
    dose_gy: NDArray[np.float32],
    geometry: GridGeometry,
    reference: ExportReference,
    *,
    description: str,
    variant: str = "",
) -> Path:
    """Write an RTDOSE with 32 bits a voxel (rounding below 1e-9 of the maximum).

    Args:
        path: of the file.
        dose_gy: (nz, ny, nx).
        geometry: of the grid; its axes must be at right angles.
        reference: the CT it belongs to.
        description: method line; its first 64 characters go into DoseComment (LO).
        variant: tells doses of one CT apart; each is an object of a series of its own.

    Raises:
        RefusedError: a sheared grid cannot be written as RTDOSE.
    """
    affine = geometry.index_to_patient
    columns, rows, frames = (affine[:3, k] for k in range(3))
    spacing = [float(np.linalg.norm(v)) for v in (columns, rows, frames)]
    normal = np.cross(columns, rows) / (spacing[0] * spacing[1])
    step = float(frames @ normal)
    if abs(abs(step) - spacing[2]) > 1e-6 * spacing[2]:
        raise RefusedError("a dose grid with sheared axes cannot be written as RTDOSE")
    scaling = max(float(dose_gy.max()), 1e-6) / (2**32 - 1)
    data = reference.dataset(RTDoseStorage, "RTDOSE")
    if variant:
        data.SOPInstanceUID = reference.uid("RTDOSE", variant)
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.SeriesInstanceUID = reference.uid("RTDOSE", variant, "series")
    data.SeriesDescription = description[:64]
    data.DoseComment = description[:64]
    data.DoseUnits, data.DoseType, data.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    plan = Dataset()
    plan.ReferencedSOPClassUID = RTPlanStorage
    plan.ReferencedSOPInstanceUID = reference.uid("RTPLAN")
    data.ReferencedRTPlanSequence = DicomSequence([plan])
    data.NumberOfFrames, data.Rows, data.Columns = geometry.shape
    data.FrameIncrementPointer = 0x3004000C
    data.GridFrameOffsetVector = [f"{step * k:.6g}" for k in range(geometry.shape[0])]
    data.ImagePositionPatient = [f"{v:.6f}"[:16] for v in affine[:3, 3]]
    directions = (*columns / spacing[0], *rows / spacing[1])
    data.ImageOrientationPatient = [f"{v:.10f}"[:16] for v in directions]
    data.PixelSpacing = [f"{spacing[1]:.8g}", f"{spacing[0]:.8g}"]
    data.SliceThickness = f"{abs(step):.8g}"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 32, 32, 31, 0
    data.DoseGridScaling = f"{scaling:.10e}"[:16]
    stored = np.rint(np.asarray(dose_gy, np.float64) / float(data.DoseGridScaling))
    data.PixelData = np.clip(stored, 0, 2**32 - 1).astype("<u4").tobytes()
    return save(data, path)


def write_structures(
    path: Path,
    structures: Sequence[Structure],
    reference: ExportReference,
    *,
    needles: Sequence[NeedleTrack] = (),
) -> Path:
    """Write an RTSTRUCT: the regions, and each needle as seen (BRACHY_CHANNEL, tip and entry)."""
    data = reference.dataset(RTStructureSetStorage, "RTSTRUCT")
    data.StructureSetLabel = "IMPLANT"
    data.StructureSetDate, data.StructureSetTime = data.SeriesDate, data.SeriesTime
    data.ReferencedFrameOfReferenceSequence = DicomSequence([_images(reference)])
    rows = [(s.name, s.role, s.color, "CLOSED_PLANAR", s.contours) for s in structures]
    rows += [
        (
            f"Needle {n.number}",
            "BRACHY_CHANNEL",
            NEEDLE_COLOUR,
            "OPEN_NONPLANAR",
            (np.array((n.tip_mm, n.entry_mm)),),
        )
        for n in needles
        if n.tip_mm is not None
    ]
    rois, contours, observations = [], [], []
    for number, (name, role, color, kind, lines) in enumerate(rows, start=1):
        roi, observation, drawn = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = number, name, ""
        roi.ReferencedFrameOfReferenceUID = reference.frame_of_reference_uid
        observation.ObservationNumber = observation.ReferencedROINumber = number
        observation.RTROIInterpretedType, observation.ROIInterpreter = role, ""
        drawn.ROIDisplayColor = list(color)
        drawn.ContourSequence = DicomSequence([_contour(kind, line) for line in lines])
        drawn.ReferencedROINumber = number
        rois.append(roi)
        observations.append(observation)
        contours.append(drawn)
    data.StructureSetROISequence = DicomSequence(rois)
    data.ROIContourSequence = DicomSequence(contours)
    data.RTROIObservationsSequence = DicomSequence(observations)
    data.ApprovalStatus = "UNAPPROVED"
    return save(data, path)


def _contour(kind: str, line: NDArray[np.float64]) -> Dataset:
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(line)
    item.ContourData = [f"{v:.3f}" for v in line.ravel()]
    return item


def _images(reference: ExportReference) -> Dataset:
    images = []
    for uid in reference.image_uids:
        image = Dataset()
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CTImageStorage, uid
        images.append(image)
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = reference.series_instance_uid
    series.ContourImageSequence = DicomSequence(images)
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = reference.study_instance_uid
    study.RTReferencedSeriesSequence = DicomSequence([series])
    frame.FrameOfReferenceUID = reference.frame_of_reference_uid
    frame.RTReferencedStudySequence = DicomSequence([study])
    return frame


def write_plan(
    path: Path,
    plan: ImplantPlan,
    seeds: Sequence[ImplantSeed],
    reference: ExportReference,
    *,
    supplements: Sequence[PlannedSeed] = (),
) -> Path:
    """Write the implant as it is (not as it was planned) as an RTPLAN.

    One application setup of the plan's seeds; where seeds beyond the plan were dropped, a second
    one of those, each named in ApplicationSetupName. In a setup one channel for each needle
    (ChannelNumber is the needle's number; 0 holds seeds whose needle is not known), a pair of
    control points for each seed.

    Args:
        path: of the file.
        plan: in the room's frame.
        seeds: of the implant.
        reference: the CT it belongs to.
        supplements: seeds planned beyond the plan; their numbers tell which seeds are those.
    """
    data = reference.dataset(RTPlanStorage, "RTPLAN")
    data.RTPlanLabel = f"{plan.label} as implanted"[:16]
    data.RTPlanDescription = f"{plan.label}, seeds as seen on CT, else as counted"
    data.RTPlanDate, data.RTPlanTime = data.SeriesDate, data.SeriesTime
    data.RTPlanGeometry, data.ApprovalStatus = "PATIENT", "UNAPPROVED"
    data.BrachyTreatmentTechnique, data.BrachyTreatmentType = "PERMANENT", "MANUAL"
    structure_set, dose, fraction = (Dataset() for _ in range(3))
    structure_set.ReferencedSOPClassUID = RTStructureSetStorage
    structure_set.ReferencedSOPInstanceUID = reference.uid("RTSTRUCT")
    data.ReferencedStructureSetSequence = DicomSequence([structure_set])
    dose.DoseReferenceNumber, dose.DoseReferenceType = 1, "TARGET"
    dose.DoseReferenceStructureType = "SITE"
    dose.DoseReferenceDescription = plan.target_name
    dose.TargetPrescriptionDose = plan.prescription_gy
    data.DoseReferenceSequence = DicomSequence([dose])
    beyond = {s.number for s in supplements}
    parts = (
        ("Planned seeds", [s for s in seeds if s.planned_number not in beyond]),
        ("Supplementary seeds", [s for s in seeds if s.planned_number in beyond]),
    )
    setups = [_setup(k, name, part) for k, (name, part) in enumerate(parts, start=1) if part]
    fraction.FractionGroupNumber = fraction.NumberOfFractionsPlanned = 1
    fraction.NumberOfBeams, fraction.NumberOfBrachyApplicationSetups = 0, len(setups)
    fraction.ReferencedBrachyApplicationSetupSequence = DicomSequence(
        [_setup_reference(setup.ApplicationSetupNumber) for setup in setups]
    )
    data.FractionGroupSequence = DicomSequence([fraction])
    machine = Dataset()
    machine.TreatmentMachineName = "MANUAL"
    data.TreatmentMachineSequence = DicomSequence([machine])
    data.SourceSequence = DicomSequence([_source(plan)])
    data.ApplicationSetupSequence = DicomSequence(setups)
    return save(data, path)


def _setup(number: int, name: str, seeds: Sequence[ImplantSeed]) -> Dataset:
    setup = Dataset()
    setup.ApplicationSetupType, setup.ApplicationSetupNumber = "VOLUMETRIC", number
    setup.ApplicationSetupName = name
    setup.TotalReferenceAirKerma = 0
    needles = sorted({s.needle or 0 for s in seeds})
    setup.ChannelSequence = DicomSequence(
        [_channel(n, [s for s in seeds if (s.needle or 0) == n]) for n in needles]
    )
    return setup


def _setup_reference(number: int) -> Dataset:
    reference = Dataset()
    reference.ReferencedBrachyApplicationSetupNumber = number
    return reference


def _source(plan: ImplantPlan) -> Dataset:
    source = Dataset()
    source.SourceNumber, source.SourceType = 1, "LINE"
    source.SourceModelID = plan.source_model
    source.SourceIsotopeName = ""
    source.SourceStrengthUnits = "AIR_KERMA_RATE"
    source.ReferenceAirKermaRate = f"{plan.strength_u:.6g}"
    at = plan.strength_at
    source.SourceStrengthReferenceDate = at.strftime("%Y%m%d") if at else ""
    source.SourceStrengthReferenceTime = at.strftime("%H%M%S") if at else ""
    return source


def _channel(needle: int, seeds: Sequence[ImplantSeed]) -> Dataset:
    points = []
    for k, seed in enumerate(seeds):
        for end in range(2):
            point = Dataset()
            point.ControlPointIndex = 2 * k + end
            point.ControlPointRelativePosition = 0
            point.ControlPoint3DPosition = [f"{v:.3f}" for v in seed.position_mm]
            if seed.axis is not None:
                point.ControlPointOrientation = [float(v) for v in seed.axis]
            point.CumulativeTimeWeight = f"{(k + end) / len(seeds):.6f}"
            points.append(point)
    channel = Dataset()
    channel.NumberOfControlPoints, channel.ChannelNumber = len(points), needle
    channel.ChannelTotalTime, channel.SourceMovementType = 0, "FIXED"
    channel.ReferencedSourceNumber, channel.FinalCumulativeTimeWeight = 1, 1
    channel.BrachyControlPointSequence = DicomSequence(points)
    return channel
