"""What detection says it saw."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]


@dataclass(frozen=True)
class DetectedSeed:
    """A seed seen in a scan.

    Attributes:
        position_mm: centre (x, y, z), LPS mm.
        axis: unit direction of the long axis (sign means nothing); None where undecided.
        confidence: 0 to 1.
        covariance_mm2: 3x3 covariance of the centre as nested tuples; None if not estimated.
        confirmed_by: the person who confirmed, moved or added it; empty for the program alone.
        outside: whether it lies outside the body, as far as the scan tells.
    """

    position_mm: Point
    axis: Point | None
    confidence: float
    covariance_mm2: tuple[Point, Point, Point] | None = None
    confirmed_by: str = ""
    outside: bool = False


@dataclass(frozen=True)
class DetectedNeedle:
    """A needle seen in a scan.

    Attributes:
        tip_mm: where the metal ends (x, y, z), LPS mm.
        entry_mm: where it passes the skin, or where it leaves the scan.
        confidence: 0 to 1.
        path_mm: points from tip to entry for a bent needle; empty for a straight one.
        tip_sigma_mm: standard error of the tip along the needle.
        confirmed_by: the person who confirmed, moved or added it; empty for the program alone.
    """

    tip_mm: Point
    entry_mm: Point
    confidence: float
    path_mm: tuple[Point, ...] = ()
    tip_sigma_mm: float | None = None
    confirmed_by: str = ""

    @property
    def direction(self) -> NDArray[np.float64]:
        """(3,) unit vector from entry to tip: the way the needle was pushed."""
        along = np.subtract(self.tip_mm, self.entry_mm)
        return np.asarray(along / np.linalg.norm(along))


@dataclass(frozen=True)
class Detections:
    """All that was seen in one volume, and what could not be decided.

    Attributes:
        seeds: seeds seen.
        needles: needles seen.
        remarks: what could not be decided or assessed, full sentences with places.
        elapsed_s: time the detection took.
    """

    seeds: tuple[DetectedSeed, ...] = ()
    needles: tuple[DetectedNeedle, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    elapsed_s: float = 0.0
