"""The pictures of a snapshot, and which point, needle and grey scale they show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from operator import is_

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from guidance.imaging.volume import Volume
from guidance.procedure.events import RegistrationNudged
from guidance.procedure.registering import nudged
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import comparing, words
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
from guidance.screen.fusion import WAY_WORDS, WAYS, matched
from guidance.screen.greyscale import PRESETS, GreyScale
from guidance.screen.language import marked, tr
from guidance.screen.measuring import Ruler
from guidance.screen.overlays import (
    Line,
    Shape,
    here,
    isodose_lines,
    needle_lines,
    seed_capsules,
    structure_lines,
)
from guidance.screen.reslice import Plane, Slice
from guidance.screen.sight import CUTS, Sight
from guidance.screen.standing import of_scan
from guidance.screen.turns import Turns
from guidance.screen.views import SliceView
from guidance.tracking.implant import NeedleTrack

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]
Ends = tuple[tuple[float, ...], tuple[float, ...]]
# What shapes were made of, and the shapes.
Made = tuple[tuple[object, ...], tuple[object, ...], tuple[Shape, ...]]

POSITIONS = {
    "HFS": marked("supine"),
    "HFP": marked("prone"),
    "FFS": marked("supine"),
    "FFP": marked("prone"),
}
ON_THE_SIDE = marked("on the side")
CINE_EVERY_MS = 80
# A turn of the wheel over a picture of a needle.
NEEDLE_STEP_MM = 1.0


class Scene(QWidget):
    """Three cuts through a common point, the needle's plane, and the needle seen end-on."""

    needle_changed = pyqtSignal()

    def __init__(self, turns: Turns | None = None) -> None:
        """Make five empty views.

        Args:
            turns: in which they are drawn; all at once if left out.
        """
        super().__init__()
        self._turns = turns or Turns(self, at_once=True)
        # The time now, for ages.
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.axial = SliceView(marked("AXIAL"), marked("no scan yet"))
        self.coronal = SliceView(marked("CORONAL"), marked("no scan yet"))
        self.sagittal = SliceView(marked("SAGITTAL"), marked("no scan yet"))
        self.along = SliceView(marked("NEEDLE PLANE"), marked("no needle yet"))
        self.across = SliceView(marked("ALONG NEEDLE"), marked("no needle yet"))
        self._cut_views = dict(zip(CUTS, (self.axial, self.coronal, self.sagittal), strict=True))
        self.views = (self.axial, self.along, self.across, self.coronal, self.sagittal)
        self._arrange()
        for which, view in self._cut_views.items():
            view.scrolled.connect(partial(self.step, which=which))
        self.along.scrolled.connect(lambda turns: self._step_needle(beside=turns))
        self.across.scrolled.connect(lambda turns: self._step_needle(depth=turns))
        self.ruler, self.measuring = Ruler(), False
        self._cine = QTimer(self)
        self._cine.timeout.connect(self._play)
        self._way = 1
        self._sight = Sight()
        self._snapshot: Snapshot | None = None
        self._window = PRESETS[0]
        self._preset(self._window)
        self.clear()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        self._small = QWidget()
        grid = QGridLayout(self._small)
        for layout in (row, grid):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(6)
        row.addWidget(self.axial, 13)
        row.addWidget(self._small, 14)
        for i, view in enumerate((self.along, self.across, self.coronal, self.sagittal)):
            grid.addWidget(view, *divmod(i, 2))
        for view in self.views:
            view.window_dragged.connect(self._drag_window)
            view.pointed.connect(self._point)
            view.maximised.connect(partial(self.maximise, view))

    def clear(self) -> None:
        """Forget everything of the case."""
        self._snapshot = None
        self._by_hand: int | None = None
        self._attached: int | None = None
        self._sight.look_through(None)
        self._beside_mm = self._depth_mm = 0.0
        self._oblique: tuple[tuple[object, ...], Slice, Slice] | None = None
        self._kept: dict[tuple[object, ...], tuple[Line, ...]] = {}
        self.ruler.clear()
        self.measuring = False
        self._cine.stop()
        self._laid: str | None = None
        self.comparing = False
        self._washed: tuple[tuple[int, int], comparing.Wash | None] | None = None
        self._under: dict[str, tuple[tuple[object, ...], NDArray[np.int16]]] = {}
        self.nudge = np.zeros(4)
        self._made: dict[object, Made] = {}
        for view in self.views:
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
            self._sight.look_through(snapshot.volume)
            self._oblique = None
            for view in self.views:
                # Nothing of another scan stands under this one's name while it is drawn.
                view.clear(waiting=True)
        if before is not None and _matrix(before) != _matrix(snapshot):
            # Whatever was moved on the screen was moved from a registration that is gone.
            self.nudge = np.zeros(4)
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

    def next_needle(self, step: int) -> None:
        """Make the next needle by number the current one, or the one before."""
        needle = self.needle
        if self._snapshot is not None and needle is not None:
            numbers = [n.number for n in words.tracks(self._snapshot)]
            at = (numbers.index(needle.number) + step) % len(numbers)
            self.choose_needle(numbers[at])

    @property
    def way(self) -> str:
        """How the planning CT is laid over the room's: ``blend``, ``difference`` or not."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.registration is None or snapshot.planning_volume is None:
            return ""
        if self._laid is None:
            # What is to be judged is shown without being asked for.
            return "blend" if snapshot.step is Step.REGISTER else ""
        return self._laid

    def next_way(self) -> None:
        """Lay the planning CT over the room's in the next way."""
        self._laid = WAYS[(WAYS.index(self.way) + 1) % len(WAYS)]
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
        if not self.way or self._snapshot is None or self._snapshot.step is not Step.REGISTER:
            return False
        across, below = self._sight.cut("axial").plane.axes[:2]
        into = np.cross(across, below)
        shift = right * across + below * down + into * headward
        self.nudge = self.nudge + np.append(shift, turn * into[2])
        self.draw()
        return True

    def nudging(self) -> tuple[Triple, Triple, Triple]:
        """Return the move on the screen: shift mm, turn degrees, and the point turned about."""
        x, y, z, turn = (float(v) for v in self.nudge)
        cloud = of_interest(self._snapshot) if self._snapshot else np.empty((0, 3))
        about = cloud.mean(axis=0) if len(cloud) else self._sight.point
        ax, ay, az = (round(float(v), 2) for v in about)
        return (x, y, z), (0.0, 0.0, turn), (ax, ay, az)

    def _plan_under(self, which: str, shown: Slice) -> NDArray[np.int16] | None:
        """Return the planning CT on the pixels of a slice, None where it is not laid over."""
        snapshot = self._snapshot
        if not self.way or snapshot is None or snapshot.planning_volume is None:
            return None
        assert snapshot.registration is not None
        shift, turn, about = self.nudging()
        matrix = snapshot.registration.plan_to_room
        if self.nudge.any():
            matrix = nudged(matrix, RegistrationNudged(shift, turn, about, "", ""))
        key = (id(snapshot.planning_volume), id(shown), matrix.tobytes())
        kept = self._under.get(which)
        if kept is None or kept[0] != key:
            kept = (key, matched(snapshot.planning_volume, matrix, shown))
            self._under[which] = kept
        return kept[1]

    def step(self, slices: int, which: str = "axial") -> None:
        """Go some slices headward (or footward, if negative); or into another cut."""
        self._sight.step(which, slices)
        self.draw()

    def _step_needle(self, *, beside: int = 0, depth: int = 0) -> None:
        self._beside_mm += beside * NEEDLE_STEP_MM
        self._depth_mm += depth * NEEDLE_STEP_MM
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
        self.comparing = not self.comparing
        self.draw()

    def _wash(self, snapshot: Snapshot, shown: Slice) -> comparing.Wash | None:
        view, dose = snapshot.modelled, snapshot.dose
        if not self.comparing or view is None or dose is None:
            return None
        key = (id(view), id(shown))
        if self._washed is None or self._washed[0] != key:
            self._washed = (key, comparing.wash(view, dose.prescription_gy, shown.plane))
        return self._washed[1]

    def turn(self) -> None:
        """Change between the table below and anterior up."""
        self._sight.turn(anatomical=not self._sight.anatomical)
        self._oblique = None
        self._kept.clear()
        self.home()

    def cine(self) -> None:
        """Run through the slices and back, or stop."""
        if self._cine.isActive():
            self._cine.stop()
        else:
            self._cine.start(CINE_EVERY_MS)
        self.draw()

    def _play(self) -> None:
        before = self._sight.point
        self.step(self._way)
        if np.allclose(before, self._sight.point):
            self._way = -self._way

    def maximise(self, view: SliceView) -> None:
        """Give a view all the room, or give it back."""
        alone = any(other.isHidden() for other in self.views)
        for other in self.views:
            other.setVisible(alone or other is view)
        self._small.setVisible(alone or view is not self.axial)
        # What was hidden has not been drawn meanwhile.
        self.draw()

    def reset(self) -> None:
        """Be as at the beginning: all views, first grey scale, nothing measured."""
        self._cine.stop()
        self.measuring = self.comparing = False
        self.ruler.clear()
        for view in self.views:
            view.setVisible(True)
        self._small.setVisible(True)
        self._preset(PRESETS[0])
        self.home()

    def home(self) -> None:
        """Go to the current needle's tip, or the middle of the plan, and fit the pictures."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.volume is None:
            for view in self.views:
                view.clear()
            return
        volume, cloud, needle = snapshot.volume, of_interest(snapshot), self.needle
        self._beside_mm = self._depth_mm = 0.0
        self._oblique = None
        ends = shaft(needle) if needle else None
        if ends is not None:
            self._sight.go(ends[1])
        elif len(cloud):
            self._sight.go(cloud.mean(axis=0))
        else:
            shape = np.array(volume.geometry.shape[::-1])
            self._sight.go(volume.geometry.indices_to_patient(shape // 2))
        for which, view in self._cut_views.items():
            if not len(cloud):
                view.look_at((0.0, 0.0), 0.0)
                continue
            flat = self._sight.cut(which).plane.project(cloud)[:, :2]
            low, high = flat.min(axis=0), flat.max(axis=0)
            span = max(LEAST_SPAN_MM, float((high - low).max()) + 2 * MARGIN_MM)
            view.look_at((low + high) / 2, span)
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
        for view in self.views:
            view.set_window(window)

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
        for which, view in self._cut_views.items():
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
        under = self._plan_under(which, shown)
        if which == "axial":
            captions = self._captions(shown.plane)
            keys = legend(snapshot)
            if self.comparing:
                captions = (*captions, *comparing.captions(snapshot))
                keys = (*comparing.keys(), *keys) if snapshot.modelled else keys
            view.show_slice(
                shown, shapes, captions, keys, under=under, way=self.way,
                wash=self._wash(snapshot, shown),
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
        key = (needle.number, *ends, self._beside_mm, self._depth_mm)
        along, across = self._planes(snapshot.volume, ends, key)
        shown = along if what == "along" else across
        off = ""
        if what == "along" and self._beside_mm:
            off = tr("{mm} mm beside", mm=f"{self._beside_mm:+.0f}")
        elif what == "across" and self._depth_mm:
            off = tr("{mm} mm from the tip", mm=f"{self._depth_mm:+.0f}")
        named = self._needle_named(snapshot, needle)
        captions = (named, off) if off else (named,)
        view.show_slice(shown, self._shapes(snapshot, shown.plane, (what, *key)), captions)
        view.show_cross(self._sight.point)

    def _planes(self, volume: Volume, ends: Ends, key: tuple[object, ...]) -> tuple[Slice, Slice]:
        """Return the slices of a needle; the same objects while nothing changes."""
        if self._oblique is None or self._oblique[0] != key:
            first = self._oblique is None or self._oblique[0][:3] != key[:3]
            made = planes(volume, *ends, self._sight.position, self._beside_mm, self._depth_mm)
            self._oblique = (key, *made)
            if first:
                entry = made[0].plane.project(ends[0])[:2]
                # Most of the needle and what lies beyond its tip.
                span = max(LEAST_SPAN_MM, 1.2 * float(np.linalg.norm(entry)))
                self.along.look_at(0.4 * entry, span)
        return self._oblique[1:]

    @staticmethod
    def _needle_named(snapshot: Snapshot, needle: NeedleTrack) -> str:
        if needle.tip_mm is None:
            return tr("needle {number}, as planned", number=needle.number)
        if here(needle, scan_uid(snapshot)):
            return tr("needle {number}, as seen", number=needle.number)
        return tr("needle {number}, earlier scan", number=needle.number)

    def _captions(self, plane: Plane) -> tuple[str, ...]:
        assert self._sight.volume is not None
        position = self._sight.volume.provenance.patient_position.upper()
        lying = tr(POSITIONS.get(position, ON_THE_SIDE)) if position else ""
        window = self._window
        turned = tr("patient position not given")
        if self._sight.anatomical:
            turned = tr("{position} {lying}, ANATOMICAL: anterior up (T)",
                        position=position, lying=lying)  # fmt: skip
        elif position:
            turned = tr("{position} {lying}, table below", position=position, lying=lying)
        lines = [
            tr("slice {number}/{count}  z {z} mm", number=self._sight.number("axial") + 1,
               count=self._sight.count("axial"), z=f"{plane.origin_mm[2]:.1f}"),
            f"W {window.width_hu:.0f}  L {window.level_hu:.0f}  {tr(window.name)}",
            turned,
        ]  # fmt: skip
        if self.measuring:
            lines.append(tr("MEASURE: click 2 points, a third for the angle (M ends)"))
        if self.ruler.text:
            measured = tr("measured {length}", length=self.ruler.text)
            lines.append(f"{measured} · {self._on(self.ruler.scan_uid)}")
        lines += self._of_registration()
        if self._cine.isActive():
            lines.append(tr("CINE (C stops)"))
        return tuple(lines)

    def _on(self, uid: str) -> str:
        """Return which scan a value stands on, in few letters."""
        return of_scan(self._snapshot, uid, self.clock()).brief if self._snapshot else ""

    def _of_registration(self) -> list[str]:
        snapshot = self._snapshot
        if not self.way or snapshot is None or snapshot.registration is None:
            return []
        registration = snapshot.registration
        residual = f"{registration.residual_mm:.1f}"
        left = tr("residual {mm} mm on bone", mm=residual)
        lines = [tr(WAY_WORDS[self.way]), f"{left} · {self._on(registration.room_uid)}"]
        if not registration.residual_is_current:
            lines[1] = tr("residual is being measured")
        if self.nudge.any():
            x, y, z, turn = self.nudge
            by = f"{x:+.1f} {y:+.1f} {z:+.1f} mm, {turn:+.1f}°"
            lines.append(tr("NOT YET APPLIED: {by} (Return applies)", by=by))
        elif snapshot.step is Step.REGISTER:
            lines.append(tr("arrows, Shift+arrows, [ ] move the plan"))
        return lines

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
        points = tuple(point.tobytes() for point in self.ruler.points)
        parts = (snapshot.structures, snapshot.dose, snapshot.needles, snapshot.seeds, plan, plane)
        said_of = (number, points, scan_uid(snapshot))
        kept = self._made.get(place[0])
        # The same objects, since arrays in them cannot be asked whether they are equal.
        if kept is not None and kept[1] == said_of and all(map(is_, kept[0], parts)):
            return kept[2]
        made: tuple[Shape, ...] = (
            *structures,
            *isodoses,
            *needle_lines(words.tracks(snapshot), plane, number, scan_uid(snapshot)),
            *seed_capsules(snapshot.seeds, planned, plane),
            *self.ruler.lines(plane),
        )
        self._made[place[0]] = (parts, said_of, made)
        return made

    def _keep(
        self, key: tuple[object, ...], make: Callable[[], tuple[Line, ...]]
    ) -> tuple[Line, ...]:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _forget(self, what: str) -> None:
        self._kept = {key: lines for key, lines in self._kept.items() if key[0] != what}


def _matrix(snapshot: Snapshot) -> bytes:
    return b"" if snapshot.registration is None else snapshot.registration.plan_to_room.tobytes()
