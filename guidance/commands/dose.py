"""``seedguide dose``: the dose of given seeds, by TG-43 or carried through the CT."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidance.commands.effect import (
    configure_effect,
    effect_parameters,
    effect_remarks,
    wanted_effect,
)
from guidance.commands.engine import configure_engine, model_based

if TYPE_CHECKING:
    from dose.sources import SourceModel
    from guidance.conductor.given import GivenSeeds

SUMMARY = "Compute the dose of given seeds: RTDOSE and the figures of each structure."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--source", required=True, help="seed model, such as 6711")
    parser.add_argument("--seeds", type=Path, required=True, help="seeds as JSON")
    parser.add_argument("--strength-u", type=float, help="of seeds that name none, U")
    parser.add_argument("--activity-mci", type=float, help="apparent, in its place, mCi")
    parser.add_argument(
        "--strength-at",
        default="",
        metavar="DATE",
        help="what the strength holds for: the date of calibration (2026-03-01), or 'implant'",
    )
    parser.add_argument("--implanted-at", default="", metavar="DATE", help="when it is decayed to")
    parser.add_argument(
        "--point-source", action="store_true", help="1D formalism for every seed, axis or not"
    )
    parser.add_argument(
        "--from-h", type=float, default=0.0, help="dose from this time after the implant, hours"
    )
    parser.add_argument(
        "--until-h", type=float, default=math.inf, help="to this time (default: full decay)"
    )
    parser.add_argument(
        "--rate-at-h", type=float, metavar="H", help="print dose rates at this time as well"
    )
    parser.add_argument(
        "--end-cap",
        choices=("half", "none"),
        default="half",
        help="how far structures reach beyond their first and last contour: half a slice or not",
    )
    parser.add_argument("--structures", type=Path, help="RTSTRUCT file")
    parser.add_argument("--series", "--ct", type=Path, help="folder of the CT series")
    parser.add_argument("--prescription-gy", type=float, default=100.0, help="default 100")
    parser.add_argument(
        "--grid-mm",
        type=float,
        default=1.0,
        help="spacing of the dose grid, 0.5 to 2.5 (default 1)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for RTDOSE.dcm")
    parser.add_argument("--json", action="store_true", help="print JSON")
    configure_effect(parser)
    configure_engine(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the dose and print the figures."""
    from guidance.conductor.given import Strength, read_seeds
    from guidance.configuration import load_configuration

    configuration = load_configuration(arguments.config)
    source = configuration.sources.load(arguments.source)
    said = Strength(
        arguments.strength_u,
        arguments.activity_mci,
        arguments.strength_at,
        arguments.implanted_at,
    )
    seeds = read_seeds(arguments.seeds, source, said)
    seeds = seeds.as_points() if arguments.point_source else seeds
    content: dict[str, Any] = {
        "prescription_gy": arguments.prescription_gy,
        "strength_at_implant_u": [round(s.strength_u, 6) for s in seeds.seeds],
    }
    if arguments.engine != "mc":
        content |= _tg43(arguments, source, seeds)
    if arguments.engine != "tg43":
        content["model_based"] = model_based(arguments, configuration, source, seeds)
    if arguments.json:
        print(json.dumps(content))
    return 0


def _tg43(arguments: argparse.Namespace, source: SourceModel, seeds: GivenSeeds) -> dict[str, Any]:
    """Compute the TG-43 dose, print the figures, and return what JSON says of them."""
    from guidance.conductor.offline import Period, compute, with_eqd2
    from guidance.errors import CommandError

    period, effect = Period(arguments.from_h, arguments.until_h), wanted_effect(arguments)
    if effect and period != Period():
        raise CommandError("BED and EQD2 are of the dose to full decay; leave --from-h, --until-h")
    done = compute(
        seeds,
        source,
        arguments.out,
        structures=arguments.structures,
        series=arguments.series,
        prescription_gy=arguments.prescription_gy,
        period=period,
        rate_at_h=arguments.rate_at_h,
        end_cap=arguments.end_cap,
        grid_mm=arguments.grid_mm,
    )
    structures, remarks, shown = done.structures, list(done.remarks), None
    if effect:
        tissue, courses = effect
        days = source.half_life_days
        structures = {n: with_eqd2(f, courses, days, tissue) for n, f in structures.items()}
        shown = effect_parameters(tissue, courses, days)
    if not arguments.json:
        total_u = sum(s.strength_u for s in seeds.seeds)
        print(f"{done.path}: {done.method}, {total_u:.3f} U in all at the implant")
        print_figures(structures, [*remarks, *(effect_remarks(shown) if shown else ())])
    content = {
        "rtdose": str(done.path),
        "method": done.method,
        "structures": structures,
        "remarks": remarks,
    }
    return content | ({"radiobiology": shown} if shown else {})


def print_figures(
    structures: dict[str, dict[str, float]], remarks: tuple[str, ...] | list[str]
) -> None:
    """Print the figures of each structure, then the remarks."""
    for name, found in structures.items():
        print(
            f"{name:20.20s} {found['volume_cc']:7.1f} cc  D90 {found['D90_gy']:6.1f} Gy  "
            f"V100 {found['V100_percent']:5.1f} %  V150 {found['V150_percent']:5.1f} %  "
            f"Dmax {found['Dmax_gy']:7.1f} Gy  D0.1cc {found['D0.1cc_gy']:6.1f} Gy"
        )
        print(
            f"{'':20s} D95 {found['D95_gy']:.1f}  D100 {found['D100_gy']:.1f}  "
            f"D1cc {found['D1cc_gy']:.1f}  D2cc {found['D2cc_gy']:.1f}  "
            f"mean {found['mean_gy']:.1f} Gy  V90 {found['V90_percent']:.1f}  "
            f"V200 {found['V200_percent']:.1f} %"
        )
        indices = [f"{k} {found[k]:.2f}" for k in ("CI", "EI", "HI", "DNR") if k in found]
        if "natural_dose_gy" in found:
            indices.append(f"natural dose {found['natural_dose_gy']:.0f} Gy")
        if indices:
            print(f"{'':20s} {'  '.join(indices)}")
        if "Dmax_rate_gy_per_h" in found:
            print(
                f"{'':20s} dose rate: D90 {found['D90_rate_gy_per_h'] * 100:.3f} cGy/h  "
                f"Dmax {found['Dmax_rate_gy_per_h'] * 100:.3f} cGy/h"
            )
        if "Dmax_eqd2_gy" in found:
            parts = (("implant", "_implant"), ("with earlier courses", ""))
            print(
                f"{'':20s} EQD2 of "
                + ", ".join(
                    f"{what}: Dmax {found[f'Dmax{which}_eqd2_gy']:.1f} Gy "
                    f"D0.1cc {found[f'D0.1cc{which}_eqd2_gy']:.1f} Gy"
                    for what, which in parts
                )
            )
    for remark in remarks:
        print(f"note: {remark}")
