"""``seedguide worklist``: who is scheduled."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

SUMMARY = "Ask a modality worklist who is scheduled."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument(
        "--from", dest="peer", required=True, metavar="AET@HOST:PORT", help="the worklist"
    )
    parser.add_argument("--ae-title", help="our AE title")
    parser.add_argument("--date", default="", help="YYYYMMDD or YYYYMMDD-YYYYMMDD; default any")
    parser.add_argument("--modality", default="", help="such as CT; default any")
    parser.add_argument("--patient-id", default="")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each scheduled step."""
    import re

    from devices.dicom import Peer, worklist
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError

    if arguments.date and not re.fullmatch(r"\d{8}(-\d{8})?", arguments.date):
        raise CommandError(f"--date {arguments.date}: write YYYYMMDD or YYYYMMDD-YYYYMMDD")
    title = arguments.ae_title or load_configuration(arguments.config).listener.ae_title
    items = worklist(
        Peer.parsed(arguments.peer),
        calling_ae=title,
        date=arguments.date,
        modality=arguments.modality,
        patient_id=arguments.patient_id,
    )
    if arguments.json:
        print(json.dumps([asdict(item) for item in items], ensure_ascii=False))
        return 0
    for item in items:
        print(
            f"{item.starts:16s} {item.modality:4s} {item.patient_name} ({item.patient_id})  "
            f"{item.description}  accession {item.accession or '-'}"
        )
    if not items:
        print("nobody is scheduled")
    return 0
