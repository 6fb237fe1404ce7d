"""The three pictures of a snapshot, and which slice, needle and grey scale they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from guidance.imaging.volume import Volume
from guidance.procedure.snapshot import Snapshot
from guidance.screen import words
from guidance.screen.framing import (
    ACROSS_SPAN_MM,
    LEAST_SPAN_MM,
    MARGIN_MM,
    legend,
    of_interest,
    planes,
    scan_uid,
    shaft,
)
from guidance.screen.greyscale import PRESETS, GreyScale
from guidance.screen.overlays import (
    Line,
    Shape,
    here,
    isodose_lines,
    needle_lines,
    seed_capsules,
    structure_lines,
)
from guidance.screen.reslice import (
    Plane,
    Slice,
    axial,
    nearest_slice,
)
from guidance.screen.views import SliceView
from guidance.tracking.implant import NeedleTrack

FloatArray = NDArray[np.float64]

POSITIONS = {"HFS": "supine", "HFP": "prone", "FFS": "supine", "FFP": "prone"}


class Scene(QWidget):
    """Axial view, needle plane, and the plane across the needle at its tip."""

    needle_changed = pyqtSignal()

    def __init__(self) -> None:
        """Make three empty views."""
        super().__init__()
        self.axial = SliceView("AXIAL", "no scan yet")
        self.along = SliceView("NEEDLE PLANE", "no needle yet")
        self.across = SliceView("ALONG NEEDLE", "no needle yet")
        row, column = QHBoxLayout(self), QVBoxLayout()
        for layout in (row, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(6)
        row.addWidget(self.axial, 17)
        row.addLayout(column, 10)
        column.addWidget(self.along)
        column.addWidget(self.across)
        self._views = (self.axial, self.along, self.across)
        for view in self._views:
            view.scrolled.connect(self.step)
            view.window_dragged.connect(self._drag_window)
        self._snapshot: Snapshot | None = None
        self._window = PRESETS[0]
        self._preset(self._window)
        self.clear()

    def clear(self) -> None:
        """Forget everything of the case."""
        self._snapshot = None
        self._by_hand: int | None = None
        self._attached: int | None = None
        self._number = 0
        self._axial: Slice | None = None
        self._oblique: tuple[tuple[object, ...], Slice, Slice] | None = None
        self._kept: dict[tuple[object, ...], tuple[Line, ...]] = {}
        for view in self._views:
            view.clear()

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot of the same case; another slice or needle only if it calls for one."""
        before, self._snapshot = self._snapshot, snapshot
        if snapshot.applicator.needle != self._attached:
            # A needle taken in hand is the one to look at, whatever was clicked before.
            self._attached, self._by_hand = snapshot.applicator.needle, None
        if before is None or before.dose is not snapshot.dose:
            self._forget("isodose")
        if before is None or before.structures is not snapshot.structures:
            self._forget("structures")
        if before is None or before.volume is not snapshot.volume:
            self._kept.clear()
            self._axial = self._oblique = None
        if before is None or self._focus(before) != self._focus(snapshot):
            self.home()
        else:
            self._draw()

    @property
    def needle(self) -> NeedleTrack | None:
        """The current needle: chosen by hand, else on the applicator, else the first seen."""
        if self._snapshot is None:
            return None
        return self._needle_of(self._snapshot)

    def _needle_of(self, snapshot: Snapshot) -> NeedleTrack | None:
        needles = {n.number: n for n in words.tracks(snapshot)}
        for number in (self._by_hand, snapshot.applicator.needle):
            if number in needles:
                return needles[number]
        seen = (n for n in needles.values() if n.tip_mm is not None)
        return next(seen, next(iter(needles.values()), None))

    def _focus(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Return what decides which slice to show."""
        needle = self._needle_of(snapshot)
        return (id(snapshot.volume), needle.number if needle else None, snapshot.plan is None)

    # --- what a person changes ---------------------------------------------

    def choose_needle(self, number: int) -> None:
        """Make a needle the current one."""
        self._by_hand = number
        self.home()
        self.needle_changed.emit()

    def step(self, slices: int) -> None:
        """Go some slices headward (or footward, if negative)."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            return
        volume = snapshot.volume
        headward = 1 if volume.geometry.index_to_patient[2, 2] > 0 else -1
        last = volume.geometry.shape[0] - 1
        self._number = int(np.clip(self._number + headward * slices, 0, last))
        self._draw_axial(snapshot, volume)

    def home(self) -> None:
        """Go to the current needle's tip, or the middle of the plan, and fit the picture."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            for view in self._views:
                view.clear()
            return
        volume = snapshot.volume
        cloud = of_interest(snapshot)
        needle = self.needle
        ends = shaft(needle) if needle else None
        if ends is not None:
            self._number = nearest_slice(volume, ends[1])
        elif len(cloud):
            self._number = nearest_slice(volume, cloud.mean(axis=0))
        else:
            self._number = volume.geometry.shape[0] // 2
        self._axial = axial(volume, self._number)
        if len(cloud):
            flat = self._axial.plane.project(cloud)[:, :2]
            low, high = flat.min(axis=0), flat.max(axis=0)
            span = max(LEAST_SPAN_MM, float((high - low).max()) + 2 * MARGIN_MM)
            self.axial.look_at((low + high) / 2, span)
        else:
            self.axial.look_at((0.0, 0.0), 0.0)
        self.across.look_at((0.0, 0.0), ACROSS_SPAN_MM)
        self._draw()

    def preset(self, number: int) -> None:
        """Use a grey scale by its key, 1 to 9."""
        self._preset(PRESETS[number - 1])
        self._draw()

    def _drag_window(self, width_hu: float, level_hu: float) -> None:
        width = max(10.0, self._window.width_hu + width_hu)
        self._preset(GreyScale("by hand", width, self._window.level_hu + level_hu))
        self._draw()

    def _preset(self, window: GreyScale) -> None:
        self._window = window
        for view in self._views:
            view.set_window(window)

    # --- drawing -----------------------------------------------------------

    def _draw(self) -> None:
        snapshot = self._snapshot
        if snapshot is not None and snapshot.volume is not None:
            self._draw_axial(snapshot, snapshot.volume)
            self._draw_needle(snapshot, snapshot.volume)

    def _draw_axial(self, snapshot: Snapshot, volume: Volume) -> None:
        if self._axial is None or self._axial.number != self._number:
            self._axial = axial(volume, self._number)
        plane = self._axial.plane
        shapes = self._shapes(snapshot, plane, ("axial", self._number))
        captions = self._captions(volume, plane)
        self.axial.show_slice(self._axial, shapes, captions, legend(snapshot))

    def _draw_needle(self, snapshot: Snapshot, volume: Volume) -> None:
        needle = self.needle
        ends = shaft(needle) if needle else None
        if needle is None or ends is None:
            self.along.clear()
            self.across.clear()
            return
        key = (needle.number, *ends)
        if self._oblique is None or self._oblique[0] != key:
            self._oblique = (key, *planes(volume, *ends))
            entry = self._oblique[1].plane.project(ends[0])[:2]
            # Most of the needle and what lies beyond its tip.
            span = max(LEAST_SPAN_MM, 1.2 * float(np.linalg.norm(entry)))
            self.along.look_at(0.4 * entry, span)
        how = "as planned"
        if needle.tip_mm is not None:
            how = "as seen" if here(needle, scan_uid(snapshot)) else "earlier scan"
        named = f"needle {needle.number}, {how}"
        for view, shown, what in zip(
            (self.along, self.across), self._oblique[1:], ("along", "across"), strict=True
        ):
            view.show_slice(shown, self._shapes(snapshot, shown.plane, (what, *key)), (named,))

    def _captions(self, volume: Volume, plane: Plane) -> tuple[str, ...]:
        position = volume.provenance.patient_position.upper()
        lying = POSITIONS.get(position, position and "on the side")
        window = self._window
        return (
            f"slice {self._number + 1}/{volume.geometry.shape[0]}  z {plane.origin_mm[2]:.1f} mm",
            f"W {window.width_hu:.0f}  L {window.level_hu:.0f}  {window.name}",
            f"{position} {lying}, table below" if position else "patient position not given",
        )

    def _shapes(
        self, snapshot: Snapshot, plane: Plane, place: tuple[object, ...]
    ) -> tuple[Shape, ...]:
        plan, current, dose = snapshot.plan, self.needle, snapshot.dose
        target = plan.target_name if plan else ""
        planned = plan.seeds if plan else ()
        structures = self._keep(
            ("structures", *place),
            lambda: tuple(structure_lines(snapshot.structures, plane, target=target)),
        )
        isodoses: tuple[Line, ...] = ()
        if dose is not None and dose.seeds:
            isodoses = self._keep(("isodose", *place), lambda: isodose_lines(dose, plane))
        number = current.number if current else None
        return (
            *structures,
            *isodoses,
            *needle_lines(words.tracks(snapshot), plane, number, scan_uid(snapshot)),
            *seed_capsules(snapshot.seeds, planned, plane),
        )

    def _keep(
        self, key: tuple[object, ...], make: Callable[[], tuple[Line, ...]]
    ) -> tuple[Line, ...]:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _forget(self, what: str) -> None:
        self._kept = {key: lines for key, lines in self._kept.items() if key[0] != what}
