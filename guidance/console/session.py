"""One console session: journal, conductor and feeds, opened and closed together."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from guidance.conductor.arrivals import Arrivals
from guidance.conductor.conductor import Conductor
from guidance.conductor.feeds import ApplicatorFeed, ListenerFeed
from guidance.conductor.summary import summary
from guidance.configuration import (
    CtSettings,
    ModelledSettings,
    ScreenSettings,
    SourceSettings,
    WorklistSettings,
    load_configuration,
)
from guidance.console.frontdesk import FrontDesk
from guidance.errors import CommandError, RefusedError
from guidance.journal import Journal
from guidance.ledger import Delivery
from guidance.planning.protocol import Protocol
from guidance.procedure.acts import Patient
from guidance.procedure.advance import replayed
from guidance.procedure.events import ProcedureEvent, from_record
from guidance.procedure.snapshot import Snapshot
from guidance.procedure.state import CaseState
from guidance.settings import Settings


@dataclass(frozen=True)
class SessionOptions:
    """What a session is started with.

    Attributes:
        store: the listener's store.
        journal: SQLite file or database URL.
        applicator: serial device or URL, empty for none.
        case_id: case to open or resume; empty for the newest open one, else a new one.
        operator: name that acts are signed with.
        out: folder for what leaves the case, None for none.
        wire_log: file for the lines of the serial link.
        autopilot: whether a scripted person acts.
        deliveries: lines of the delivery note.
        sources: which seed models the site may use.
        screen: language and keys of the screen.
        protocol: what a new case is held against.
        modelled: whether and how well the model-based dose is wanted.
        ct: HU to density, for it.
        worklist: who is asked for today's patients.
        ae_title: that we ask under.
        site: all settings, to be looked at and changed; None where there are none.
    """

    store: Path
    journal: str
    applicator: str = ""
    case_id: str = ""
    operator: str = ""
    out: Path | None = None
    wire_log: Path | None = None
    autopilot: bool = False
    deliveries: tuple[Delivery, ...] = ()
    sources: SourceSettings = field(default_factory=SourceSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    protocol: Protocol = field(default_factory=Protocol)
    modelled: ModelledSettings = field(default_factory=ModelledSettings)
    ct: CtSettings = field(default_factory=CtSettings)
    worklist: WorklistSettings = field(default_factory=WorklistSettings)
    ae_title: str = "SEEDGUIDE"
    site: Settings | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Self:
        """Merge the command line over the configuration file."""
        settings = load_configuration(arguments.config)
        return cls(
            store=arguments.store or Path(settings.listener.store),
            journal=arguments.journal or settings.journal.where,
            applicator=(arguments.applicator or settings.applicator.url),
            case_id=arguments.case,
            operator=arguments.operator,
            out=arguments.out,
            wire_log=arguments.wire_log,
            autopilot=arguments.autopilot,
            deliveries=tuple(_delivery(text) for text in arguments.cartridge),
            sources=settings.sources,
            screen=settings.screen,
            protocol=settings.protocol,
            modelled=settings.modelled,
            ct=settings.ct,
            worklist=settings.worklist,
            ae_title=settings.listener.ae_title,
            site=Settings(arguments.config, settings, _given(arguments)),
        )


class Mailbox:
    """Holds the newest snapshot for whoever draws it; older ones are overwritten unread."""

    def __init__(self) -> None:
        """Start empty."""
        self._snapshot: Snapshot | None = None
        self._fresh = threading.Condition()

    def put(self, snapshot: Snapshot) -> None:
        """Replace the snapshot."""
        with self._fresh:
            self._snapshot = snapshot
            self._fresh.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether there is one that nobody has taken."""
        with self._fresh:
            return self._snapshot is not None

    def take(self, timeout_s: float) -> Snapshot | None:
        """Return a snapshot not taken before, None if none came in time."""
        with self._fresh:
            self._fresh.wait_for(lambda: self._snapshot is not None, timeout_s)
            snapshot, self._snapshot = self._snapshot, None
            return snapshot


