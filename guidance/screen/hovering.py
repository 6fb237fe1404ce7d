"""What the pointer is told where it rests; put into words only then, so that ages are right."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

import numpy as np
from PyQt5.QtCore import QEvent, QObject, QPoint, QPointF
from PyQt5.QtGui import QHelpEvent
from PyQt5.QtWidgets import QToolTip, QWidget

from guidance.procedure.snapshot import Snapshot
from guidance.screen import standing
from guidance.screen.needletable import NeedlePanel
from guidance.screen.overlays import NEAR_MM, SEED_LENGTH_MM, SEED_WIDTH_MM
from guidance.screen.reslice import Plane
from guidance.screen.views import SliceView
from guidance.tracking.implant import ImplantSeed

# So near to a seed's axis, in the picture, the pointer is on it.
ON_IT_MM = 2.0


class Hover(QObject):
    """Tells what a function says of the place where the pointer rests on a widget."""

    def __init__(self, widget: QWidget, tell: Callable[[QPoint], str]) -> None:
        """Watch a widget; lives as long as it does.

        Args:
            widget: over which the pointer rests.
            tell: returns plain text with a line for each sentence, empty for nothing to say.
        """
        super().__init__(widget)
        self._widget, self._tell = widget, tell
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Show what there is to say; let everything else pass."""
        if not isinstance(event, QHelpEvent) or event.type() != QEvent.Type.ToolTip:
            return False
        text = self._tell(event.pos())
        if text:
            lines = "<br>".join(html.escape(line) for line in text.splitlines())
            # Rich text is wrapped; plain text would run off the screen.
            QToolTip.showText(event.globalPos(), f"<qt>{lines}</qt>", self._widget)
        else:
            QToolTip.hideText()
        return True


def seed_under(snapshot: Snapshot, plane: Plane, at: tuple[float, float]) -> ImplantSeed | None:
    """Return the seed drawn at a place of a plane (right, down, mm); None if there is none."""
    nearest, found = ON_IT_MM, None
    for seed in snapshot.seeds:
        centre, half = plane.project(seed.position_mm), np.zeros(3)
        if seed.axis is not None:
            half = plane.axes @ np.asarray(seed.axis) * (SEED_LENGTH_MM - SEED_WIDTH_MM) / 2
        if abs(centre[2]) - abs(half[2]) > NEAR_MM:
            continue
        off, arm = np.asarray(at) - centre[:2], half[:2]
        length = float(arm @ arm)
        part = float(np.clip(off @ arm / length, -1.0, 1.0)) if length else 0.0
        distance = float(np.linalg.norm(off - part * arm))
        if distance < nearest:
            nearest, found = distance, seed
    return found


class Teller:
    """Ties widgets to what is to be said of the snapshot shown, at the time of asking."""

    def __init__(self, shown: Callable[[], Snapshot | None], clock: Callable[[], datetime]) -> None:
        """Tell of the snapshot shown.

        Args:
            shown: returns it.
            clock: returns the time now, for ages.
        """
        self._shown, self._clock = shown, clock

    def of(self, widget: QWidget, words: Callable[[Snapshot, datetime], str]) -> None:
        """Tell the same all over a widget."""
        self._hover(widget, lambda _at, shown, now: words(shown, now))

    def of_needles(self, panel: NeedlePanel) -> None:
        """Tell of the needle in whose row the pointer rests."""
        viewport = panel.table.viewport()
        assert viewport is not None
        self._hover(viewport, panel.told)

    def of_pictures(self, views: Iterable[SliceView]) -> None:
        """Tell of the seed on which the pointer rests."""
        for view in views:
            self._hover(view, partial(told_in_picture, view))

    def _hover(self, widget: QWidget, words: Callable[[QPoint, Snapshot, datetime], str]) -> None:
        def tell(at: QPoint) -> str:
            shown = self._shown()
            return words(at, shown, self._clock()) if shown is not None else ""

        Hover(widget, tell)


def told_in_picture(view: SliceView, at: QPoint, snapshot: Snapshot, now: datetime) -> str:
    """Return what is known of the seed under the pointer; empty where there is none."""
    point = view.point_at(QPointF(at))
    if point is None or view.shown is None:
        return ""
    right, down = view.shown.plane.project(point)[:2]
    seed = seed_under(snapshot, view.shown.plane, (float(right), float(down)))
    return standing.of_seed(snapshot, seed, now) if seed else ""
