"""``seedguide console``: the assistant of one case, on the room's screen or headless."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "Run the assistant of one case: on the room's screen, or headless."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--store", type=Path, help="the listener's store (overrides the file)")
    parser.add_argument("--journal", help="journal file or database URL (overrides the file)")
    parser.add_argument("--applicator", help="serial device or URL (overrides the file)")
    parser.add_argument("--case", default="", help="case to open or resume (default: the last)")
    parser.add_argument("--operator", default="", help="name that acts are signed with")
    parser.add_argument("--headless", action="store_true", help="no window; progress on stderr")
    parser.add_argument("--out", type=Path, help="folder for report, DICOM objects and figures")
    parser.add_argument("--wire-log", type=Path, help="file for every line of the serial link")
    again = parser.add_argument_group("a recorded case")
    again.add_argument(
        "--replay", default="", metavar="CASE", help="play a recorded case; changes nothing"
    )
    again.add_argument("--speed", type=float, default=1.0, help="times faster than it was")
    scripted = parser.add_argument_group("demonstration and training")
    scripted.add_argument(
        "--autopilot", action="store_true", help="a scripted person does what the case calls for"
    )
    scripted.add_argument(
        "--cartridge",
        action="append",
        default=[],
        metavar="SERIAL:SEEDS",
        help="a line of the delivery note, for the autopilot to check in",
    )
    scripted.add_argument("--timeout-s", type=float, help="give up after so long (exit 1)")


def run(arguments: argparse.Namespace) -> int:
    """Run the case until it is closed (headless) or the window is (screen)."""
    from guidance.console.session import Session, SessionOptions

    if arguments.replay:
        return _replay(arguments)
    options = SessionOptions.from_arguments(arguments)
    with Session(options) as session:
        if arguments.headless:
            from guidance.console.headless import run_headless

            return run_headless(session, timeout_s=arguments.timeout_s)
        from guidance.console.room import run_on_screen

        return run_on_screen(session, timeout_s=arguments.timeout_s)


def _replay(arguments: argparse.Namespace) -> int:
    from guidance.configuration import load_configuration
    from guidance.console.playback import (
        Playback,
        Recording,
        replay_headless,
        replay_on_screen,
    )
    from guidance.console.session import Mailbox
    from guidance.errors import CommandError

    if not arguments.speed > 0:
        raise CommandError(f"--speed {arguments.speed:g}: it must be above 0, such as 8")
    settings = load_configuration(arguments.config)
    recording = Recording(arguments.journal or settings.journal.where, arguments.replay)
    mailbox = Mailbox()
    playback = Playback(recording, mailbox.put, speed=arguments.speed, sources=settings.sources)
    if arguments.headless:
        return replay_headless(playback, mailbox)
    banner = f"{recording.case_id} ×{arguments.speed:g}"
    return replay_on_screen(playback, mailbox, banner, settings.screen)
