"""What ``dose`` and ``dvh`` share: the options and the lines of biological effect."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dose.radiobiology import Course, Tissue


def configure_effect(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of BED and EQD2."""
    group = parser.add_argument_group(
        "biological effect", "BED and EQD2 of Dmax and D0.1cc after Dale; defaults of the cord"
    )
    group.add_argument("--eqd2", action="store_true", help="show them, of the implant alone")
    group.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="FRACTIONSxGY",
        help="an earlier external course, such as 10x3: shows them with the sum of both",
    )
    group.add_argument("--alpha-beta-gy", type=float, default=2.0, help="default 2")
    group.add_argument(
        "--repair-h",
        default="0.7:0.37,3.8:0.63",
        metavar="HALF-TIME:SHARE",
        help="components of repair, h (default 0.7:0.37,3.8:0.63, Ang 1992)",
    )
    group.add_argument("--alpha-per-gy", type=float, default=0.0, help="with repopulation only")
    group.add_argument(
        "--doubling-days", type=float, default=math.inf, help="of what grows (default: nothing)"
    )


def wanted_effect(arguments: argparse.Namespace) -> tuple[Tissue, list[Course]] | None:
    """Return the tissue and the earlier courses, or None where no effect was asked for.

    Raises:
        DoseError: a parameter makes no sense.
    """
    from dose.radiobiology import CORD, Course, Tissue

    tissue = Tissue.parsed(
        "tissue",
        arguments.alpha_beta_gy,
        arguments.repair_h,
        arguments.alpha_per_gy,
        arguments.doubling_days,
    )
    same = (tissue.alpha_beta_gy, tissue.repair) == (CORD.alpha_beta_gy, CORD.repair)
    if same and math.isinf(tissue.doubling_days):
        tissue = CORD
    courses = [Course.parsed(text) for text in arguments.prior]
    if not (courses or arguments.eqd2):
        return None
    return tissue, courses


def effect_parameters(
    tissue: Tissue, courses: list[Course], half_life_days: float
) -> dict[str, Any]:
    """Return formula, parameters and sources, and the earlier courses, for JSON."""
    from dose.radiobiology import (
        FORMULA,
        REPOPULATION,
        SOURCES,
        bed_fractions_gy,
        eqd2_gy,
    )

    grows = math.isfinite(tissue.doubling_days)
    beds = [(c, bed_fractions_gy(c, tissue)) for c in courses]
    return {
        "formula": FORMULA + (f"; {REPOPULATION}" if grows else ""),
        "tissue": tissue.described(),
        "alpha_beta_gy": tissue.alpha_beta_gy,
        "repair_h": [{"half_time_h": h, "share": share} for h, share in tissue.repair],
        "half_life_days": half_life_days,
        "sources": list(SOURCES),
        "prior": [
            {
                "fractions": c.fractions,
                "dose_gy": c.dose_gy,
                "bed_gy": bed,
                "eqd2_gy": eqd2_gy(bed, tissue),
            }
            for c, bed in beds
        ],
    }


def effect_remarks(shown: dict[str, Any]) -> list[str]:
    """Return the same as lines."""
    lines = [
        f"BED and EQD2, every structure taken as {shown['tissue']}; "
        f"half-life {shown['half_life_days']:g} d.",
        f"{shown['formula']}.",
        f"After {'; '.join(shown['sources'])}.",
    ]
    lines += [
        f"Earlier course of {c['fractions']} x {c['dose_gy']:g} Gy: BED {c['bed_gy']:.1f} Gy, "
        f"EQD2 {c['eqd2_gy']:.1f} Gy."
        for c in shown["prior"]
    ]
    if shown["prior"]:
        lines.append(
            "The largest doses of both are added, wherever they lie, without credit for recovery: "
            "an upper bound."
        )
    return lines
