"""``seedguide journal``: look at the record of a case."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "Verify, show or export the record of a case."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("act", choices=("verify", "show", "export"))
    parser.add_argument("journal", type=Path, help="the journal's SQLite file")
    parser.add_argument("--case", default="", help="case identity (default: every case)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Verify the chain, show the records as text, or export them as JSON lines."""
    from guidance.errors import RefusedError
    from guidance.journal import Journal

    with Journal(arguments.journal, read_only=True) as journal:
        cases = journal.cases()
        if arguments.case and arguments.case not in cases:
            raise RefusedError(
                f"there is no case {arguments.case}; there are: {', '.join(cases) or 'none'}"
            )
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
            for record in journal.records(case_id):
                if arguments.json or arguments.act == "export":
                    entry = {
                        "case_id": case_id,
                        "number": record.number,
                        "at": record.at.isoformat(),
                        "kind": record.kind,
                        "payload": record.payload,
                        "hash": record.hash,
                    }
                    print(json.dumps(entry, ensure_ascii=False))
                else:
                    text = json.dumps(record.payload, ensure_ascii=False)
                    short = text if len(text) <= 120 else text[:117] + "..."
                    print(f"{record.number:6d}  {record.at:%H:%M:%S}  {record.kind:22s} {short}")
        if not whole:
            print("seedguide journal: the chain does not hold", file=sys.stderr)
        return 0 if whole else 1


def _in_words(line: dict[str, object]) -> str:
    state = "whole" if line["whole"] else f"BROKEN: {line['fault']}"
    return f"{line['case_id']}: {line['records']} records, {state}, digest {line['digest']}"
