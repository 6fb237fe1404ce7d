"""From DICOM files to volumes in patient coordinates."""

from guidance.imaging.block import Ground
from guidance.imaging.series import SeriesAssembler, read_bursts, read_latest, read_series
from guidance.imaging.volume import Provenance, Volume

__all__ = [
    "Ground",
    "Provenance",
    "SeriesAssembler",
    "Volume",
    "read_bursts",
    "read_latest",
    "read_series",
]
