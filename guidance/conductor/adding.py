"""A dose that photons carried, with a seed more: the new seed is run for itself alone and added.

What the new seed's metal takes from the photons of the others is left out until all are run
again; the metal of the others its own photons do meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.transport.emission import Emission
from dose.transport.media import Media
from dose.transport.simulation import TransportDose, simulate
from guidance.conductor.modelled import Regions, metal_of

# Photons of a new seed, for an answer in a quarter of a second.
AT_MOST = 400_000
# As near to the end of the grid a new seed may lie; photons from farther off are few.
MARGIN_MM = 20.0
# The same strength, but for the minutes it has decayed.
SAME_STRENGTH = 2e-3


@dataclass(frozen=True, eq=False)
class Carried:
    """A dose and what it is of.

    Attributes:
        media: of the patient.
        seeds: that it is the dose of.
        dose: of them.
    """

    media: Media
    seeds: Seeds
    dose: TransportDose


def how_many_more(carried: Carried, seeds: Seeds) -> int:
    """Return how many seeds there are beyond those of a dose; 0 where any of those differs.

    0 as well where a new one lies too near to the end of the grid, or beyond it.
    """
    before, n = carried.seeds, len(carried.seeds)
    if len(seeds) <= n:
        return 0
    same = (
        np.array_equal(seeds.position_mm[:n], before.position_mm)
        and np.array_equal(seeds.axis[:n], before.axis, equal_nan=True)
        and np.allclose(seeds.strength_u[:n], before.strength_u, rtol=SAME_STRENGTH)
    )
    grid = carried.media.geometry
    index = grid.patient_to_indices(seeds.position_mm[n:])
    room_mm = np.minimum(index + 0.5, np.array(grid.shape[::-1]) - 0.5 - index) * grid.spacing_mm
    return len(seeds) - n if same and room_mm.min() >= MARGIN_MM else 0


def with_more(
    carried: Carried,
    seeds: Seeds,
    source: SourceModel,
    emission: Emission,
    regions: Regions,
    *,
    run: int,
) -> Carried:
    """Return the dose of all seeds, those beyond the carried ones run for themselves alone.

    Args:
        carried: dose of the first of them.
        seeds: all; ``how_many_more`` says that there are new ones.
        source: seed model.
        emission: its effective source.
        regions: where the mean uncertainty is wanted.
        run: number of the random sequence; another than that of the dose before.

    Raises:
        DoseError: a new seed lies in air.
    """
    n = len(carried.seeds)
    fresh, before = seeds[np.arange(n, len(seeds))], seeds[np.arange(n)]
    each = min(AT_MOST, max(1, carried.dose.histories // n))
    alone = simulate(
        carried.media,
        fresh,
        emission,
        source.half_life_days,
        histories=each * len(fresh),
        run=run,
        metal=metal_of(Seeds.together((fresh, before)), source),
    )
    dose = carried.dose.plus(alone)
    reached = {name: float(dose.uncertainty[mask].mean()) for name, (mask, _) in regions.items()}
    return Carried(carried.media, seeds, replace(dose, reached=reached))
