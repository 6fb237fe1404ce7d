"""Looking at a region that few photons reach: what would come there, reckoned along rays.

Wherever a photon sets out, from its seed or scattered, rays are sent beside it, rather towards
the region. Along a ray, what such a photon would leave in the region is reckoned, not played (the
expected track length), and of what it would meet in or near the region one photon of little
weight is made. In return the photon itself leaves no score in the region, and is dropped if it
meets matter in or near it. So nothing counts twice and nothing is left out, whatever the law that
rays are drawn from: a ray weighs as the law of the photon's direction over its own. MCNP's DXTRAN
(X-5 Monte Carlo Team, LA-UR-03-1987, 2003) does the like with a sphere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.geometry import GridGeometry
from dose.transport.chance import density_of_nodes, from_nodes, turn_about, uniform
from dose.transport.coefficients import ELECTRON_REST_KEV, LOWEST_KEV
from dose.transport.compiled import within
from dose.transport.walking import (
    AROUND,
    MEDIUM,
    METAL,
    NEAR,
    WATCHED,
    depth_with_metal,
    onward,
    row_of,
    set_out,
    voxel_of,
)

FloatArray = NDArray[np.float64]

# What follows was tried out on the virtual lumbar case; the dose does not depend on it, how soon
# it is known does. How far "near the region" reaches; of the rays that are sent, the share that
# goes into the region and not around it.
NEAR_MM, INTO = 10.0, 0.7
# The share of rays that are sent, from afar and from nearby; the others go as the photon would,
# and bound the weights.
SENT, SENT_FROM_NEAR = 0.6, 0.3
# Rays for a photon that leaves a seed, in the mean over the seeds; fewer from farther off, as
# photons fade in tissue; most and least for any.
RAYS, FADE_MM, MOST_RAYS, LEAST_RAYS = 0.35, 28.0, 3.0, 0.02
# Least weight of a photon that is made.
MADE = 0.06
# Photons that wait: place, way, energy, weight, medium.
WAITING, WAITS = 64, 9


class Aim(NamedTuple):
    """Where rays go.

    Attributes:
        low: (3,) first voxels of the box around the region and what is near.
        high: (3,) last voxels; below ``low`` if nothing is looked at.
        voxels: (n, 3) int32, x, y, z of the region's voxels, then of those near it.
        watched: how many are the region's.
        into: share of the rays sent into the region, not near it.
        inner: probability that a ray is sent to a place in the region, 1/cm^3.
        outer: the same near it.
        rays: (voxels,) float32, how many for a photon that sets out there, in the mean.
    """

    low: NDArray[Any]
    high: NDArray[Any]
    voxels: NDArray[Any]
    watched: int
    into: float
    inner: float
    outer: float
    rays: NDArray[Any]


def nowhere() -> Aim:
    """Return no aim: all photons are played."""
    zero = np.zeros(3, np.int64)
    return Aim(
        zero, zero - 1, np.zeros((1, 3), np.int32), 0, 0.0, 0.0, 0.0, np.zeros(1, np.float32)
    )


def aim_at(
    region: NDArray[np.bool_],
    geometry: GridGeometry,
    code: NDArray[np.uint8],
    position_mm: FloatArray,
    strength_u: FloatArray,
) -> Aim:
    """Return the aim at a region, and mark it in the code.

    Voxels with metal are left to the photons.

    Args:
        region: (nz, ny, nx).
        geometry: of the grid.
        code: (voxels,) see ``World``; ``WATCHED`` and ``AROUND`` are added.
        position_mm: (n, 3) of the seeds, LPS.
        strength_u: (n,) of the seeds.
    """
    free = (code & METAL) == 0
    inside = np.flatnonzero(region.ravel() & free)
    if not len(inside):
        return nowhere()
    distance_mm = ndimage.distance_transform_edt(~region, sampling=geometry.spacing_mm[::-1])
    near = (distance_mm <= NEAR_MM) & ~region
    around = np.flatnonzero(near.ravel() & free)
    code[inside] |= WATCHED
    code[around] |= AROUND
    z, y, x = np.unravel_index(np.concatenate((inside, around)), geometry.shape)
    voxels = np.stack((x, y, z), axis=1).astype(np.int32)
    into = INTO if len(around) else 1.0
    return Aim(
        voxels.min(axis=0).astype(np.int64),
        voxels.max(axis=0).astype(np.int64),
        voxels,
        len(inside),
        into,
        into / (len(inside) * geometry.voxel_volume_cc),
        (1.0 - into) / (max(1, len(around)) * geometry.voxel_volume_cc),
        _rays(distance_mm, geometry, position_mm, strength_u).ravel().astype(np.float32),
    )


def _rays(
    distance_mm: FloatArray, geometry: GridGeometry, position_mm: FloatArray, strength_u: FloatArray
) -> FloatArray:
    """Return how many rays a photon sends from each voxel, in the mean."""
    away = np.maximum(distance_mm, geometry.spacing_mm.min())
    reaching = np.exp(-away / FADE_MM) / away
    index = np.rint(geometry.patient_to_indices(position_mm)).astype(int)
    i, j, k = np.clip(index, 0, np.array(geometry.shape[::-1]) - 1).T
    mean = np.average(reaching[k, j, i], weights=strength_u)
    return np.asarray(np.clip(RAYS * reaching / mean, LEAST_RAYS, MOST_RAYS))


@within
def _send(world, aim, state, place, way):  # type: ignore[no-untyped-def]
    """Point ``way`` (3,) to a place in the region, or near it."""
    if uniform(state) < aim.into:
        to = int(uniform(state) * aim.watched)
    else:
        to = aim.watched + int(uniform(state) * (len(aim.voxels) - aim.watched))
    length = 0.0
    for i in range(3):
        way[i] = (aim.voxels[to, i] + uniform(state)) * world.spacing[i] - place[i]
        length += way[i] * way[i]
    length = np.sqrt(length)
    for i in range(3):
        way[i] /= length


@within
def _misses(place, way, aim, spacing):  # type: ignore[no-untyped-def]
    """Return whether a ray passes the box by."""
    first, last = 0.0, 1e30
    for i in range(3):
        one = aim.low[i] * spacing[i] - place[i]
        other = (aim.high[i] + 1) * spacing[i] - place[i]
        if abs(way[i]) < 1e-12:
            if one > 0.0 or other < 0.0:
                return True
            continue
        one, other = one / way[i], other / way[i]
        first, last = max(first, min(one, other)), min(last, max(one, other))
    return first >= last


@within
def _trace(world, aim, place, way, ie, own, passed):  # type: ignore[no-untyped-def]
    """Follow a ray until it is past the box.

    Args:
        world: a ``World``.
        aim: an ``Aim``.
        place: (3,) cm.
        way: (3,) unit direction.
        ie: row of the energy.
        own: piece of metal that is not met.
        passed: (n, 4) filled with what the ray passes in and near the region: voxel, distance
            where it enters, probability to come there, and to meet matter within.

    Returns:
        Voxels in ``passed``, probability to send a ray this way (for each steradian), and steps.
    """
    code, density, tables = world.code, world.density, world.tables
    walk, pace = set_out(place, way, world, aim.low, aim.high)
    gone, depth, through, sent = 0.0, 0.0, -1.0, 0.0
    n, steps, inside = 0, 0, True
    while inside:
        at = walk[0]
        kind = int(code[at])
        end = max(gone, min(walk[1], walk[2], walk[3]))
        thick = tables[ie, kind & MEDIUM, 0] * density[at]
        if kind & METAL:
            here = depth_with_metal(world, place, way, gone, end, thick, own, at, ie)
        else:
            here = thick * (end - gone)
        if kind & NEAR:
            if through < 0.0:
                through = np.exp(-depth)
            after = np.exp(-depth - here)
            passed[n, 0], passed[n, 1], passed[n, 2], passed[n, 3] = (
                at,
                gone,
                through,
                through - after,
            )
            n += 1
            through = after
            # How many of the places that rays are sent to lie this way.
            sent += (aim.inner if kind & WATCHED else aim.outer) * (end**3 - gone**3) / 3.0
        else:
            through = -1.0
        depth += here
        gone = end
        steps += 1
        walk, inside = onward(walk, pace)
    return n, sent, steps


@within
def _score(world, scores, passed, n, worth, ie):  # type: ignore[no-untyped-def]
    """Score the expected track length in the region; return the probability to meet matter."""
    met = 0.0
    for i in range(n):
        at = int(passed[i, 0])
        met += passed[i, 3]
        kind = int(world.code[at])
        if kind & WATCHED:
            m = kind & MEDIUM
            length = passed[i, 3] / (world.tables[ie, m, 0] * world.density[at])
            scores[at, 0] += worth * length * world.tables[ie, m, 1]
            scores[at, 1] += worth * length * world.water_kept[ie]
    return met


@within
def _where(world, passed, n, wanted, ie):  # type: ignore[no-untyped-def]
    """Return voxel and distance where a ray meets matter, from a part of its probability."""
    i = 0
    while i < n - 1 and wanted >= passed[i, 3]:
        wanted -= passed[i, 3]
        i += 1
    at = int(passed[i, 0])
    depth = -np.log(1.0 - min(wanted, passed[i, 3]) / passed[i, 2])
    thick = world.tables[ie, int(world.code[at]) & MEDIUM, 0] * world.density[at]
    return at, passed[i, 1] + depth / thick


@within
def _look(  # type: ignore[no-untyped-def]
    world, aim, scores, state, place, pole, nodes, compton, energy, weight, own, sent, passed, made
):
    """Send one ray and score it; return whether a photon was made of it, and steps."""
    way = made[3:6]
    if uniform(state) < sent:
        _send(world, aim, state, place, way)
        cosine = way[0] * pole[0] + way[1] * pole[1] + way[2] * pole[2]
    else:
        cosine = from_nodes(nodes, uniform(state))
        turn_about(way, pole, cosine, 2.0 * np.pi * uniform(state))
        if _misses(place, way, aim, world.spacing):
            return False, 0
    law = density_of_nodes(nodes, cosine) / (2.0 * np.pi)
    if compton:
        energy = energy / (1.0 + energy / ELECTRON_REST_KEV * (1.0 - cosine))
    if law <= 0.0 or energy < LOWEST_KEV:
        return False, 0
    ie = row_of(energy)
    n, density, steps = _trace(world, aim, place, way, ie, own, passed)
    weight *= law / (sent * density + (1.0 - sent) * law)
    met = _score(world, scores, passed, n, weight * energy, ie)
    born = weight * met
    if born < MADE:
        if uniform(state) * MADE >= born:
            return False, steps
        born = MADE
    at, distance = _where(world, passed, n, uniform(state) * met, ie)
    for i in range(3):
        made[i] = place[i] + distance * way[i]
    made[6], made[7], made[8] = energy, born, int(world.code[at]) & MEDIUM
    return True, steps


@within
def look_around(  # type: ignore[no-untyped-def]
    world, aim, scores, state, place, pole, nodes, compton, energy, weight, own, passed, waiting, n
):
    """Send the rays of a photon that sets out.

    Args:
        world: a ``World``.
        aim: an ``Aim`` at something.
        scores: (voxels, 2) added to.
        state: of the random numbers.
        place: (3,) cm.
        pole: (3,) what its direction turns about.
        nodes: law of the cosine to the pole.
        compton: whether the photon loses energy with the angle.
        energy: before that, keV.
        weight: of the photon.
        own: piece of metal that it does not meet.
        passed: work space, as many rows as voxels can be crossed.
        waiting: (``WAITING``, ``WAITS``) photons made, added to.
        n: how many wait already.

    Returns:
        How many wait now, and steps.
    """
    at = voxel_of(place, world)
    rays = aim.rays[at]
    sent = SENT_FROM_NEAR if world.code[at] & NEAR else SENT
    steps = 0
    for _ in range(int(rays + uniform(state))):
        made, more = _look(
            world, aim, scores, state, place, pole, nodes, compton, energy, weight / rays, own,
            sent, passed, waiting[n],
        )  # fmt: skip
        steps += more
        n += 1 if made else 0
    return n, steps
