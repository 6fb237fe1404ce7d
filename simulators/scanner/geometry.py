"""Rays and channels of the virtual scanner.

Parallel beams in the plane of the slice, half a turn of views, as a third-generation scanner
has them after rebinning (Kak and Slaney 1988, Principles of Computerized Tomographic Imaging,
chapter 3). A ray of view a and channel s is the line x cos a + y sin a = s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Fine rays traced for each row.
FINE_RAYS = 3


@dataclass(frozen=True)
class Geometry:
    """The scanner's own sizes, mm at the isocentre.

    Attributes:
        views: in half a turn.
        channel_mm: from one channel to the next.
        channels: number of channels.
        fine: rays traced through metal for each channel.
        aperture_mm: width of a detector element.
        focus_mm: width of the focal spot's shadow.
        row_mm: of a detector row.
        focus_along_mm: length of the focal spot's shadow along the patient: a spot of 0.9 mm
            (1.1 mm as made, IEC 60336) at 570 of 1040 mm from the detector.
        between_mm: from one reading of a helical scan to the next along the patient; what lies
            between is interpolated (0.3 mm where the spot springs by half a row: Flohr 2005,
            Med Phys 32:2536).

    Aperture and focus blur what the channels are too far apart to hold: with less blur, metal
    leaves a weave of aliases that real scanners avoid by moving their focal spot.
    """

    views: int = 720
    channel_mm: float = 0.5
    channels: int = 944
    fine: int = 3
    aperture_mm: float = 0.7
    focus_mm: float = 0.9
    row_mm: float = 0.6
    focus_along_mm: float = 0.5
    between_mm: float = 0.3

    @property
    def angles(self) -> FloatArray:
        """(views,) radians."""
        return np.arange(self.views) * np.pi / self.views

    @property
    def first_mm(self) -> float:
        """Position of the first channel."""
        return -(self.channels - 1) / 2.0 * self.channel_mm

    @property
    def response(self) -> FloatArray:
        """(n,) weights of the fine rays around a channel: aperture and focal spot, two boxes."""
        step = self.channel_mm / self.fine
        reach = int(np.ceil((self.aperture_mm + self.focus_mm) / 2.0 / step))
        at = np.arange(-reach, reach + 1) * step
        # Two boxes convolved: a trapezoid, a triangle where they are alike.
        wide, narrow = max(self.aperture_mm, self.focus_mm), min(self.aperture_mm, self.focus_mm)
        weight = np.clip((wide + narrow) / 2.0 - np.abs(at), 0.0, narrow)
        return np.asarray(weight / weight.sum())


@dataclass(frozen=True)
class Rows:
    """The rows that make one slice, in equal parts.

    Attributes:
        heights_mm: (samples,) of the fine rays, evenly apart, relative to the slice's middle.
        shares: (rows, samples) of each fine ray in each row; those of a row sum to 1.
    """

    heights_mm: FloatArray
    shares: FloatArray


def rows_of(slice_mm: float, geometry: Geometry) -> Rows:
    """Return the rows whose mean is a slice of a thickness (full width at half maximum).

    Rows lie side by side, about as high as the detector's own, three fine rays to each. Focal
    spot and interpolation blur them along the patient into their neighbours, so that a slice's
    profile is bell-shaped when thin, as those measured are, and has soft edges when thick.
    """
    count = max(1, round(slice_mm / geometry.row_mm))
    step = slice_mm / count / FINE_RAYS
    blur = _blur(geometry, step)
    shares = np.zeros((count, FINE_RAYS * count + len(blur) - 1))
    for k, row in enumerate(shares):
        row[FINE_RAYS * k : FINE_RAYS * (k + 1) + len(blur) - 1] = np.convolve(
            np.full(FINE_RAYS, 1.0 / FINE_RAYS), blur
        )
    heights = np.asarray((np.arange(shares.shape[1]) - (shares.shape[1] - 1) / 2.0) * step)
    return Rows(heights, shares)


def _blur(geometry: Geometry, step: float) -> FloatArray:
    """Return an odd number of weights a step apart: the spot's shadow, interpolated."""
    finer = 32
    reach = geometry.focus_along_mm / 2.0 + geometry.between_mm
    n = int(np.ceil(reach / step - 0.5))
    # The mean over a step around each weight, of a box convolved with a triangle.
    at = (np.arange((2 * n + 1) * finer) + 0.5) / finer * step - (n + 0.5) * step
    u = np.linspace(-0.5, 0.5, 65)[:, None] * geometry.focus_along_mm
    fine = np.clip(1.0 - np.abs(at - u) / geometry.between_mm, 0.0, None).mean(axis=0)
    weights = fine.reshape(2 * n + 1, finer).sum(axis=1)
    return np.asarray(weights / weights.sum())
