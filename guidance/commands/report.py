"""``seedguide report``: what leaves a case, written again from its journal."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "Write report, DICOM objects and figures of a case again from its journal."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("journal", type=Path, help="the journal's SQLite file")
    parser.add_argument("--case", default="", help="case identity (default: the newest)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and print their names."""
    from guidance.conductor.exports import export_case
    from guidance.conductor.replay import replay
    from guidance.conductor.summary import summary
    from guidance.configuration import load_configuration
    from guidance.journal import Journal

    settings = load_configuration(arguments.config)
    with Journal(arguments.journal, read_only=True) as journal:
        case = replay(journal, arguments.case, settings.sources)
    figures = summary(case.state, case.snapshot, case.events, case.verification)
    for path in export_case(arguments.out, case.snapshot, figures, case.records):
        print(path)
    return 0
