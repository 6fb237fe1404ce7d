"""A virtual lumbar implant for the transport: CT, structures and seeds where the plan has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.structures import Structure, sample
from dose.transport.simulation import Media
from dose.transport.tissues import media_from_hu, without_metal
from simulators.operator.case import draw_case
from simulators.planner.outlines import outlines
from simulators.scanner.image import scan

MARGIN_MM = 40.0


@dataclass(frozen=True, eq=False)
class Lumbar:
    """One implant: media on a grid, seeds, and masks of target and cord."""

    media: Media
    seeds: Seeds
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
    masks = {
        name: mask_of(Structure(name, tuple(p for _, p in drawn[name].contours)), grid)
        for name in ("GTV", "Spinal cord")
    }
    # Dose in the cord counts near the target; far up and down it no photon comes.
    near = masks["Spinal cord"].copy()
    height = grid.indices_to_patient([(0, 0, k) for k in range(grid.shape[0])])[:, 2]
    far = (height < centre[:, 2].min()) | (height > centre[:, 2].max())
    near[far] = False
    return Lumbar(media, spots, masks["GTV"], near)


def mask_of(structure: Structure, grid: GridGeometry) -> NDArray[np.bool_]:
    """Return the voxels that a structure reaches into."""
    points = sample(structure).points_mm
    points = points[grid.contains(points)]
    index = np.rint(grid.patient_to_indices(points)).astype(int)
    index = np.clip(index, 0, np.array(grid.shape[::-1]) - 1)
    mask = np.zeros(grid.shape, np.bool_)
    mask[index[:, 2], index[:, 1], index[:, 0]] = True
    return mask
