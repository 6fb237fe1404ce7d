"""A conductor at work on one case, and the snapshots that it publishes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guidance.conductor.conductor import Conductor
from guidance.journal import Journal
from guidance.procedure.snapshot import Snapshot


class Room:
    """Opens the journal, starts the conductor, and waits for what it shows."""

    def __init__(self, journal: Path, *, patience_s: float = 10.0, **options: Any) -> None:
        self.journal, self._patience_s = Journal(str(journal)), patience_s
        self.snapshots: list[Snapshot] = []
        self._fresh = threading.Condition()
        self.conductor = Conductor(self.journal, "case", self._publish, **options)
        self.conductor.start()

    def _publish(self, snapshot: Snapshot) -> None:
        with self._fresh:
            self.snapshots.append(snapshot)
            self._fresh.notify_all()

    def until(self, holds: Callable[[Snapshot], bool]) -> Snapshot:
        with self._fresh:
            assert self._fresh.wait_for(
                lambda: bool(self.snapshots) and holds(self.snapshots[-1]), self._patience_s
            )
            return self.snapshots[-1]

    def wait_for(self, number: int) -> Snapshot:
        return self.until(lambda s: s.event_number >= number)

    def close(self) -> None:
        self.conductor.stop()
        self.journal.close()
