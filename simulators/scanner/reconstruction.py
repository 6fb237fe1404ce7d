"""Filtered backprojection of parallel beams (Kak and Slaney 1988, chapter 3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from simulators.scanner.geometry import Geometry

FloatArray = NDArray[np.float64]

# Filtered projections are interpolated this finely (band-limited, by zero padding) before they
# are smeared back; the nearest sample, at most 0.06 mm away, is then as good as interpolation.
FINER = 4


@dataclass(frozen=True)
class Kernel:
    """A reconstruction kernel: the ramp times a window.

    The window is exp(-(f / fall)^2), lifted by 1 + lift (f / top)^2, and ends as a cosine that
    is one at half of ``top`` and zero at ``top``.

    Attributes:
        fall: 1/mm.
        lift: dimensionless.
        top: 1/mm.
    """

    fall: float
    lift: float
    top: float

    def window(self, frequencies: FloatArray) -> FloatArray:
        """Return the window at frequencies in 1/mm."""
        f = np.abs(frequencies)
        end = np.clip((self.top - f) / (self.top / 2.0), 0.0, 1.0)
        smooth = 0.5 - 0.5 * np.cos(np.pi * end)
        return np.asarray(
            np.exp(-((f / self.fall) ** 2)) * (1.0 + self.lift * (f / self.top) ** 2) * smooth
        )


KERNELS = {"soft": Kernel(0.66, 0.0, 1.0), "bone": Kernel(2.0, 3.0, 1.0)}


def filtered(sinogram: NDArray[np.float32], geometry: Geometry, kernel: str) -> NDArray[np.float32]:
    """Return projections filtered and interpolated, (views, FINER x channels) float32.

    Args:
        sinogram: (views, channels), mm of water.
        geometry: of the scanner.
        kernel: one of ``KERNELS``.
    """
    channels = sinogram.shape[1]
    length = fft.next_fast_len(2 * channels, real=True)
    response = _ramp(geometry.channel_mm, length, kernel)
    spectrum = fft.rfft(sinogram, length, axis=1) * response
    wide = np.zeros((len(sinogram), FINER * length // 2 + 1), spectrum.dtype)
    wide[:, : spectrum.shape[1]] = spectrum
    fine = fft.irfft(wide, FINER * length, axis=1) * FINER
    return np.ascontiguousarray(fine[:, : FINER * channels], dtype=np.float32)


@cache
def _ramp(channel_mm: float, length: int, kernel: str) -> NDArray[np.float32]:
    """Return the filter for real transforms of a length (Kak and Slaney, eq. 3.61, windowed)."""
    n = fft.fftfreq(length, 1.0 / length)
    odd = (n % 2) == 1
    taps = np.zeros(length)
    taps[odd] = -1.0 / (np.pi * n[odd] * channel_mm) ** 2
    taps[0] = 1.0 / (4.0 * channel_mm**2)
    ramp = fft.rfft(taps).real * channel_mm
    window = KERNELS[kernel].window(fft.rfftfreq(length, channel_mm))
    return np.asarray(ramp * window, dtype=np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def backproject(  # type: ignore[no-untyped-def]
    projections, angles, first_mm, sample_mm, x0, y0, pixel_mm, out
):
    """Add all views to a picture, which comes out as density relative to water.

    Args:
        projections: (views, samples) float32, filtered; a multiple of four views.
        angles: (views,).
        first_mm: position of the first sample.
        sample_mm: from sample to sample.
        x0: of the first column's centre, mm from the isocentre.
        y0: of the first row's centre.
        pixel_mm: pixel size.
        out: (ny, nx) float32, zeros.
    """
    samples = projections.shape[1]
    scale = np.float32(np.pi / len(angles))
    ny, nx = out.shape
    zero, top = np.float32(0.0), np.float32(samples - 1)
    for a in range(0, len(angles), 4):
        # Four views at a time: fewer trips to the picture, and the loop becomes vector code.
        v0, v1, v2, v3 = projections[a], projections[a + 1], projections[a + 2], projections[a + 3]
        c0, s0 = np.cos(angles[a]) / sample_mm, np.sin(angles[a]) / sample_mm
        c1, s1 = np.cos(angles[a + 1]) / sample_mm, np.sin(angles[a + 1]) / sample_mm
        c2, s2 = np.cos(angles[a + 2]) / sample_mm, np.sin(angles[a + 2]) / sample_mm
        c3, s3 = np.cos(angles[a + 3]) / sample_mm, np.sin(angles[a + 3]) / sample_mm
        d0, d1 = np.float32(pixel_mm * c0), np.float32(pixel_mm * c1)
        d2, d3 = np.float32(pixel_mm * c2), np.float32(pixel_mm * c3)
        for j in range(ny):
            y = y0 + j * pixel_mm
            b0 = np.float32(x0 * c0 + y * s0 - first_mm / sample_mm + 0.5)
            b1 = np.float32(x0 * c1 + y * s1 - first_mm / sample_mm + 0.5)
            b2 = np.float32(x0 * c2 + y * s2 - first_mm / sample_mm + 0.5)
            b3 = np.float32(x0 * c3 + y * s3 - first_mm / sample_mm + 0.5)
            line = out[j]
            for i in range(nx):
                x = np.float32(i)
                k0 = np.int32(min(max(b0 + x * d0, zero), top))
                k1 = np.int32(min(max(b1 + x * d1, zero), top))
                k2 = np.int32(min(max(b2 + x * d2, zero), top))
                k3 = np.int32(min(max(b3 + x * d3, zero), top))
                line[i] += scale * (v0[k0] + v1[k1] + v2[k2] + v3[k3])
