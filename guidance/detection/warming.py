"""What detection compiles, compiled or loaded before the first scan comes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from dose.geometry import GridGeometry
from guidance.detection.detect import detect
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# A block of water with air behind it, (slice, row, column) a millimetre each.
SHAPE, SKIN_MM = (40, 150, 100), 90.0
# Lines of metal in it, blurred: what they stand out by, HU, and their ends (x, y, z), mm. A needle,
# one that is hollow and so dimmer, seeds alone and beside one another.
BLUR_MM = 0.8
METAL = (
    (3000.0, (50.0, 140.0, 20.0), (50.0, 40.0, 20.0)),
    (700.0, (70.0, 140.0, 10.0), (70.0, 40.0, 10.0)),
    *((2500.0, (x, y, 30.0), (x, y + 4.0, 30.0)) for x in (15.0, 25.0, 35.0) for y in (20.0, 40.0)),
    (2500.0, (80.0, 20.0, 30.0), (80.0, 24.0, 30.0)),
    (2500.0, (84.0, 20.0, 30.0), (84.0, 24.0, 30.0)),
)


def warm_up() -> None:
    """Find needles and seeds in a small drawn scan.

    The kernels come from numba's cache, in the package's folder or in the user's where that is
    read-only, or are compiled.
    """
    detect(drawn())


def drawn() -> Volume:
    """Return the scan."""
    z, y, x = np.indices(SHAPE, np.float64)
    points = np.stack((x, y, z), axis=-1)
    hu = np.where(y < SKIN_MM, 0.0, -1000.0)
    for bright_hu, start, end in METAL:
        hu += bright_hu * _blurred(points, np.array(start), np.array(end))
    return Volume(GridGeometry.from_axes((0, 0, 0), 1.0, SHAPE), hu.astype(np.int16))


def _blurred(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Return what (..., 3) points see of a thin piece, as a share of its brightness."""
    length = float(np.linalg.norm(end - start))
    off, soft = points - start, BLUR_MM * np.sqrt(2.0)
    t = off @ (end - start) / length
    aside2 = np.einsum("...i,...i", off, off) - t**2
    return np.asarray(np.exp(-aside2 / soft**2) * (erf((length - t) / soft) + erf(t / soft)) / 2.0)
