"""``seedguide advise``: where the target is cold, and which seeds would mend it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "Weigh an implant: where the target is cold and which seeds would mend it."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--structures", type=Path, required=True, help="RTSTRUCT file")
    parser.add_argument("--plan", type=Path, help="RTPLAN file: prescription, model, needles")
    parser.add_argument("--seeds", type=Path, help="seeds in the patient as JSON; none if left out")
    parser.add_argument(
        "--needles",
        type=Path,
        help="needles in place as JSON (as detect prints them); those of the plan if left out",
    )
    parser.add_argument(
        "--planned-seeds-to-come",
        action="store_true",
        help="count the plan's seeds that lie near none of the given seeds as still to come",
    )
    parser.add_argument("--source", help="seed model, such as 6711; the plan's if left out")
    parser.add_argument("--target", help="ROI name; the plan's, else by its role")
    parser.add_argument("--prescription-gy", type=float, help="the plan's if left out, else 100")
    parser.add_argument(
        "--strength-u", type=float, help="of a further seed at implant, U; the plan's if left out"
    )
    parser.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="FRACTIONSxGY",
        help="an earlier external course to the cord, such as 10x3",
    )
    parser.add_argument(
        "--dose",
        type=Path,
        help="weigh by this model-based RTDOSE of the given seeds (dose --engine mc) instead of "
        "TG-43 (research)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the advice with its numbers."""
    from dataclasses import asdict

    from guidance.conductor.advising import Request, advise_files
    from guidance.configuration import load_configuration

    settings = load_configuration(arguments.config)
    advice = advise_files(
        Request(
            structures=arguments.structures,
            plan=arguments.plan,
            seeds=arguments.seeds,
            needles=arguments.needles,
            to_come=arguments.planned_seeds_to_come,
            source=arguments.source or "",
            target=arguments.target or "",
            prescription_gy=arguments.prescription_gy,
            strength_u=arguments.strength_u,
            courses=tuple(arguments.prior),
            dose=arguments.dose,
        ),
        settings.sources,
        settings.protocol,
    )
    if arguments.json:
        content = asdict(advice)
        del content["event_number"]
        print(json.dumps(content))
        return 0
    print(f"{advice.verdict} ({advice.engine}): {advice.reason}")
    for region in advice.cold:
        place = ", ".join(f"{x:.1f}" for x in region.centre_mm)
        print(
            f"  cold: {region.volume_cc:.2f} cc at ({place}) mm, down to {region.least_gy:.1f} Gy"
        )
    for seed in advice.seeds:
        place = ", ".join(f"{x:.1f}" for x in seed.position_mm)
        print(
            f"  seed {seed.number}: needle {seed.needle}, drawn back {seed.retraction_mm:.1f} mm, "
            f"at ({place}) mm; the {seed.gain}. to use, D90 {seed.after.d90_gy:.1f} Gy then"
        )
    for remark in (*advice.barred, *advice.remarks):
        print(f"note: {remark}")
    print("A proposal, not an order. Research software, not a medical device.")
    return 0
