"""The virtual CT scanner: images, DICOM series, push."""

from simulators.scanner.image import Protocol, scan
from simulators.scanner.sending import NotDeliveredError, push
from simulators.scanner.series import SeriesLabel, ct_images

__all__ = ["NotDeliveredError", "Protocol", "SeriesLabel", "ct_images", "push", "scan"]
