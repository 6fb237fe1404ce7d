"""The virtual scanner measured as a medical physicist measures a real one.

HU of known materials, noise against dose, MTF of each kernel, slice profile, and the time of a
scan; with ``SEEDGUIDE_DATA`` also streaks beside those of a real scanner. ``python -m
benchmarks.scanner PICTURE.png`` draws the latter side by side.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.phantom import Phantom
from simulators.cases import generate
from simulators.metal import Solid, cylinder
from simulators.metal.solid import table
from simulators.scanner import Protocol, Scanner, scan_sinogram
from simulators.scanner.detector import Detector
from simulators.scanner.geometry import Geometry, rows_of
from simulators.scanner.spectrum import filter_mm, half_value_mm_al, spectrum

FloatArray = NDArray[np.float64]
QUIET = Scanner(detector=Detector(quanta=1e9, electronic=0.0))
# Nominal HU of inserts, in a ring.
INSERTS = (-1000.0, -700.0, -100.0, 0.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1200.0)


@dataclass(frozen=True)
class Disc:
    """A disc of water, inserts in a ring: a body that the scanner takes."""

    radius_mm: float
    inserts: tuple[float, ...] = ()
    ring_mm: float = 60.0
    insert_mm: float = 12.0

    def __call__(self, to_scan: FloatArray, pixels: int, thickness_mm: float) -> Any:
        at = np.arange(pixels)
        x = to_scan[0, 0] * at + to_scan[0, 1] * 0 + to_scan[0, 3]
        y = to_scan[1, 1] * at[:, None] + to_scan[1, 3]
        hu = np.where(x**2 + y**2 < self.radius_mm**2, 0.0, -1000.0)
        for value, (u, v) in zip(self.inserts, self.places(), strict=True):
            hu = np.where((x - u) ** 2 + (y - v) ** 2 < self.insert_mm**2, value, hu)
        return hu.astype(np.float32)

    def places(self) -> FloatArray:
        turn = 2 * np.pi * np.arange(len(self.inserts)) / max(1, len(self.inserts))
        return self.ring_mm * np.column_stack((np.cos(turn), np.sin(turn)))


def main() -> None:
    beam = spectrum()
    print(f"\nvirtual scanner: mean {beam.mean_kev:.1f} keV, {len(beam.photons)} bins, ", end="")
    print(f"HVL {half_value_mm_al(120.0, _filter()):.2f} mm Al (RQT 9: 8.4)")
    _materials()
    _noise()
    for kernel in ("soft", "bone"):
        half, tenth = mtf(kernel)
        print(f"MTF {kernel}: 50 % at {half:.2f}, 10 % at {tenth:.2f} per mm")
    for slice_mm in (0.6, 1.0, 2.0, 3.0, 5.0):
        print(f"slice of {slice_mm} mm: FWHM {slice_width(slice_mm):.2f} mm")
    _time()
    if "SEEDGUIDE_DATA" in os.environ:
        real, simulated, *_ = phantom()
        print(f"spread 3 to 8 mm from seeds: real {real:.0f} HU, simulated {simulated:.0f} HU")


def _filter() -> float:
    return filter_mm(120.0)


def protocol(slice_mm: float = 2.0, slices: int = 1, **more: Any) -> Protocol:
    return Protocol(slice_mm, more.pop("pixel_mm", 0.7), slices, (0.0, 0.0, 0.0), False, **more)


def scanned(body: Any, solids: list[Solid], used: Protocol, **more: Any) -> Any:
    return scan_sinogram(body, table(solids), used, np.random.default_rng(1), **more)


def mean_at(image: Any, used: Protocol, x: float, y: float, radius: float) -> tuple[float, float]:
    u, v = (
        (np.arange(512) - 255.5) * used.pixel_mm,
        (np.arange(512) - 255.5)[:, None] * used.pixel_mm,
    )
    inside = image[(u - x) ** 2 + (v - y) ** 2 < radius**2]
    return float(inside.mean()), float(inside.std())


def _materials() -> None:
    for radius in (100.0, 160.0):
        disc, used = Disc(radius, INSERTS), protocol()
        image = scanned(disc, [], used, scanner=QUIET)[0].astype(float)
        print(f"water disc of {2 * radius:.0f} mm, inserts of 24 mm: nominal -> measured HU")
        found = [mean_at(image, used, x, y, 8.0)[0] for x, y in disc.places()]
        print("  " + ", ".join(f"{n:.0f} -> {f:.0f}" for n, f in zip(INSERTS, found, strict=True)))
        edge = mean_at(image, used, 0.0, radius - 12.0, 6.0)[0]
        print(f"  middle {mean_at(image, used, 0, 0, 20)[0]:.1f}, 12 mm inside the edge {edge:.1f}")
    long = np.array((0.0, 0.0, 40.0))
    for material, diameter in (("titanium", 10.0), ("steel", 10.0), ("cement", 10.0)):
        rod = cylinder(-long, long, diameter, material)
        used = protocol(extended=True)
        image = scanned(Disc(100.0), [rod], used, scanner=QUIET)[0].astype(float)
        middle = mean_at(image, used, 0, 0, 3)[0]
        print(f"  {material} rod of {diameter:.0f} mm in 200 mm: {middle:.0f}")


def _noise() -> None:
    doses = (0.25, 0.5, 1.0, 2.0, 4.0)
    spreads = []
    for dose in doses:
        used = protocol(dose=dose)
        spreads.append(mean_at(scanned(Disc(150.0), [], used)[0].astype(float), used, 0, 0, 40)[1])
    slope = np.polyfit(np.log(doses), np.log(spreads), 1)[0]
    pairs = ", ".join(f"{d:g}: {s:.1f}" for d, s in zip(doses, spreads, strict=True))
    print(f"noise in the middle of 300 mm of water, 2 mm, HU at dose {pairs}; slope {slope:.3f}")
    spreads = []
    for slice_mm in (1.0, 2.0, 5.0):
        used = protocol(slice_mm)
        spreads.append(mean_at(scanned(Disc(150.0), [], used)[0].astype(float), used, 0, 0, 40)[1])
    print("noise at 1, 2, 5 mm: " + ", ".join(f"{s:.1f}" for s in spreads) + " HU")


def mtf(kernel: str) -> tuple[float, float]:
    """Return where the MTF falls to a half and a tenth, 1/mm: a thin wire off the middle."""
    wire = cylinder(np.array((20.0, 3.0, -40.0)), np.array((20.0, 3.0, 40.0)), 0.1, "titanium")
    used = protocol(kernel=kernel, extended=True, pixel_mm=0.1)
    image = scanned(Disc(50.0), [wire], used, scanner=QUIET)[0].astype(float)
    column, row = 255 + 200, 255 + 30
    patch = image[row - 50 : row + 51, column - 55 : column + 56]
    line = patch.sum(axis=0) - np.median(patch[:, :8]) * len(patch)
    line -= np.concatenate((line[:8], line[-8:])).mean()
    spectrum_of_line = np.abs(np.fft.rfft(line, 4096))
    spectrum_of_line /= spectrum_of_line[0]
    f = np.fft.rfftfreq(4096, used.pixel_mm)
    return float(f[np.argmax(spectrum_of_line < 0.5)]), float(f[np.argmax(spectrum_of_line < 0.1)])


def slice_width(slice_mm: float) -> float:
    """Return the full width at half maximum of the profile of a thin disc, mm."""
    heights_mm = rows_of(slice_mm, Geometry()).heights_mm
    # As thin as the rays of a row are apart, and moved by as much: so it always meets one.
    step = heights_mm[1] - heights_mm[0]
    half = np.array((0.0, 0.0, step / 2.0))
    disc = cylinder(-half, half, 12.0, "titanium")
    steps = 2 * (len(heights_mm) // 2) + 13
    used = protocol(slice_mm, steps, extended=True)
    heights = (np.arange(steps) - steps // 2) * slice_mm
    motion = np.zeros((steps, 3))
    # Each slice sees the disc a step further from its middle, a little off the rays' own places.
    motion[:, 2] = heights + (np.arange(steps) - steps // 2 + 0.25) * step
    images = scanned(Disc(50.0), [disc], used, motion_mm=motion, scanner=QUIET).astype(float)
    profile = np.array([mean_at(image, used, 0.0, 0.0, 3.0)[0] for image in images])
    profile -= profile[:4].mean()
    above = np.flatnonzero(profile > profile.max() / 2.0)
    low, high = above[0], above[-1]
    level = profile.max() / 2.0
    rise = (level - profile[low - 1]) / (profile[low] - profile[low - 1])
    fall = (profile[high] - level) / (profile[high] - profile[high + 1])
    return float((high - low + fall + 1.0 - rise) * step)


def _time() -> None:
    began, cores = time.perf_counter(), time.process_time()
    scan = generate("skin", 1.2)
    wall, spent = time.perf_counter() - began, time.process_time() - cores
    slices = len(scan.hu)
    print(
        f"{slices} slices, {len(scan.case.seeds)} seeds, {len(scan.case.needles)} needles: "
        f"{wall:.1f} s ({60 * wall / slices:.1f} s for 60), {spent / slices:.2f} core-s a slice"
    )


def phantom() -> tuple[float, float, Any, Any]:
    """Return the spread of HU around seeds, real and simulated, and one slice of each."""
    one = Phantom.read(Path(os.environ["SEEDGUIDE_DATA"]) / "seed_phantom")
    top = 17
    real = one.volume.hu.astype(np.float32)[top]
    upright = np.tile((0.0, 0.0, 1.0), (len(one.seeds), 1))
    simulated = one.scanned(upright, slice(top, top + 1))[0]
    affine = one.volume.geometry.index_to_patient
    at = (one.seeds - affine[:3, 3]) / np.diag(affine)[:3]
    near = at[np.abs(at[:, 2] - top) < 1.6]
    y, x = np.mgrid[: real.shape[0], : real.shape[1]]
    away = np.min([np.hypot(x - p[0], y - p[1]) for p in near], axis=0) * affine[0, 0]
    # Where the phantom is plain: neither wall nor air.
    clean = one.body[top]
    plain = np.abs(clean - np.median(clean[150:200, 150:250])) < 40
    where = (away > 3.0) & (away < 8.0) & plain
    return float(real[where].std()), float(simulated[where].std()), real, simulated


def draw(path: Path) -> None:
    *_, real, simulated = phantom()
    figure = Figure(figsize=(11, 5.6), layout="tight")
    titles = ("real scanner", "virtual scanner")
    for axis, image, title in zip(figure.subplots(1, 2), (real, simulated), titles, strict=True):
        axis.imshow(image[:365], cmap="gray", vmin=-300, vmax=500)
        axis.set_title(title)
        axis.axis("off")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    draw(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
