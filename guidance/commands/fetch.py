"""``seedguide fetch``: the planning CT, structures and plan out of an archive."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

SUMMARY = "Find a patient's series in an archive and fetch them."
KEYS = {
    "patient_id": "PatientID",
    "study_uid": "StudyInstanceUID",
    "accession": "AccessionNumber",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument(
        "--from", dest="peer", required=True, metavar="AET@HOST:PORT", help="the archive"
    )
    parser.add_argument("--ae-title", help="our AE title")
    parser.add_argument("--patient-id", default="")
    parser.add_argument("--study-uid", default="")
    parser.add_argument("--accession", default="")
    parser.add_argument(
        "--modality", default="CT,RTSTRUCT,RTPLAN", help="default CT,RTSTRUCT,RTPLAN"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, help="fetch into this folder (C-GET)")
    where.add_argument(
        "--move-to", metavar="AET", help="have them sent to this AE, such as our listener (C-MOVE)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """List the series found; fetch them if told where to."""
    from devices.dicom import Peer, find_series, get_series, move_series
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError, RefusedError

    criteria = {
        keyword: value for name, keyword in KEYS.items() if (value := getattr(arguments, name))
    }
    if not criteria:
        raise CommandError("say whose: --patient-id, --study-uid or --accession")
    title = arguments.ae_title or load_configuration(arguments.config).listener.ae_title
    peer = Peer.parsed(arguments.peer)
    wanted = {m.strip().upper() for m in arguments.modality.split(",") if m.strip()}
    found = find_series(peer, criteria, calling_ae=title)
    series = [s for s in found if not wanted or s.modality.upper() in wanted]
    if not series:
        others = ", ".join(sorted({s.modality for s in found})) or "nothing"
        raise RefusedError(f"{peer} has no such series of {', '.join(sorted(wanted))}: {others}")
    told = []
    for one in series:
        count = 0
        if arguments.out is not None:
            count = len(get_series(peer, one, arguments.out, calling_ae=title))
        elif arguments.move_to:
            count = move_series(peer, one, arguments.move_to, calling_ae=title)
        told.append({**asdict(one), "fetched": count})
        if not arguments.json:
            print(
                f"{one.modality:8s} {one.instances:4d} instances  {one.study_date}  "
                f"{one.patient_name} ({one.patient_id})  {one.description}  fetched {count}"
            )
    if arguments.json:
        print(json.dumps(told))
    return 0
