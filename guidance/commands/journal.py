"""``seedguide journal``: look at the record of a case."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guidance.journal import Journal, Record

SUMMARY = "Verify, show or export the record of a case."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("act", choices=("verify", "show", "export"))
    parser.add_argument("journal", type=Path, help="the journal's SQLite file")
    parser.add_argument("--case", default="", help="case identity (default: every case)")
    parser.add_argument(
        "--seeds", action="store_true", help="show: what became of each seed, and the account"
    )
    parser.add_argument(
        "--at", type=int, metavar="N", help="show: how the case stood right after event N"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Verify the chain, show the records as text, or export them as JSON lines."""
    from guidance.errors import CommandError, RefusedError
    from guidance.journal import Journal

    if arguments.at is not None and (arguments.act != "show" or arguments.seeds):
        raise CommandError("--at N goes with show alone")
    with Journal(arguments.journal, read_only=True) as journal:
        cases = journal.cases()
        if arguments.case and arguments.case not in cases:
            raise RefusedError(
                f"there is no case {arguments.case}; there are: {', '.join(cases) or 'none'}"
            )
        if arguments.at is not None:
            _show_at(journal, arguments)
        whole = True
        for case_id in (arguments.case,) if arguments.case else cases:
            verification = journal.verify(case_id)
            whole = whole and verification.whole
            if arguments.act == "verify":
                line = {
                    "case_id": case_id,
                    "records": verification.records,
                    "digest": verification.digest,
                    "whole": verification.whole,
                    "fault": verification.fault,
                }
                print(json.dumps(line) if arguments.json else _in_words(line))
                continue
            if arguments.at is not None:
                continue
            if arguments.act == "show" and arguments.seeds:
                _show_seeds(case_id, journal.records(case_id))
                continue
            records = journal.records(case_id)
            if arguments.json or arguments.act == "export":
                for record in records:
                    print(_as_json(record))
            else:
                _show(case_id, records)
        if not whole:
            print("seedguide journal: the chain does not hold", file=sys.stderr)
        return 0 if whole else 1


def _show_at(journal: Journal, arguments: argparse.Namespace) -> None:
    """Print how one case stood right after an event."""
    from guidance.errors import CommandError
    from guidance.procedure.advance import state_at
    from guidance.procedure.events import from_record
    from guidance.procedure.moment import in_words, moment

    cases = journal.cases()
    if not arguments.case and len(cases) != 1:
        raise CommandError(f"--at N is of one case; choose it with --case: {', '.join(cases)}")
    case_id = arguments.case or cases[0]
    # Nothing after the event is read: it may be of a version that knows more.
    records = [r for r in journal.records(case_id) if r.number <= arguments.at]
    state = state_at(case_id, (from_record(r) for r in records), arguments.at)
    if arguments.json:
        print(json.dumps(moment(state), ensure_ascii=False))
    else:
        print("\n".join(in_words(state)))


def _as_json(record: Record) -> str:
    entry = {
        "case_id": record.case_id,
        "number": record.number,
        "at": record.at.isoformat(),
        "kind": record.kind,
        "payload": record.payload,
        "hash": record.hash,
    }
    return json.dumps(entry, ensure_ascii=False)


def _show(case_id: str, records: tuple[Record, ...]) -> None:
    """Print each record as a sentence, and under it the alarms that it raised."""
    from guidance.errors import GuidanceError
    from guidance.procedure.advance import folded_again
    from guidance.procedure.events import from_record
    from guidance.procedure.state import CaseState
    from guidance.procedure.telling import raised, sentence

    state: CaseState | None = CaseState(case_id)
    for record in records:
        place = f"{record.number:6d}  {record.at:%H:%M:%S}"
        try:
            event = from_record(record)
            print(f"{place}  {sentence(event)}")
            if state is not None:
                before, state = state, folded_again(state, event)
                for line in raised(before, state):
                    print(f"{'':18s}{line}")
        except GuidanceError:
            # A later version's, or changed: shown as it is, and no alarms from there on.
            state = None
            text = json.dumps(record.payload, ensure_ascii=False)
            short = text if len(text) <= 120 else f"{text[:117]}..."
            print(f"{place}  {record.kind} {short}")


def _show_seeds(case_id: str, records: tuple[Record, ...]) -> None:
    from guidance.procedure.advance import replayed
    from guidance.procedure.closing import ledger
    from guidance.procedure.events import from_record
    from guidance.procedure.telling import tale

    events = [from_record(record) for record in records]
    print(f"case {case_id}")
    for line in tale(events):
        print(line)
    view = ledger(replayed(case_id, events))
    print(
        f"{view.received} received = {view.implanted} implanted + {view.in_cartridges} in "
        f"cartridges + {view.returned} returned + {view.assayed} assayed + {view.waste} waste "
        f"+ {view.unresolved} unresolved; {view.directive} in the directive, "
        f"{'none' if view.seen is None else view.seen} seen on CT"
    )


def _in_words(line: dict[str, object]) -> str:
    state = "whole" if line["whole"] else f"BROKEN: {line['fault']}"
    return f"{line['case_id']}: {line['records']} records, {state}, digest {line['digest']}"
