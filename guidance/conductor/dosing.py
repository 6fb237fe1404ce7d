"""The dose of the implant as it is known now, kept up with every seed.

Only what changed is recomputed: a seed added, moved or taken away is one pass over the grid
and one over each structure's sample points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dose.dvh import Dvh, figures, target_figures
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.points import DosePoints
from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.strength import decayed_u
from dose.structures import Samples, Structure, sample
from guidance.planning.plan import ImplantPlan
from guidance.procedure.snapshot import DoseView, DvhView

Point = tuple[float, float, float]
GRID_SPACING_MM = 1.0
MARGIN_MM = 25.0
SAMPLE_SPACING_MM = 1.0
# In one structure; a body outline of 8 litres must not slow the drops.
SAMPLES_AT_MOST = 150_000


@dataclass(frozen=True)
class Placed:
    """A seed as it is dosed: centre, direction (None where unknown) and strength."""

    position_mm: Point
    axis: Point | None
    strength_u: float


class LiveDose:
    """Dose grid and histograms of one case in one frame of reference."""

    def __init__(
        self,
        source: SourceModel,
        structures: tuple[Structure, ...],
        plan: ImplantPlan,
        *,
        how: str,
        like: LiveDose | None = None,
    ) -> None:
        """Lay the grid around the target and the planned seeds.

        Args:
            source: seed model of the plan.
            structures: in the room's frame.
            plan: in the room's frame.
            how: one line on the seed positions used, for the method line.
            like: another of the same structures, whose sample points are used again.
        """
        points = [np.array([s.position_mm for s in plan.seeds]).reshape(-1, 3)]
        points += [c for s in structures if s.name == plan.target_name for c in s.contours]
        cloud = np.concatenate(points)
        geometry = GridGeometry.around(
            cloud.min(axis=0) - MARGIN_MM,
            cloud.max(axis=0) + MARGIN_MM,
            GRID_SPACING_MM,
            frame_of_reference_uid=plan.frame_of_reference_uid,
        )
        self._source = source
        self._plan = plan
        self._how = how
        self._grid = DoseGrid(geometry, source)
        self._samples: dict[str, Samples] = (
            like._samples if like is not None else _sampled(structures)
        )
        self._points = {
            name: DosePoints(samples.points_mm, source) for name, samples in self._samples.items()
        }

    def update(self, seeds: Mapping[str, Placed], event_number: int) -> DoseView:
        """Bring the dose to these seeds and return it.

        Args:
            seeds: all seeds of the implant by key.
            event_number: the event after which the implant was so.
        """
        nowhere = (np.nan, np.nan, np.nan)
        now = Seeds(
            np.array([s.position_mm for s in seeds.values()]),
            np.array([s.axis or nowhere for s in seeds.values()]),
            np.array([s.strength_u for s in seeds.values()]),
        )
        for dose in (self._grid, *self._points.values()):
            dose.become(list(seeds), now)
        unknown = sum(1 for s in seeds.values() if s.axis is None)
        method = (
            f"TG-43 {'2D line source' if not unknown else 'line source, '}"
            f"{f'{unknown} seeds as point sources' if unknown else ''}, "
            f"{self._source.model}, water in water, {self._how}"
        )
        return DoseView(
            geometry=self._grid.geometry,
            dose_gy=self._grid.dose_gy.copy(),
            prescription_gy=self._plan.prescription_gy,
            dvh=tuple(self._histogram(name) for name in self._samples),
            event_number=event_number,
            seeds=len(seeds),
            method=method,
        )

    def _histogram(self, name: str) -> DvhView:
        samples, prescription_gy = self._samples[name], self._plan.prescription_gy
        dvh = Dvh(self._points[name].dose_gy, samples.weight_cc)
        found = figures(dvh, prescription_gy)
        if name == self._plan.target_name:
            prescribed_cc = self._grid.volume_at_least_cc(prescription_gy)
            found |= target_figures(dvh, prescription_gy, prescribed_cc)
        dose_gy, volume_percent = dvh.curve()
        return DvhView(
            structure=name,
            volume_cc=samples.volume_cc,
            dose_gy=dose_gy,
            volume_percent=volume_percent,
            figures=found,
        )


def _sampled(structures: tuple[Structure, ...]) -> dict[str, Samples]:
    return {
        s.name: sample(s, spacing_mm=SAMPLE_SPACING_MM, at_most=SAMPLES_AT_MOST)
        for s in structures
        if s.contours
    }


def strength_at(plan: ImplantPlan, when: datetime, half_life_days: float) -> float:
    """Return the air-kerma strength of a planned seed in U at a time.

    A plan without a reference date is taken at its word for the day of the implant.
    """
    if plan.strength_at is None:
        return plan.strength_u
    days = (when - plan.strength_at).total_seconds() / 86400.0
    return float(decayed_u(plan.strength_u, days, half_life_days))
