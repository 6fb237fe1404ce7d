"""At which height seeds lie in thick slices, from what the slices beside their own show.

A seed within one slice is seen in that one only, wherever in it it lies, unless it is near to an
edge: slices have soft edges, and the next one shows a little of it. A fit that starts far from
the edge sees none of that. So heights and tilts are tried one and all, and their mean is taken,
each weighing as probable as the shares of the slices make it. Of seeds that touch, the slices'
shares are fitted together, slice by slice: how much each shows of every one of them.

How soft the edges are is learned from a scan's lone seeds: the softness that makes their shares
most probable, whatever their heights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from guidance.detection.patches import tissue_of
from guidance.detection.rods import Fit, Look, Patch, image, voxels_per_point

FloatArray = NDArray[np.float64]

# In thinner slices a seed is always near to an edge.
THICK_MM = 1.5
# Tried: heights so far apart, and parts of the axis along the normal.
STEP_MM, RISES = 0.1, np.array((0.0, 0.15, 0.3, 0.45, 0.6, 0.75))
# Points along a seed that stand for it, as shares of its length.
NODES = np.linspace(-0.4, 0.4, 5)
# How far a slice's share of a seed is off beside its noise: at least, and as a share of itself.
LEAST_SIGMA, SHARE_SIGMA = 0.004, 0.1
# Streaks make it lie far off more often than a normal distribution has it: Student's t with so
# many degrees of freedom says as much of the heights' errors as they are.
TAILS = 4.0
# An edge ends, where that of the fits' Gaussian does not: it is as wide as a triangle of its sigma.
SOFT = float(np.sqrt(6.0))
# Edges tried, Gaussian sigma. What is known beforehand: a helix read in single rows whose spot
# springs makes 0.2 to 0.3 mm, one read in pairs of rows 0.5 mm; a real scanner's showed 0.6 mm.
SOFTNESS_MM = np.arange(0.1, 0.86, 0.05)
KNOWN_SOFTNESS_MM = (0.45, 0.12)
# A seed that no softness describes so well as most, by so much of the logarithm, says nothing: far
# off the scanner's axis some are seen in slices that they do not reach, and are 7 to 13 worse.
STRANGE = 6.0
# So many voxels err together.
TOGETHER = 1.5
# A slice so thick holds any seed whole. Tissue under touching seeds lies this near to what is
# around them, and a slice of fewer voxels says nothing.
WHOLE_MM, TISSUE_HU, FEWEST = 1e3, 100.0, 8
# What is known of a slice's share before it is looked at, 1 / variance: nothing.
LEAST_KNOWN = 1e-4


def depth(patch: Patch, points: FloatArray, look: Look) -> tuple[float, float] | None:
    """Return the height of a lone seed and its standard deviation, mm in the scan's frame.

    None where one slice alone shows it, and where nothing rises above tissue.

    Args:
        patch: the piece of the scan around it.
        points: (n, 3) its voxels, scan's frame, mm.
        look: how one seed looks.
    """
    if len(patch.z) < 2:
        return None
    return _mean_height(patch, points, look, *_brightness(patch, points))


def depths(
    patch: Patch, points: FloatArray, look: Look, fit: Fit
) -> list[tuple[float, float] | None]:
    """Return what ``depth`` does of each of the rods that explain a group together.

    Args:
        patch: the piece of the scan around them.
        points: (n, 3) their voxels, scan's frame, mm.
        look: how one seed looks.
        fit: the rods.
    """
    if len(patch.z) < 2:
        return [None] * len(fit.centres)
    seen, error = _each(patch, look, fit)
    return [_mean_height(patch, points, look, s, e) for s, e in zip(seen, error, strict=True)]


def softness(seeds: Iterable[tuple[Patch, FloatArray]], look: Look) -> float | None:
    """Return how soft the edges of the slices are: Gaussian sigma along the normal, mm.

    None where no seed tells: each clips, or lies in one slice.

    Args:
        seeds: of each lone one the piece of the scan around it, and its (n, 3) voxels, scan's
            frame, mm.
        look: how one seed looks.
    """
    looks = [replace(look, normal_mm=(float(s), look.normal_mm[1])) for s in SOFTNESS_MM]
    known = -0.5 * ((SOFTNESS_MM - KNOWN_SOFTNESS_MM[0]) / KNOWN_SOFTNESS_MM[1]) ** 2
    each = []
    for patch, points in seeds:
        if len(patch.z) < 2 or patch.clips:
            continue
        seen, error = _brightness(patch, points)
        if seen.sum() > 0.0:
            lefts = (_left(patch, points, one, seen, error)[1] for one in looks)
            each.append([float(np.logaddexp.reduce(-0.5 * left, axis=None)) for left in lefts])
    if not each:
        return None
    strange = float(np.median(np.max(each, axis=1))) - STRANGE
    heard = known + np.logaddexp(each, strange).sum(axis=0)
    probable = np.exp(heard - heard.max())
    return float(probable @ SOFTNESS_MM / probable.sum())


def _mean_height(
    patch: Patch, points: FloatArray, look: Look, seen: FloatArray, error: FloatArray
) -> tuple[float, float] | None:
    """Return the mean of a seed's probable heights and their standard deviation, mm.

    Args:
        patch: the piece of the scan around it.
        points: (n, 3) voxels between whose heights it lies, scan's frame, mm.
        look: how one seed looks.
        seen: (nz,) how much of it each slice shows.
        error: (nz,) of that, standard deviation.
    """
    if seen.sum() <= 0.0:
        return None
    tried, left = _left(patch, points, look, seen, error)
    probable = np.exp(-0.5 * (left - left.min())).sum(axis=0)
    mean = float(probable @ tried / probable.sum())
    return mean, float(np.sqrt(probable @ (tried - mean) ** 2 / probable.sum()))


def _left(
    patch: Patch, points: FloatArray, look: Look, seen: FloatArray, error: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (heights,) tried, mm, and (rises, heights) what they leave of the slices' shares.

    Twice the negative logarithm of how probable that is, that of the tilt beside the scan's
    seeds' included; arguments as of ``_mean_height``.
    """
    low, high = points[:, 2].min(), points[:, 2].max()
    reach = 0.5 * patch.slice_mm + 0.4
    tried = np.arange(low - reach, high + reach, STEP_MM)
    shares = _shares(patch, tried, look)
    sigma = np.hypot(error, np.hypot(LEAST_SIGMA * seen.sum(), SHARE_SIGMA * seen))
    weighted = shares / sigma**2
    amount = (weighted @ seen) / np.maximum((weighted * shares).sum(axis=2), 1e-12)
    square = ((seen - amount[:, :, None] * shares) / sigma) ** 2
    left = ((TAILS + 1.0) * np.log1p(square / TAILS)).sum(axis=2)
    expected = 0.0 if look.axis is None else abs(float(look.axis[2]))
    return tried, left + ((RISES - expected) / look.rise)[:, None] ** 2


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
        tissue, scatter = tissue_of(around)
        count = float(own.sum())
        seen[k] = count * (float(heard.mean()) - tissue)
        error[k] = scatter * np.sqrt(count * TOGETHER)
    return seen, error


