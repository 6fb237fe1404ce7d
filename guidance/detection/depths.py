"""At which height a lone seed lies in thick slices, from what the slices beside its own show.

A seed within one slice is seen in that one only, wherever in it it lies, unless it is near to an
edge: slices have soft edges, and the next one shows a little of it. A fit that starts far from
the edge sees none of that. So heights and tilts are tried one and all, and their mean is taken,
each weighing as probable as the shares of the slices make it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from guidance.detection.rods import Look, Patch

FloatArray = NDArray[np.float64]

# In thinner slices a seed is always near to an edge.
THICK_MM = 1.5
# Tried: heights so far apart, and parts of the axis along the normal.
STEP_MM, RISES = 0.1, np.array((0.0, 0.15, 0.3, 0.45, 0.6, 0.75))
# Points along a seed that stand for it, as shares of its length.
NODES = np.linspace(-0.4, 0.4, 5)
# How far a slice's share of a seed is off beside its noise: at least, and as a share of itself.
LEAST_SIGMA, SHARE_SIGMA = 0.004, 0.1
# An edge ends, where that of the fits' Gaussian does not: after so many of its sigma.
SOFT = 1.6
# So many voxels err together.
TOGETHER = 6.0


def depth(patch: Patch, points: FloatArray, look: Look) -> tuple[float, float] | None:
    """Return the height of a lone seed and its standard deviation, mm in the scan's frame.

    None where slices are thin, and where nothing rises above tissue.

    Args:
        patch: the piece of the scan around it.
        points: (n, 3) its voxels, scan's frame, mm.
        look: how one seed looks.
    """
    if patch.slice_mm < THICK_MM or len(patch.z) < 2:
        return None
    seen, error = _brightness(patch, points)
    total = seen.sum()
    if total <= 0.0:
        return None
    low, high = points[:, 2].min(), points[:, 2].max()
    reach = 0.5 * patch.slice_mm + 0.4
    tried = np.arange(low - reach, high + reach, STEP_MM)
    shares = _shares(patch, tried, look)
    sigma = np.hypot(error, np.hypot(LEAST_SIGMA * total, SHARE_SIGMA * seen))
    weighted = shares / sigma**2
    amount = (weighted @ seen) / np.maximum((weighted * shares).sum(axis=2), 1e-12)
    left = (((seen - amount[:, :, None] * shares) / sigma) ** 2).sum(axis=2)
    expected = 0.0 if look.axis is None else abs(float(look.axis[2]))
    left = left + ((RISES - expected) / look.rise)[:, None] ** 2
    probable = np.exp(-0.5 * (left - left.min())).sum(axis=0)
    mean = float(probable @ tried / probable.sum())
    return mean, float(np.sqrt(probable @ (tried - mean) ** 2 / probable.sum()))


def _shares(patch: Patch, heights_mm: FloatArray, look: Look) -> FloatArray:
    """Return (rises, heights, nz) shares of a seed that slices show."""
    soft = SOFT * look.normal_mm[0]
    along = look.length_mm[0] * NODES[:, None] * RISES
    at = patch.z - (along[:, :, None] + heights_mm)[..., None]
    half = 0.5 * patch.slice_mm
    return np.asarray((_below((at + half) / soft) - _below((at - half) / soft)).mean(axis=0))


def _below(at: FloatArray) -> FloatArray:
    """Return the integral of a triangle of area 1 from -1 to 1, up to some places."""
    beyond = np.clip(1.0 - np.abs(at), 0.0, None)
    return np.asarray(np.where(at < 0.0, 0.5 * beyond**2, 1.0 - 0.5 * beyond**2))


def _brightness(patch: Patch, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (nz,) how much rises above tissue where a seed is seen, and (nz,) its error."""
    nz, ny, nx = patch.hu.shape
    seen, error = np.zeros(nz), np.zeros(nz)
    pixel = np.array((patch.x[1] - patch.x[0], patch.y[1] - patch.y[0]))
    corner = np.array((patch.x[0], patch.y[0]))
    image = patch.hu if patch.others is None else patch.hu - patch.others
    for k in range(nz):
        i, j = np.rint((points[:, :2] - patch.shift[k] - corner) / pixel).astype(int).T
        own = np.zeros((ny, nx), bool)
        own[np.clip(j, 0, ny - 1), np.clip(i, 0, nx - 1)] = True
        around = image[k][patch.use[k] & ~own]
        heard = image[k][patch.use[k] & own]
        if len(around) < 4 or not len(heard):
            error[k] = np.inf
            continue
        tissue = float(np.median(around))
        scatter = 1.4826 * float(np.median(np.abs(around - tissue)))
        count = float(own.sum())
        seen[k] = count * (float(heard.mean()) - tissue)
        error[k] = scatter * np.sqrt(count * TOGETHER)
    return seen, error
