"""The image of thin metal rods, and the fit of rods to a piece of a scan.

A seed is a short line of metal. In the plane the scanner spreads it as a Gaussian, along the
normal it averages over the slice, and above its highest value it clips. Under the rods the
tissue is taken as a sloping plane. That is the whole model; several rods of one group are
fitted together by damped least squares (Marquardt, J. SIAM 11, 431, 1963), and what is known
of the scan's seeds (how much metal, how sharp, how long) enters as a normal prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import erf, exp, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Height and slopes (x, y, z) of the background; spread in the plane and along the normal, and
# length of the rods; then the rods: centre (3), direction (3, of unit length), amplitude.
SPREAD, NORMAL, LENGTH, FIRST_ROD, PER_ROD = 4, 5, 6, 7, 7
SPREAD_LIMITS_MM = (0.3, 1.4)
NORMAL_LIMITS_MM = (0.15, 1.5)
# Points of the quadrature along a rod: near enough to each other for the sharpest image.
NODE_MM = 0.65
MOST_STEPS, SETTLED = 20, 1e-3
# A rod's image is nothing beyond so many sigma.
REACH = 3.7
# Of a rod's brightest voxel: above this share is its own.
FOOTPRINT = 0.15
# What the model leaves of metal that it describes well, as a share of the metal's brightness,
# and what streaks leave around it, HU.
MISFIT_SHARE, MISFIT_HU = 0.05, 60.0


@dataclass(frozen=True)
class Look:
    """How a seed of this scan looks: values and how far one may lie off them.

    Attributes:
        amplitude: metal of one seed, HU mm^3, and its standard deviation.
        spread_mm: Gaussian sigma in the plane, and its standard deviation.
        normal_mm: Gaussian sigma along the normal on either side of the slice.
        length_mm: of the part that is seen: in some models the marker, not the capsule.
        taper_mm: over which the rod's far end thins out, as the bevel of a needle does.
        rise: standard deviation of the axes' part along the normal.
        misfit: mean square of what the model leaves of lone seeds, in units of what was assumed.
        inside: share of a seed's metal that the voxels of its group hold.
    """

    amplitude: tuple[float, float]
    spread_mm: tuple[float, float]
    normal_mm: tuple[float, float]
    length_mm: tuple[float, float]
    taper_mm: float = 0.0
    rise: float = 0.4
    misfit: float = 1.0
    inside: float = 0.5


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of a scan around a group of candidates, in the scan's frame.

    Attributes:
        hu: (nz, ny, nx) float64.
        use: (nz, ny, nx) voxels that count.
        x: (nx,) columns, mm.
        y: (ny,) rows, mm.
        shift: (nz, 2) offset of each slice in the plane, mm.
        z: (nz,) slices, mm.
        slice_mm: thickness.
        clip_hu: value at which the scan clips.
        others: (nz, ny, nx) what neighbours that are not fitted add, HU; None for nothing.
    """

    hu: FloatArray
    use: NDArray[np.bool_]
    x: FloatArray
    y: FloatArray
    shift: FloatArray
    z: FloatArray
    slice_mm: float
    clip_hu: float
    others: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Fit:
    """Rods fitted to a patch.

    Attributes:
        centres: (n, 3) scan frame, mm.
        axes: (n, 3) unit vectors.
        amplitudes: (n,) HU mm^3.
        spread_mm: Gaussian sigma in the plane.
        normal_mm: Gaussian sigma along the normal.
        length_mm: of the rods.
        cost: squares of what is left in units of what the model is known to leave, with the
            priors' part: twice the negative logarithm of how probable this is.
        points: how many independent points the fit stood on, about.
        explained: share of what rises above the background that the rods explain.
        explained_within: the same, where the rods themselves are bright.
        left_hu: (m,) what is left in the voxels used.
        covariance_mm2: (n, 3, 3) of the centres.
        axis_covariance: (n, 3, 3) of the axes.
    """

    centres: FloatArray
    axes: FloatArray
    amplitudes: FloatArray
    spread_mm: float
    normal_mm: float
    length_mm: float
    cost: float
    points: float
    explained: float
    explained_within: float
    left_hu: FloatArray
    covariance_mm2: FloatArray
    axis_covariance: FloatArray


