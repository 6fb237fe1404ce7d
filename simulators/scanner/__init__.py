"""The virtual CT scanner: images, DICOM series, push."""

from simulators.scanner.body import SeriesBody, anatomy_body
from simulators.scanner.image import PHYSICS, Protocol, scan
from simulators.scanner.sending import NotDeliveredError, push
from simulators.scanner.series import SeriesLabel, ct_images
from simulators.scanner.sinogram import Scanner, scan_sinogram

__all__ = [
    "PHYSICS",
    "NotDeliveredError",
    "Protocol",
    "Scanner",
    "SeriesBody",
    "SeriesLabel",
    "anatomy_body",
    "ct_images",
    "push",
    "scan",
    "scan_sinogram",
]