def _each(patch: Patch, look: Look, fit: Fit) -> tuple[FloatArray, FloatArray]:
    """Return (rods, nz) how much of each rod slices show, in parts of its metal, and the error.

    Least squares in each slice, of the images the rods would leave were they whole in it.
    """
    rods = range(len(fit.centres))
    wide = replace(patch, slice_mm=WHOLE_MM)
    whole = np.array([image(wide, fit, k) for k in rods]) * (WHOLE_MM / patch.slice_mm)
    left = patch.hu - patch.height - (0.0 if patch.others is None else patch.others)
    weight = np.zeros(patch.hu.shape)
    together = voxels_per_point(patch, look.spread_mm[0]) * look.misfit
    weight[patch.use] = 1.0 / (patch.error**2 * together)
    seen, error = np.zeros((len(rods), len(patch.z))), np.full((len(rods), len(patch.z)), np.inf)
    known = np.diag((TISSUE_HU**-2, *(LEAST_KNOWN for _ in rods)))
    for k, use in enumerate(patch.use):
        if np.count_nonzero(use) < FEWEST:
            continue
        shown = np.vstack((np.ones(np.count_nonzero(use)), whole[:, k, use]))
        heard = shown * weight[k, use]
        covariance = np.linalg.inv(heard @ shown.T + known)
        seen[:, k] = (covariance @ (heard @ left[k, use]))[1:]
        error[:, k] = np.sqrt(np.diag(covariance))[1:]
    return seen, error
