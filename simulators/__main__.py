"""``python -m simulators``: the virtual suite, or one device of it."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simulators.operator import LEVELS, Gantry, GaveUpError, Operator, Peer, draw_case, serve
from simulators.scanner import PHYSICS, NotDeliveredError

if TYPE_CHECKING:
    from simulators.cases import Background


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a simulator; return 0, or 2 with one line on stderr if it cannot."""
    parser = argparse.ArgumentParser(prog="simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    suite = commands.add_parser("suite", help="play a whole implant")
    _add_case(suite)
    _add_peer(suite)
    _add_physics(suite, "plain")
    suite.add_argument("--applicator", type=Path, required=True, help="name of the serial line")
    suite.add_argument("--truth", type=Path, required=True, help="file for what really happened")
    suite.add_argument("--trouble", action="store_true", help="plug and power fail once each")
    scanner = commands.add_parser("scanner", help="send one scan")
    _add_case(scanner)
    _add_peer(scanner)
    _add_physics(scanner, "plain")
    scanner.add_argument("--scan", choices=("plan", "needles", "seeds"), default="plan")
    case = commands.add_parser("case", help="scan a named case into a folder")
    case.add_argument("name", nargs="?", help="in the library; without a name it is listed")
    case.add_argument("--out", type=Path, help="folder for series/ and truth.json")
    case.add_argument("--seed", type=int, default=1, help="another seed, another patient")
    case.add_argument("--slice-mm", type=float, default=2.0, help="slice thickness (0.5 to 5)")
    _add_physics(case, "sinogram")
    case.add_argument("--level", help="of the spine, T1 to L5, if not the case's own")
    case.add_argument("--background", type=Path, help="folder of a real CT series to use instead")
    case.add_argument(
        "--target", type=float, nargs=3, metavar=("X", "Y", "Z"), help="in it, LPS mm"
    )
    applicator = commands.add_parser("applicator", help="an applicator worked from stdin")
    applicator.add_argument("--link", type=Path, required=True, help="name of the serial line")
    applicator.add_argument("--seed", type=int, default=1)
    applicator.add_argument("--memory", type=Path, help="file of its non-volatile memory")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s suite: %(message)s")
    # It tells every message of an association.
    logging.getLogger("pynetdicom").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return {
            "suite": _suite,
            "scanner": _scanner,
            "case": _case,
            "applicator": _applicator,
        }[given.command](given)
    except (ValueError, GaveUpError, NotDeliveredError) as error:
        print(f"simulators {given.command}: {error}", file=sys.stderr)
        return 2


def _add_case(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="of all randomness")
    parser.add_argument("--seeds", type=int, default=24, help="seeds planned")
    parser.add_argument("--slice-mm", type=float, default=2.0, help="slice thickness")
    parser.add_argument("--case", choices=LEVELS, default="lumbar", help="level of the spine")


def _add_peer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--called-ae", default="SEEDGUIDE")


def _add_physics(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--physics",
        choices=PHYSICS,
        default=default,
        help=f"through the sinogram, or plain and quick (default {default})",
    )


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _gantry(given: argparse.Namespace) -> Gantry:
    case = draw_case(given.seed, seeds=given.seeds, slice_mm=given.slice_mm, level=given.case)
    return Gantry(case, Peer(given.host, given.port, given.called_ae), given.physics)


def _suite(given: argparse.Namespace) -> int:
    gantry = _gantry(given)
    # The delivery note comes on paper, with the cartridges.
    note = [{"serial": c.serial, "seeds": c.seeds} for c in gantry.case.cartridges]
    print(json.dumps({"delivery": note}), flush=True)
    for step in serve(gantry, given.applicator, given.truth, trouble=given.trouble):
        if step:
            print(json.dumps({"step": step}), flush=True)
    return 0


def _scanner(given: argparse.Namespace) -> int:
    gantry = _gantry(given)
    operator = Operator(gantry.case)
    if given.scan == "plan":
        gantry.send_plan()
    elif given.scan == "needles":
        gantry.scan_needles(operator.needles)
    else:
        operator.drop_blindly()
        gantry.scan_seeds(operator.seeds)
    return 0


def _case(given: argparse.Namespace) -> int:
    from simulators.cases import LIBRARY, generate

    if given.name is None:
        for name, recipe in LIBRARY.items():
            print(f"{name:12}  {recipe.about}")
        return 0
    out = given.out or Path(f"{given.name}-{given.slice_mm:g}mm")
    scanned = generate(
        given.name,
        given.slice_mm,
        given.seed,
        level=given.level,
        physics=given.physics,
        background=_background(given.background, given.target),
    )
    scanned.write(out)
    truth = scanned.truth
    print(
        f"{out}: {len(scanned.hu)} slices, {len(truth['seeds'])} seeds, "
        f"{len(truth['needles'])} needles, {len(truth['others'])} other things"
    )
    return 0


def _background(folder: Path | None, target: Sequence[float] | None) -> Background | None:
    from simulators.cases import Background
    from simulators.patient import read_background
    from simulators.scanner import SeriesBody

    if folder is None:
        return None
    if target is None:
        raise ValueError("--background wants --target X Y Z: where in it the target lies")
    return Background(SeriesBody(*read_background(folder)), np.array(target))


def _applicator(given: argparse.Namespace) -> int:
    from simulators.applicator.bench import work

    return work(given.link, given.seed, given.memory, sys.stdin)


if __name__ == "__main__":
    sys.exit(main())
