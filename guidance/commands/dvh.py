"""``seedguide dvh``: histograms of structures in a dose that came from anywhere."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidance.commands.effect import (
    configure_effect,
    effect_parameters,
    effect_remarks,
    wanted_effect,
)

if TYPE_CHECKING:
    from dose.structures import Samples
    from guidance.exchange import DoseVolume
    from guidance.report import Curve

SUMMARY = "Print the dose-volume figures of structures (RTSTRUCT or masks) in a dose (RTDOSE)."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("rtdose", type=Path, metavar="RTDOSE")
    parser.add_argument(
        "structures", type=Path, metavar="RTSTRUCT", help="or masks as NRRD, NIfTI or MetaImage"
    )
    parser.add_argument(
        "--end-cap",
        choices=("half", "none"),
        default="half",
        help="how far contours reach beyond the first and the last: half a slice (default) or not",
    )
    parser.add_argument("--prescription-gy", type=float, default=100.0, help="default 100")
    parser.add_argument(
        "--half-life-days", type=float, default=59.4, help="of the implant (default 59.4, I-125)"
    )
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="RTDOSE",
        help="another dose of the same patient, such as the model-based one; each under its name",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the histograms as a table")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the histograms, PNG")
    parser.add_argument("--json", action="store_true", help="print JSON")
    configure_effect(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures of each structure in each dose, and how much of it the dose covers."""
    from guidance.errors import CommandError, RefusedError
    from guidance.exchange import read_dose

    if not arguments.prescription_gy > 0:
        raise CommandError(f"--prescription-gy must be positive, not {arguments.prescription_gy}")
    effect = wanted_effect(arguments)
    dose = read_dose(arguments.rtdose)
    other = read_dose(arguments.beside) if arguments.beside else None
    frame = dose.geometry.frame_of_reference_uid
    if other is not None and other.geometry.frame_of_reference_uid != frame:
        raise RefusedError(
            f"{arguments.rtdose} and {arguments.beside} are in different frames of reference"
        )
    sampled, said = _sampled(arguments, frame)
    shown = None
    if effect:
        tissue, courses = effect
        shown = effect_parameters(tissue, courses, arguments.half_life_days)
    curves: list[Curve] = []
    content: dict[str, Any] = {"prescription_gy": arguments.prescription_gy}
    content |= _of_dose(arguments, dose, arguments.rtdose, sampled, said, curves)
    if other is not None:
        content["beside"] = _of_dose(arguments, other, arguments.beside, sampled, (), curves)
    if arguments.csv:
        _write_csv(arguments.csv, curves)
    if arguments.picture:
        from guidance.report import curves_png

        arguments.picture.write_bytes(curves_png(curves))
    if arguments.json:
        print(json.dumps(content | ({"radiobiology": shown} if shown else {})))
        return 0
    _print(content, effect_remarks(shown) if shown else ())
    return 0


def _of_dose(
    arguments: argparse.Namespace,
    dose: DoseVolume,
    path: Path,
    sampled: dict[str, Samples],
    said: tuple[str, ...],
    curves: list[Curve],
) -> dict[str, Any]:
    """Return name, figures and remarks of a dose; its histograms are added to ``curves``."""
    from dose.dvh import figures
    from guidance.conductor.offline import histogram, with_eqd2
    from guidance.report import Curve

    effect, named = wanted_effect(arguments), dose.description or path.name
    if any(c.dose == named for c in curves):
        named = f"{named} ({path})"
    found: dict[str, dict[str, float]] = {}
    for name, samples in sampled.items():
        dvh, share = histogram(dose.dose_gy, dose.geometry, samples)
        found[name] = {
            **figures(dvh, arguments.prescription_gy),
            "inside_grid_percent": round(100 * share, 2),
        }
        curves.append(Curve(name, named, *dvh.curve()))
        if effect:
            tissue, courses = effect
            found[name] = with_eqd2(found[name], courses, arguments.half_life_days, tissue)
    remarks = [*_said_of(dose), *said]
    remarks += [
        f"{name}: only {f['inside_grid_percent']:.1f} % lies inside the dose grid; "
        "the rest is taken as 0 Gy."
        for name, f in found.items()
        if f["inside_grid_percent"] < 99.9
    ]
    return {"dose": named, "structures": found, "remarks": remarks}


def _print(content: dict[str, Any], effect: Sequence[str]) -> None:
    """Print each dose under its name."""
    from guidance.commands.dose import print_figures

    beside = content.get("beside")
    if beside is None:
        print_figures(content["structures"], [*content["remarks"], *effect])
        return
    for one, last in ((content, ()), (beside, effect)):
        print(f"{one['dose']}:")
        print_figures(one["structures"], [*one["remarks"], *last])


def _write_csv(path: Path, curves: list[Curve]) -> None:
    """Write a line for each point of each histogram."""
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("structure", "dose", "dose_gy", "volume_percent"))
        for curve in curves:
            for gy, percent in zip(curve.dose_gy, curve.volume_percent, strict=True):
                writer.writerow((curve.structure, curve.dose, f"{gy:.4f}", f"{percent:.4f}"))


def _said_of(dose: DoseVolume) -> tuple[str, ...]:
    """Say what the dose says of itself, and how it is read between its voxels."""
    spacing = " x ".join(f"{s:.3g}" for s in dose.geometry.spacing_mm)
    named = f" ({dose.description})" if dose.description else ""
    return (*dose.remarks, f"Dose{named}: linear between voxels of {spacing} mm.")


def _sampled(
    arguments: argparse.Namespace, frame: str
) -> tuple[dict[str, Samples], tuple[str, ...]]:
    """Read the structures of either kind of file as sample points by name."""
    from dose.structures import mask_samples
    from guidance.conductor.offline import samples_of
    from guidance.errors import RefusedError
    from guidance.exchange import is_mask_file, read_masks, read_structures

    if is_mask_file(arguments.structures):
        masks = read_masks(arguments.structures)
        sampled = {m.name: mask_samples(m.inside, m.geometry) for m in masks}
        methods = {s.method for s in sampled.values()}
        return sampled, (*(f"Structures: {m}." for m in methods), "Masks name no frame.")
    drawn = read_structures(arguments.structures)
    theirs = {s.frame_of_reference_uid for s in drawn.structures} - {""}
    if frame and theirs and frame not in theirs:
        raise RefusedError(
            f"{arguments.rtdose} and {arguments.structures} are in different frames of reference"
        )
    contoured = [s for s in drawn.structures if s.contours]
    found, remarks = samples_of(contoured, end_cap=arguments.end_cap)
    return {s.name: samples for s, samples in found}, (*drawn.remarks, *remarks)
