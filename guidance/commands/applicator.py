"""``seedguide applicator``: look at and test the applicator without the screen."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.applicator import ApplicatorLink, DeviceRecord, LinkStatus

SUMMARY = "Look at, test and read the applicator; no seeds are permitted from here."
CONNECT_S = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument(
        "--url", help="serial device, usb:SERIAL, socket://HOST:PORT or rfc2217://HOST:PORT"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("status", help="what the controller says of itself")
    watch = acts.add_parser("watch", help="print every record as it comes, until interrupted")
    watch.add_argument("--for-s", type=float, help="stop after this time")
    acts.add_parser("selftest", help="have the controller test itself")
    acts.add_parser("journal", help="print the controller's own journal")
    resolve = acts.add_parser("resolve", help="say what became of a stroke of unknown outcome")
    resolve.add_argument("eid", type=int, help="number of the UNKNOWN record")
    resolve.add_argument("outcome", choices=("DROP", "NODROP"), type=str.upper)
    resolve.add_argument("--who", required=True, help="who found it out")


def run(arguments: argparse.Namespace) -> int:
    """Connect, act, and let go. A console that has the port keeps it."""
    from devices.applicator import ApplicatorLink
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError

    url = arguments.url or load_configuration(arguments.config).applicator.url
    if not url:
        raise CommandError("no applicator is configured; give --url or set applicator.url")
    watcher = _Watcher()
    # Nothing that is read here is on a disk of ours, so that nothing is acknowledged.
    link = ApplicatorLink(url, record=watcher.record, heard=watcher.heard, looks_only=True)
    link.start()
    try:
        watcher.wait_until_up(url)
        acts: dict[str, Callable[[], None]] = {
            "status": lambda: _status(link, watcher, as_json=arguments.json),
            "watch": lambda: _watch(watcher, arguments.for_s, as_json=arguments.json),
            "selftest": lambda: _self_test(link),
            "journal": lambda: _journal(watcher, as_json=arguments.json),
            "resolve": lambda: link.resolve(arguments.eid, arguments.outcome, arguments.who),
        }
        acts[arguments.act]()
    finally:
        link.close()
    return 0


class _Watcher:
    """Collects what the link tells, from its thread."""

    def __init__(self) -> None:
        self.records: list[DeviceRecord] = []
        self.status: LinkStatus | None = None
        self._fresh = threading.Condition()

    def record(self, record: DeviceRecord) -> None:
        with self._fresh:
            self.records.append(record)
            self._fresh.notify_all()

    def heard(self, status: LinkStatus) -> None:
        with self._fresh:
            self.status = status
            self._fresh.notify_all()

    def wait_until_up(self, url: str) -> None:
        from devices.errors import DeviceBroken

        def settled() -> bool:
            return self.status is not None and self.status.state in {"up", "refused"}

        with self._fresh:
            if not self._fresh.wait_for(settled, CONNECT_S):
                why = self.status.detail if self.status else "nobody answers"
                raise DeviceBroken(f"no applicator at {url}: {why or 'nobody answers'}")

    def wait_for_all(self) -> None:
        """Wait until the whole journal of the controller was read."""
        with self._fresh:
            self._fresh.wait_for(
                lambda: self.status is not None and len(self.records) >= self.status.head_eid,
                CONNECT_S,
            )

    def wait_for_more(self, seen: int, timeout_s: float) -> None:
        with self._fresh:
            self._fresh.wait_for(lambda: len(self.records) > seen, timeout_s)


def _status(link: ApplicatorLink, watcher: _Watcher, *, as_json: bool) -> None:
    found = asdict(link.ask_status())
    assert watcher.status is not None
    identity = {"serial_number": watcher.status.serial_number, "journal": watcher.status.jid}
    if as_json:
        print(json.dumps({**identity, **found}))
        return
    for key, value in {**identity, **found}.items():
        print(f"{key:16s} {value if value not in (None, '') else '-'}")


def _watch(watcher: _Watcher, for_s: float | None, *, as_json: bool) -> None:
    end_s = time.monotonic() + for_s if for_s is not None else None
    shown = 0
    while end_s is None or time.monotonic() < end_s:
        watcher.wait_for_more(shown, 0.2)
        for record in watcher.records[shown:]:
            print(_line(record, as_json=as_json), flush=True)
            shown += 1


def _self_test(link: ApplicatorLink) -> None:
    link.self_test()
    print("the applicator has tested itself: all is well")


def _journal(watcher: _Watcher, *, as_json: bool) -> None:
    watcher.wait_for_all()
    for record in list(watcher.records):
        print(_line(record, as_json=as_json))


def _line(record: DeviceRecord, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(asdict(record))
    when = f"start {record.boot}, {record.ms / 1000:.3f} s"
    return f"{record.eid:6d}  {when:20s}  {record.kind:10s} {' '.join(record.args)}"
