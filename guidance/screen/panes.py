"""Five pictures beside each other, one of which can have all the room."""

from __future__ import annotations

from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from guidance.screen.greyscale import GreyScale
from guidance.screen.language import marked
from guidance.screen.sight import CUTS
from guidance.screen.turns import Turns
from guidance.screen.views import SliceView


class Panes(QWidget):
    """Three cuts, the needle's plane, and the view along the needle; all empty at first."""

    def __init__(self, turns: Turns) -> None:
        """Make them; they are drawn in these turns."""
        super().__init__()
        self.axial = SliceView(marked("AXIAL"), marked("no scan yet"), turns)
        self.coronal = SliceView(marked("CORONAL"), marked("no scan yet"), turns)
        self.sagittal = SliceView(marked("SAGITTAL"), marked("no scan yet"), turns)
        self.along = SliceView(marked("NEEDLE PLANE"), marked("no needle yet"), turns)
        self.across = SliceView(marked("ALONG NEEDLE"), marked("no needle yet"), turns)
        self.cuts = dict(zip(CUTS, (self.axial, self.coronal, self.sagittal), strict=True))
        self.views = (self.axial, self.along, self.across, self.coronal, self.sagittal)
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

    def empty(self, *, waiting: bool = False) -> None:
        """Show nothing, or that pictures are on their way."""
        for view in self.views:
            view.clear(waiting=waiting)

    def set_window(self, window: GreyScale) -> None:
        """Set the grey scale of all."""
        for view in self.views:
            view.set_window(window)

    def show_all(self) -> None:
        """Give each its place."""
        for view in self.views:
            view.setVisible(True)
        self._small.setVisible(True)

    def give_room(self, view: SliceView) -> None:
        """Give a view all the room, or give it back."""
        alone = any(other.isHidden() for other in self.views)
        for other in self.views:
            other.setVisible(alone or other is view)
        self._small.setVisible(alone or view is not self.axial)