def fit_rods(
    patch: Patch, look: Look, centres: FloatArray, axes: FloatArray, steps: int = MOST_STEPS
) -> Fit:
    """Fit as many rods as starting centres to a patch.

    Args:
        patch: the piece of the scan.
        look: how one rod looks.
        centres: (n, 3) where to start, scan frame.
        axes: (n, 3) unit directions to start with.
        steps: how many at most.
    """
    n = len(centres)
    data = patch.hu[patch.use]
    where = np.argwhere(patch.use)
    height = float(np.percentile(data, 15))
    correlated = _voxels_per_point(patch, look.spread_mm[0])
    each = correlated * look.misfit
    above = np.clip(data - height, 0.0, None)
    weight = 1.0 / np.sqrt(each * (MISFIT_HU**2 + (MISFIT_SHARE * above) ** 2))
    fixed = np.zeros(len(data)) if patch.others is None else patch.others[patch.use]
    start = np.concatenate(
        (
            [height, 0, 0, 0, look.spread_mm[0], look.normal_mm[0], look.length_mm[0]],
            np.column_stack((centres, axes, np.full(n, look.amplitude[0]))).ravel(),
        )
    )
    # Thick slices say little of height and tilt: where the data are silent, the start holds.
    rod = (3.0, 3.0, 3.0, 0.8, 0.8, look.rise, look.amplitude[1])
    shared = (300.0, 100.0, 100.0, 100.0, look.spread_mm[1], look.normal_mm[1], look.length_mm[1])
    prior = np.array((*shared, *(rod * n))) ** -2.0
    # A seed that lies in one slice could rise or fall in it: taken as flat, with an error.
    mean = start.copy()
    mean[FIRST_ROD + 5 :: PER_ROD] = 0.0
    nodes, weights = _quadrature(max(3, round(look.length_mm[0] / NODE_MM)))
    if look.taper_mm > 0:
        to_end = 0.5 * look.length_mm[0] * (1.0 - nodes)
        weights = weights * np.minimum(1.0, to_end / look.taper_mm)
    clip = min(patch.clip_hu, 1e9)
    p, cost, model, jacobian = _solve(
        start, mean, prior, data, weight, fixed, clip, where,
        patch.x, patch.y, patch.shift, patch.z, patch.slice_mm, nodes, weights, steps,
    )  # fmt: skip
    return _described(p, cost, model, jacobian, prior, data, weight, clip, len(data) / correlated)


def image(patch: Patch, fit: Fit, which: int) -> FloatArray:
    """Return (nz, ny, nx) what one rod of a fit adds to a patch, HU, without clipping."""
    rod = np.concatenate((fit.centres[which], fit.axes[which]))
    nodes, weights = _quadrature(max(3, round(fit.length_mm / NODE_MM)))
    drawn = render_rod(
        rod, fit.spread_mm, fit.normal_mm, patch.x, patch.y, patch.shift, patch.z,
        patch.slice_mm, nodes, weights, fit.length_mm,
    )  # fmt: skip
    return np.asarray(fit.amplitudes[which] * drawn)


def render_rod(
    rod: FloatArray,
    spread_mm: float,
    normal_mm: float,
    x: FloatArray,
    y: FloatArray,
    shift: FloatArray,
    z: FloatArray,
    slice_mm: float,
    nodes: FloatArray,
    weights: FloatArray,
    length_mm: float,
) -> FloatArray:
    """Return the image (nz, ny, nx) of one rod of unit amplitude; the rest as in Patch."""
    shape = (len(z), len(y), len(x))
    where = np.indices(shape).reshape(3, -1).T.copy()
    p = np.concatenate(((0, 0, 0, 0, spread_mm, normal_mm, length_mm), rod, (1.0,)))
    model, jacobian = np.zeros(len(where)), np.zeros((len(p), len(where)))
    _draw(p, where, x, y, shift, z, slice_mm, nodes, weights, model, jacobian)
    return model.reshape(shape)


def _voxels_per_point(patch: Patch, spread_mm: float) -> float:
    """Return how many voxels the blur ties to one another: they err together."""
    area = (patch.x[1] - patch.x[0]) * (patch.y[1] - patch.y[0]) if len(patch.x) > 1 else 1.0
    step = patch.z[1] - patch.z[0] if len(patch.z) > 1 else patch.slice_mm
    cell = 4.0 * pi * spread_mm**2 / area * max(1.0, max(patch.slice_mm, 1.0) / step)
    return max(1.0, cell)


