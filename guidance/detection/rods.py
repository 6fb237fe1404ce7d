"""The image of a thin metal rod, and the fit of rods to a piece of a scan.

A seed is a line of metal 4.5 mm long. In the plane the scanner spreads it as a Gaussian, along
the normal it averages over the slice, and above its highest value it clips. Under the rods the
tissue is taken as a sloping plane. That is the whole model; it is fitted by damped least
squares (Marquardt, J. SIAM 11, 431, 1963), several rods of one group together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import erf, exp, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SEED_LENGTH_MM = 4.5
# Height and slopes (x, y, z) of the background, then the spread, then the rods.
BACKGROUND, SPREAD, FIRST_ROD = 4, 4, 5
# Centre (3), direction (3, kept at unit length), amplitude.
PER_ROD = 7
SPREAD_LIMITS_MM = (0.35, 1.4)
# Spread along the normal on either side of the slice, mm.
NORMAL_SPREAD_MM = 0.35
# Points of the quadrature along a rod: near enough to each other for the sharpest image.
NODE_MM = 0.65
_STEPS = np.array((0.02, 0.02, 0.02, 0.01, 0.01, 0.01))
_SPREAD_STEP_MM = 0.01
MOST_STEPS, SETTLED = 40, 1e-5
# Of a voxel of a diagnostic scan, about.
NOISE_HU = 15.0
# Of a rod's brightest voxel: above this share is its own.
FOOTPRINT = 0.15


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
        rod_mm: length of the rods looked for.
    """

    hu: FloatArray
    use: NDArray[np.bool_]
    x: FloatArray
    y: FloatArray
    shift: FloatArray
    z: FloatArray
    slice_mm: float
    clip_hu: float
    rod_mm: float = SEED_LENGTH_MM


@dataclass(frozen=True, eq=False)
class Fit:
    """Rods fitted to a patch.

    Attributes:
        centres: (n, 3) scan frame, mm.
        axes: (n, 3) unit vectors.
        amplitudes: (n,) HU mm^3.
        spread_mm: Gaussian sigma in the plane.
        residual_hu: root mean square of what is left in the voxels used.
        explained: share of what rises above the background that the rods explain.
        explained_within: the same, where the rods themselves are bright.
        covariance_mm2: (n, 3, 3) of the centres.
    """

    centres: FloatArray
    axes: FloatArray
    amplitudes: FloatArray
    spread_mm: float
    residual_hu: float
    explained: float
    explained_within: float
    covariance_mm2: FloatArray


def fit_rods(patch: Patch, centres: FloatArray, axes: FloatArray, amplitude: float) -> Fit:
    """Fit as many rods as starting centres to a patch.

    Args:
        patch: the piece of the scan.
        centres: (n, 3) where to start, scan frame.
        axes: (n, 3) unit directions to start with.
        amplitude: HU mm^3 to start with.
    """
    data = patch.hu[patch.use]
    background = _background_rows(patch)
    n = len(centres)
    rods = np.column_stack((centres, axes, np.full(n, amplitude)))
    p = np.concatenate(([np.percentile(data, 15), 0, 0, 0, 0.6], rods.ravel()))
    # Thick slices say little of height and tilt: where the data are silent, the start holds.
    prior = _prior(n, amplitude)
    start = p
    model, images = _model(patch, background, p)
    left = data - model
    cost = float(left @ left)
    damping = 1e-2
    for _ in range(MOST_STEPS):
        jacobian = _jacobian(patch, background, p, images, model)
        normal = jacobian @ jacobian.T + np.diag(prior)
        gradient = jacobian @ left + prior * (start - p)
        gained = 0.0
        while damping < 1e6:
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            tried = _bounded(p + step)
            new_model, new_images = _model(patch, background, tried)
            new_left = data - new_model
            new_cost = float(new_left @ new_left + prior @ (tried - start) ** 2)
            gained = 1.0 - new_cost / max(cost, 1e-9)
            if gained > 0:
                p, model, images, left, cost = tried, new_model, new_images, new_left, new_cost
                damping = max(damping / 6.0, 1e-7)
                break
            damping *= 4.0
        # A small gain under strong damping is a short step, not the end.
        if gained <= 0 or (gained < SETTLED and damping < 1.0):
            break
    return _fit(patch, background, p, images, model, data, prior)


@njit(cache=True, nogil=True)
def render_rod(rod, sigma, x, y, shift, z, slice_mm, nodes, weights, length):  # type: ignore[no-untyped-def]
    """Return the image (nz, ny, nx) of one rod of unit amplitude, without clipping.

    ``rod`` is centre and direction; the rest is as in :class:`Patch`.
    """
    image = np.zeros((len(z), len(y), len(x)))
    gx, gy = np.empty(len(x)), np.empty(len(y))
    scale = 1.0 / (2.0 * pi * sigma * sigma)
    root = 1.0 / (NORMAL_SPREAD_MM * sqrt(2.0))
    norm = sqrt(rod[3] * rod[3] + rod[4] * rod[4] + rod[5] * rod[5]) + 1e-12
    for q in range(len(nodes)):
        t = 0.5 * length * nodes[q] / norm
        px, py, pz = rod[0] + t * rod[3], rod[1] + t * rod[4], rod[2] + t * rod[5]
        for k in range(len(z)):
            upper = erf((z[k] + 0.5 * slice_mm - pz) * root)
            lower = erf((z[k] - 0.5 * slice_mm - pz) * root)
            share = 0.5 * (upper - lower) / slice_mm
            if share < 1e-9:
                continue
            weight = 0.5 * weights[q] * share * scale
            for i in range(len(x)):
                d = (x[i] + shift[k, 0] - px) / sigma
                gx[i] = exp(-0.5 * d * d) if abs(d) < 6.0 else 0.0
            for j in range(len(y)):
                d = (y[j] + shift[k, 1] - py) / sigma
                gy[j] = exp(-0.5 * d * d) * weight if abs(d) < 6.0 else 0.0
                if gy[j] == 0.0:
                    continue
                for i in range(len(x)):
                    image[k, j, i] += gx[i] * gy[j]
    return image


