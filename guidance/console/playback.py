"""A recorded case played again on the room's screen; nothing can be done in it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Self

from guidance.conductor.library import Library
from guidance.conductor.picture import Picture
from guidance.configuration import ScreenSettings, SourceSettings
from guidance.console.headless import in_words
from guidance.console.session import Mailbox
from guidance.errors import BrokenError, GuidanceError, RefusedError
from guidance.journal import Journal
from guidance.procedure.advance import folded_again
from guidance.procedure.events import ProcedureEvent, from_record
from guidance.procedure.snapshot import ApplicatorView, Snapshot
from guidance.procedure.state import CaseState

# Nobody wants to wait through a long pause of the room, even at its own speed.
LONGEST_PAUSE_S = 5.0
LOOK_EVERY_MS = 50


class Recording:
    """The events of a case as its journal has them."""

    def __init__(self, where: str, case_id: str) -> None:
        """Read the case.

        Args:
            where: the journal's file or database URL.
            case_id: the case.

        Raises:
            RefusedError: there is no such case.
            BrokenError: the chain does not hold.
        """
        with Journal(where, read_only=True) as journal:
            cases = journal.cases()
            if case_id not in cases:
                known = ", ".join(cases) or "none"
                raise RefusedError(f"there is no case {case_id}; there are: {known}")
            verification = journal.verify(case_id)
            if not verification.whole:
                raise BrokenError(f"journal of case {case_id}: {verification.fault}")
            self.case_id = case_id
            self.events: tuple[ProcedureEvent, ...] = tuple(
                from_record(record) for record in journal.records(case_id)
            )


class Playback:
    """A context manager around a thread that plays a recording."""

    def __init__(
        self,
        recording: Recording,
        show: Callable[[Snapshot], None],
        *,
        speed: float = 1.0,
        sources: SourceSettings | None = None,
    ) -> None:
        """Prepare to play.

        Args:
            recording: what to play.
            show: called in the thread with every snapshot.
            speed: how many times faster than it was.
            sources: which seed models the site may use.
        """
        self._recording, self._show, self._speed = recording, show, speed
        self._picture = Picture(Library(sources))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="replay")
        self.fault: GuidanceError | None = None
        self.now: datetime | None = None

    def __enter__(self) -> Self:
        """Start to play."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, even in the middle."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait for the end of the recording."""
        self._thread.join()

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def _play(self) -> None:
        try:
            self._fold()
        except GuidanceError as error:
            self.fault = error

    def _fold(self) -> None:
        state = CaseState(self._recording.case_id)
        events = self._recording.events
        due = time.monotonic()
        for i, event in enumerate(events):
            state = folded_again(state, event)
            self.now = event.at
            follows = events[i + 1].at if i + 1 < len(events) else event.at
            pause_s = min((follows - event.at) / timedelta(seconds=1), LONGEST_PAUSE_S)
            due += max(0.0, pause_s) / self._speed
            # Events that follow at once are shown together, as they were in the room.
            if pause_s > 0 or i + 1 == len(events):
                self._show(self._picture.of(state, as_heard(state)))
            # What took us longer than it took the room is not made up for in a rush.
            due = max(due, time.monotonic())
            if self._stop.wait(due - time.monotonic()):
                return


def as_heard(state: CaseState) -> ApplicatorView:
    """Return the applicator as the records of its journal tell."""
    device = state.device
    return ApplicatorView(
        link=device.link,
        armed=device.armed,
        needle=device.permit_needle if device.armed else device.needle,
        permitted=device.permitted if device.armed else 0,
        dropped=device.dropped,
        cartridge=device.cartridge,
        remaining=device.remaining,
        as_of=state.at if device.jid else None,
        detail=device.link_detail,
    )


class Spectators:
    """Stands where the acts would be: what was done cannot be changed."""

    def __getattr__(self, name: str) -> Callable[..., Future[ProcedureEvent]]:
        """Return an act that is refused."""

        def refused(*_: object) -> Future[ProcedureEvent]:
            answer: Future[ProcedureEvent] = Future()
            answer.set_exception(RefusedError("this is a recording; nothing can be done in it"))
            return answer

        return refused


def replay_headless(playback: Playback, mailbox: Mailbox) -> int:
    """Print a line for every state of a recording; return 0 at its end."""
    said = ""
    with playback:
        while playback.running or mailbox.waiting:
            snapshot = mailbox.take(0.2)
            if snapshot is not None and (line := in_words(snapshot)) != said:
                said = line
                print(line, file=sys.stderr)
    if playback.fault is not None:
        raise playback.fault
    return 0


def replay_on_screen(
    playback: Playback, mailbox: Mailbox, banner: str, settings: ScreenSettings | None = None
) -> int:
    """Show a recording on the room's screen until the window is closed; return 0.

    Raises:
        GuidanceError: the recording cannot be shown.
    """
    from guidance.screen import RoomWindow, play
    from guidance.screen.window import utc_now

    def look(window: RoomWindow) -> None:
        snapshot = mailbox.take(0.0)
        if snapshot is not None:
            window.show_snapshot(snapshot)
        if playback.fault is not None:
            window.close()

    with playback:
        play(
            Spectators(),
            "",
            look,
            every_ms=LOOK_EVERY_MS,
            clock=lambda: playback.now or utc_now(),
            banner=banner,
            settings=settings,
        )
    if playback.fault is not None:
        raise playback.fault
    return 0
