"""``seedguide simulate``: the virtual devices, in a process of their own."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

SUMMARY = "Run a virtual scanner, applicator or the whole suite, or scan a named hard case."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("device", choices=("scanner", "applicator", "suite", "case"))
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="of the device; --help lists them"
    )


def run(arguments: argparse.Namespace) -> int:
    """Hand over to the simulators: they share no code with the assistant, only the wires."""
    from guidance.errors import CommandError

    if importlib.util.find_spec("simulators") is None:
        raise CommandError("the simulators are not installed: pip install 'seedguide[simulators]'")
    command = (sys.executable, "-m", "simulators", arguments.device, *arguments.arguments)
    return subprocess.run(command, check=False).returncode
