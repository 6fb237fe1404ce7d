"""A virtual lumbar implant for the transport: CT, structures and seeds where the plan has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.sources import load
from dose.structures import Structure, sample
from dose.transport.media import Media
from dose.transport.metal import Metal, capsule_of
from dose.transport.tissues import media_from_hu, without_metal
from guidance.conductor.modelled import CORD_REACH_MM
from guidance.media import region_mask
from simulators.operator.case import draw_case
from simulators.planner.outlines import outlines
from simulators.scanner.image import scan

MARGIN_MM = 40.0


@dataclass(frozen=True, eq=False)
class Lumbar:
    """One implant: media on a grid, seeds and their metal, masks of target and near cord."""

    media: Media
    seeds: Seeds
    metal: Metal
    target: NDArray[np.bool_]
    cord: NDArray[np.bool_]


def lumbar(spacing_mm: float, *, seeds: int = 50, number: int = 2) -> Lumbar:
    """Scan a virtual patient after the implant, and make media of the scan."""
    case = draw_case(number, seeds=seeds, slice_mm=2.0, level="lumbar")
    frame = case.patient_to_planning
    turn, shift = frame[:3, :3], frame[:3, 3]
    where = [(n.seed(r), n.direction) for n in case.needles for r in n.retractions]
    placed = [(turn @ p + shift, turn @ a) for p, a in where]
    protocol = case.planning_protocol
    hu = scan(case.anatomy, frame, protocol, np.random.default_rng(number), seeds=tuple(placed))
    ct = GridGeometry(hu.shape, protocol.affine)
    centre = np.array([p for p, _ in placed])
    axis = np.array([a for _, a in placed])
    spots = Seeds(centre, axis, np.full(len(placed), case.directive.strength_u))
    low, high = centre.min(axis=0) - MARGIN_MM, centre.max(axis=0) + MARGIN_MM
    corners = ct.corners_mm()
    low = np.maximum(low, corners.min(axis=0) + spacing_mm)
    high = np.minimum(high, corners.max(axis=0) - spacing_mm)
    grid = GridGeometry.around(low, high - spacing_mm, spacing_mm)
    rods = np.stack((centre - 2.25 * axis, centre + 2.25 * axis), axis=1)
    media = media_from_hu(without_metal(hu, ct, rods_mm=rods), grid)
    drawn = {o.name: o for o in outlines(case.anatomy, frame, protocol)}
    target, cord = (
        region_mask(sample(Structure(n, tuple(p for _, p in drawn[n].contours))), grid)
        for n in ("GTV", "Spinal cord")
    )
    points = grid.indices_to_patient(np.argwhere(cord)[:, ::-1])
    distance = np.linalg.norm(points[:, None] - centre, axis=2).min(axis=1)
    cord[cord] = distance <= distance.min() + CORD_REACH_MM
    metal = Metal.of_seeds(capsule_of(load("6711")), spots.position_mm, spots.axis)
    return Lumbar(media, spots, metal, target, cord)
