"""From a CT volume to the media that photons meet in it, and pictures of them."""

from guidance.media.assignment import Assigned, PatientMedia, assign, region_mask
from guidance.media.calibration import Calibration, calibration_of

__all__ = ["Assigned", "Calibration", "PatientMedia", "assign", "calibration_of", "region_mask"]