@cache
def _quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes), np.asarray(weights)


def _image(patch: Patch, rod: FloatArray, spread_mm: float) -> FloatArray:
    """Return one rod of unit amplitude in the voxels used."""
    nodes, weights = _quadrature(round(patch.rod_mm / NODE_MM))
    image = render_rod(
        rod, spread_mm, patch.x, patch.y, patch.shift, patch.z, patch.slice_mm, nodes, weights,
        patch.rod_mm,
    )  # fmt: skip
    return np.asarray(image[patch.use])


def _background_rows(patch: Patch) -> FloatArray:
    """Return (4, m): one, and the offsets along x, y, z from the patch's middle, mm."""
    k, j, i = np.nonzero(patch.use)
    where = np.array((patch.x[i] + patch.shift[k, 0], patch.y[j] + patch.shift[k, 1], patch.z[k]))
    middle = where.mean(axis=1, keepdims=True)
    return np.vstack((np.ones(where.shape[1]), where - middle))


def _prior(rods: int, amplitude: float) -> FloatArray:
    """Return the weight of each parameter's start: (noise / how far it may lie off) squared."""
    background, spread = (300.0, 100.0, 100.0, 100.0), (0.2,)
    rod = (2.0, 2.0, 2.0, 0.7, 0.7, 0.7, amplitude)
    return np.asarray((NOISE_HU / np.array((*background, *spread, *(rod * rods)))) ** 2)


def _model(
    patch: Patch, background: FloatArray, p: FloatArray
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the clipped image in the voxels used, and each rod's at unit amplitude."""
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    images = [_image(patch, rod, p[SPREAD]) for rod in rods]
    total = p[:BACKGROUND] @ background + sum(
        rod[6] * image for rod, image in zip(rods, images, strict=True)
    )
    return np.minimum(total, patch.clip_hu), images


def _jacobian(
    patch: Patch,
    background: FloatArray,
    p: FloatArray,
    images: list[FloatArray],
    model: FloatArray,
) -> FloatArray:
    """Return (parameters, m) derivatives; where the image clips there are none."""
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    rows = [*background, np.zeros(len(model))]
    for rod, image in zip(rods, images, strict=True):
        rows[SPREAD] = rows[SPREAD] + rod[6] / _SPREAD_STEP_MM * (
            _image(patch, rod, p[SPREAD] + _SPREAD_STEP_MM) - image
        )
        for which, step in enumerate(_STEPS):
            moved = rod.copy()
            moved[which] += step
            rows.append(rod[6] / step * (_image(patch, moved, p[SPREAD]) - image))
        rows.append(image)
    jacobian = np.array(rows)
    jacobian[:, model >= patch.clip_hu] = 0.0
    return jacobian


def _bounded(p: FloatArray) -> FloatArray:
    p = p.copy()
    p[SPREAD] = np.clip(p[SPREAD], *SPREAD_LIMITS_MM)
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    rods[:, 3:6] /= np.linalg.norm(rods[:, 3:6], axis=1, keepdims=True) + 1e-12
    rods[:, 6] = np.maximum(rods[:, 6], 1.0)
    return p


def _fit(
    patch: Patch,
    background: FloatArray,
    p: FloatArray,
    images: list[FloatArray],
    model: FloatArray,
    data: FloatArray,
    prior: FloatArray,
) -> Fit:
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    residual = data - model
    left = float(residual @ residual)
    above = data - np.minimum(p[:BACKGROUND] @ background, patch.clip_hu)
    total = float(above @ above)
    within = np.max([image > FOOTPRINT * image.max() for image in images], axis=0)
    left_within = float(residual[within] @ residual[within])
    total_within = float(above[within] @ above[within])
    jacobian = _jacobian(patch, background, p, images, model)
    variance = max(left / max(1, len(data) - len(p)), NOISE_HU**2)
    information = jacobian @ jacobian.T / variance + np.diag(prior) / NOISE_HU**2
    covariance = np.linalg.inv(information)
    starts = [FIRST_ROD + k * PER_ROD for k in range(len(rods))]
    return Fit(
        centres=rods[:, :3].copy(),
        axes=rods[:, 3:6].copy(),
        amplitudes=rods[:, 6].copy(),
        spread_mm=float(p[SPREAD]),
        residual_hu=float(np.sqrt(left / len(data))),
        explained=1.0 - left / total if total > 0 else 0.0,
        explained_within=1.0 - left_within / total_within if total_within > 0 else 0.0,
        covariance_mm2=np.array([covariance[s : s + 3, s : s + 3] for s in starts]),
    )
