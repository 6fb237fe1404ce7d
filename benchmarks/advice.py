"""Advice on implants of 20 to 100 seeds, beside one plain dose of the same implant."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Line, best_of, show
from dose import sources
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.structures import Structure
from guidance.advice import Reach, Situation, Source, advise
from guidance.planning.protocol import Protocol

STRENGTH_U = 0.7


def main() -> None:
    for count in (20, 50, 100):
        asked = situation(count)
        found = advise(asked)
        geometry = GridGeometry.from_axes((-50.0, -50.0, -50.0), 1.0, (100, 100, 100))

        def dose(asked: Situation = asked, geometry: GridGeometry = geometry) -> None:
            grid = DoseGrid(geometry, asked.source)
            for k, seed in enumerate(asked.seeds):
                grid.add(str(k), seed.position_mm, seed.axis, seed.strength_u)

        dose()
        after = found.predicted or found.now
        show(
            f"advice: {len(asked.seeds)} seeds, {len(asked.needles)} needles, {found.seats} seats; "
            f"{found.verdict}, {len(found.seeds)} seeds: D90 {found.now.d90_gy:.1f} to "
            f"{after.d90_gy:.1f} Gy, V100 {found.now.v100_percent:.1f} to "
            f"{after.v100_percent:.1f} %",
            [
                Line(
                    "where it is cold and what would mend it",
                    best_of(lambda asked=asked: advise(asked)),  # type: ignore[misc]
                    "the seeds on a million voxels",
                    best_of(dose),
                )
            ],
        )


def situation(count: int, *, missing: float = 0.25) -> Situation:
    """Return a ball of about 1.4 cc for each seed, its implant less a quarter on one side."""
    radius = float(np.cbrt(1400.0 * count * 3.0 / (4.0 * np.pi)))
    heights = np.arange(-radius + 1.0, radius, 2.0)
    turn = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
    circle = np.column_stack((np.cos(turn), np.sin(turn)))
    rings = [np.sqrt(radius**2 - z**2) * circle for z in heights]
    target = Structure(
        "GTV",
        tuple(np.column_stack((r, np.full(90, z))) for r, z in zip(rings, heights, strict=True)),
    )
    away = np.array((0.0, radius + 16.0))
    cord = Structure(
        "Spinal cord",
        tuple(
            np.column_stack((6.0 * circle + away, np.full(90, z)))
            for z in np.arange(-radius - 30.0, radius + 30.0, 2.0)
        ),
    )
    needles, places = [], []
    for x in np.arange(-radius + 5.0, radius, 10.0):
        for z in np.arange(-radius + 5.0, radius, 10.0):
            half = radius**2 - x**2 - z**2
            if half < 25.0:
                continue
            depth = float(np.sqrt(half)) - 3.0
            tip = (float(x), depth, float(z))
            needles.append(Reach(len(needles) + 1, tip, (float(x), -radius - 60.0, float(z))))
            places += [(float(x), y, float(z)) for y in np.arange(depth - 2.0, -depth, -10.0)]
    kept = [p for p in places if p[0] < radius * (1.0 - 2.0 * missing)]
    return Situation(
        0,
        target,
        cord,
        sources.load("6711"),
        STRENGTH_U,
        tuple(Source(p, (0.0, 1.0, 0.0), STRENGTH_U) for p in kept),
        (),
        tuple(needles),
        100.0,
        Protocol(),
    )
