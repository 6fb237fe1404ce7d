"""The brachytherapy plan of a permanent implant as an RTPLAN object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.uid import RTPlanStorage, RTStructureSetStorage

from simulators.identity import Identity
from simulators.planner.needles import Needle
from simulators.planner.rtstruct import needle_roi_number

HALF_LIFE_DAYS = 59.40
# ChannelTotalTime of a permanent implant: the mean life, in DICOM's unit, seconds.
MEAN_LIFE_S = HALF_LIFE_DAYS / 0.693147180559945 * 86400.0


@dataclass(frozen=True)
class Directive:
    """What the plan prescribes.

    Attributes:
        source_model: name of the seed model.
        strength_u: air-kerma strength of a seed in U at ``strength_at``.
        strength_at: reference time of the strength.
        prescription_gy: dose to the target.
        target_roi: ROINumber of the target.
        outlines: number of outlines in the structure set, which the needles follow.
    """

    source_model: str
    strength_u: float
    strength_at: datetime
    prescription_gy: float
    target_roi: int
    outlines: int


def implant_plan(
    needles: tuple[Needle, ...], directive: Directive, at: datetime, identity: Identity
) -> FileDataset:
    """Return the RTPLAN: one application setup, a channel for each needle.

    Each seed is one pair of control points at its centre, with its direction; the channel
    names the needle's ROI (3006,0084).
    """
    data = identity.dataset(RTPlanStorage, identity.uid("plan"), at)
    data.Modality = "RTPLAN"
    data.StudyInstanceUID = identity.uid("planning", "study")
    data.SeriesInstanceUID = identity.uid("plan", "series")
    data.FrameOfReferenceUID = identity.uid("planning", "frame")
    data.SeriesNumber = 3
    data.SeriesDescription = "Implant plan"
    data.RTPlanLabel = f"SIM {identity.seed}"
    data.RTPlanDate, data.RTPlanTime = data.ContentDate, data.ContentTime
    data.RTPlanGeometry = "PATIENT"
    data.ApprovalStatus = "UNAPPROVED"
    data.BrachyTreatmentTechnique = "PERMANENT"
    data.BrachyTreatmentType = "MANUAL"
    data.ReferencedStructureSetSequence = Sequence([_reference(identity)])
    data.DoseReferenceSequence = Sequence([_prescription(directive)])
    data.FractionGroupSequence = Sequence([_fraction(directive)])
    machine = Dataset()
    machine.TreatmentMachineName = "MANUAL"
    data.TreatmentMachineSequence = Sequence([machine])
    data.SourceSequence = Sequence([_source(directive)])
    setup = Dataset()
    setup.ApplicationSetupType = "VOLUMETRIC"
    setup.ApplicationSetupNumber = 1
    setup.TotalReferenceAirKerma = 0
    setup.ChannelSequence = Sequence([_channel(n, directive) for n in needles])
    data.ApplicationSetupSequence = Sequence([setup])
    return data


def _reference(identity: Identity) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = RTStructureSetStorage
    reference.ReferencedSOPInstanceUID = identity.uid("structure set")
    return reference


def _prescription(directive: Directive) -> Dataset:
    dose = Dataset()
    dose.DoseReferenceNumber = 1
    dose.DoseReferenceStructureType = "VOLUME"
    dose.DoseReferenceType = "TARGET"
    dose.ReferencedROINumber = directive.target_roi
    dose.TargetPrescriptionDose = directive.prescription_gy
    return dose


def _fraction(directive: Directive) -> Dataset:
    reference = Dataset()
    reference.ReferencedBrachyApplicationSetupNumber = 1
    reference.BrachyApplicationSetupDose = directive.prescription_gy
    fraction = Dataset()
    fraction.FractionGroupNumber = 1
    fraction.NumberOfFractionsPlanned = 1
    fraction.NumberOfBeams = 0
    fraction.NumberOfBrachyApplicationSetups = 1
    fraction.ReferencedBrachyApplicationSetupSequence = Sequence([reference])
    return fraction


def _source(directive: Directive) -> Dataset:
    source = Dataset()
    source.SourceNumber = 1
    source.SourceType = "LINE"
    source.SourceModelID = directive.source_model
    source.SourceIsotopeName = "I-125"
    source.SourceIsotopeHalfLife = HALF_LIFE_DAYS
    source.SourceStrengthUnits = "AIR_KERMA_RATE"
    source.ReferenceAirKermaRate = round(directive.strength_u, 5)
    source.SourceStrengthReferenceDate = directive.strength_at.strftime("%Y%m%d")
    source.SourceStrengthReferenceTime = directive.strength_at.strftime("%H%M%S")
    return source


def _channel(needle: Needle, directive: Directive) -> Dataset:
    direction = needle.direction
    points = []
    for k, retraction in enumerate(needle.retractions):
        for end in range(2):
            point = Dataset()
            point.ControlPointIndex = 2 * k + end
            point.ControlPointRelativePosition = round(retraction, 3)
            point.ControlPoint3DPosition = [f"{v:.3f}" for v in needle.seed(retraction)]
            point.ControlPointOrientation = [float(v) for v in direction]
            point.CumulativeTimeWeight = f"{(k + end) / len(needle.retractions):.6f}"
            points.append(point)
    channel = Dataset()
    channel.NumberOfControlPoints = len(points)
    channel.ChannelNumber = needle.number
    channel.ReferencedROINumber = needle_roi_number(needle.number, directive.outlines)
    channel.ChannelLength = round(float(sum((needle.entry - needle.tip) ** 2)) ** 0.5, 3)
    channel.ChannelTotalTime = f"{MEAN_LIFE_S:.1f}"
    channel.SourceMovementType = "FIXED"
    channel.ReferencedSourceNumber = 1
    channel.FinalCumulativeTimeWeight = 1
    channel.BrachyControlPointSequence = Sequence(points)
    return channel
