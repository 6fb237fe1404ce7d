"""Work of the window's thread, cut into pieces that each take one turn of the event loop."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QObject, QTimer

Work = Callable[[], None]


class Turns(QObject):
    """Does one piece a turn, so that keys, clicks and painting come in between.

    A piece that waits is replaced by a newer one of its name: what is drawn is what is true
    when its turn comes, never what was true when it was asked for.
    """

    def __init__(self, parent: QObject | None = None, *, at_once: bool = False) -> None:
        """Begin with nothing to do.

        Args:
            parent: owner.
            at_once: do everything when it is asked for, as for a picture of the window.
        """
        super().__init__(parent)
        self.at_once = at_once
        self._waiting: dict[str, Work] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    def do(self, name: str, work: Work) -> None:
        """Do a piece of work when its turn comes, in the place of an older one of its name."""
        if self.at_once:
            work()
            return
        self._waiting[name] = work
        self._timer.start()

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of what still waits, in order."""
        return tuple(self._waiting)

    def forget(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
        self._timer.stop()

    def finish(self) -> None:
        """Do all that waits now."""
        while self._waiting:
            self._turn()

    def _turn(self) -> None:
        if self._waiting:
            self._waiting.pop(next(iter(self._waiting)))()
        if not self._waiting:
            self._timer.stop()
