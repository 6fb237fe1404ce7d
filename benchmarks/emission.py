"""Fit effective sources to the TG-43 data of seed models, and say what they reach.

``python -m benchmarks.emission MODEL...`` fits, writes ``dose/transport/data/emission.json`` and
prints the table of docs/validation.md; with ``--show`` it only prints. The largest residuals are
put into the file by hand: they are judged before a model is let in.
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path

import numpy as np

from dose import sources
from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.strength import mean_life_h
from dose.tg43 import anisotropy_function, geometry_function, radial_dose_function
from dose.transport.emission import Emission, _laws, emission_of, seed
from dose.transport.materials import WATER
from dose.transport.simulation import Media, simulate

STEP_DEG = 5.0
ROUNDS, HISTORIES, LAST_HISTORIES = 5, 2_000_000, 10_000_000
RADII_CM = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


class Field:
    """Dose rate of one seed along z in water, looked at by distance and angle.

    Grids by distance, each run when it is first asked for: the nearer the finer, the farther
    the larger, so that the scatter is complete.
    """

    # Up to which distance in cm: spacing and half size of the box in mm, half a ring in cm.
    GRIDS = ((0.9, 0.5, 25.0, 0.03), (2.2, 1.0, 60.0, 0.06), (9.0, 1.5, 90.0, 0.08))

    def __init__(self, emission: Emission, histories: int, run: int):
        self.length = max(2 * emission.parts[0].to_cm, 1e-3)
        self._asked = (emission, histories, run)
        self._found: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def _rates(
        self, spacing_mm: float, half_mm: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        emission, histories, run = self._asked
        half = round(half_mm / spacing_mm)
        geometry = GridGeometry.from_axes(
            (-half * spacing_mm,) * 3, spacing_mm, (2 * half + 1,) * 3
        )
        one = Seeds(np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), np.array([1.0]))
        dose = simulate(
            Media.of(geometry, WATER), one, emission, 59.4, histories=histories, run=run
        )
        k, j, i = np.indices(geometry.shape)
        points = geometry.indices_to_patient(np.stack((i, j, k), axis=-1)).reshape(-1, 3)
        r_cm = np.linalg.norm(points, axis=1) / 10.0
        theta = np.arccos(np.clip(np.abs(points[:, 2]) / 10.0 / np.maximum(r_cm, 1e-9), 0, 1))
        rate = dose.medium_gy.ravel() / mean_life_h(59.4) * 100.0
        keep = (r_cm > 0.3) & (r_cm < 5.3)
        shape = geometry_function(r_cm[keep], theta[keep], self.length)
        return r_cm[keep], theta[keep], rate[keep] / shape

    def over_g(self, r_cm: float, low_deg: float, high_deg: float) -> float:
        """Mean of rate over geometry function in a ring, times that at 1 cm across."""
        upto, spacing_mm, half_mm, within = next(g for g in self.GRIDS if r_cm <= g[0])
        if upto not in self._found:
            self._found[upto] = self._rates(spacing_mm, half_mm)
        r, theta, rate = self._found[upto]
        low, high = np.radians(low_deg), np.radians(high_deg)
        ring = (np.abs(r - r_cm) < within) & (theta >= low) & (theta <= high)
        # Close to the seed rate over geometry function falls like a straight line in r.
        return float(rate[ring].mean() * geometry_function(1.0, np.pi / 2, self.length))

    def g_l(self, r_cm: float) -> float:
        return self.over_g(r_cm, 75.0, 90.0) / self.over_g(1.0, 75.0, 90.0)


def published_g(source: SourceModel, r_cm: float) -> float:
    """g_L, with the F that the ring of 75 to 90 degrees has at this distance."""
    fine = np.radians(np.linspace(75.0, 90.0, 16))
    f = [anisotropy_function(r, fine, source).mean() for r in (r_cm, 1.0)]
    return float(radial_dose_function(r_cm, source)) * f[0] / f[1]


def fitted(source: SourceModel) -> tuple[float, np.ndarray]:
    """Return softness and law of emission for solid angle at steps of 5 degrees, 1 at 90."""
    angles = np.arange(0.0, 90.0 + STEP_DEG, STEP_DEG)
    law = np.maximum(anisotropy_function(1.0, np.radians(angles), source), 0.1)
    soft = _softness(source, law)
    for number in range(ROUNDS):
        field = Field(_emission(source, soft, law), HISTORIES, number + 1)
        across = field.over_g(1.0, 80.0, 90.0)
        ratio = np.empty(len(angles))
        for k, angle in enumerate(angles):
            low, high = max(0.0, angle - 2.5), min(90.0, angle + 2.5)
            fine = np.radians(np.linspace(low, high, 11))
            weight = np.sin(fine) + 1e-6
            wanted = np.average(anisotropy_function(1.0, fine, source), weights=weight)
            ratio[k] = wanted / (field.over_g(1.0, low, high) / across)
        law = np.maximum(law * ratio**0.8, 1e-3)
        law /= law[-3:].mean()
    return soft, law


def _softness(source: SourceModel, law: np.ndarray) -> float:
    """Fit the share of the softer lines to g_L, by least squares of its logarithm.

    What each part of the spectrum gives adds up, so that two runs tell all shares.
    """
    radii = [r for r in RADII_CM if r != 1.0 and r <= source.g_r_cm[-1]]
    hard, soft = (Field(_emission(source, s, law), HISTORIES, 90) for s in (0.0, 0.4))
    one = {r: (hard.over_g(r, 75, 90), soft.over_g(r, 75, 90)) for r in (*radii, 1.0)}
    # Strength is fixed by kerma: shares of kerma mix, and they are as good a parameter.
    best = (np.inf, 0.0)
    for part in np.linspace(0.0, 1.0, 101):
        mixed = {r: (1 - part) * a + part * b for r, (a, b) in one.items()}
        misses = [np.log(mixed[r] / mixed[1.0] / published_g(source, r)) for r in radii]
        best = min(best, (float(np.square(misses).sum()), float(part)))
    kerma = [_emission(source, s, law).air_kerma_gy_cm2() for s in (0.0, 0.4)]
    part = best[1]
    photons = (1 - part) / kerma[0] + part / kerma[1]
    return round(float(0.4 * part / kerma[1] / photons), 4)


def _emission(source: SourceModel, soft: float, law: np.ndarray) -> Emission:
    return seed(source.model, source.nuclide, source.active_length_cm, soft, law)


def report(source: SourceModel, emission: Emission, soft: float) -> None:
    """Print the residuals of a model."""
    field = Field(emission, LAST_HISTORIES, 99)
    rate = field.over_g(1.0, 80.0, 90.0)
    fine = np.radians(np.linspace(80, 90, 11))
    known = source.dose_rate_constant_cgy_per_h_u * anisotropy_function(1.0, fine, source).mean()
    radii = [r for r in RADII_CM if r <= source.g_r_cm[-1]]
    g = [100 * (field.g_l(r) / published_g(source, r) - 1) for r in radii]
    print(f"\n#### {source.model} ({source.nuclide}), soft share {soft:.2f}\n")
    print(f"Lambda {100 * (rate / known - 1):+.1f} %\n")
    print("| r / cm | " + " | ".join(f"{r:g}" for r in radii) + " |")
    print("|---" * (len(radii) + 1) + "|")
    print("| g_L, % | " + " | ".join(f"{v:+.1f}" for v in g) + " |")
    for low, high in ((0, 6), (6, 12), (12, 20), (20, 30), (30, 45), (45, 60), (60, 75)):
        row = []
        for r in radii:
            fine = np.radians(np.linspace(low, high, 21))
            f = np.average(anisotropy_function(r, fine, source), weights=np.sin(fine) + 1e-6)
            across = anisotropy_function(r, np.radians(np.linspace(75, 90, 16)), source).mean()
            ours = field.over_g(r, low, high) / field.over_g(r, 75.0, 90.0) * across
            row.append(f"{100 * (ours / f - 1):+.1f}")
        print(f"| F {low}-{high} deg, % | " + " | ".join(row) + " |", flush=True)


def main() -> None:
    arguments = [a for a in sys.argv[1:] if a != "--show"]
    known = {m.model: m for m in sources.available()}
    path = Path(str(resources.files("dose.transport").joinpath("data/emission.json")))
    laws = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for model in arguments or list(known):
        source = known[model]
        if "--show" not in sys.argv:
            soft, law = fitted(source)
            laws[model] = laws.get(model, {}) | {
                "soft_share": soft,
                "law": [round(float(v), 4) for v in law],
            }
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(laws, indent=1) + "\n", encoding="utf-8")
            _laws.cache_clear()
            emission_of.cache_clear()
        report(source, emission_of(source), laws[model]["soft_share"])


if __name__ == "__main__":
    main()
