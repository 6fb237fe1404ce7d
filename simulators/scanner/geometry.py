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
    """The detector rows that make one slice.

    Attributes:
        offsets_mm: (rows, samples) heights of the fine rays, relative to the slice's middle.
        weights: (rows,) share of each row in the slice.
    """

    offsets_mm: FloatArray
    weights: FloatArray


def rows_of(slice_mm: float, geometry: Geometry) -> Rows:
    """Return the rows whose mean is a slice of a thickness (full width at half maximum).

    Rows lie side by side, about as high as the detector's own, three fine rays to each.
    """
    count = max(1, round(slice_mm / geometry.row_mm))
    pitch = slice_mm / count
    middles = (np.arange(count) - (count - 1) / 2.0) * pitch
    samples = np.array((-1.0, 0.0, 1.0)) / 3.0 * pitch
    return Rows(middles[:, None] + samples, np.full(count, 1.0 / count))
