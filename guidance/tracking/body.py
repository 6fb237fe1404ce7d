"""Which points lie outside the body, as a scan shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.imaging.volume import Volume

# Skin and fat are above it, air and most of a mattress below.
SKIN_HU = -300.0
# The body is looked for on a coarse grid; a seed under the skin is inside all the same.
COARSE_MM, MARGIN_MM = 4.0, 6.0


def outside_body(volume: Volume, points_mm: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """Return which points (n, 3), LPS mm, lie outside the largest piece of tissue, lungs filled.

    A scan that shows no tissue says nothing: no point is outside then.
    """
    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    if not len(points):
        return np.zeros(0, dtype=bool)
    spacing = np.linalg.norm(volume.geometry.index_to_patient[:3, :3], axis=0)[::-1]
    step = np.maximum(np.round(COARSE_MM / spacing).astype(int), 1)
    tissue = volume.hu[:: step[0], :: step[1], :: step[2]] > SKIN_HU
    # Lungs are filled first: a chest wall is thin on this grid. The table touches the body; thin
    # bridges are cut after that.
    filled = np.array([ndimage.binary_fill_holes(plane) for plane in tissue])
    label, count = ndimage.label(ndimage.binary_opening(filled))
    if not count:
        return np.zeros(len(points), dtype=bool)
    body = label == 1 + int(np.argmax(np.bincount(label.ravel())[1:]))
    away = ndimage.distance_transform_edt(~body, sampling=spacing * step)
    index = volume.geometry.patient_to_indices(points)[:, ::-1] / step
    near = np.clip(np.round(index).astype(int), 0, np.array(body.shape) - 1)
    return np.asarray(away[tuple(near.T)] > MARGIN_MM)
