"""The command line: one module for each subcommand.

A command module has ``SUMMARY``, ``configure(parser)`` (light imports only) and
``run(arguments) -> int``. Only the chosen command's module is imported in full.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from devices.errors import DeviceError
from dose.errors import DoseError
from guidance.errors import GuidanceError

# In the order of use, so that --help reads like a procedure.
COMMANDS = (
    "demo",
    "listen",
    "console",
    "worklist",
    "fetch",
    "send",
    "volume",
    "detect",
    "dose",
    "dvh",
    "advise",
    "applicator",
    "report",
    "journal",
    "simulate",
    "sources",
    "settings",
    "doctor",
)
NOTICE = "Research software, not a medical device."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit code (0 only on success, 2 for bad input)."""
    arguments = _parser(list(sys.argv[1:] if argv is None else argv))
    command: str = arguments.command
    try:
        return int(_module(command).run(arguments))
    except (GuidanceError, DoseError, DeviceError, FileNotFoundError, PermissionError) as error:
        text = " ".join(str(error).split())
        print(f"seedguide {command}: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"seedguide {command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left (head, less): no fault of ours, nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="seedguide",
        description=f"CT-guidance assistant for permanent seed brachytherapy. {NOTICE}",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = _module(name)
        command = commands.add_parser(
            name, help=module.SUMMARY, description=f"{module.SUMMARY} {NOTICE}"
        )
        module.configure(command)
    return parser.parse_args(argv)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"guidance.commands.{name}")
