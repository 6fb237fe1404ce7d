"""Histograms beside other programs, on the same RTDOSE and RTSTRUCT of known content.

A cylinder and a sphere whose volume and doses have closed forms; the difference from those is
printed for ours, dicompyler-core and plastimatch.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom.dicomio

from benchmarks.harness import Line, best_of, show
from dose.dvh import Dvh, figures
from dose.geometry import GridGeometry
from dose.points import DosePoints
from dose.sources import load
from dose.structures import Structure, sample
from guidance.conductor.offline import histogram
from guidance.exchange import (
    ExportReference,
    read_dose,
    read_structures,
    write_dose,
    write_structures,
)

FIGURES = ("volume_cc", "D90_gy", "D50_gy", "Dmax_gy")
Figures = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A structure and a dose whose figures are known.

    Attributes:
        name: for the table.
        structure: its contours.
        dose_gy: of points (n, 3).
        exact: the figures by closed form.
    """

    name: str
    structure: Structure
    dose_gy: Callable[[np.ndarray], np.ndarray]
    exact: Figures


def cylinder(gap_mm: float) -> Case:
    """Radius 12 mm, length 24 mm, 1 Gy/mm along its axis from 10 Gy."""
    levels = np.arange(gap_mm / 2, 24.0, gap_mm)
    return Case(
        f"cylinder of 10.9 cc, slices of {gap_mm:g} mm, 1 Gy/mm along it",
        Structure("solid", tuple(_circle(12.0, z) for z in levels), "ORGAN", "1.2.5"),
        lambda p: 10.0 + p[:, 2],
        {
            "volume_cc": np.pi * 144 * 24 / 1000,
            "D90_gy": 12.4,
            "D50_gy": 22.0,
            "Dmax_gy": 34.0,
        },
    )


def sphere(gap_mm: float) -> Case:
    """Radius 10 mm, in the 1/r^2 field of a point 25 mm from its centre, across the slices."""
    a, d, k = 10.0, 25.0, 1e4
    levels = np.arange(gap_mm / 2 - a, a, gap_mm)
    r = np.linspace(d - a, d + a, 20_001)
    lens = np.pi * (a + r - d) ** 2 * (d**2 + 2 * d * (a + r) - 3 * (a - r) ** 2) / (12 * d)
    volume = 4 / 3 * np.pi * a**3
    return Case(
        f"sphere of 4.2 cc, slices of {gap_mm:g} mm, 1/r^2 from 25 mm beside it",
        Structure(
            "solid", tuple(_circle(np.sqrt(a**2 - z**2), z) for z in levels), "ORGAN", "1.2.5"
        ),
        lambda p: k / np.maximum((p[:, 0] - d) ** 2 + p[:, 1] ** 2 + p[:, 2] ** 2, 1.0),
        {
            "volume_cc": volume / 1000,
            "D90_gy": k / float(np.interp(0.9, lens / volume, r)) ** 2,
            "D50_gy": k / float(np.interp(0.5, lens / volume, r)) ** 2,
            "Dmax_gy": k / (d - a) ** 2,
        },
    )


def _circle(radius: float, z: float) -> np.ndarray:
    phi = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    return np.column_stack((radius * np.cos(phi), radius * np.sin(phi), np.full(400, z)))


def write(case: Case, folder: Path) -> tuple[Path, Path]:
    """Write the case's RTDOSE (grid of 1 mm) and RTSTRUCT."""
    reference = ExportReference(
        "P", "P", "1.2.3", "1.2.4", "1.2.5", (), datetime(2026, 1, 13, tzinfo=UTC)
    )
    corners = np.concatenate(case.structure.contours)
    low, high = np.floor(corners.min(axis=0)) - 6, np.ceil(corners.max(axis=0)) + 6
    shape = tuple(int(n) + 1 for n in (high - low)[::-1])
    geometry = GridGeometry.from_axes(low, 1.0, shape, frame_of_reference_uid="1.2.5")
    points = geometry.indices_to_patient(np.argwhere(np.ones(shape))[:, ::-1])
    dose = case.dose_gy(points).reshape(shape).astype(np.float32)
    return (
        write_dose(folder / "RTDOSE.dcm", dose, geometry, reference, description="known"),
        write_structures(folder / "RTSTRUCT.dcm", [case.structure], reference),
    )