class Session:
    """A context manager around a running case, and those that follow it."""

    def __init__(self, options: SessionOptions) -> None:
        """Open the journal and replay the case.

        Raises:
            RefusedError: the journal is in use by another console.
            BrokenError: the journal does not hold.
        """
        self.options = options
        self.mailbox = Mailbox()
        self._journal = Journal(options.journal)
        self._arrivals = Arrivals(options.store)
        self._feeds: list[ListenerFeed | ApplicatorFeed] = []
        try:
            self.case_id = self._first = options.case_id or _newest_open(self._journal)
            self.conductor = self._conductor_of(self.case_id)
        except BaseException:
            self._journal.close()
            raise
        self.desk = FrontDesk(self.begin)
        self._connect()

    def __enter__(self) -> Self:
        """Start the threads."""
        self._arrivals.start()
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cables first, then the conductor, then close the journal."""
        self._stop()
        self._arrivals.stop()
        self._journal.close()

    def begin(self, by: str, patient: Patient) -> ProcedureEvent:
        """Leave the case as it stands and open another; waits for work under way.

        The case left can be gone on with by its name; nothing of it is lost.

        Raises:
            RefusedError: it cannot be left now, or the other cannot be opened.
        """
        _may_be_left(self.conductor.state)
        if not by.strip():
            raise RefusedError("a case is opened by a named person; give a name")
        self._stop()
        self.case_id = _new_case(self._journal)
        self.conductor = self._conductor_of(self.case_id)
        self._connect()
        self.conductor.start()
        # Before anything arrives, so that it is known whose it must be.
        try:
            return self.desk.open_case(by, patient).result()
        finally:
            self._start_feeds()

    def _conductor_of(self, case_id: str) -> Conductor:
        options = self.options
        return Conductor(
            self._journal,
            case_id,
            self.mailbox.put,
            sources=options.sources,
            protocol=options.protocol,
            read=self._arrivals.volume,
            modelled=options.modelled,
            ct=options.ct,
        )

    def _connect(self) -> None:
        """Tie cables and desk to the conductor."""
        options = self.options
        arrived = _arrived_earlier(self._journal, self.case_id)
        self._feeds = [ListenerFeed(options.store, self.conductor, earlier=arrived)]
        if options.applicator:
            self._feeds.append(
                ApplicatorFeed(options.applicator, self.conductor, wire_log=options.wire_log)
            )
        self.desk.serve(self.conductor)

    def _start(self) -> None:
        self.conductor.start()
        self._start_feeds()

    def _start_feeds(self) -> None:
        for feed in self._feeds:
            feed.start()

    def _stop(self) -> None:
        self.desk.serve(None)
        for feed in reversed(self._feeds):
            feed.stop()
        self.conductor.stop()

    def folder(self, case_id: str) -> Path | None:
        """Return where what leaves a case goes; a later case of the session has its own."""
        out = self.options.out
        return out if out is None or case_id == self._first else out / case_id

    def export(
        self, snapshot: Snapshot, *, go_on: Callable[[], None] = lambda: None
    ) -> tuple[Path, ...]:
        """Write what leaves the case to its folder; nothing without one.

        Args:
            snapshot: the case at its end.
            go_on: called before each part; what it raises ends the export there.
        """
        case_id = snapshot.case_id
        folder = self.folder(case_id)
        if folder is None:
            return ()
        with Journal(self.options.journal, read_only=True) as journal:
            records = journal.records(case_id)
            verification = journal.verify(case_id)
        events = [from_record(r) for r in records]
        figures = summary(replayed(case_id, events), snapshot, events, verification)
        # The report's libraries are for the end of a case: the window does not wait for them.
        from guidance.conductor.exports import export_case

        return export_case(folder, snapshot, figures, records, go_on=go_on)


def _may_be_left(state: CaseState) -> None:
    """Refuse to leave a case while the applicator is not at rest."""
    if state.device.armed:
        raise RefusedError("a permit is in force; end it before another case is opened")
    if state.device.unknown:
        raise RefusedError(
            "the outcome of a stroke is not known; say what became of it before another case "
            "is opened"
        )


def _new_case(journal: Journal) -> str:
    """Return a name for a case that no case has."""
    name = datetime.now(UTC).strftime("case-%Y%m%d-%H%M%S")
    there = set(journal.cases())
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in there)


def _arrived_earlier(journal: Journal, case_id: str) -> frozenset[tuple[int, str]]:
    """Return number and series of what other cases took from the listener."""
    return frozenset(
        (record.payload["number"], record.payload["series_instance_uid"])
        for other in journal.cases()
        if other != case_id
        for record in journal.records(other)
        if record.kind == "SeriesReceived"
    )


def _given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return what the command line puts over the configuration, by its key there."""
    given = {
        "listener.store": arguments.store,
        "journal.where": arguments.journal,
        "applicator.url": arguments.applicator,
    }
    return {key: str(value) for key, value in given.items() if value}


def _newest_open(journal: Journal) -> str:
    for case_id in reversed(journal.cases()):
        if not any(r.kind == "CaseClosed" for r in journal.records(case_id)):
            return case_id
    return _new_case(journal)


def _delivery(text: str) -> Delivery:
    serial, _, seeds = text.rpartition(":")
    if not serial or not seeds.isdigit() or int(seeds) < 1:
        raise CommandError(f"--cartridge {text}: write it as SERIAL:SEEDS, such as A17:15")
    return Delivery(serial, int(seeds))
