"""``seedguide doctor``: is this machine ready, and if not, what to do about it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "Check display, port, serial device, disk, clock, dependencies and configuration."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print one line for each check; exit 0 only if none failed."""
    from guidance.conductor.checks import examine

    findings = examine(arguments.config)
    if arguments.json:
        print(json.dumps([f.as_json() for f in findings], indent=1))
    else:
        for finding in findings:
            print(f"{finding.verdict:4s}  {finding.subject:14s} {finding.detail}")
            if finding.remedy:
                print(f"{'':20s} -> {finding.remedy}")
    return 1 if any(f.verdict == "FAIL" for f in findings) else 0
