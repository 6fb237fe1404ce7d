"""Where two scans may lie on each other: every shift tried at once.

Masked normalised cross-correlation by Fourier transform (Padfield, IEEE Trans. Image Process.
21, 2706, 2012): each shift is judged on the overlap it leaves, so scans of different length
and origin need no common start.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

FloatArray = NDArray[np.float64]

# Less common tissue than this share of the smaller scan proves nothing.
LEAST_OVERLAP = 0.35
# Two shifts nearer than this are one.
APART_MM = 12.0


def likely_shifts(
    fixed: FloatArray, moving: FloatArray, spacing_mm: float, most: int
) -> list[tuple[FloatArray, float]]:
    """Return the best shifts of two images on grids of one spacing, best first.

    Args:
        fixed: (nz, ny, nx), NaN where nothing was scanned.
        moving: the same, of any size.
        spacing_mm: of both grids.
        most: number of shifts at most.

    Returns:
        Shifts (x, y, z) in mm from the index of fixed to the index of moving, each with its
        correlation coefficient.
    """
    score = correlation(fixed, moving)
    size = 2 * round(APART_MM / spacing_mm) + 1
    peak = (score == ndimage.maximum_filter(score, size)) & (score > 0)
    where = np.argwhere(peak)
    order = np.argsort(-score[peak])[:most]
    zero = np.array(fixed.shape) - 1
    return [((where[k] - zero)[::-1] * spacing_mm, float(score[tuple(where[k])])) for k in order]


def correlation(fixed: FloatArray, moving: FloatArray) -> FloatArray:
    """Return the correlation coefficient of every shift; index n - 1 is no shift."""
    shape = [a + b - 1 for a, b in zip(fixed.shape, moving.shape, strict=True)]
    padded = [fft.next_fast_len(n, real=True) for n in shape]

    def transformed(image: FloatArray) -> NDArray[np.complex128]:
        return np.asarray(fft.rfftn(image, padded))

    def product(a: NDArray[np.complex128], b: NDArray[np.complex128]) -> FloatArray:
        whole = fft.irfftn(a * b, padded)
        return np.asarray(whole[tuple(slice(n) for n in shape)])

    # Fixed is turned round: correlation is convolution with the image turned round.
    turned = fixed[::-1, ::-1, ::-1]
    in_f, in_m = np.isfinite(turned).astype(float), np.isfinite(moving).astype(float)
    f = np.nan_to_num(turned - np.nanmean(fixed))
    m = np.nan_to_num(moving - np.nanmean(moving))
    mask_f, mask_m = transformed(in_f), transformed(in_m)
    image_f, image_m = transformed(f), transformed(m)
    count = np.maximum(product(mask_f, mask_m).round(), 1.0)
    sum_f, sum_m = product(image_f, mask_m), product(mask_f, image_m)
    both = product(image_f, image_m) - sum_f * sum_m / count
    vary_f = product(transformed(f * f), mask_m) - sum_f**2 / count
    vary_m = product(mask_f, transformed(m * m)) - sum_m**2 / count
    scale = np.sqrt(np.clip(vary_f, 0, None) * np.clip(vary_m, 0, None))
    enough = (count > LEAST_OVERLAP * min(in_f.sum(), in_m.sum())) & (scale > 1e-6 * scale.max())
    return np.where(enough, both / np.where(scale > 0, scale, 1.0), 0.0)
