"""``seedguide send``: objects to a peer, kept until it has them."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

SUMMARY = "Send DICOM objects to a peer; what cannot be delivered now is kept and tried again."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE", help="files or folders")
    parser.add_argument("--to", metavar="AET@HOST:PORT", help="the peer")
    parser.add_argument("--ae-title", help="our AE title")
    parser.add_argument("--store", type=Path, help="the listener's store; the outbox lies in it")
    parser.add_argument(
        "--commit",
        action="store_true",
        help="ask for storage commitment; its report comes to our listener",
    )
    parser.add_argument(
        "--wait-s", type=float, default=30.0, help="how long to try now (default 30 s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Queue the files and work on the queue; 0 if all is delivered, 1 if something waits."""
    from devices.dicom import Outbox, Peer
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError, RefusedError

    settings = load_configuration(arguments.config).listener
    store = arguments.store or Path(settings.store)
    outbox = Outbox(store / "outbox", store)
    names = [job.name for job in outbox.jobs()]
    if arguments.paths:
        if not arguments.to:
            raise CommandError("--to is missing: write the peer as AET@HOST:PORT")
        title = arguments.ae_title or settings.ae_title
        files = _files(arguments.paths)
        peer = Peer.parsed(arguments.to)
        names = [outbox.put(files, peer, calling_ae=title, commit=arguments.commit)]
        print(f"{len(files)} object(s) are kept for {peer}", flush=True)
    elif not names:
        print("nothing waits to be sent")
        return 0
    end_s = time.monotonic() + arguments.wait_s
    while True:
        outbox.work()
        states = {name: outbox.state(name) for name in names}
        waiting = [s for s in states.values() if s.startswith("waiting")]
        if not waiting or time.monotonic() >= end_s:
            break
        time.sleep(0.2)
    for state in states.values():
        print(state)
    refused = [s for s in states.values() if s.startswith("refused")]
    if refused:
        raise RefusedError(refused[0].removeprefix("refused: "))
    if waiting:
        print("it is tried again by the listener, or by: seedguide send")
    return 1 if waiting else 0


def _files(paths: list[Path]) -> list[Path]:
    from guidance.errors import CommandError

    found: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        if not inside or not inside[0].exists():
            raise CommandError(f"{path}: there is nothing to send")
        found += inside
    return found
