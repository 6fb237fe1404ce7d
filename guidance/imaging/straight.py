"""A sheared volume on right-angled axes, for formats and programs that know no shear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from dose.geometry import GridGeometry
from guidance.imaging.volume import Volume

AIR_HU = -1024


def straightened(volume: Volume) -> Volume:
    """Return the volume with its slice axis along the normal of the slices.

    Every slice is shifted in its own plane (linear interpolation) and the planes are made large
    enough to hold all of them. A volume without shear is returned as it is.
    """
    geometry = volume.geometry
    if not geometry.is_sheared:
        return volume
    nz, ny, nx = geometry.shape
    axes, spacing = geometry.axes, geometry.spacing_mm
    normal = np.cross(axes[:, 0], axes[:, 1])
    step = geometry.index_to_patient[:3, 2]
    # What each step moves within the plane, in pixels along x and y.
    drift = np.array([step @ axes[:, i] / spacing[i] for i in range(2)])
    places = np.arange(nz)[:, None] * drift
    low = np.floor(places.min(axis=0)).astype(int)
    more = np.ceil(places.max(axis=0)).astype(int) - low
    hu = np.empty((nz, ny + more[1], nx + more[0]), np.int16)
    for k in range(nz):
        padded = np.pad(
            volume.hu[k].astype(np.float32),
            ((0, more[1]), (0, more[0])),
            constant_values=AIR_HU,
        )
        shift = (places[k] - low)[::-1]
        hu[k] = np.rint(ndimage.shift(padded, shift, order=1, cval=AIR_HU))
    affine = geometry.index_to_patient.copy()
    affine[:3, 2] = normal * (step @ normal)
    affine[:3, 3] += affine[:3, :2] @ low
    remark = "The tilted slices were shifted onto a right-angled grid (linear interpolation)."
    return Volume(
        GridGeometry(hu.shape, affine, geometry.frame_of_reference_uid),
        hu,
        replace(volume.provenance, remarks=(*volume.provenance.remarks, remark)),
    )
