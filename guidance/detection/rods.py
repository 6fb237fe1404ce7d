"""The image of a thin metal rod, and the fit of rods to a piece of a scan.

A seed is a line of metal 4.5 mm long. In the plane the scanner spreads it as a Gaussian, along
the normal it averages over the slice, and above its highest value it clips. That is the whole
model; amplitude, spread, centre and direction are fitted, several rods of one group together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import least_squares

FloatArray = NDArray[np.float64]

SEED_LENGTH_MM = 4.5
# Centre (3), direction (3, its length is free), amplitude.
PER_ROD = 7
# Spread along the normal on either side of the slice, mm.
NORMAL_SPREAD_MM = 0.35
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(9)


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
    """

    hu: FloatArray
    use: NDArray[np.bool_]
    x: FloatArray
    y: FloatArray
    shift: FloatArray
    z: FloatArray
    slice_mm: float
    clip_hu: float


@dataclass(frozen=True, eq=False)
class Fit:
    """Rods fitted to a patch.

    Attributes:
        centres: (n, 3) scan frame, mm.
        axes: (n, 3) unit vectors.
        amplitudes: (n,) HU mm^3.
        spread_mm: Gaussian sigma in the plane.
        background_hu: under the rods.
        residual_hu: root mean square of what is left in the voxels used.
        explained: share of the patch's variance that the rods explain.
        covariance_mm2: (n, 3, 3) of the centres.
    """

    centres: FloatArray
    axes: FloatArray
    amplitudes: FloatArray
    spread_mm: float
    background_hu: float
    residual_hu: float
    explained: float
    covariance_mm2: FloatArray


@njit(cache=True, nogil=True)
def render_rods(parameters, x, y, shift, z, slice_mm, nodes, weights, length):  # type: ignore[no-untyped-def]
    """Return the image (nz, ny, nx) of rods, without clipping.

    ``parameters`` is (background, spread, then for each rod centre, direction, amplitude).
    """
    background, sigma = parameters[0], parameters[1]
    image = np.full((len(z), len(y), len(x)), background)
    gx, gy = np.empty(len(x)), np.empty(len(y))
    scale = 1.0 / (2.0 * pi * sigma * sigma)
    root = 1.0 / (NORMAL_SPREAD_MM * sqrt(2.0))
    for rod in range((len(parameters) - 2) // PER_ROD):
        p = parameters[2 + rod * PER_ROD : 2 + (rod + 1) * PER_ROD]
        norm = sqrt(p[3] * p[3] + p[4] * p[4] + p[5] * p[5]) + 1e-12
        for q in range(len(nodes)):
            t = 0.5 * length * nodes[q] / norm
            px, py, pz = p[0] + t * p[3], p[1] + t * p[4], p[2] + t * p[5]
            for k in range(len(z)):
                upper = erf((z[k] + 0.5 * slice_mm - pz) * root)
                lower = erf((z[k] - 0.5 * slice_mm - pz) * root)
                share = 0.5 * (upper - lower) / slice_mm
                if share < 1e-9:
                    continue
                weight = p[6] * 0.5 * weights[q] * share * scale
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


def image_of(patch: Patch, parameters: FloatArray) -> FloatArray:
    """Return the clipped image of rods on a patch."""
    image = render_rods(
        parameters, patch.x, patch.y, patch.shift, patch.z, patch.slice_mm, _NODES, _WEIGHTS,
        SEED_LENGTH_MM,
    )  # fmt: skip
    return np.minimum(image, patch.clip_hu)


def fit_rods(
    patch: Patch,
    centres: FloatArray,
    axes: FloatArray,
    amplitude: float,
    background_hu: float,
) -> Fit:
    """Fit as many rods as starting centres to a patch.

    Args:
        patch: the piece of the scan.
        centres: (n, 3) where to start, scan frame.
        axes: (n, 3) unit directions to start with.
        amplitude: HU mm^3 to start with.
        background_hu: to start with.
    """
    n = len(centres)
    start = np.concatenate(
        (
            [background_hu, 0.7],
            np.column_stack((centres, axes, np.full(n, amplitude))).ravel(),
        )
    )
    scale = np.concatenate(([100.0, 0.2], np.tile([0.5] * 3 + [0.3] * 3 + [amplitude / 3], n)))
    lower = np.concatenate(([-300.0, 0.35], np.tile([-np.inf] * 3 + [-2.0] * 3 + [0.0], n)))
    upper = np.concatenate(([1500.0, 1.4], np.tile([np.inf] * 3 + [2.0] * 3 + [np.inf], n)))
    data = patch.hu[patch.use]

    def residual(parameters: FloatArray) -> FloatArray:
        return np.asarray(image_of(patch, parameters)[patch.use] - data)

    found = least_squares(
        residual,
        np.clip(start, lower + 1e-6, upper - 1e-6),
        bounds=(lower, upper),
        x_scale=scale,
        max_nfev=30,
        ftol=1e-4,
        xtol=1e-4,
    )
    return _fit(found.x, found.fun, found.jac, data)


def _fit(x: FloatArray, residual: FloatArray, jacobian: FloatArray, data: FloatArray) -> Fit:
    rods = x[2:].reshape(-1, PER_ROD)
    axes = rods[:, 3:6] / np.linalg.norm(rods[:, 3:6], axis=1, keepdims=True)
    left = float((residual**2).sum())
    total = float(((data - np.median(data)) ** 2).sum())
    free = max(1, len(data) - len(x))
    # Directions enter with a free length, so the normal matrix has a null space: pinv.
    covariance = np.linalg.pinv(jacobian.T @ jacobian, rcond=1e-10) * (left / free)
    blocks = [
        covariance[2 + k * PER_ROD : 5 + k * PER_ROD, 2 + k * PER_ROD : 5 + k * PER_ROD]
        for k in range(len(rods))
    ]
    return Fit(
        centres=rods[:, :3].copy(),
        axes=axes,
        amplitudes=rods[:, 6].copy(),
        spread_mm=float(x[1]),
        background_hu=float(x[0]),
        residual_hu=float(np.sqrt(left / len(data))),
        explained=1.0 - left / total if total > 0 else 0.0,
        covariance_mm2=np.array(blocks),
    )
