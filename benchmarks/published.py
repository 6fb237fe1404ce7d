"""Every published dose figure beside ours, as the tables of docs/validation.md.

Needs the along-away table of SEEDGUIDE_DATA for one of them.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from dose.radiobiology import (
    CORD,
    Course,
    Tissue,
    bed_fractions_gy,
    bed_implant_gy,
    cumulative_eqd2_gy,
    eqd2_gy,
)
from dose.sources import SourceModel, available, load
from dose.strength import mean_life_h
from dose.tg43 import (
    anisotropy_function,
    dose_rate_1d,
    dose_rate_2d,
    geometry_function,
    radial_dose_function,
)

Row = list[str]
# 2D on the transverse axis and 1D with published g_P and phi_an, cGy/h/U.
QA_6711 = (
    (0.1, 67.20, 65.35),
    (0.5, 4.046, 3.936),
    (1.0, 0.9650, 0.9110),
    (2.0, 0.1975, 0.1859),
    (3.0, 0.06821, 0.06424),
    (5.0, 0.01415, 0.01337),
    (7.0, 0.003948, 0.003718),
    (10.0, 7.806e-4, 7.370e-4),
)


def table(title: str, heading: Row, rows: list[Row]) -> None:
    print(f"\n### {title}\n")
    print("| " + " | ".join(heading) + " |")
    print("|" + "---|" * len(heading))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def percent(ours: float, theirs: float) -> str:
    return f"{100 * (ours / theirs - 1):+.2f} %"


def main() -> None:
    source = load("6711")
    rates(source)
    along_away(source)
    point_functions(source)
    examples(source)
    averages()
    radiobiology()


def rates(source: SourceModel) -> None:
    rows = []
    for r, line, point in QA_6711:
        ours_2d, ours_1d = (
            float(dose_rate_2d(r, math.pi / 2, source)),
            float(dose_rate_1d(r, source)),
        )
        rows.append(
            [
                f"{r:g}",
                f"{line:.4g}",
                f"{ours_2d:.4g}",
                percent(ours_2d, line),
                f"{point:.4g}",
                f"{ours_1d:.4g}",
                percent(ours_1d, point),
            ]
        )
    heading = ["r / cm", "2D", "ours", "", "1D", "ours", ""]
    table("6711, dose rate of 1 U across the seed, cGy/h", heading, rows)


def along_away(source: SourceModel) -> None:
    folder = os.environ.get("SEEDGUIDE_DATA")
    if not folder:
        print("\n(the along-away table needs SEEDGUIDE_DATA)")
        return
    text = Path(folder, "tg43", "reference_6711_along_away.json").read_text(encoding="utf-8")
    reference = json.loads(text)
    along, away = np.array(reference["along_cm"]), np.array(reference["away_cm"], float)
    rows = []
    for z, line in zip(along, reference["table"], strict=True):
        row = [f"**{z:g}**"]
        for y, value in zip(away, line, strict=True):
            r = math.hypot(z, y)
            if value is None or r < 0.25:
                row.append("-")
                continue
            ours = float(dose_rate_2d(r, math.atan2(y, z), source))
            row.append(f"{value:.4g} / {ours:.4g}")
        rows.append(row)
    heading = ["along \\ away / cm", *(f"{y:g}" for y in away)]
    table("6711, along-away table of 1 U, cGy/h: found / ours", heading, rows)


def point_functions(source: SourceModel) -> None:
    assert source.g_p is not None
    at_1 = geometry_function(1.0, np.pi / 2, source.active_length_cm)
    rows = []
    for r, published in zip(*source.g_p, strict=True):
        shape = geometry_function(r, np.pi / 2, source.active_length_cm) / at_1 * r**2
        ours = float(shape * radial_dose_function(r, source))
        rows.append([f"{r:g}", f"{published:g}", f"{ours:.4f}", percent(ours, published)])
    table("6711, g_P from g_L and L", ["r / cm", "published", "ours", ""], rows)


def examples(source: SourceModel) -> None:
    def g(r: float, nodes: tuple[float, float], values: tuple[float, float]) -> str:
        model = replace(source, g_r_cm=np.array(nodes), g_l=np.array(values))
        return f"{float(radial_dose_function(r, model)):.4f}"

    rows = [
        ["U1S1: g at 1.5 cm, from 1.000 at 1 and 0.800 at 2", "0.894", g(1.5, (1, 2), (1, 0.8))],
        ["U1S1: g at 6 cm, beyond 0.510 at 4 and 0.391 at 5", "0.300", g(6, (4, 5), (0.51, 0.391))],
        ["mean life of I-125 / h", "2056.706", f"{mean_life_h(59.4):.3f}"],
        [
            "dose to full decay, 1 U, 1 cm across / Gy",
            "19.847",
            f"{float(dose_rate_2d(1.0, np.pi / 2, source)) * mean_life_h(59.4) / 100:.3f}",
        ],
    ]
    table("Worked examples", ["what", "known", "ours"], rows)


def averages() -> None:
    theta = np.linspace(0, np.pi / 2, 4001)
    rows = []
    for model in available():
        if not model.phi_published:
            continue
        length = model.active_length_cm
        for r, published in zip(model.phi_r_cm, model.phi_an, strict=True):
            weight = geometry_function(r, theta, length) / geometry_function(r, np.pi / 2, length)
            f = anisotropy_function(r, theta, model)
            ours = float(np.trapezoid(f * weight * np.sin(theta), theta))
            rows.append(
                [model.model, f"{r:g}", f"{published:g}", f"{ours:.4f}", percent(ours, published)]
            )
    table("phi_an integrated from F", ["model", "r / cm", "published", "ours", ""], rows)


def radiobiology() -> None:
    rows = []
    known = {39: (39.5, 39.8, 41.1), 60: (None, None, None), 110: (None, None, None)}
    eqd2 = {39: (19.8, 19.9, 20.6), 60: (30.6, 30.9, 32.5), 110: (57.1, 58.2, 63.5)}
    for dose, beds in known.items():
        for hours, bed, equivalent in zip((1.0, 1.5, 4.0), beds, eqd2[dose], strict=True):
            tissue = Tissue("cord", 2.0, ((hours, 1.0),))
            ours = bed_implant_gy(dose, 59.4, tissue)
            rows.append(
                [
                    f"{dose} Gy, repair {hours:g} h",
                    "-" if bed is None else f"{bed}",
                    f"{ours:.1f}",
                    f"{equivalent}",
                    f"{eqd2_gy(ours, tissue):.1f}",
                ]
            )
    rows.append(
        [
            "39 Gy, repair 0.7 h and 3.8 h",
            "-",
            f"{bed_implant_gy(39, 59.4, CORD):.1f}",
            "20.2",
            f"{eqd2_gy(bed_implant_gy(39, 59.4, CORD), CORD):.1f}",
        ]
    )
    for course, bed, equivalent in (
        ((10, 3), 75, 37.5),
        ((20, 2), 80, 40),
        ((5, 4), 60, 30),
        ((1, 8), 40, 20),
    ):
        ours = bed_fractions_gy(Course(course[0], float(course[1])), CORD)
        rows.append(
            [
                f"{course[0]} x {course[1]} Gy",
                f"{bed}",
                f"{ours:.1f}",
                f"{equivalent}",
                f"{eqd2_gy(ours, CORD):.1f}",
            ]
        )
    tissue = Tissue("cord", 2.0, ((1.5, 1.0),))
    both = cumulative_eqd2_gy(39, 59.4, [Course(10, 3.0)], tissue)
    rows.append(["10 x 3 Gy and 39 Gy, repair 1.5 h", "-", "-", "57.4", f"{both:.1f}"])
    heading = ["alpha/beta 2 Gy", "BED known", "ours", "EQD2 known", "ours"]
    table("BED and EQD2, Gy", heading, rows)


if __name__ == "__main__":
    main()
