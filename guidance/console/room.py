"""The console on the room's screen."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor

from guidance.console.driver import Driver
from guidance.console.exporting import CaseExport
from guidance.console.headless import in_words
from guidance.console.headless import picture as picture_once
from guidance.console.office import SettingsOffice
from guidance.console.session import Session
from guidance.console.worklist import worklist_of
from guidance.errors import GuidanceError
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow, play

log = logging.getLogger(__name__)

LOOK_EVERY_MS = 100
# An autopilot leaves the closed case on the screen for so long.
FAREWELL_S = 4.0


def run_on_screen(session: Session, *, timeout_s: float | None) -> int:
    """Run until the window is closed; return 0 only if the case closed with every seed placed.

    Args:
        session: started.
        timeout_s: give up after so long; None never does.

    Raises:
        CommandError: there is no display.
    """
    room, site = Room(session, timeout_s), session.options.site
    try:
        play(
            session.desk,
            session.options.operator,
            room.look,
            every_ms=LOOK_EVERY_MS,
            settings=session.options.screen,
            worklist=worklist_of(session.options.worklist, session.options.ae_title),
            office=SettingsOffice(site) if site is not None else None,
        )
    finally:
        room.stop()
    return room.outcome()


class Room:
    """Carries snapshots from the mailbox to the window, the autopilot and the folder."""

    def __init__(self, session: Session, timeout_s: float | None) -> None:
        """Prepare for a started session; the window is closed after ``timeout_s``."""
        self._session = session
        self._driver = Driver(session)
        # The driver waits for answers, the export for the disk: neither may hold the window up.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="room")
        self._driving: Future[None] | None = None
        self._unseen: Snapshot | None = None
        self._last: Snapshot | None = None
        self._pictured: set[Step] = set()
        self._export, self._said = CaseExport(session, self._worker), ""
        self._leave_at = time.monotonic() + timeout_s if timeout_s else None

    def look(self, window: RoomWindow) -> None:
        """Show the newest snapshot, if there is one, and let the autopilot see it."""
        if self._leave_at is not None and time.monotonic() > self._leave_at:
            if self._last is None or not self._last.closed:
                where = self._last.next_action if self._last else "no snapshot"
                log.warning("gave up in time: %s", where)
            window.close()
            return
        snapshot = self._session.mailbox.take(0.0)
        if snapshot is not None:
            self._show(snapshot, window)
        window.progress.show_side(self._export.task())
        if self._unseen is not None and (self._driving is None or self._driving.done()):
            unseen, self._unseen = self._unseen, None
            self._driving = self._worker.submit(self._drive, unseen)

    def _show(self, snapshot: Snapshot, window: RoomWindow) -> None:
        if self._last is not None and self._last.case_id != snapshot.case_id:
            self._last, self._pictured = None, set()
        closing = snapshot.closed and not (self._last is not None and self._last.closed)
        self._last = snapshot
        if closing:
            self._export.begin(snapshot)
            if self._session.options.autopilot:
                self._leave_at = time.monotonic() + FAREWELL_S
        if (line := in_words(snapshot)) != self._said:
            log.info("%s", line)
            self._said = line
        window.show_snapshot(snapshot)
        # After it is shown: what nobody could see, nobody acts on.
        self._unseen = None if snapshot.closed else snapshot
        # Last, so that a full disk keeps nothing else from happening.
        picture_once(self._session.folder(snapshot.case_id), snapshot, self._pictured)

    def _drive(self, snapshot: Snapshot) -> None:
        try:
            self._driver.see(snapshot)
        except (GuidanceError, TimeoutError):
            log.exception("the autopilot's act came to nothing")

    def stop(self) -> None:
        """Wait for what is under way."""
        self._worker.shutdown(wait=True)

    def outcome(self) -> int:
        """Return 0 if the case closed, was exported whole, and every seed has its place."""
        last = self._last
        whole = last is not None and last.closed and last.ledger.balanced
        return 0 if whole and self._export.whole else 1
