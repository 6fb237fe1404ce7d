"""The pictures of a snapshot, and which point, needle and grey scale they show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import pyqtSignal

from guidance.procedure.snapshot import Snapshot
from guidance.screen import comparing
from guidance.screen.cine import Cine
from guidance.screen.drawing import Shapes
from guidance.screen.framing import (
    ACROSS_SPAN_MM,
    LEAST_SPAN_MM,
    axial_captions,
    fitted,
    legend,
    of_interest,
    scan_uid,
    shaft,
    start,
)
from guidance.screen.greyscale import PRESETS, GreyScale
from guidance.screen.language import marked, tr
from guidance.screen.measuring import Ruler
from guidance.screen.oblique import Choice, NeedleCuts, frame
from guidance.screen.overlays import Shape
from guidance.screen.panes import Panes
from guidance.screen.planlayer import PlanLayer, Triple
from guidance.screen.reslice import Plane, Slice
from guidance.screen.sight import Sight
from guidance.screen.standing import of_scan
from guidance.screen.turns import Turns
from guidance.screen.views import SliceView
from guidance.tracking.implant import NeedleTrack

FloatArray = NDArray[np.float64]


class Scene(Panes):
    """Three cuts through a common point, the needle's plane, and the needle seen end-on."""

    needle_changed = pyqtSignal()

    def __init__(self, turns: Turns | None = None) -> None:
        """Make five empty views.

        Args:
            turns: in which they are drawn; all at once if left out.
        """
        self._turns = turns or Turns(at_once=True)
        super().__init__(self._turns)
        # The time now, for ages.
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        for which, pane in self.cuts.items():
            pane.scrolled.connect(partial(self.step, which=which))
        self.along.scrolled.connect(lambda turns: self._step_needle(beside=turns))
        self.across.scrolled.connect(lambda turns: self._step_needle(depth=turns))
        for view in self.views:
            view.window_dragged.connect(self._drag_window)
            view.pointed.connect(self._point)
            view.maximised.connect(partial(self.maximise, view))
        self.ruler, self.measuring = Ruler(), False
        self._cine = Cine(self._play, self)
        self._sight, self._cuts = Sight(), NeedleCuts()
        self._drawn, self._layer = Shapes(), PlanLayer()
        self._snapshot: Snapshot | None = None
        self._window = PRESETS[0]
        self._preset(self._window)
        self.clear()

    def clear(self) -> None:
        """Forget everything of the case."""
        self._snapshot = None
        self._choice = Choice()
        self._sight.look_through(None)
        self._cuts, self._drawn, self._layer = NeedleCuts(), Shapes(), PlanLayer()
        self.ruler.clear()
        self.measuring = False
        self._cine.stop()
        self._map = comparing.Map()
        self.empty()

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot of the same case; another slice or needle only if it calls for one."""
        before, self._snapshot = self._snapshot, snapshot
        self._choice.follow(snapshot)
        self._drawn.follow(before, snapshot)
        if before is None or before.volume is not snapshot.volume:
            self._drawn.clear()
            self._sight.look_through(snapshot.volume)
            self._cuts.forget()
            # Nothing of another scan stands under this one's name while it is drawn.
            self.empty(waiting=True)
        self._layer.follow(before, snapshot)
        if before is None or self._focus(before) != self._focus(snapshot):
            self.home()
        else:
            self.draw()

    @property
    def point(self) -> FloatArray:
        """The point that all pictures go through, LPS mm."""
        return self._sight.point

    @property
    def anatomical(self) -> bool:
        """Whether anterior is up, rather than the table below."""
        return self._sight.anatomical

    @property
    def needle(self) -> NeedleTrack | None:
        """The current needle: chosen by hand, else on the applicator, else the first seen."""
        return None if self._snapshot is None else self._choice.of(self._snapshot)

    def _focus(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Return what decides which slice to show."""
        needle = self._choice.of(snapshot)
        return (id(snapshot.volume), needle.number if needle else None, snapshot.plan is None)

    # --- what a person changes ---------------------------------------------

    def choose_needle(self, number: int) -> None:
        """Make a needle the current one."""
        self._choice.by_hand = number
        self.home()
        self.needle_changed.emit()

    def next_needle(self, step: int) -> None:
        """Make the next needle by number the current one, or the one before."""
        if self._snapshot is not None and (number := self._choice.beside(self._snapshot, step)):
            self.choose_needle(number)

    @property
    def way(self) -> str:
        """How the planning CT is laid over the room's: ``blend``, ``difference`` or not."""
        return self._layer.way(self._snapshot)

    @property
    def nudge(self) -> FloatArray:
        """How far the plan was moved on the screen: x, y, z mm and degrees about z."""
        return self._layer.nudge

    def next_way(self) -> None:
        """Lay the planning CT over the room's in the next way."""
        self._layer.next_way(self._snapshot)
        self.draw()

    def push_plan(self, right: float, down: float, headward: float, turn: float) -> bool:
        """Move the plan on the screen alone, in the axial picture's directions.

        Args:
            right: mm.
            down: mm.
            headward: mm.
            turn: degrees about the axis into the axial picture, clockwise.

        Returns:
            whether there was a registration shown to move.
        """
        if not self._layer.may_move(self._snapshot):
            return False
        self._layer.move(self._sight.cut("axial").plane.axes[:2], right, down, headward, turn)
        self.draw()
        return True

    def nudging(self) -> tuple[Triple, Triple, Triple]:
        """Return the move on the screen: shift mm, turn degrees, and the point turned about."""
        return self._layer.nudging(self._snapshot, self._sight.point)

    def step(self, slices: int, which: str = "axial") -> None:
        """Go some slices headward (or footward, if negative); or into another cut."""
        self._sight.step(which, slices)
        self.draw()

    def _step_needle(self, *, beside: int = 0, depth: int = 0) -> None:
        self._cuts.step(beside=beside, depth=depth)
        self.draw()

    def _point(self, point_mm: FloatArray, first: bool) -> None:
        if self.measuring:
            if first:
                self.ruler.press(point_mm, scan_uid(self._snapshot) if self._snapshot else "")
        else:
            self._sight.go(point_mm)
        self.draw()

    def measure(self) -> None:
        """Let clicks measure, or point again; measuring begins without points."""
        self.measuring = not self.measuring
        if self.measuring:
            self.ruler.clear()
        self.draw()

    def compare(self) -> None:
        """Lay the difference of model-based dose and TG-43 over the axial picture, or not."""
        self._map.shown = not self._map.shown
        self.draw()

    @property
    def comparing(self) -> bool:
        """Whether that difference is wanted."""
        return self._map.shown

    def turn(self) -> None:
        """Change between the table below and anterior up."""
        self._sight.turn(anatomical=not self._sight.anatomical)
        self._cuts.forget()
        self._drawn.clear()
        self.home()

    def cine(self) -> None:
        """Run through the slices and back, or stop."""
        self._cine.toggle()
        self.draw()

    def _play(self, way: int) -> bool:
        before = self._sight.point
        self.step(way)
        return not np.allclose(before, self._sight.point)

    def maximise(self, view: SliceView) -> None:
        """Give a view all the room, or give it back."""
        self.give_room(view)
        # What was hidden has not been drawn meanwhile.
        self.draw()

    def reset(self) -> None:
        """Be as at the beginning: all views, first grey scale, nothing measured."""
        self._cine.stop()
        self.measuring = self._map.shown = False
        self.ruler.clear()
        self.show_all()
        self._preset(PRESETS[0])
        self.home()

    def home(self) -> None:
        """Go to the current needle's tip, or the middle of the plan, and fit the pictures."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            self.empty()
            return
        cloud = of_interest(snapshot)
        self._cuts.home()
        self._sight.go(start(snapshot.volume, cloud, self.needle))
        for which, view in self.cuts.items():
            view.look_at(*fitted(self._sight.cut(which).plane, cloud))
        self.across.look_at((0.0, 0.0), ACROSS_SPAN_MM)
        self.draw()

    def preset(self, number: int) -> None:
        """Use a grey scale by its key, 1 to 9."""
        self._preset(PRESETS[number - 1])
        self.draw()

    def _drag_window(self, width_hu: float, level_hu: float) -> None:
        width = max(10.0, self._window.width_hu + width_hu)
        self._preset(GreyScale(marked("by hand"), width, self._window.level_hu + level_hu))
        self.draw()

    def _preset(self, window: GreyScale) -> None:
        self._window = window
        self.set_window(window)

    # --- drawing -----------------------------------------------------------

    def grow_older(self) -> None:
        """Say anew how old the scan is that a value in the pictures stands on."""
        if self.ruler.text or self.way:
            self.draw()

    def draw(self) -> None:
        """Draw all views that can be seen."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            return
        for which, view in self.cuts.items():
            if not view.isHidden():
                self._turns.do(which, partial(self._draw_cut, which, view))
        for what, view in (("along", self.along), ("across", self.across)):
            if not view.isHidden():
                self._turns.do(what, partial(self._draw_needle, what, view))

    def _draw_cut(self, which: str, view: SliceView) -> None:
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            return
        shown = self._sight.cut(which)
        shapes = self._shapes(snapshot, shown.plane, (which, shown.number))
        under = self._layer.under(snapshot, which, shown, self._sight.point)
        if which == "axial":
            captions = self._captions(snapshot, shown)
            keys = legend(snapshot)
            if self.comparing:
                captions = (*captions, *comparing.captions(snapshot))
                keys = (*comparing.keys(), *keys) if snapshot.modelled else keys
            view.show_slice(
                shown, shapes, captions, keys, under=under, way=self.way,
                wash=self._map.of(snapshot, shown),
            )  # fmt: skip
        else:
            named = tr("slice {number}/{count}", number=shown.number + 1,
                       count=self._sight.count(which))  # fmt: skip
            view.show_slice(shown, shapes, (named,), under=under, way=self.way)
        view.show_cross(self._sight.point)

    def _draw_needle(self, what: str, view: SliceView) -> None:
        snapshot, needle = self._snapshot, self.needle
        ends = shaft(needle) if needle else None
        if snapshot is None or snapshot.volume is None or needle is None or ends is None:
            view.clear()
            return
        along, across, other = self._cuts.of(snapshot.volume, needle, ends, self._sight.position)
        if other:
            centre, span = frame(along.plane.project(ends[0])[:2])
            self.along.look_at(centre, max(LEAST_SPAN_MM, span))
        shown = along if what == "along" else across
        shapes = self._shapes(snapshot, shown.plane, (what, *self._cuts.key(needle, ends)))
        view.show_slice(shown, shapes, self._cuts.captions(what, snapshot, needle))
        view.show_cross(self._sight.point)

    def _captions(self, snapshot: Snapshot, shown: Slice) -> tuple[str, ...]:
        measured = ""
        if self.ruler.text:
            length = tr("measured {length}", length=self.ruler.text)
            measured = f"{length} · {self._on(self.ruler.scan_uid)}"
        doing = (
            tr("MEASURE: click 2 points, a third for the angle (M ends)") if self.measuring else "",
            measured,
            *self._layer.captions(snapshot, self._on),
            tr("CINE (C stops)") if self._cine.isActive() else "",
        )
        return (*axial_captions(self._sight, self._window, shown), *filter(None, doing))

    def _on(self, uid: str) -> str:
        """Return which scan a value stands on, in few letters."""
        return of_scan(self._snapshot, uid, self.clock()).brief if self._snapshot else ""

    def _shapes(
        self, snapshot: Snapshot, plane: Plane, place: tuple[object, ...]
    ) -> tuple[Shape, ...]:
        number = self.needle.number if self.needle else None
        return self._drawn.of(snapshot, plane, place, number, self.ruler)
