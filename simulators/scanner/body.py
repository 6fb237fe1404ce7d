"""The patient as the scanner meets it: water and bone in a picture for each slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from simulators.metal.material import BONE, MATERIALS, WATER
from simulators.patient.anatomy import Anatomy, render_plane
from simulators.scanner.detector import energy_weight
from simulators.scanner.spectrum import spectrum

FloatArray = NDArray[np.float64]
Picture = NDArray[np.float32]
# HU of the plane whose (column, row, height) index a 4x4 carries into the scan's frame: the
# mean over a thickness (mm), square, of so many pixels.
Body = Callable[[FloatArray, int, float], Picture]

# Up to here tissue is water more or less dense; above, bone mineral comes in.
SOFT_HU = 100.0
# Points for each pixel, spread over its area and the slice's thickness: so many at least, and
# one for each so many mm.
LEAST_SAMPLES, SAMPLE_MM = 6, 0.4
BEHIND_MM = 200.0


def anatomy_body(anatomy: Anatomy, patient_to_scan: FloatArray) -> Body:
    """Return an analytic patient, lying where a 4x4 puts it."""
    to_patient = np.linalg.inv(patient_to_scan)
    parameters = anatomy.parameters()

    def plane(to_scan: FloatArray, pixels: int, thickness_mm: float) -> Picture:
        height = np.linalg.norm(to_scan[:3, 2])
        count = max(LEAST_SAMPLES, round(thickness_mm / SAMPLE_MM))
        order = np.arange(count)
        offsets = np.empty((count, 3))
        # The additive recurrence R2 over the pixel, level by level over the slice.
        offsets[:, :2] = np.outer(order, (0.7548776662, 0.5698402910)) % 1.0 - 0.5
        offsets[:, 2] = ((order + 0.5) / count - 0.5) * thickness_mm / height
        return np.asarray(render_plane(parameters, to_patient @ to_scan, pixels, offsets))

    return plane


@dataclass(frozen=True)
class SeriesBody:
    """A scan of a real patient as the body of a virtual one.

    Attributes:
        hu: (slices, rows, columns).
        to_scan: 4x4 from (column, row, slice) of the series to the virtual scan's frame.
    """

    hu: NDArray[np.float32]
    to_scan: FloatArray

    def __call__(self, to_scan: FloatArray, pixels: int, thickness_mm: float) -> Picture:
        """Return the plane by linear interpolation; air outside the series."""
        swap = np.eye(4)[[2, 1, 0, 3]]
        matrix = swap @ np.linalg.inv(self.to_scan) @ to_scan @ swap
        height = np.linalg.norm(to_scan[:3, 2])
        count = max(1, round(thickness_mm / 1.5))
        depths = ((np.arange(count) + 0.5) / count - 0.5) * thickness_mm / height
        total = np.zeros((pixels, pixels), np.float32)
        for depth in depths:
            at = matrix @ (depth, 0.0, 0.0, 1.0)
            here = matrix.copy()
            here[:3, 3] = at[:3]
            total += affine_transform(
                self.hu, here[:3], output_shape=(1, pixels, pixels), order=1, cval=-1000.0
            )[0]
        return np.asarray(total / count)


def densities(hu: Picture) -> Picture:
    """Return (ny, nx, 2) densities of water and bone, g/cm3, for HU at 120 kVp.

    Between soft tissue and compact bone the two are mixed by volume, as Schneider, Bortfeld and
    Schlegel (2000, Phys Med Biol 45:459) mix marrow and bone.
    """
    share = np.maximum(0.0, (hu - SOFT_HU) / (compact_hu() - SOFT_HU))
    soft = np.maximum(0.0, 1.0 + np.minimum(hu, SOFT_HU) / 1000.0)
    out = np.empty((*hu.shape, 2), np.float32)
    out[..., WATER] = soft * np.maximum(0.0, 1.0 - share)
    out[..., BONE] = share * MATERIALS["bone"].density
    return out


@cache
def compact_hu() -> float:
    """Return the HU of compact bone in the middle of a trunk, 20 cm of water around it."""
    beam = spectrum()
    weight = energy_weight(beam) * np.exp(-beam.mass_attenuation[WATER] * BEHIND_MM / 10.0)
    water, bone = (float(weight @ beam.mass_attenuation[m]) for m in (WATER, BONE))
    return 1000.0 * (bone * MATERIALS["bone"].density / water - 1.0)
