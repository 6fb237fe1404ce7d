"""Drawing rods and fitting them by damped least squares: the compiled inner loops.

All work on the voxels used of one patch, in the order in which they lie in it. ``grid`` is
``(runs, x, y, shift, z)``: runs (r, 5) of neighbouring voxels of one row as (slice, row, first
column, first voxel, how many), the rest as in ``rods.Patch``.
"""

from __future__ import annotations

from math import erf, exp, pi, sqrt

import numpy as np
from numba import njit

# Height and slopes (x, y, z) of the background; spread in the plane and along the normal, and
# length of the rods; then the rods: centre (3), direction (3, of unit length), amplitude.
SPREAD, NORMAL, LENGTH, FIRST_ROD, PER_ROD = 4, 5, 6, 7, 7
SPREAD_LIMITS_MM = (0.3, 1.4)
NORMAL_LIMITS_MM = (0.15, 1.5)
# A fit whose cost falls by less than this share has settled.
SETTLED = 1e-3
# A rod's image is nothing beyond so many sigma.
REACH = 3.7
# What starved rays do falls to a half where the axis' part along the normal is so large.
STEEP = 0.25
# Beyond so many sigma of the normal a point is wholly out of a slice.
REACH_NORMAL = 5.5


@njit(cache=True, nogil=True, fastmath=True)
def draw(p, grid, slice_mm, nodes, weights, starved, model, jac):  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0915
    """Add the rods to ``model`` (m,), and write their derivatives into ``jac`` (p, m).

    Where a slice holds more of one end of a rod than of the other, the image makes more of the
    difference (``starved``, see ``rods.Look``). Each voxel's sums over the points along a rod
    stay in registers: only slices that the rod reaches, then only points that reach the row,
    are summed.
    """
    runs, x, y, shift, z = grid
    count = len(nodes)
    jac[SPREAD:] = 0.0
    sigma, normal, length = p[SPREAD], p[NORMAL], p[LENGTH]
    flat, per_sigma = 1.0 / (sigma * sqrt(2.0 * pi)), 1.0 / sigma
    root, bell = 1.0 / (normal * sqrt(2.0)), 1.0 / sqrt(2.0 * pi)
    # Of each point: place along the rod; Gaussian and distance in sigma, column by column and
    # row by row; its share of the slice and that share's slopes with height and blur.
    place = np.empty(count)
    bells, aside = np.empty((len(x), count)), np.empty((len(x), count))
    bells_y, aside_y = np.empty((len(y), count)), np.empty((len(y), count))
    share, slope, bend = np.empty(count), np.empty(count), np.empty(count)
    lean, stretch = np.empty(count), np.empty(count)
    # Of each point that reaches a row: which it is, and what its Gaussian is multiplied by.
    which, by = np.empty(count, np.int64), np.empty((8, count))
    for rod in range((len(p) - FIRST_ROD) // PER_ROD):
        b = FIRST_ROD + rod * PER_ROD
        amplitude, ax, ay, az = p[b + 6], p[b + 3], p[b + 4], p[b + 5]
        in_slice, reach = -1, 0
        level = 1.0 / (1.0 + (az / STEEP) ** 2)
        more, less = starved * level, -2.0 * starved * level * level * az / STEEP**2
        for run in range(len(runs)):
            k, j, first, start, long = runs[run]
            if k != in_slice:
                if in_slice < 0 or (shift[k] != shift[in_slice]).any():
                    for q in range(count):
                        place[q] = 0.5 * length * nodes[q]
                        at = p[b] + place[q] * ax - shift[k, 0]
                        for i in range(len(x)):
                            u = (x[i] - at) * per_sigma
                            bells[i, q] = flat * exp(-0.5 * u * u) if abs(u) < REACH else 0.0
                            aside[i, q] = u * per_sigma
                        at = p[b + 1] + place[q] * ay - shift[k, 1]
                        for i in range(len(y)):
                            u = (y[i] - at) * per_sigma
                            bells_y[i, q] = flat * exp(-0.5 * u * u) if abs(u) < REACH else 0.0
                            aside_y[i, q] = u * per_sigma
                in_slice, reach = k, 0
                for q in range(count):
                    w = 0.5 * weights[q] / slice_mm
                    up = z[k] + 0.5 * slice_mm - p[b + 2] - place[q] * az
                    low = up - slice_mm
                    share[q] = slope[q] = bend[q] = 0.0
                    if low > REACH_NORMAL * normal or up < -REACH_NORMAL * normal:
                        continue
                    e_up = bell * exp(-0.5 * (up / normal) ** 2)
                    e_low = bell * exp(-0.5 * (low / normal) ** 2)
                    share[q] = w * 0.5 * (erf(up * root) - erf(low * root))
                    slope[q] = -w * (e_up - e_low) / normal
                    bend[q] = -w * (up * e_up - low * e_low) / (normal * normal)
                    reach += 1
                if reach > 0:
                    _apart(place, weights, more, less, az, share, slope, bend, lean, stretch)
            if reach == 0:
                continue
            near = 0
            for q in range(count):
                g = bells_y[j, q]
                if g == 0.0 or (share[q] == 0.0 and slope[q] == 0.0):
                    continue
                u = aside_y[j, q]
                which[near] = q
                by[0, near] = g * share[q]
                by[1, near] = by[0, near] * u
                by[2, near] = g * slope[q]
                by[3, near] = g * bend[q]
                by[4, near] = by[0, near] * (u * u * sigma - 2.0 * per_sigma)
                by[5, near] = place[q]
                by[6, near] = g * lean[q]
                by[7, near] = g * stretch[q]
                near += 1
            if near == 0:
                continue
            for n in range(long):
                i, v = first + n, start + n
                unit = dx = dy = dn = tx = ty = tn = wider = thicker = longer = 0.0
                for c in range(near):
                    q = which[c]
                    g, t = bells[i, q], by[5, c]
                    bright, u = by[0, c] * g, aside[i, q]
                    across, down = bright * u, by[1, c] * g
                    unit += bright
                    dx += across
                    dy += down
                    dn += by[2, c] * g
                    tx += t * across
                    ty += t * down
                    tn += by[6, c] * g
                    longer += by[7, c] * g
                    wider += by[4, c] * g + across * u * sigma
                    thicker += by[3, c] * g
                model[v] += amplitude * unit
                jac[SPREAD, v] += amplitude * wider
                jac[NORMAL, v] += amplitude * thicker
                jac[LENGTH, v] += amplitude * (tx * ax + ty * ay + longer) / length
                jac[b, v] = amplitude * dx
                jac[b + 1, v] = amplitude * dy
                jac[b + 2, v] = amplitude * dn
                jac[b + 3, v] = amplitude * tx
                jac[b + 4, v] = amplitude * ty
                jac[b + 5, v] = amplitude * tn
                jac[b + 6, v] = unit


@njit(cache=True, nogil=True, fastmath=True)
def _apart(place, weights, more, less, az, share, slope, bend, lean, stretch):  # type: ignore[no-untyped-def]
    """Drive the points' shares of a slice apart, from their mean: by ``more``, as a share.

    ``lean`` and ``stretch`` come out as slopes of the shares with the rod's part along the
    normal and with the logarithm of its length; ``less`` is how ``more`` changes with the former.
    """
    mean = mean_slope = mean_bend = mean_lean = 0.0
    for q in range(len(place)):
        lean[q] = place[q] * slope[q]
        mean += share[q]
        mean_slope += slope[q]
        mean_bend += bend[q]
        mean_lean += lean[q]
    for q in range(len(place)):
        w = 0.5 * weights[q]
        apart = share[q] - w * mean
        share[q] += more * apart
        slope[q] += more * (slope[q] - w * mean_slope)
        bend[q] += more * (bend[q] - w * mean_bend)
        lean[q] += more * (lean[q] - w * mean_lean)
        stretch[q] = az * lean[q]
        lean[q] += less * apart


@njit(cache=True, nogil=True)
def _bound(p):  # type: ignore[no-untyped-def]
    """Keep the parameters possible, the directions of unit length."""
    p[SPREAD] = min(max(p[SPREAD], SPREAD_LIMITS_MM[0]), SPREAD_LIMITS_MM[1])
    p[NORMAL] = min(max(p[NORMAL], NORMAL_LIMITS_MM[0]), NORMAL_LIMITS_MM[1])
    for b in range(FIRST_ROD, len(p), PER_ROD):
        norm = sqrt(p[b + 3] ** 2 + p[b + 4] ** 2 + p[b + 5] ** 2) + 1e-12
        for c in range(3, 6):
            p[b + c] /= norm
        p[b + 6] = max(p[b + 6], 1.0)


@njit(cache=True, nogil=True, fastmath=True)
def _turning(p, jac):  # type: ignore[no-untyped-def]
    """Keep of the derivatives with the directions what turns them: they stay of unit length.

    A step that lengthened them would be undone, and what the length had to do with it not.
    """
    for b in range(FIRST_ROD + 3, len(p), PER_ROD):
        for v in range(jac.shape[1]):
            along = p[b] * jac[b, v] + p[b + 1] * jac[b + 1, v] + p[b + 2] * jac[b + 2, v]
            for c in range(3):
                jac[b + c, v] -= p[b + c] * along


@njit(cache=True, nogil=True, fastmath=True)
def products(jac, heard, left, normal, gradient, scaled):  # type: ignore[no-untyped-def]
    """Write the normal equations of the weighted derivatives."""
    for c in range(len(jac)):
        total = 0.0
        for v in range(len(heard)):
            value = jac[c, v] * heard[v]
            scaled[c, v] = value
            total += value * left[v]
        gradient[c] = total
        for d in range(c + 1):
            total = 0.0
            for v in range(len(heard)):
                total += scaled[c, v] * scaled[d, v]
            normal[c, d] = normal[d, c] = total


@njit(cache=True, nogil=True, fastmath=True)
def _background(p, plane, fixed, model):  # type: ignore[no-untyped-def]
    """Write the tissue under the rods, with what is not fitted, into ``model``."""
    for v in range(len(model)):
        model[v] = (
            fixed[v]
            + p[0] * plane[0, v]
            + p[1] * plane[1, v]
            + p[2] * plane[2, v]
            + p[3] * plane[3, v]
        )


@njit(cache=True, nogil=True, fastmath=True)
def _cost(p, mean, prior, data, weight, model, clip):  # type: ignore[no-untyped-def]
    """Return squares of what is left, and of how far the parameters lie off what is known."""
    total = 0.0
    for v in range(len(data)):
        total += ((data[v] - min(model[v], clip)) * weight[v]) ** 2
    for c in range(len(p)):
        total += prior[c] * (p[c] - mean[c]) ** 2
    return total


@njit(cache=True, nogil=True)
def solve(  # type: ignore[no-untyped-def]
    start,
    mean,
    prior,
    data,
    weight,
    fixed,
    clip,
    plane,
    grid,
    slice_mm,
    nodes,
    weights,
    starved,
    steps,
):
    """Return parameters, cost, model and derivatives of the fit (Marquardt's steps).

    Where model and image both clip, the image says nothing.
    """
    m, size = len(data), len(start)
    jac, tried_jac = np.zeros((size, m)), np.zeros((size, m))
    jac[:4], tried_jac[:4] = plane, plane
    p, tried = start.copy(), start.copy()
    model, tried_model = np.zeros(m), np.zeros(m)
    scaled, left, heard = np.zeros((size, m)), np.zeros(m), np.zeros(m)
    normal, diagonal, gradient = np.eye(size), np.eye(size), np.zeros(size)
    damping, cost, gained = 1e-2, np.inf, 1.0
    for step in range(steps + 1):
        accepted = False
        while damping < 1e7:
            _background(tried, plane, fixed, tried_model)
            draw(tried, grid, slice_mm, nodes, weights, starved, tried_model, tried_jac)
            tried_cost = _cost(tried, mean, prior, data, weight, tried_model, clip)
            if tried_cost < cost:
                gained = cost - tried_cost
                accepted = True
                break
            if step == 0:
                break
            damping *= 5.0
            tried = p + np.linalg.solve(normal + damping * diagonal, gradient)
            _bound(tried)
        if not accepted:
            break
        p, cost = tried.copy(), tried_cost
        model, tried_model = tried_model, model
        jac, tried_jac = tried_jac, jac
        if (step > 0 and gained < SETTLED * (1.0 + cost) and damping < 1.0) or step == steps:
            break
        damping = max(damping / 8.0, 1e-6)
        _turning(p, jac)
        for v in range(m):
            heard[v] = 0.0 if model[v] >= clip and data[v] >= clip else weight[v]
            left[v] = (data[v] - min(model[v], clip)) * heard[v]
        products(jac, heard, left, normal, gradient, scaled)
        for c in range(size):
            normal[c, c] += prior[c]
            gradient[c] += prior[c] * (mean[c] - p[c])
        diagonal = np.diag(np.diag(normal))
        tried = p + np.linalg.solve(normal + damping * diagonal, gradient)
        _bound(tried)
    return p, cost, model, jac
