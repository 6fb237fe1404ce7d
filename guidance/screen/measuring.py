"""A ruler: two points measure a distance, a third the angle at the second."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from guidance.screen.overlays import Line
from guidance.screen.reslice import Plane

FloatArray = NDArray[np.float64]

COLOUR = "#ff9ff3"
# Points further from a plane than this do not lie in its picture.
IN_PLANE_MM = 1.5


class Ruler:
    """Holds up to three points of the patient."""

    def __init__(self) -> None:
        """Start without points."""
        self.points: list[FloatArray] = []
        self.scan_uid = ""

    def press(self, point_mm: FloatArray, scan_uid: str = "") -> None:
        """Set the next point, in the picture of a scan; the fourth begins anew.

        So does a point in another scan: what lies between two scans is no length of the patient.
        """
        if len(self.points) == 3 or scan_uid != self.scan_uid:
            self.points.clear()
        self.scan_uid = scan_uid
        self.points.append(np.asarray(point_mm, np.float64))

    def clear(self) -> None:
        """Take all points away."""
        self.points.clear()

    @property
    def distance_mm(self) -> float | None:
        """Distance between the first two points."""
        if len(self.points) < 2:
            return None
        return float(np.linalg.norm(self.points[1] - self.points[0]))

    @property
    def angle_deg(self) -> float | None:
        """Angle at the second point between the first and the third, 0 to 180."""
        if len(self.points) < 3:
            return None
        one, other = self.points[0] - self.points[1], self.points[2] - self.points[1]
        lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
        if lengths == 0.0:
            return None
        return float(np.degrees(np.arccos(np.clip(one @ other / lengths, -1.0, 1.0))))

    @property
    def text(self) -> str:
        """What was measured, with its units; empty before the second point."""
        if self.distance_mm is None:
            return ""
        angle = "" if self.angle_deg is None else f", {self.angle_deg:.1f}°"
        return f"{self.distance_mm:.1f} mm{angle}"

    def lines(self, plane: Plane) -> Iterator[Line]:
        """Yield the ruler as it lies in a plane; nothing where a point is outside of it."""
        if not self.points:
            return
        at = plane.project(self.points)
        if np.abs(at[:, 2]).max() > IN_PLANE_MM:
            return
        for point in at[:, :2]:
            for arm in ((1.5, 0.0), (0.0, 1.5)):
                yield Line(np.array((point - arm, point + arm)), COLOUR, 2.0)
        if len(at) > 1:
            yield Line(at[:, :2], COLOUR, 1.6, name=self.text, name_at=1)