@cache
def _quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes), np.asarray(weights)


@njit(cache=True, nogil=True, fastmath=True)
def _draw(p, where, x, y, shift, z, slice_mm, nodes, weights, model, jac):  # type: ignore[no-untyped-def]  # noqa: PLR0915
    """Add the rods to ``model`` (m,), and write their derivatives into ``jac`` (p, m)."""
    m = where.shape[0]
    nz, ny, nx = len(z), len(y), len(x)
    jac[SPREAD:] = 0.0
    sigma, normal, length = p[SPREAD], p[NORMAL], p[LENGTH]
    gx, gy = np.empty((nz, nx)), np.empty((nz, ny))
    hz, dz, sz = np.empty(nz), np.empty(nz), np.empty(nz)
    flat = 1.0 / (sigma * sqrt(2.0 * pi))
    root, bell = 1.0 / (normal * sqrt(2.0)), 1.0 / sqrt(2.0 * pi)
    for r in range((len(p) - FIRST_ROD) // PER_ROD):
        b = FIRST_ROD + r * PER_ROD
        amplitude = p[b + 6]
        ax, ay, az = p[b + 3], p[b + 4], p[b + 5]
        for q in range(len(nodes)):
            t, w = 0.5 * length * nodes[q], 0.5 * weights[q]
            px, py, pz = p[b] + t * ax, p[b + 1] + t * ay, p[b + 2] + t * az
            for k in range(nz):
                up, low = z[k] + 0.5 * slice_mm - pz, z[k] - 0.5 * slice_mm - pz
                hz[k] = w * 0.5 * (erf(up * root) - erf(low * root)) / slice_mm
                e_up = bell * exp(-0.5 * (up / normal) ** 2)
                e_low = bell * exp(-0.5 * (low / normal) ** 2)
                dz[k] = -w * (e_up - e_low) / (normal * slice_mm)
                sz[k] = -w * (up * e_up - low * e_low) / (normal * normal * slice_mm)
                if abs(hz[k]) + abs(dz[k]) < 1e-7:
                    hz[k], dz[k], sz[k] = 0.0, 0.0, 0.0
                    continue
                for i in range(nx):
                    u = (x[i] + shift[k, 0] - px) / sigma
                    gx[k, i] = flat * exp(-0.5 * u * u) if abs(u) < REACH else 0.0
                for j in range(ny):
                    u = (y[j] + shift[k, 1] - py) / sigma
                    gy[k, j] = flat * exp(-0.5 * u * u) if abs(u) < REACH else 0.0
            for v in range(m):
                k = where[v, 0]
                if hz[k] == 0.0 and dz[k] == 0.0:
                    continue
                j, i = where[v, 1], where[v, 2]
                plane = gx[k, i] * gy[k, j]
                if plane == 0.0:
                    continue
                ux = (x[i] + shift[k, 0] - px) / sigma
                uy = (y[j] + shift[k, 1] - py) / sigma
                unit = plane * hz[k]
                bright = amplitude * unit
                model[v] += bright
                dx, dy = bright * ux / sigma, bright * uy / sigma
                dn = amplitude * plane * dz[k]
                jac[SPREAD, v] += bright * (ux * ux + uy * uy - 2.0) / sigma
                jac[NORMAL, v] += amplitude * plane * sz[k]
                jac[LENGTH, v] += 0.5 * nodes[q] * (dx * ax + dy * ay + dn * az)
                jac[b, v] += dx
                jac[b + 1, v] += dy
                jac[b + 2, v] += dn
                jac[b + 3, v] += t * dx
                jac[b + 4, v] += t * dy
                jac[b + 5, v] += t * dn
                jac[b + 6, v] += unit


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
def _products(jac, heard, left, normal, gradient, scaled):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def _solve(  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0915
    start,
    mean,
    prior,
    data,
    weight,
    fixed,
    clip,
    where,
    x,
    y,
    shift,
    z,
    slice_mm,
    nodes,
    weights,
    steps,
):
    """Return parameters, cost, clipped model and derivatives where they do not clip."""
    m, size = len(data), len(start)
    jac, tried_jac = np.zeros((size, m)), np.zeros((size, m))
    middle = np.zeros(3)
    for v in range(m):
        k, j, i = where[v]
        jac[0, v], jac[1, v], jac[2, v], jac[3, v] = (
            1.0,
            x[i] + shift[k, 0],
            y[j] + shift[k, 1],
            z[k],
        )
        for c in range(3):
            middle[c] += jac[c + 1, v] / m
    for c in range(3):
        jac[c + 1] -= middle[c]
    tried_jac[:4] = jac[:4]
    p = start.copy()
    model, tried_model = np.zeros(m), np.zeros(m)
    scaled, left, heard = np.zeros((size, m)), np.zeros(m), np.zeros(m)
    normal, diagonal, gradient = np.eye(size), np.eye(size), np.zeros(size)
    damping, cost, gained = 1e-2, np.inf, 1.0
    tried = p.copy()
    for step in range(steps + 1):
        accepted = False
        while damping < 1e7:
            for v in range(m):
                total = fixed[v]
                for c in range(4):
                    total += tried[c] * jac[c, v]
                tried_model[v] = total
            _draw(tried, where, x, y, shift, z, slice_mm, nodes, weights, tried_model, tried_jac)
            tried_cost = 0.0
            for v in range(m):
                tried_cost += ((data[v] - min(tried_model[v], clip)) * weight[v]) ** 2
            for c in range(size):
                tried_cost += prior[c] * (tried[c] - mean[c]) ** 2
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
        if step > 0 and gained < SETTLED * (1.0 + cost) and damping < 1.0:
            break
        if step == steps:
            break
        damping = max(damping / 8.0, 1e-6)
        for v in range(m):
            # Where model and image both clip, the image says nothing more.
            heard[v] = 0.0 if model[v] >= clip and data[v] >= clip else weight[v]
            left[v] = (data[v] - min(model[v], clip)) * heard[v]
        _products(jac, heard, left, normal, gradient, scaled)
        for c in range(size):
            normal[c, c] += prior[c]
            gradient[c] += prior[c] * (mean[c] - p[c])
        diagonal = np.diag(np.diag(normal))
        tried = p + np.linalg.solve(normal + damping * diagonal, gradient)
        _bound(tried)
    return p, cost, model, jac


def _described(
    p: FloatArray,
    cost: float,
    model: FloatArray,
    jacobian: FloatArray,
    prior: FloatArray,
    data: FloatArray,
    weight: FloatArray,
    clip_hu: float,
    points: float,
) -> Fit:
    """Put the result of the fit into words that seeds are judged by."""
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    left = data - np.minimum(model, clip_hu)
    sloping = p[0] * jacobian[0] + p[1] * jacobian[1] + p[2] * jacobian[2] + p[3] * jacobian[3]
    tissue = np.minimum(sloping, clip_hu)
    above = data - tissue
    units = jacobian[FIRST_ROD + 6 :: PER_ROD]
    within = (units > FOOTPRINT * units.max(axis=1, keepdims=True)).any(axis=0)
    heard = np.where((model >= clip_hu) & (data >= clip_hu), 0.0, weight)
    # Not by BLAS: its threads wait for each other longer than so little work takes.
    size = len(p)
    normal = np.empty((size, size))
    _products(jacobian, heard, left, normal, np.empty(size), np.empty_like(jacobian))
    covariance = np.linalg.inv(normal + np.diag(prior))
    starts = [FIRST_ROD + k * PER_ROD for k in range(len(rods))]
    return Fit(
        centres=rods[:, :3].copy(),
        axes=rods[:, 3:6].copy(),
        amplitudes=rods[:, 6].copy(),
        spread_mm=float(p[SPREAD]),
        normal_mm=float(p[NORMAL]),
        length_mm=float(p[LENGTH]),
        cost=float(cost),
        points=points,
        explained=_share(left, above),
        explained_within=_share(left[within], above[within]),
        left_hu=left,
        covariance_mm2=np.array([covariance[s : s + 3, s : s + 3] for s in starts]),
        axis_covariance=np.array([covariance[s + 3 : s + 6, s + 3 : s + 6] for s in starts]),
    )


def _share(left: FloatArray, above: FloatArray) -> float:
    total = float(np.sum(above * above))
    return 1.0 - float(np.sum(left * left)) / total if total > 0 else 0.0
