"""From bodies to path lengths: the patient as a picture, metal as exact solids."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True, fastmath=True)
def project(image, pixel_mm, angles, first_mm, channel_mm, out):  # type: ignore[no-untyped-def]
    """Add the line integrals of two pictures at once, after Joseph (1982, IEEE TMI 1:192).

    Args:
        image: (ny, nx, 2) float32, square pixels, the isocentre in the middle of the picture.
        pixel_mm: pixel size.
        angles: (views,) radians.
        first_mm: position of the first channel.
        channel_mm: from channel to channel.
        out: (views, channels, 2) float32, in units of the picture times mm.
    """
    ny, nx = image.shape[0], image.shape[1]
    middle_x, middle_y = (nx - 1) / 2.0, (ny - 1) / 2.0
    for a in range(len(angles)):
        c, s = np.cos(angles[a]), np.sin(angles[a])
        steep = abs(c) >= abs(s)
        count = ny if steep else nx
        across = nx if steep else ny
        big, small = (c, s) if steep else (s, c)
        along_middle = middle_y if steep else middle_x
        across_middle = middle_x if steep else middle_y
        slope = -small / big
        weight = np.float32(pixel_mm / abs(big))
        for k in range(out.shape[1]):
            start = (first_mm + k * channel_mm) / pixel_mm / big + across_middle
            start -= slope * along_middle
            # The steps where the ray is inside the picture.
            low, high = 0, count - 1
            if abs(slope) > 1e-9:
                t0, t1 = -start / slope, (across - 1.001 - start) / slope
                low = max(low, int(np.ceil(min(t0, t1))))
                high = min(high, int(np.floor(max(t0, t1))))
            elif start < 0 or start > across - 1.001:
                continue
            first, second = np.float32(0.0), np.float32(0.0)
            if steep:
                for j in range(low, high + 1):
                    at = np.float32(start + slope * j)
                    i = int(at)
                    f = at - np.float32(i)
                    g = np.float32(1.0) - f
                    first += g * image[j, i, 0] + f * image[j, i + 1, 0]
                    second += g * image[j, i, 1] + f * image[j, i + 1, 1]
            else:
                for i in range(low, high + 1):
                    at = np.float32(start + slope * i)
                    j = int(at)
                    f = at - np.float32(j)
                    g = np.float32(1.0) - f
                    first += g * image[j, i, 0] + f * image[j + 1, i, 0]
                    second += g * image[j, i, 1] + f * image[j + 1, i, 1]
            out[a, k, 0] += first * weight
            out[a, k, 1] += second * weight


@njit(cache=True, nogil=True)
def shadow(row, height, cosine, sine):  # type: ignore[no-untyped-def]
    """Return where a solid's shadow begins and ends in a view of a plane; empty if it misses.

    Args:
        row: of a solid's table.
        height: z of the plane, mm.
        cosine: of the view.
        sine: of the view.
    """
    radius = row[26]
    low, high = 0.0, 1.0
    rise = row[25] - row[22]
    below, above = height - radius - row[22], height + radius - row[22]
    if abs(rise) < 1e-9:
        if below > 0.0 or above < 0.0:
            return 1.0, 0.0
    else:
        t0, t1 = below / rise, above / rise
        low, high = max(low, min(t0, t1)), min(high, max(t0, t1))
        if low > high:
            return 1.0, 0.0
    start = row[20] * cosine + row[21] * sine
    step = (row[23] - row[20]) * cosine + (row[24] - row[21]) * sine
    s0, s1 = start + low * step, start + high * step
    return min(s0, s1) - radius, max(s0, s1) + radius


@njit(cache=True, nogil=True, fastmath=True)
def chord(row, x, y, z, dx, dy):  # type: ignore[no-untyped-def]
    """Return the length of a ray (x, y, z) + t (dx, dy, 0) inside a solid, mm."""
    px, py, pz = x - row[9], y - row[10], z - row[11]
    qa, qb, qc = 0.0, 0.0, -1.0
    for i in range(3):
        q = row[3 * i] * px + row[3 * i + 1] * py + row[3 * i + 2] * pz
        e = row[3 * i] * dx + row[3 * i + 1] * dy
        qa += e * e
        qb += q * e
        qc += q * q
    low, high = -1e4, 1e4
    if qa > 1e-14:
        root = qb * qb - qa * qc
        if root <= 0.0:
            return 0.0
        root = np.sqrt(root)
        low, high = (-qb - root) / qa, (-qb + root) / qa
    elif qc > 0.0:
        return 0.0
    for first in (12, 16):
        slope = row[first] * dx + row[first + 1] * dy
        room = row[first + 3] - (row[first] * x + row[first + 1] * y + row[first + 2] * z)
        if abs(slope) < 1e-12:
            if room < 0.0:
                return 0.0
        elif slope > 0.0:
            high = min(high, room / slope)
        else:
            low = max(low, room / slope)
    return max(0.0, high - low)
