"""What the patient's own tissues make of the dose in water, for weighing further seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.interpolation import interpolated
from dose.seeds import Seeds
from dose.sources import SourceModel
from guidance.advice.proposal import ModelledUse
from guidance.errors import RefusedError

FloatArray = NDArray[np.float64]

# Where the seeds matter: voxels with at least this share of their 99th percentile.
NEAR = 0.01
# A dose of other seeds, or of these elsewhere, does not rise and fall with theirs.
LEAST_CORRELATION = 0.9
# Bone takes up to five times the dose of water for the same photons; what is beyond is noise.
MOST = 6.0


@dataclass(frozen=True, eq=False)
class MediumFactor:
    """Model-based dose over TG-43 dose of the same seeds.

    Attributes:
        geometry: of the grid, LPS mm.
        factor: (nz, ny, nx); 1 where it is not known.
        known: (nz, ny, nx) whether the seeds give dose enough for a ratio.
        used: which model-based dose it is of.
    """

    geometry: GridGeometry
    factor: NDArray[np.float32]
    known: NDArray[np.bool_]
    used: ModelledUse

    @property
    def remarks(self) -> tuple[str, ...]:
        """What must be said with figures weighed by it."""
        return (
            f"Weighed by the model-based dose ({self.used.method}), not by TG-43; what the tissues "
            "make of the dose is taken to be the same for a further seed. Research, not validated "
            "for use.",
            "Prescription and limits come from practice with TG-43.",
        )

    def at(self, points_mm: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return the factor at (n, 3) points, 1 outside the grid, and which lie inside it."""
        return interpolated(self.factor, self.geometry, points_mm, outside=1.0)

    def known_at(self, points_mm: FloatArray) -> NDArray[np.bool_]:
        """Return where at (n, 3) points it is known."""
        known = self.known.astype(np.float32)
        found, _ = interpolated(known, self.geometry, points_mm, outside=0.0)
        return np.asarray(found >= 0.5)


def medium_factor(
    dose_gy: NDArray[np.float32],
    geometry: GridGeometry,
    used: ModelledUse,
    source: SourceModel,
    seeds: Seeds,
) -> MediumFactor:
    """Return what a model-based dose of seeds is of their TG-43 dose, voxel by voxel.

    Args:
        dose_gy: (nz, ny, nx) to full decay, of these seeds and no others.
        geometry: of the grid, LPS mm.
        used: which dose it is.
        source: seed model.
        seeds: in the patient; strengths at implant.

    Raises:
        RefusedError: there are no seeds, or the dose is not theirs.
    """
    if not len(seeds):
        raise RefusedError("a model-based dose says nothing without the seeds it is of")
    grid = DoseGrid(geometry, source)
    grid.become([str(k) for k in range(len(seeds))], seeds)
    water = grid.dose_gy
    near = _near(water)
    both = near & (dose_gy > 0)
    if (
        both.sum() < 0.5 * near.sum()
        or _correlation(dose_gy[both], water[both]) < LEAST_CORRELATION
    ):
        raise RefusedError("the model-based dose is not that of the given seeds where they lie")
    return ratio(dose_gy, water, geometry, used)


def ratio(
    dose_gy: NDArray[np.float32],
    water: NDArray[np.float32],
    geometry: GridGeometry,
    used: ModelledUse,
) -> MediumFactor:
    """Return what a model-based dose is of the TG-43 dose of the same seeds on the same grid.

    Args:
        dose_gy: (nz, ny, nx) to full decay, model-based.
        water: (nz, ny, nx) to full decay, TG-43, Gy.
        geometry: of the grid, LPS mm.
        used: which model-based dose it is.
    """
    near = _near(water)
    factor = np.ones(water.shape, np.float32)
    factor[near] = np.clip(dose_gy[near] / water[near], 0.0, MOST)
    return MediumFactor(geometry, factor, near, used)


def _near(water: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(water >= NEAR * np.percentile(water, 99))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.corrcoef(np.log(one), np.log(other))[0, 1])
