"""Lay out what the engine is given: world, seeds, and the unit of its scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dose.errors import DoseError
from dose.seeds import Seeds
from dose.strength import mean_life_h
from dose.transport.coefficients import ENERGIES_KEV, Coefficients, coefficients
from dose.transport.emission import GY_PER_KEV_G, Emission
from dose.transport.materials import WATER
from dose.transport.media import Media
from dose.transport.metal import COLUMNS, Metal
from dose.transport.walking import METAL, World

FloatArray = NDArray[np.float64]

# Lung is denser than this, air is not.
LEAST_SEED_DENSITY = 0.05
# Kerma strength is 1 cGy cm^2/h for 1 U.
GY_CM2_PER_H_U = 1e-2


def check(media: Media, seeds: Seeds) -> None:
    """Refuse what has no right answer.

    Raises:
        DoseError: no seed, or one outside the grid or in air.
    """
    if not len(seeds):
        raise DoseError("there is no seed to transport")
    inside = media.geometry.contains(seeds.position_mm)
    for number in np.flatnonzero(~inside):
        raise DoseError(
            f"seed {number + 1} at {_mm(seeds.position_mm[number])} lies outside the CT"
        )
    index = np.rint(media.geometry.patient_to_indices(seeds.position_mm)).astype(int)
    index = np.clip(index, 0, np.array(media.geometry.shape[::-1]) - 1)
    density = media.density_g_cm3[index[:, 2], index[:, 1], index[:, 0]]
    for number in np.flatnonzero(density < LEAST_SEED_DENSITY):
        raise DoseError(
            f"seed {number + 1} at {_mm(seeds.position_mm[number])} lies in air; it is "
            "not where it is said to be, or seeds and CT do not belong together"
        )


def _mm(position_mm: FloatArray) -> str:
    x, y, z = position_mm
    return f"({x:.1f}, {y:.1f}, {z:.1f}) mm"


def world_of(media: Media, metal: Metal | None, cancelled: Callable[[], bool]) -> World | None:
    """Return what the photons meet, None if it was cancelled; some 0.1 s for each new medium."""
    tables: list[Coefficients] = []
    for material in media.materials:
        if cancelled():
            return None
        tables.append(coefficients(material))
    geometry = media.geometry
    code = media.index.ravel().copy()
    row, listed = np.zeros(1, np.int32), np.full((1, 1), -1, np.int32)
    pieces, metal_mu = np.zeros((1, COLUMNS)), np.zeros((1, 2, len(ENERGIES_KEV)))
    if metal is not None:
        rows, listed = metal.rows(geometry)
        row = rows.ravel()
        code[row >= 0] |= METAL
        pieces, metal_mu = metal.pieces(geometry), np.ascontiguousarray(metal.mu())
    return World(
        code,
        np.ascontiguousarray(media.density_g_cm3.ravel()),
        np.array(geometry.shape[::-1]),
        geometry.spacing_mm / 10.0,
        np.ascontiguousarray(np.stack([(t.mu, t.kept) for t in tables]).transpose(2, 0, 1)),
        coefficients(WATER).kept,
        np.stack([t.photo for t in tables]),
        np.stack([t.coherent for t in tables]),
        np.stack([t.rayleigh_cos for t in tables]),
        np.stack([t.compton_cos for t in tables]),
        row,
        listed,
        pieces,
        metal_mu,
    )


def seeds_of(seeds: Seeds, media: Media) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centres (n, 3), cm from the corner of the grid, axes (n, 3) along the grid's, weights.

    Strengths are weights over their mean, so that the scores are of the mean seed.
    """
    geometry = media.geometry
    local_cm = (geometry.patient_to_indices(seeds.position_mm) + 0.5) * geometry.spacing_mm / 10.0
    axes = np.ascontiguousarray(seeds.axis @ geometry.axes)
    return np.ascontiguousarray(local_cm), axes, seeds.strength_u / seeds.strength_u.mean()


def gy_per_score(media: Media, seeds: Seeds, emission: Emission, half_life_days: float) -> float:
    """Return Gy to full decay, for one history's score (keV cm^3/g) in a voxel."""
    volume_cm3 = media.geometry.voxel_volume_cc
    per_history_gy = GY_PER_KEV_G / volume_cm3
    total_u = float(seeds.strength_u.sum())
    # Photons in an hour, of all seeds, of this strength.
    per_hour = total_u * GY_CM2_PER_H_U / emission.air_kerma_gy_cm2()
    return per_history_gy * per_hour * mean_life_h(half_life_days)
