"""``seedguide listen``: receive from the scanner until stopped."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.dicom import Tls

SUMMARY = "Receive DICOM objects until stopped; print one JSON line for every whole series."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--port", type=int, help="TCP port")
    parser.add_argument("--host", help="address to listen on (default: loopback only)")
    parser.add_argument("--ae-title", help="our AE title")
    parser.add_argument("--store", type=Path, help="folder for what is received")
    parser.add_argument(
        "--allow",
        action="append",
        metavar="AET@ADDRESS",
        help="a peer that may call; without any, every AE title from loopback may",
    )
    parser.add_argument("--tls-cert", type=Path, help="PEM file of our certificate: TLS only")
    parser.add_argument("--tls-key", type=Path, help="PEM file of its private key")
    parser.add_argument(
        "--tls-ca", type=Path, help="PEM file of the authorities whose peers may call (mutual TLS)"
    )
    parser.add_argument(
        "--quiet-s", type=float, help="a series is whole after so long without an image"
    )


def run(arguments: argparse.Namespace) -> int:
    """Listen until SIGTERM or SIGINT."""
    import logging

    from devices.dicom import Announcement, Caller, Listener, ListenerConfig, Outbox
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    settings = load_configuration(arguments.config).listener
    allow = []
    for text in arguments.allow if arguments.allow is not None else settings.allow:
        title, at, address = text.partition("@")
        if not title or not at or not address:
            raise CommandError(f"--allow {text}: write it as AET@ADDRESS, such as CT1@10.0.0.7")
        allow.append(Caller(title, address))
    config = ListenerConfig(
        store=arguments.store or Path(settings.store),
        port=settings.port if arguments.port is None else arguments.port,
        host=arguments.host or settings.host,
        ae_title=arguments.ae_title or settings.ae_title,
        allow=tuple(allow),
        quiet_s=settings.quiet_s if arguments.quiet_s is None else arguments.quiet_s,
        tls=_tls(
            arguments.tls_cert or settings.tls_cert,
            arguments.tls_key or settings.tls_key,
            arguments.tls_ca or settings.tls_ca,
        ),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def announce(announcement: Announcement) -> None:
        print(announcement.as_line(), flush=True)

    outbox = Outbox(config.store / "outbox", config.store)

    def send() -> None:
        while not stop.wait(1.0):
            try:
                outbox.work()
            except Exception:
                # A disk that is full or a job that is damaged: receiving goes on.
                logging.exception("what waits to be sent could not be worked on")

    with Listener(config, announce):
        # A daemon, since a peer may take a minute to answer, and stopping must not.
        threading.Thread(target=send, name="outbox", daemon=True).start()
        stop.wait()
    return 0


def _tls(certificate: str | Path, key: str | Path, authority: str | Path) -> Tls | None:
    from devices.dicom import Tls
    from guidance.errors import CommandError

    if not certificate and not key and not authority:
        return None
    if not certificate or not key:
        raise CommandError("TLS needs a certificate and its key: --tls-cert and --tls-key")
    return Tls(Path(certificate), Path(key), Path(authority) if authority else None)
