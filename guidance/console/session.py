"""One console session: journal, conductor and feeds, opened and closed together."""

from __future__ import annotations

import argparse
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from guidance.conductor.arrivals import Arrivals
from guidance.conductor.conductor import Conductor
from guidance.conductor.desk import Desk
from guidance.conductor.exports import export_case
from guidance.conductor.feeds import ApplicatorFeed, ListenerFeed
from guidance.conductor.summary import summary
from guidance.configuration import (
    CtSettings,
    ModelledSettings,
    ScreenSettings,
    SourceSettings,
    load_configuration,
)
from guidance.errors import CommandError
from guidance.journal import Journal
from guidance.ledger import Delivery
from guidance.planning.protocol import Protocol
from guidance.procedure.events import from_record
from guidance.procedure.snapshot import Snapshot


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
    """A context manager around a running case."""

    def __init__(self, options: SessionOptions) -> None:
        """Open the journal and replay the case.

        Raises:
            RefusedError: the journal is in use by another console.
            BrokenError: the journal does not hold.
        """
        self.options = options
        self.mailbox = Mailbox()
        self._journal = Journal(options.journal)
        arrivals = Arrivals(options.store)
        try:
            self.case_id = options.case_id or _newest_open(self._journal)
            self.conductor = Conductor(
                self._journal,
                self.case_id,
                self.mailbox.put,
                sources=options.sources,
                protocol=options.protocol,
                read=arrivals.volume,
                modelled=options.modelled,
                ct=options.ct,
            )
        except BaseException:
            self._journal.close()
            raise
        self.desk = Desk(self.conductor)
        self._feeds: list[Arrivals | ListenerFeed | ApplicatorFeed] = [
            arrivals,
            ListenerFeed(options.store, self.conductor),
        ]
        if options.applicator:
            self._feeds.append(
                ApplicatorFeed(options.applicator, self.conductor, wire_log=options.wire_log)
            )

    def __enter__(self) -> Self:
        """Start the threads."""
        self.conductor.start()
        for feed in self._feeds:
            feed.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cables first, then the conductor, then close the journal."""
        for feed in reversed(self._feeds):
            feed.stop()
        self.conductor.stop()
        self._journal.close()

    def export(self, snapshot: Snapshot) -> tuple[Path, ...]:
        """Write what leaves the case to the session's folder; nothing without one."""
        if self.options.out is None:
            return ()
        with Journal(self.options.journal, read_only=True) as journal:
            records = journal.records(self.case_id)
            verification = journal.verify(self.case_id)
        figures = summary(
            self.conductor.state, snapshot, [from_record(r) for r in records], verification
        )
        return export_case(self.options.out, snapshot, figures, records)


def _newest_open(journal: Journal) -> str:
    for case_id in reversed(journal.cases()):
        if not any(r.kind == "CaseClosed" for r in journal.records(case_id)):
            return case_id
    return datetime.now(UTC).strftime("case-%Y%m%d-%H%M%S")


def _delivery(text: str) -> Delivery:
    serial, _, seeds = text.rpartition(":")
    if not serial or not seeds.isdigit() or int(seeds) < 1:
        raise CommandError(f"--cartridge {text}: write it as SERIAL:SEEDS, such as A17:15")
    return Delivery(serial, int(seeds))
