"""``seedguide settings``: the site's settings, and changes to those that may be changed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "Print the site's settings with where each comes from, or change some in the file."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="such as screen.language=zh"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Change what is asked for, then print all settings."""
    from guidance.configuration import load_configuration
    from guidance.errors import CommandError
    from guidance.settings import Settings

    settings = Settings(arguments.config, load_configuration(arguments.config))
    for text in arguments.set:
        key, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"--set {text}: write KEY=VALUE, such as screen.language=zh")
        settings.change(key.strip(), value)
    if arguments.json:
        rows = [
            {"key": s.key, "value": s.value, "from": s.origin.value, "changes": s.effect.value}
            for s in settings.rows
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for s in settings.rows:
        print(f"{s.key:30s} {s.text or '-':34s} {s.origin.value:8s} changes {s.effect.value}")
    return 0
