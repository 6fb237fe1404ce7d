"""From voxel to voxel along a straight way (Siddon, Med. Phys. 12, 252, 1985), metal included.

Voxels that metal reaches into are marked; there a photon meets the metal as it lies, not as
voxels (``metal.py``). The metal of its own seed it does not meet: the law of emission has it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit
from numpy.typing import NDArray

from dose.transport.coefficients import LOWEST_KEV, STEP_KEV
from dose.transport.compiled import within
from dose.transport.metal import next_metal

_FAR = 1e30
# How a way through a voxel can end.
PASSED, MET, LOST = range(3)
# What the byte of a voxel says beside its medium: it belongs to what is looked at, or lies around
# it (``looking.py``); metal reaches into it.
MEDIUM, AROUND, WATCHED, METAL = 31, 32, 64, 128
NEAR = AROUND | WATCHED
MOST_MEDIA = MEDIUM + 1


class World(NamedTuple):
    """What photons meet; lengths in cm from the corner of the grid, along its axes.

    Attributes:
        code: (voxels,) uint8, index of the medium, with ``AROUND``, ``WATCHED``, ``METAL``.
        density: (voxels,) float32, g/cm^3.
        cells: (3,) voxels along x, y, z.
        spacing: (3,) along x, y, z.
        tables: (energies, media, 2) cm^2/g, all that happens and what is deposited; a flight
            has one energy, so that all its media lie together.
        water_kept: (energies,) what is deposited in water.
        photo: (media, energies) cm^2/g, photoelectric.
        coherent: the same, Rayleigh.
        rayleigh_cos: (media, angle energies, nodes) cosines at equal steps of probability.
        compton_cos: the same.
        metal_row: (voxels,) int32, row in ``metal_rows`` of a voxel with metal.
        metal_rows: (rows, k) int32, pieces of metal near it, -1 for none; the first n pieces
            are the seeds'.
        pieces: see ``dose.transport.metal``.
        metal_mu: the same.
    """

    code: NDArray[Any]
    density: NDArray[Any]
    cells: NDArray[Any]
    spacing: NDArray[Any]
    tables: NDArray[Any]
    water_kept: NDArray[Any]
    photo: NDArray[Any]
    coherent: NDArray[Any]
    rayleigh_cos: NDArray[Any]
    compton_cos: NDArray[Any]
    metal_row: NDArray[Any]
    metal_rows: NDArray[Any]
    pieces: NDArray[Any]
    metal_mu: NDArray[Any]


@njit(cache=True, nogil=True, inline="always")
def row_of(energy):  # type: ignore[no-untyped-def]
    """Return the row of an energy in the tables."""
    return int((energy - LOWEST_KEV) / STEP_KEV + 0.5)


@njit(cache=True, nogil=True, inline="always")
def voxel_of(place, world):  # type: ignore[no-untyped-def]
    """Return the voxel in which a place (3,) lies, -1 outside the grid."""
    at, stride = 0, 1
    for i in range(3):
        index = int(place[i] / world.spacing[i])
        if place[i] < 0.0 or index >= world.cells[i]:
            return -1
        at += index * stride
        stride *= world.cells[i]
    return at


@njit(cache=True, nogil=True, inline="always")
def _axis(place, way, spacing, count, low, high):  # type: ignore[no-untyped-def]
    """Return voxel, way to its wall, way from wall to wall, turn and voxels left, on one axis."""
    voxel = min(int(place / spacing), count - 1)
    if way > 1e-12:
        return voxel, ((voxel + 1) * spacing - place) / way, spacing / way, 1, high - voxel
    if way < -1e-12:
        return voxel, (voxel * spacing - place) / way, -spacing / way, -1, voxel - low
    return voxel, _FAR, _FAR, 0, 1


@njit(cache=True, nogil=True, inline="always")
def set_out(place, way, world, low, high):  # type: ignore[no-untyped-def]
    """Return where a walk is and how it goes, until it is past a box of voxels.

    Args:
        place: (3,) cm.
        way: (3,) unit direction.
        world: for the grid.
        low: (3,) first voxels of the box.
        high: (3,) last voxels of the box.

    Returns:
        (voxel; ways to the next wall in x, y, z; voxels left in x, y, z), and (ways from wall to
        wall; strides).
    """
    nx, ny, nz = world.cells[0], world.cells[1], world.cells[2]
    spacing = world.spacing
    x, wall_x, step_x, turn_x, left_x = _axis(place[0], way[0], spacing[0], nx, low[0], high[0])
    y, wall_y, step_y, turn_y, left_y = _axis(place[1], way[1], spacing[1], ny, low[1], high[1])
    z, wall_z, step_z, turn_z, left_z = _axis(place[2], way[2], spacing[2], nz, low[2], high[2])
    return (
        ((z * ny + y) * nx + x, wall_x, wall_y, wall_z, left_x, left_y, left_z),
        (step_x, step_y, step_z, turn_x, turn_y * nx, turn_z * nx * ny),
    )


@njit(cache=True, nogil=True, inline="always")
def onward(walk, pace):  # type: ignore[no-untyped-def]
    """Return a walk in its next voxel, and whether it is not past the box."""
    at, wall_x, wall_y, wall_z, left_x, left_y, left_z = walk
    step_x, step_y, step_z, stride_x, stride_y, stride_z = pace
    if wall_x <= wall_y and wall_x <= wall_z:
        wall_x += step_x
        at += stride_x
        left_x -= 1
        inside = left_x >= 0
    elif wall_y <= wall_z:
        wall_y += step_y
        at += stride_y
        left_y -= 1
        inside = left_y >= 0
    else:
        wall_z += step_z
        at += stride_z
        left_z -= 1
        inside = left_z >= 0
    return (at, wall_x, wall_y, wall_z, left_x, left_y, left_z), inside


@within
def depth_with_metal(world, place, way, gone, end, thick, own, at, ie):  # type: ignore[no-untyped-def]
    """Return the optical depth of a way through a voxel with metal in it.

    Args:
        world: a ``World``.
        place: (3,) start of the flight, cm.
        way: (3,) unit direction.
        gone: distance from the start where the way begins, cm.
        end: where it ends.
        thick: 1/cm of the medium.
        own: piece of metal that is not met.
        at: voxel.
        ie: row of the energy.
    """
    row, mu = world.metal_rows[world.metal_row[at]], world.metal_mu[:, :, ie]
    depth = 0.0
    while True:
        start, stop, metal = next_metal(place, way, gone, end, own, row, world.pieces, mu)
        depth += thick * (start - gone) + metal
        if start >= end:
            return depth
        gone = stop


@within
def _past_metal(world, place, way, gone, end, depth, thick, own, at, ie):  # type: ignore[no-untyped-def]
    """Carry a photon through a voxel with metal in it.

    What metal takes is absorbed there: at these energies all but a few percent of what happens
    in titanium, steel or silver is the photoelectric effect.

    Returns:
        how it ended, depth left, and how far it came.
    """
    row, mu = world.metal_rows[world.metal_row[at]], world.metal_mu[:, :, ie]
    while True:
        start, stop, metal = next_metal(place, way, gone, end, own, row, world.pieces, mu)
        free = thick * (start - gone)
        if free >= depth:
            return MET, 0.0, gone + depth / thick
        depth -= free
        if start >= end:
            return PASSED, depth, end
        if metal >= depth:
            return LOST, 0.0, start + (stop - start) * depth / metal
        depth -= metal
        gone = stop


@within
def fly(world, scores, place, way, energy, weight, depth, own, unseen):  # type: ignore[no-untyped-def]
    """Carry a photon to where it meets matter or leaves the grid, and score its track.

    Every centimetre in a voxel adds energy times mu_en / rho, once with the coefficients of its
    medium and once with those of water.

    Args:
        world: a ``World``.
        scores: (voxels, 2) float32, of the medium and of water; added to.
        place: (3,) cm, in the grid; becomes where it ends.
        way: (3,) unit direction.
        energy: keV.
        weight: of the photon.
        depth: optical depth at which it meets matter.
        own: piece of metal that it does not meet.
        unseen: bits of the voxels that are not scored.

    Returns:
        how it ended (``PASSED``: it left the grid), code of its last voxel, and steps.
    """
    ie = row_of(energy)
    code, density, tables = world.code, world.density, world.tables
    last = (world.cells[0] - 1, world.cells[1] - 1, world.cells[2] - 1)
    walk, pace = set_out(place, way, world, (0, 0, 0), last)
    worth, worth_water = weight * energy, weight * energy * world.water_kept[ie]
    gone, fate, steps, kind, inside = 0.0, PASSED, 0, 0, True
    while inside:
        at = walk[0]
        kind = int(code[at])
        m = kind & MEDIUM
        end = max(gone, min(walk[1], walk[2], walk[3]))
        thick = tables[ie, m, 0] * density[at]
        if kind & METAL:
            fate, depth, stop = _past_metal(world, place, way, gone, end, depth, thick, own, at, ie)
        elif thick * (end - gone) >= depth:
            fate, stop = MET, gone + depth / thick
        else:
            depth -= thick * (end - gone)
            stop = end
        if not kind & unseen:
            length = stop - gone
            scores[at, 0] += worth * length * tables[ie, m, 1]
            scores[at, 1] += worth_water * length
        gone = stop
        steps += 1
        if fate != PASSED:
            break
        walk, inside = onward(walk, pace)
    for i in range(3):
        place[i] += gone * way[i]
    return fate, kind, steps
