"""The export at the end of a case, beside the window: stopped, failed or run again as told."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime

from guidance.console.session import Session
from guidance.errors import GuidanceError, RefusedError
from guidance.procedure.snapshot import Snapshot
from guidance.screen.language import said, tr
from guidance.screen.progress import Task

log = logging.getLogger(__name__)

KEY = "export"


@dataclass(frozen=True)
class _Attempt:
    snapshot: Snapshot
    since: datetime
    stopped: threading.Event


class CaseExport:
    """Writes what leaves a case; says how that stands. One attempt at a time."""

    def __init__(self, session: Session, worker: Executor) -> None:
        """Have nothing to write.

        Args:
            session: of the case.
            worker: whose thread writes.
        """
        self._session, self._worker = session, worker
        self._attempt: _Attempt | None = None
        self._missing: tuple[Snapshot, str] | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self._attempt is None and self._missing is None

    def begin(self, snapshot: Snapshot) -> None:
        """Write a case at its end."""
        self._attempt = _Attempt(snapshot, datetime.now(UTC), threading.Event())
        self._missing = None
        self._worker.submit(self._write, self._attempt)

    def task(self) -> Task | None:
        """Return how it stands, None if there is nothing to say."""
        attempt, missing = self._attempt, self._missing
        if attempt is not None:
            stop = None if attempt.stopped.is_set() else attempt.stopped.set
            return Task(KEY, tr("writing report and objects"), attempt.since, press=stop)
        if missing is not None:
            snapshot, why = missing
            what = tr("The case has not been exported: {why}", why=said(why))
            return Task(KEY, what, press=lambda: self.begin(snapshot))
        return None

    def _write(self, attempt: _Attempt) -> None:
        def go_on() -> None:
            if attempt.stopped.is_set():
                raise RefusedError("the export was stopped")

        why = ""
        try:
            self._session.export(attempt.snapshot, go_on=go_on)
        except (GuidanceError, OSError) as error:
            log.warning("the case could not be exported: %s", error)
            why = str(error)
        except Exception as error:
            # A defect of ours is said, not hidden behind a bar that never ends.
            log.exception("the case could not be exported")
            why = f"internal error: {type(error).__name__}: {error}"
        # In this order: at no moment does it look whole while something is missing.
        self._missing = (attempt.snapshot, why) if why else None
        self._attempt = None
