"""The part of ``dose`` that carries photons through the CT: its options, its run, its lines."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dose.sources import SourceModel
    from guidance.conductor.given import GivenSeeds
    from guidance.conductor.modelled import ModelledDose
    from guidance.configuration import Configuration


def configure_engine(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the model-based dose."""
    group = parser.add_argument_group("model-based dose (research), with --engine mc or both")
    group.add_argument(
        "--engine",
        choices=("tg43", "mc", "both"),
        default="tg43",
        help="TG-43 in water (default), Monte Carlo in the CT, or both beside one another",
    )
    group.add_argument(
        "--uncertainty-percent", type=float, default=2.0, metavar="P",
        help="end at this mean uncertainty in target and cord (default 2)",
    )  # fmt: skip
    group.add_argument(
        "--time-limit-s", type=float, default=60.0, metavar="S", help="end then (default 60)"
    )
    group.add_argument(
        "--mc-grid-mm", type=float, default=2.0, help="voxels of the transport (default 2)"
    )
    group.add_argument(
        "--corrected", action="store_true", help="TG-43 times Monte Carlo in the CT over in water"
    )
    group.add_argument(
        "--tissue", action="append", default=[], metavar="STRUCTURE=MATERIAL",
        help="what a structure is made of, such as 'GTV=muscle' or 'Cement=bone cement'",
    )  # fmt: skip
    group.add_argument(
        "--needles", type=Path, help="needles still in place, as detect --json prints them"
    )
    group.add_argument(
        "--media-picture", type=Path, metavar="DIR", help="pictures of what the photons met"
    )


def model_based(
    arguments: argparse.Namespace,
    configuration: Configuration,
    source: SourceModel,
    seeds: GivenSeeds,
) -> dict[str, Any]:
    """Carry photons through the CT, print the figures, and return what JSON says of them."""
    from guidance.conductor.modelled import ModelledOptions, compute_modelled, read_needles
    from guidance.conductor.offline import Period
    from guidance.errors import CommandError
    from guidance.media import Assigned

    if arguments.series is None:
        raise CommandError("the model-based dose needs the CT: give its folder with --ct")
    if arguments.rate_at_h is not None:
        raise CommandError("--rate-at-h goes with --engine tg43 alone")
    options = ModelledOptions(
        uncertainty=arguments.uncertainty_percent / 100.0,
        time_limit_s=arguments.time_limit_s,
        spacing_mm=arguments.mc_grid_mm,
        needles_mm=read_needles(arguments.needles) if arguments.needles else (),
        tissues=tuple(Assigned.parsed(t) for t in arguments.tissue),
        pictures=arguments.media_picture,
        corrected=arguments.corrected,
        research_models=configuration.modelled.research_models,
    )
    done = compute_modelled(
        seeds,
        source,
        arguments.out,
        series=arguments.series,
        structures=arguments.structures,
        prescription_gy=arguments.prescription_gy,
        settings=configuration.ct,
        options=options,
        period=Period(arguments.from_h, arguments.until_h),
        end_cap=arguments.end_cap,
        progress=_progress(),
    )
    if not arguments.json:
        _print_model_based(done)
    return {
        "rtdose": str(done.paths["medium"]),
        "rtdose_water": str(done.paths["water"]),
        "uncertainty_map": str(done.paths["uncertainty"]),
        "method": done.method,
        "structures": done.structures,
        "statistics": done.statistics,
        "remarks": done.remarks,
    }


def _progress() -> Callable[[float], None]:
    """Return what tells on stderr how far the photons are, not more than once in two seconds."""
    told = time.monotonic()

    def tell(part: float) -> None:
        nonlocal told
        if time.monotonic() - told >= 2.0:
            told = time.monotonic()
            print(f"photons: {100 * part:.0f} % of what is needed", file=sys.stderr, flush=True)

    return tell


def _print_model_based(done: ModelledDose) -> None:
    from guidance.commands.dose import print_figures

    print(f"\n{done.paths['medium']}: {done.method}")
    reached = done.statistics["uncertainty_percent"]
    print(
        f"{done.statistics['histories'] / 1e6:.1f} million photons in "
        f"{done.statistics['elapsed_s']:.1f} s; uncertainty "
        + ", ".join(f"{v['mean']:.1f} % in the {name}" for name, v in reached.items())
    )
    for kind in ("medium", "water"):
        print(f"dose to {kind} in medium:")
        print_figures({name: found[kind] for name, found in done.structures.items()}, ())
    for remark in done.remarks:
        print(f"note: {remark}")
