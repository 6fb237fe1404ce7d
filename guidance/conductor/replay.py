"""A case looked at again from its journal, without a room."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.conductor.library import Library
from guidance.conductor.picture import Picture
from guidance.configuration import SourceSettings
from guidance.errors import RefusedError
from guidance.journal import Journal, Record, Verification
from guidance.procedure.advance import replayed
from guidance.procedure.events import ProcedureEvent, from_record
from guidance.procedure.snapshot import ApplicatorView, Snapshot
from guidance.procedure.state import CaseState


@dataclass(frozen=True)
class Replay:
    """What a journal says of a case.

    Attributes:
        state: after its last event.
        snapshot: of that state; the scans are read from where they were received.
        events: all of them.
        records: as they stand in the journal.
        verification: of the chain.
    """

    state: CaseState
    snapshot: Snapshot
    events: tuple[ProcedureEvent, ...]
    records: tuple[Record, ...]
    verification: Verification


def replay(journal: Journal, case_id: str, sources: SourceSettings | None = None) -> Replay:
    """Return a case as its journal has it.

    Args:
        journal: may be open for reading only.
        case_id: the case; the newest if empty.
        sources: which seed models the site may use.

    Raises:
        RefusedError: there is no such case, or no case at all.
    """
    cases = journal.cases()
    if not cases or (case_id and case_id not in cases):
        raise RefusedError(f"there is no case {case_id}; there are: {', '.join(cases) or 'none'}")
    case_id = case_id or cases[-1]
    records = tuple(journal.records(case_id))
    events = tuple(from_record(r) for r in records)
    state = replayed(case_id, events)
    snapshot = Picture(Library(sources)).of(state, ApplicatorView())
    return Replay(state, snapshot, events, records, journal.verify(case_id))
