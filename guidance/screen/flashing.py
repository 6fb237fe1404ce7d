"""How an alarm flashes until somebody has seen it, by its priority.

The rates are those of indicator lights in IEC 60601-1-8:2006, table 2: high 1.4 to 2.8 Hz, medium
0.4 to 0.8 Hz, lit for 20 to 60 % of the time; low constantly lit. Conformance is not claimed.
"""

from __future__ import annotations

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from guidance.alarms import Priority

# Lit for half of the time; no rate is constantly lit.
RATE_HZ: dict[Priority, float] = {Priority.HIGH: 2.0, Priority.MEDIUM: 0.6}


class Flash(QObject):
    """Lit or dark; ``changed`` tells of every change."""

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Be dark."""
        super().__init__(parent)
        self._priority: Priority | None = None
        self._lit = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turn)

    @property
    def lit(self) -> bool:
        """Whether it is lit now."""
        return self._lit

    def show(self, priority: Priority | None) -> None:
        """Flash for a priority, beginning lit; None is dark. The same again changes nothing."""
        if priority is self._priority:
            return
        self._priority, self._lit = priority, priority is not None
        rate_hz = RATE_HZ.get(priority) if priority is not None else None
        if rate_hz is None:
            self._timer.stop()
        else:
            self._timer.start(round(500 / rate_hz))
        self.changed.emit()

    def _turn(self) -> None:
        self._lit = not self._lit
        self.changed.emit()