def ours(rtdose: Path, rtstruct: Path) -> Figures:
    """By this program, from the files."""
    dose = read_dose(rtdose)
    dvh, _ = histogram(dose.dose_gy, dose.geometry, sample(read_structures(rtstruct).structures[0]))
    return {**figures(dvh, 100.0), "D50_gy": dvh.d_percent_gy(50)}


def dicompyler(rtdose: Path, rtstruct: Path) -> Figures:
    """By dicompyler-core, which wants a name that pydicom 3 no longer has."""
    if not hasattr(pydicom.dicomio, "read_file"):
        pydicom.dicomio.read_file = pydicom.dcmread  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dicompylercore import dvhcalc  # noqa: PLC0415  after the name is there

        dvh = dvhcalc.get_dvh(pydicom.dcmread(rtstruct), pydicom.dcmread(rtdose), 1)
        return {
            "volume_cc": float(dvh.volume),
            "D90_gy": float(dvh.statistic("D90").value),
            "D50_gy": float(dvh.statistic("D50").value),
            "Dmax_gy": float(dvh.max),
        }


def plastimatch(rtdose: Path, rtstruct: Path) -> Figures | None:
    """By plastimatch, with bins of 0.05 Gy; None where it is not installed."""
    if shutil.which("plastimatch") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:

        def call(*arguments: object) -> None:
            command = ["plastimatch", *map(str, arguments)]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

        call("convert", "--input-dose-img", rtdose, "--output-dose-img", "dose.mha")
        call(
            *("convert", "--input", rtstruct, "--fixed", "dose.mha"),
            *("--output-ss-img", "ss.mha", "--output-ss-list", "ss.txt"),
        )
        call(
            *("dvh", "--input-ss-img", "ss.mha", "--input-ss-list", "ss.txt"),
            *("--input-dose", "dose.mha", "--output-csv", "dvh.csv"),
            *("--num-bins", 4000, "--bin-width", 0.05, "--normalization", "vox"),
        )
        text = Path(folder, "dvh.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in text[1:] if line.strip()]
    table = np.array([[float(v) for v in row[:2]] for row in rows])
    dose, voxels = table[:, 0], table[:, 1]

    def least_dose(percent: float) -> float:
        return float(np.interp(-percent, -100 * voxels / voxels[0], dose))

    return {
        "volume_cc": voxels[0] / 1000,
        "D90_gy": least_dose(90),
        "D50_gy": least_dose(50),
        "Dmax_gy": float(dose[voxels > 0].max()),
    }


PROGRAMS = {"ours": ours, "dicompyler-core": dicompyler, "plastimatch": plastimatch}


def differences(case: Case) -> dict[str, Figures]:
    """Return the relative difference of each program's figures from the exact ones."""
    with tempfile.TemporaryDirectory() as folder:
        files = write(case, Path(folder))
        found = {name: program(*files) for name, program in PROGRAMS.items()}
    return {
        name: {f: values[f] / case.exact[f] - 1 for f in FIGURES}
        for name, values in found.items()
        if values is not None
    }


def main() -> None:
    for case in (cylinder(1.0), cylinder(3.0), sphere(1.0), sphere(3.0)):
        print(f"\nhistograms: {case.name}; difference from the closed form")
        for name, found in differences(case).items():
            shown = "  ".join(f"{f.split('_')[0]} {100 * found[f]:+6.2f} %" for f in FIGURES)
            print(f"  {name:16s} {shown}")
    rng = np.random.default_rng(0)
    where, weight = rng.uniform(-23.2, 23.2, (100_000, 3)), np.full(100_000, 1e-3)
    points = DosePoints(where, load("6711"))
    for n in range(60):
        points.add(str(n), rng.uniform(-20, 20, 3), rng.normal(size=3), 0.7)

    def again() -> None:
        points.add("new", (0.3, 0.2, 0.1), (0.0, 0.6, 0.8), 0.7)
        figures(Dvh(points.dose_gy, weight), 100.0)
        points.remove("new")

    again()
    dose = points.dose_gy
    show(
        "histograms: 100 cc at 1 mm, one seed more (and gone again)",
        [
            Line(
                "dose, histogram, figures",
                best_of(again),
                "numpy.sort of it",
                best_of(lambda: np.sort(dose)),
            )
        ],
    )
