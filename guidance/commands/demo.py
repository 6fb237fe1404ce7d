"""``seedguide demo``: one whole implant against the virtual suite."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

SUMMARY = "Play one whole implant against the virtual suite, and compare it with the truth."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="default demo-out")
    parser.add_argument("--headless", action="store_true", help="no window")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another patient")
    parser.add_argument("--seeds", type=int, default=24, help="I-125 seeds planned (4 to 110)")
    parser.add_argument("--slice-mm", type=float, default=2.0, help="slice thickness (0.5 to 5)")
    parser.add_argument(
        "--trouble", action="store_true", help="the applicator's plug and power fail once each"
    )
    parser.add_argument(
        "--physics",
        choices=("plain", "sinogram"),
        default="plain",
        help="of the scans: plain and quick, or through a sinogram, with streaks and noise",
    )
    parser.add_argument("--case", choices=("lumbar", "thoracic"), default="lumbar")


def run(arguments: argparse.Namespace) -> int:
    """Play, print what came out; exit 0 only if the story ended reconciled."""
    from guidance.errors import CommandError
    from guidance.training.story import Story, play

    if not 4 <= arguments.seeds <= 110:
        raise CommandError(f"--seeds {arguments.seeds}: choose 4 to 110")
    if not 0.5 <= arguments.slice_mm <= 5.0:
        raise CommandError(f"--slice-mm {arguments.slice_mm}: choose 0.5 to 5")
    if arguments.seed < 0:
        raise CommandError(f"--seed {arguments.seed}: choose 0 or more")
    story = Story(
        out=arguments.out,
        seed=arguments.seed,
        seeds=arguments.seeds,
        slice_mm=arguments.slice_mm,
        case=arguments.case,
        headless=arguments.headless,
        trouble=arguments.trouble,
        physics=arguments.physics,
    )
    summary = play(story, lambda text: print(text, file=sys.stderr, flush=True))
    for line in _in_words(summary):
        print(line)
    print(f"everything is in {arguments.out}")
    return 0 if summary["comparison"]["reconciled"] else 1


def _in_words(summary: dict[str, Any]) -> list[str]:
    comparison, ledger, seeds = summary["comparison"], summary["ledger"], summary["seeds"]
    needles, seen = comparison["needles"], comparison["seeds"]
    target = summary["plan"]["target"]
    d90 = comparison["dose"].get(target, {}).get("D90_gy", {})
    return [
        f"seeds: {seeds['planned']} planned, {seeds['counted']} counted, {seeds['seen']} seen; "
        f"missing {seeds['missing'] or 'none'}, misfires {ledger['misfires']}",
        f"ledger: {ledger['received']} received = {ledger['implanted']} implanted "
        f"+ {ledger['in_cartridges']} in cartridges + {ledger['returned']} returned "
        f"+ {ledger['assayed']} assayed + {ledger['waste']} waste "
        f"+ {ledger['unresolved']} unresolved",
        f"needles: {needles['matched']} of {needles['true']} found, {needles['invented']} "
        f"invented; tip error {_spread(needles['tip_error_mm'], 'mm')}, "
        f"angle error {_spread(needles['angle_error_deg'], 'deg')}",
        f"seeds seen: {seen['matched']} of {seen['true']}, {seen['invented']} invented; "
        f"centre error {_spread(seen['centre_error_mm'], 'mm')}, "
        f"axis error {_spread(seen['axis_error_deg'], 'deg')}",
        f"registration error at the target: {comparison['registration_error_mm']:.2f} mm",
        f"D90 of {target}: {d90.get('reported')} Gy reported, {d90.get('true')} Gy true",
        "the story ended reconciled"
        if comparison["reconciled"]
        else "THE STORY DID NOT END RECONCILED",
    ]


def _spread(values: dict[str, float] | None, unit: str) -> str:
    if values is None:
        return "not known"
    return f"{values['mean']:.2f} {unit} (at most {values['max']:.2f})"
