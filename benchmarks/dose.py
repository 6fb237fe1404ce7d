"""The dose grid beside the readable reference, numpy, and the memory it must touch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from numba import njit, prange

from benchmarks.harness import Line, best_of, show
from dose import sources
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.seeds import Seeds
from dose.tg43 import dose_rate_2d

SEEDS, SIDE = 60, 100
REFERENCE_SEEDS, POINT_SAMPLE = 2, 2000


@njit(parallel=True, fastmath=True)
def plain_table(total, table, spacing, position, axis, strength):  # type: ignore[no-untyped-def]
    """The usual fast way: rate x r^2 over (r, theta), bilinear, one loop over the voxels."""
    nz, ny, nx = total.shape
    to_r, to_theta = (table.shape[0] - 1) / 200.0, (table.shape[1] - 1) / (np.pi / 2)
    for k in prange(nz):
        for j in range(ny):
            for i in range(nx):
                dx, dy = i * spacing - position[0], j * spacing - position[1]
                dz = k * spacing - position[2]
                r2 = max(dx * dx + dy * dy + dz * dz, 0.01)
                r = np.sqrt(r2)
                cosine = min(abs(dx * axis[0] + dy * axis[1] + dz * axis[2]) / r, 1.0)
                u, v = r * to_r, np.arccos(cosine) * to_theta
                a, b = int(u), min(int(v), table.shape[1] - 2)
                u, v = u - a, v - b
                near = (1 - v) * table[a, b] + v * table[a, b + 1]
                far = (1 - v) * table[a + 1, b] + v * table[a + 1, b + 1]
                total[k, j, i] += strength * ((1 - u) * near + u * far) / r2


def main() -> None:
    source = sources.load("6711")
    geometry = GridGeometry.from_axes((0.0, 0.0, 0.0), 1.0, (SIDE, SIDE, SIDE))
    rng = np.random.default_rng(0)
    places = rng.uniform(20.0, 80.0, (SEEDS, 3))
    axes = rng.normal(size=(SEEDS, 3))
    points = geometry.indices_to_patient(np.argwhere(np.ones(geometry.shape))[:, ::-1])

    keys, seeds = [str(k) for k in range(SEEDS)], Seeds(places, axes, np.full(SEEDS, 0.8))

    def implant() -> DoseGrid:
        grid = DoseGrid(geometry, source)
        grid.become(keys, seeds)
        return grid

    def vectorised(where: np.ndarray, seeds: int) -> np.ndarray:
        total = np.zeros(len(where))
        for k in range(seeds):
            off = where - places[k]
            r_cm = np.linalg.norm(off, axis=1) / 10.0
            cosine = off @ axes[k] / (10.0 * r_cm * np.linalg.norm(axes[k]))
            total += dose_rate_2d(r_cm, np.arccos(np.clip(cosine, -1.0, 1.0)), source)
        return total

    r_cm = np.linspace(0.0, 20.0, 1024)[:, None]
    theta = np.linspace(0.0, np.pi / 2, 129)[None]
    rates = (dose_rate_2d(np.maximum(r_cm, 0.02), theta, source) * r_cm**2).astype(np.float32)
    floats = np.zeros(geometry.shape, np.float32)

    def plainly() -> None:
        floats[:] = 0
        for k in range(SEEDS):
            axis = axes[k] / np.linalg.norm(axes[k])
            plain_table(floats, rates, 1.0, places[k], axis, 0.8)

    plainly()
    plain = best_of(plainly, 10)
    implant()
    whole = best_of(implant, 20)
    numpy_whole = best_of(lambda: vectorised(points, REFERENCE_SEEDS), 2) * SEEDS / REFERENCE_SEEDS
    sample = points[rng.integers(0, len(points), POINT_SAMPLE)]
    single = best_of(lambda: [vectorised(p[None], 1) for p in sample], 1)
    per_point = single / POINT_SAMPLE * len(points) * SEEDS
    grid = implant()
    memory = np.zeros(geometry.shape, np.int64)

    def touch() -> None:
        np.add(memory, 1, out=memory)

    def one_seed() -> None:
        grid.add("x", places[0] + 0.3, axes[0], 0.8)
        grid.remove("x")

    pairs = SEEDS * len(points)
    show(
        f"dose: {SEEDS} seeds on {len(points):.0e} voxels, {whole / pairs * 1e9:.2f} ns a pair",
        [
            Line("implant, from nothing", whole, "a plain table in numba", plain),
            Line("implant, from nothing", whole, "vectorised numpy", numpy_whole),
            Line("implant, from nothing", whole, "point by point in Python", per_point),
            Line(
                "one seed added",
                best_of(one_seed, 100) / 2,
                "reading and writing it",
                best_of(touch, 20),
            ),
            Line(
                "first dose of a fresh process",
                best_of(_fresh),
                "import numba alone",
                best_of(_numba),
            ),
        ],
    )


def _fresh() -> None:
    _run("from dose.grid import warm_up; warm_up()")


def _numba() -> None:
    _run("import numba")


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)
