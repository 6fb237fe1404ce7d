"""``seedguide dose``: the TG-43 dose of given seeds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "Compute the dose of given seeds: RTDOSE and the figures of each structure."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--source", required=True, help="seed model, such as 6711")
    parser.add_argument("--seeds", type=Path, required=True, help="seeds as JSON")
    parser.add_argument("--strength-u", type=float, help="of seeds that name none, U")
    parser.add_argument("--structures", type=Path, help="RTSTRUCT file")
    parser.add_argument("--series", type=Path, help="folder of the CT series")
    parser.add_argument("--prescription-gy", type=float, default=100.0, help="default 100")
    parser.add_argument("--out", type=Path, required=True, help="folder for RTDOSE.dcm")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the dose and print the figures."""
    from guidance.conductor.offline import compute, read_seeds
    from guidance.configuration import load_configuration

    source = load_configuration(arguments.config).sources.load(arguments.source)
    done = compute(
        read_seeds(arguments.seeds, source, arguments.strength_u),
        source,
        arguments.out,
        structures=arguments.structures,
        series=arguments.series,
        prescription_gy=arguments.prescription_gy,
    )
    if arguments.json:
        content = {
            "rtdose": str(done.path),
            "method": done.method,
            "prescription_gy": arguments.prescription_gy,
            "structures": done.structures,
        }
        print(json.dumps(content))
        return 0
    print(f"{done.path}: {done.method}")
    print_figures(done.structures)
    return 0


def print_figures(structures: dict[str, dict[str, float]]) -> None:
    """Print a line for each structure."""
    for name, found in structures.items():
        print(
            f"{name:20.20s} {found['volume_cc']:7.1f} cc  D90 {found['D90_gy']:6.1f} Gy  "
            f"V100 {found['V100_percent']:5.1f} %  V150 {found['V150_percent']:5.1f} %  "
            f"Dmax {found['Dmax_gy']:7.1f} Gy  D0.1cc {found['D0.1cc_gy']:6.1f} Gy"
        )
        if "Dmax_eqd2_gy" in found:
            print(
                f"{'':20s} with the earlier courses, EQD2 of the cord: "
                f"Dmax {found['Dmax_eqd2_gy']:.1f} Gy  D0.1cc {found['D0.1cc_eqd2_gy']:.1f} Gy"
            )
