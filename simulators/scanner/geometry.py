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

# Fine rays traced for each row of the detector.
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
        paired_from_mm: slices this thick or thicker are made of rows read in pairs.
        focus_along_mm: length of the focal spot's shadow along the patient: a spot of 0.9 mm
            (1.1 mm as made, IEC 60336) at 570 of 1040 mm from the detector.

    What lies between the readings of a helical scan is interpolated. Single rows are read every
    half a row, since the spot springs by that much (Flohr 2005, Med Phys 32:2536); rows in pairs
    are read without that, every pair (64-row scanners: 32 of 0.6 mm or 24 of 1.2 mm).

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
    paired_from_mm: float = 2.0
    focus_along_mm: float = 0.5

    @property
    def angles(self) -> FloatArray:
        """(views,) radians."""
        return np.arange(self.views) * np.pi / self.views

    def together(self, slice_mm: float) -> int:
        """Return how many of the detector's rows are read as one for a slice."""
        return 2 if slice_mm >= self.paired_from_mm else 1

    def between_mm(self, slice_mm: float) -> float:
        """Return the way along the patient from one reading to the next."""
        return 2.0 * self.row_mm if self.together(slice_mm) == 2 else self.row_mm / 2.0

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

    Rows lie side by side, about as high as those that are read, three fine rays to each of the
    detector's. Focal spot and interpolation blur them along the patient into their neighbours,
    so that a slice's profile is bell-shaped when thin, as those measured are, and has soft edges
    when thick.
    """
    together = geometry.together(slice_mm)
    fine = FINE_RAYS * together
    count = max(1, round(slice_mm / (geometry.row_mm * together)))
    step = slice_mm / count / fine
    blur = _blur(geometry.focus_along_mm, geometry.between_mm(slice_mm), step)
    shares = np.zeros((count, fine * count + len(blur) - 1))
    for k, row in enumerate(shares):
        row[fine * k : fine * (k + 1) + len(blur) - 1] = np.convolve(
            np.full(fine, 1.0 / fine), blur
        )
    heights = np.asarray((np.arange(shares.shape[1]) - (shares.shape[1] - 1) / 2.0) * step)
    return Rows(heights, shares)


def _blur(spot_mm: float, between_mm: float, step: float) -> FloatArray:
    """Return an odd number of weights a step apart: the spot's shadow, interpolated."""
    finer = 32
    n = int(np.ceil((spot_mm / 2.0 + between_mm) / step - 0.5))
    # The mean over a step around each weight, of a box convolved with a triangle.
    at = (np.arange((2 * n + 1) * finer) + 0.5) / finer * step - (n + 0.5) * step
    u = np.linspace(-0.5, 0.5, 65)[:, None] * spot_mm
    fine = np.clip(1.0 - np.abs(at - u) / between_mm, 0.0, None).mean(axis=0)
    weights = fine.reshape(2 * n + 1, finer).sum(axis=1)
    return np.asarray(weights / weights.sum())
