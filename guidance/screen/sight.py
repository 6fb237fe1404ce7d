"""Where one looks: a point of the patient that all pictures go through, and the cuts there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guidance.imaging.volume import Volume
from guidance.screen.reslice import Slice, cut, cut_axes, cut_axis, nearest_slice

FloatArray = NDArray[np.float64]

CUTS = ("axial", "coronal", "sagittal")


class Sight:
    """The common point, and the three cuts of one volume through it."""

    def __init__(self) -> None:
        """Look at nothing."""
        self.volume: Volume | None = None
        self.anatomical = False
        self._point: FloatArray = np.zeros(3)
        self._cuts: dict[str, Slice] = {}

    def look_through(self, volume: Volume | None) -> None:
        """Take another volume; the point stays."""
        self.volume = volume
        self._cuts.clear()

    def turn(self, *, anatomical: bool) -> None:
        """Show anterior up, or the table below as on the scanner."""
        self.anatomical = anatomical
        self._cuts.clear()

    @property
    def position(self) -> str:
        """The PatientPosition by which pictures are turned; empty means anterior up."""
        if self.volume is None or self.anatomical:
            return ""
        return self.volume.provenance.patient_position

    @property
    def point(self) -> FloatArray:
        """The common point, LPS mm."""
        return self._point

    def go(self, point_mm: ArrayLike) -> None:
        """Look at a point, or at the point of the volume nearest to it."""
        point = np.asarray(point_mm, np.float64)
        if self.volume is not None:
            geometry = self.volume.geometry
            index = geometry.patient_to_indices(point)
            point = geometry.indices_to_patient(
                np.clip(index, 0, np.array(geometry.shape[::-1]) - 1)
            )
        self._point = point

    def step(self, which: str, slices: int) -> None:
        """Go some slices into the screen of a cut: headward in the axial one."""
        if self.volume is None:
            return
        geometry = self.volume.geometry
        axis = cut_axis(self.volume, which, self.position)
        into = np.cross(*cut_axes(which, self.position)) @ geometry.axes[:, axis]
        index = geometry.patient_to_indices(self._point)
        # From the middle of the slice shown, so that steps do not drift.
        index[axis] = self.number(which) + (slices if into > 0 else -slices)
        self.go(geometry.indices_to_patient(index))

    def number(self, which: str) -> int:
        """Return the number of the slice of a cut."""
        assert self.volume is not None
        axis = cut_axis(self.volume, which, self.position)
        return nearest_slice(self.volume, self._point, axis)

    def count(self, which: str) -> int:
        """Return how many slices a cut has."""
        assert self.volume is not None
        return self.volume.geometry.shape[2 - cut_axis(self.volume, which, self.position)]

    def cut(self, which: str) -> Slice:
        """Return the slice of a cut; the same object while it is the same slice."""
        assert self.volume is not None
        number = self.number(which)
        kept = self._cuts.get(which)
        if kept is None or kept.number != number:
            kept = cut(self.volume, which, number, self.position)
            self._cuts[which] = kept
        return kept
