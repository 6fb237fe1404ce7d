"""The journal: facts appended once, in order, on disk before anybody acts on them.

Order is write, sync, then say yes. Restart is replay. A second program on the same journal is
refused, so that there is one writer. SQLite (WAL, synchronous=FULL) by default; any other
SQLAlchemy URL serves a department's database.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from guidance.errors import BrokenError, RefusedError
from guidance.journal.chain import GENESIS, canonical, link

_metadata = sa.MetaData()
_records = sa.Table(
    "record",
    _metadata,
    sa.Column("case_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("key", sa.String(160), nullable=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.UniqueConstraint("case_id", "key", name="a_keyed_fact_is_recorded_once"),
)


@dataclass(frozen=True)
class Record:
    """One fact.

    Attributes:
        case_id: the case it belongs to.
        number: its place in the case, from 1 without gaps.
        at: UTC time it was recorded.
        kind: what sort of fact.
        payload: its contents (JSON values only).
        key: identity of a fact that may be offered twice (an applicator record), else empty.
        hash: link of the chain up to and including this record.
    """

    case_id: str
    number: int
    at: datetime
    kind: str
    payload: dict[str, Any]
    key: str
    hash: str


@dataclass(frozen=True)
class Verification:
    """Whether a case's chain is whole.

    Attributes:
        case_id: the case.
        records: number of records read.
        digest: hash of the last record; 64 zeros for an empty case.
        fault: empty if whole, else one sentence naming the first record that is wrong.
    """

    case_id: str
    records: int
    digest: str
    fault: str

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, taken out or put in."""
        return not self.fault


class Journal:
    """The record of all cases of an installation; one writer at a time."""

    def __init__(self, where: Path | str, *, read_only: bool = False) -> None:
        """Open (and create where needed) the journal.

        Args:
            where: path of an SQLite file, or an SQLAlchemy URL.
            read_only: open beside a running writer, to look.

        Raises:
            RefusedError: another program writes to it, or there is none to read.
            BrokenError: the file cannot be opened or is not a journal.
        """
        self._lock: IO[str] | None = None
        self._read_only = read_only
        url = str(where) if "://" in str(where) else f"sqlite:///{where}"
        if url.startswith("sqlite:///"):
            self._claim(Path(url.removeprefix("sqlite:///")))
        self._engine = sa.create_engine(url)
        if url.startswith("sqlite:"):
            sa.event.listen(self._engine, "connect", _harden)
        try:
            if not read_only:
                _metadata.create_all(self._engine)
            self._connection = self._engine.connect()
            self._connection.execute(sa.select(sa.func.count()).select_from(_records))
            self._connection.rollback()
        except DatabaseError as error:
            self._release()
            raise BrokenError(f"journal {where} cannot be used: {_reason(error)}") from error

    def __enter__(self) -> Self:
        """Return the open journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the database and let another writer in."""
        self._connection.close()
        self._engine.dispose()
        self._release()

    def append(
        self, case_id: str, kind: str, payload: Mapping[str, Any], *, at: datetime, key: str = ""
    ) -> Record:
        """Record a fact durably and return it; a keyed fact already there is returned as it is.

        Args:
            case_id: the case.
            kind: what sort of fact.
            payload: JSON values only.
            at: time with zone.
            key: identity of a fact that may be offered more than once.

        Raises:
            RefusedError: the time has no zone, the payload is not JSON, or a record with the
                same key says something else.
            BrokenError: the disk did not take it; nothing was recorded.
        """
        if at.tzinfo is None:
            raise RefusedError(f"the time of a {kind} record has no zone")
        try:
            text = canonical(payload)
        except (TypeError, ValueError) as error:
            raise RefusedError(f"the payload of a {kind} record is not JSON: {error}") from error
        try:
            with self._connection.begin():
                return self._append(case_id, kind, text, at.astimezone(UTC).isoformat(), key)
        except (OperationalError, DatabaseError) as error:
            raise BrokenError(
                f"journal did not take the {kind} record: {_reason(error)}"
            ) from error

    def _append(self, case_id: str, kind: str, text: str, at: str, key: str) -> Record:
        if key:
            same = self._connection.execute(
                sa.select(_records).where(_records.c.case_id == case_id, _records.c.key == key)
            ).first()
            if same is not None:
                if (same.kind, same.payload) != (kind, text):
                    raise RefusedError(f"record {key} is already in the journal with other words")
                return _record(same)
        last = self._connection.execute(
            sa.select(_records.c.number, _records.c.hash)
            .where(_records.c.case_id == case_id)
            .order_by(_records.c.number.desc())
            .limit(1)
        ).first()
        number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
        digest = link(previous, case_id, number, at, kind, text)
        row = {
            "case_id": case_id, "number": number, "at": at, "kind": kind,
            "payload": text, "key": key or None, "hash": digest,
        }  # fmt: skip
        self._connection.execute(sa.insert(_records), row)
        return Record(
            case_id, number, datetime.fromisoformat(at), kind, json.loads(text), key, digest
        )

    def records(self, case_id: str, *, after: int = 0) -> tuple[Record, ...]:
        """Return a case's records in order, those numbered above ``after``."""
        with self._connection.begin():
            rows = self._connection.execute(
                sa.select(_records)
                .where(_records.c.case_id == case_id, _records.c.number > after)
                .order_by(_records.c.number)
            ).all()
        return tuple(_record(row) for row in rows)

    def cases(self) -> tuple[str, ...]:
        """Return the identities of all cases, oldest first."""
        with self._connection.begin():
            rows = self._connection.execute(
                sa.select(_records.c.case_id, sa.func.min(_records.c.at).label("opened"))
                .group_by(_records.c.case_id)
                .order_by("opened")
            ).all()
        return tuple(row.case_id for row in rows)

    def verify(self, case_id: str) -> Verification:
        """Walk a case's chain and name the first record that does not fit."""
        previous, number = GENESIS, 0
        with self._connection.begin():
            rows = self._connection.execute(
                sa.select(_records).where(_records.c.case_id == case_id).order_by(_records.c.number)
            ).all()
        for row in rows:
            if row.number != number + 1:
                fault = f"record {number + 1} is missing (record {row.number} follows {number})"
                return Verification(case_id, len(rows), previous, fault)
            number = row.number
            if link(previous, case_id, number, row.at, row.kind, row.payload) != row.hash:
                fault = f"record {number} ({row.kind}) was changed after it was written"
                return Verification(case_id, len(rows), previous, fault)
            previous = row.hash
        return Verification(case_id, len(rows), previous, "")

    def _claim(self, path: Path) -> None:
        if self._read_only:
            if not path.is_file():
                raise RefusedError(f"there is no journal at {path}")
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not a context manager: the lock lives as long as the journal is open.
            self._lock = path.with_name(path.name + ".lock").open("a+")
        except OSError as error:
            raise BrokenError(f"journal {path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            self._lock = None
            raise RefusedError(
                f"journal {path} is in use by another seedguide (process {holder}); "
                "close that one first"
            ) from error
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _harden(connection: Any, _record: object) -> None:
    # FULL: the WAL is synced at every commit, so that a commit survives a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=2000"):
        connection.execute(f"PRAGMA {pragma}")


def _record(row: Any) -> Record:
    at = datetime.fromisoformat(row.at)
    payload = json.loads(row.payload)
    return Record(row.case_id, row.number, at, row.kind, payload, row.key or "", row.hash)


def _reason(error: DatabaseError) -> str:
    return str(error.orig or error)
