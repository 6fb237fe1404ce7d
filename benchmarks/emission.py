"""Fit a seed's effective source to its TG-43 data, and say what it reaches.

``python -m benchmarks.emission [MODEL]`` prints the law that ``dose/transport/emission.py``
holds, then Lambda, g_L and F of the effective source beside the published ones.
"""

from __future__ import annotations

import sys

import numpy as np

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.sources import SourceModel, load
from dose.strength import mean_life_h
from dose.tg43 import anisotropy_function, geometry_function, radial_dose_function
from dose.transport.emission import Emission, seed
from dose.transport.materials import WATER
from dose.transport.simulation import Media, simulate

STEP_DEG = 5.0
ROUNDS, HISTORIES, LAST_HISTORIES = 5, 3_000_000, 12_000_000
SILVER_SHARE = {"6711": 0.2}


class Field:
    """Dose rate of one seed along x in water, looked at by distance and angle."""

    def __init__(self, emission: Emission, histories: int, run: int, spacing_mm: float = 1.0):
        half = round(60.0 / spacing_mm)
        origin = (-half * spacing_mm,) * 3
        geometry = GridGeometry.from_axes(origin, spacing_mm, (2 * half + 1,) * 3)
        one = Seeds(np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), np.array([1.0]))
        dose = simulate(
            Media.of(geometry, WATER), one, emission, 59.4, histories=histories, run=run
        )
        k, j, i = np.indices(geometry.shape)
        points = geometry.indices_to_patient(np.stack((i, j, k), axis=-1)).reshape(-1, 3)
        self.r_cm = np.linalg.norm(points, axis=1) / 10.0
        along = np.abs(points[:, 2]) / 10.0
        self.theta = np.arccos(np.clip(along / np.maximum(self.r_cm, 1e-9), 0, 1))
        self.rate = dose.medium_gy.ravel() / mean_life_h(59.4) * 100.0
        length = 2 * emission.half_length_cm
        self.shape = geometry_function(np.maximum(self.r_cm, 0.05), self.theta, length)
        self.at_1 = float(geometry_function(1.0, np.pi / 2, length))

    def over_g(self, r_cm: float, low_deg: float, high_deg: float) -> float:
        """Mean of rate over geometry function in a ring."""
        within = 0.06 if r_cm >= 1 else 0.05
        low, high = np.radians(low_deg), np.radians(high_deg)
        ring = (np.abs(self.r_cm - r_cm) < within) & (self.theta >= low) & (self.theta <= high)
        return float((self.rate[ring] / self.shape[ring]).mean()) * self.at_1


def fitted(source: SourceModel) -> np.ndarray:
    """Return the law of emission for solid angle at steps of 5 degrees, 1 at 90."""
    angles = np.arange(0.0, 90.0 + STEP_DEG, STEP_DEG)
    theta = np.radians(angles)
    law = np.maximum(anisotropy_function(1.0, theta, source), 0.2)
    for number in range(ROUNDS):
        emission = seed(source.model, source.active_length_cm, SILVER_SHARE[source.model], law)
        field = Field(emission, HISTORIES, number + 1)
        across = field.over_g(1.0, 80.0, 90.0)
        ratio = np.empty(len(angles))
        for k, angle in enumerate(angles):
            low, high = max(0.0, angle - 2.5), min(90.0, angle + 2.5)
            fine = np.radians(np.linspace(low, high, 11))
            weight = np.sin(fine) + 1e-6
            wanted = np.average(anisotropy_function(1.0, fine, source), weights=weight)
            ratio[k] = wanted / (field.over_g(1.0, low, high) / across)
        law = law * ratio**0.8
        law /= law[-1]
    return law


def report(source: SourceModel, emission: Emission) -> None:
    field = Field(emission, LAST_HISTORIES, 99)
    rate = field.over_g(1.0, 84.0, 90.0)
    known = source.dose_rate_constant_cgy_per_h_u
    print(f"Lambda {rate:.4f} cGy/h/U, published {known} ({100 * (rate / known - 1):+.1f} %)")
    print("r / cm   g_L  published")
    for r in (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0):
        ours = field.over_g(r, 80.0, 90.0) / field.over_g(1.0, 80.0, 90.0)
        g = float(radial_dose_function(r, source))
        print(f"{r:5.2f}  {ours:.3f}  {g:.3f}  {100 * (ours / g - 1):+.1f} %")
    print("theta   F at 0.5, 1, 2, 3 cm: ours / published")
    for low in (0, 5, 10, 15, 20, 30, 40, 50, 60, 70):
        high = low + (5 if low < 20 else 10)
        row = []
        for r in (0.5, 1.0, 2.0, 3.0):
            fine = np.radians(np.linspace(low, high, 21))
            f = np.average(anisotropy_function(r, fine, source), weights=np.sin(fine) + 1e-6)
            ours = field.over_g(r, low, high) / field.over_g(r, 80.0, 90.0)
            row.append(f"{ours:.3f} ({100 * (ours / f - 1):+5.1f} %)")
        print(f"{low:2d}-{high:2d}   " + "  ".join(row))


def main() -> None:
    source = load(sys.argv[1] if len(sys.argv) > 1 else "6711")
    law = fitted(source)
    print("law:", ", ".join(f"{v:.3f}" for v in law))
    report(source, seed(source.model, source.active_length_cm, SILVER_SHARE[source.model], law))


if __name__ == "__main__":
    main()
