"""Running through the slices and back."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QObject, QTimer

EVERY_MS = 80


class Cine(QTimer):
    """Takes a step at every beat, and turns round where there are no more slices."""

    def __init__(self, step: Callable[[int], bool], parent: QObject) -> None:
        """Stand still at first.

        Args:
            step: goes one slice headward (1) or footward (-1); tells whether there was one.
            parent: owner.
        """
        super().__init__(parent)
        self._step, self._way = step, 1
        self.timeout.connect(self._beat)

    def toggle(self) -> None:
        """Run, or stop."""
        if self.isActive():
            self.stop()
        else:
            self.start(EVERY_MS)

    def _beat(self) -> None:
        if not self._step(self._way):
            self._way = -self._way
