"""A scan as the DICOM CT series that a scanner sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.uid import CTImageStorage

from simulators.identity import Identity
from simulators.scanner.image import PIXELS, Protocol


@dataclass(frozen=True)
class SeriesLabel:
    """What a series is called.

    Attributes:
        name: tells the series of a case apart, such as ``needles``.
        number: DICOM SeriesNumber.
        description: DICOM SeriesDescription.
        study: ``planning`` or ``implant``.
        at: acquisition of the first slice.
    """

    name: str
    number: int
    description: str
    study: str
    at: datetime


def ct_images(
    hu: NDArray[np.int16], protocol: Protocol, label: SeriesLabel, identity: Identity
) -> Iterator[FileDataset]:
    """Yield the slices of a scan as CT images, intercept -1024, in scanning order.

    12 bits are stored, 16 if the protocol's HU are extended.
    """
    affine = protocol.affine
    pixel = protocol.pixel_mm
    bits = 16 if protocol.extended else 12
    for k, image in enumerate(hu):
        at = label.at + timedelta(seconds=0.1 * k)
        data = identity.dataset(CTImageStorage, image_uid(identity, label.name, k), at)
        data.Modality = "CT"
        data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.StudyInstanceUID = identity.uid(label.study, "study")
        data.SeriesInstanceUID = identity.uid(label.name, "series")
        data.FrameOfReferenceUID = identity.uid(label.study, "frame")
        data.PositionReferenceIndicator = ""
        data.SeriesNumber = label.number
        data.SeriesDescription = label.description
        data.InstanceNumber = k + 1
        data.AcquisitionNumber, data.ImagesInAcquisition = 1, len(hu)
        data.AcquisitionDate, data.AcquisitionTime = _date_and_time(at)
        data.PatientPosition = "HFP" if protocol.prone else "HFS"
        x, y, z = (float(v) for v in affine[:3, :3] @ (0, 0, k) + affine[:3, 3])
        data.ImagePositionPatient = [f"{v:.4f}" for v in (x, y, z)]
        data.ImageOrientationPatient = [f"{v:.8f}" for v in affine[:3, :2].T.ravel() / pixel]
        data.GantryDetectorTilt = protocol.tilt_deg
        data.PixelSpacing = [protocol.pixel_mm, protocol.pixel_mm]
        data.SliceThickness = protocol.slice_mm
        data.SliceLocation = f"{z:.4f}"
        data.KVP = 120
        data.ConvolutionKernel = protocol.kernel.upper()
        data.Rows = data.Columns = PIXELS
        data.SamplesPerPixel = 1
        data.PhotometricInterpretation = "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
        data.PixelRepresentation = 0
        data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -1024, 1, "HU"
        data.PixelData = (image.astype(np.int32) + 1024).astype("<u2").tobytes()
        yield data


def image_uid(identity: Identity, series: str, index: int) -> str:
    """Return the SOP Instance UID of one slice."""
    return identity.uid(series, "image", index)


def _date_and_time(at: datetime) -> tuple[str, str]:
    return at.strftime("%Y%m%d"), at.strftime("%H%M%S.%f")
