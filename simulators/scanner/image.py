"""What a scan is asked for, and the quick images of the virtual scanner.

Plain physics: partial volume in the slice and in the plane, a Gaussian point spread, metal
that blooms and clips, noise that grows as slices get thinner. Every random number comes from
the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from simulators.patient.anatomy import Anatomy, render

FloatArray = NDArray[np.float64]

PIXELS = 512
# How a scan is made: through its sinogram, or plainly, here.
PHYSICS = ("sinogram", "plain")
CLIP_HU, EXTENDED_HU = 3071, 30710
# In-plane point spread of a standard kernel, as a Gaussian, mm.
BLUR_MM = 0.6
# Noise of a diagnostic scan in 2 mm slices, HU.
NOISE_HU = 12.0
# Cross-section times effective contrast, HU mm^2: chosen so that a seed lying in a 2 mm slice
# peaks at 1500 to 2000 HU, as real seeds do, and a steel needle saturates.
SEED_HU_MM2 = 5200.0
NEEDLE_HU_MM2 = 17000.0
SEED_LENGTH_MM = 4.5
# A needle's hub and shaft outside the skin, mm.
OUTSIDE_MM = 60.0


@dataclass(frozen=True)
class Protocol:
    """How a scan is taken.

    Attributes:
        slice_mm: thickness and spacing of the slices.
        pixel_mm: pixel size.
        slices: number of slices.
        centre_mm: (3,) middle of the scan in the scan's frame, LPS mm.
        prone: whether the patient lies prone (HFP); else supine (HFS).
        tilt_deg: of the gantry, its top towards the feet of a supine patient.
        kernel: ``soft`` or ``bone``; the plain scanner has one only.
        dose: relative to the usual dose; the plain scanner has one only.
        extended: HU up to 30,710; else clipped at 3071, as 12 bits hold.
    """

    slice_mm: float
    pixel_mm: float
    slices: int
    centre_mm: tuple[float, float, float]
    prone: bool
    tilt_deg: float = 0.0
    kernel: str = "soft"
    dose: float = 1.0
    extended: bool = False

    @property
    def highest_hu(self) -> int:
        """Where HU are clipped."""
        return EXTENDED_HU if self.extended else CLIP_HU

    @property
    def in_plane(self) -> float:
        """1 if columns run to the patient's left and rows to the back, -1 if the other way.

        A scanner shows the table at the bottom; who lies prone is seen turned by half a turn.
        """
        return -1.0 if self.prone else 1.0

    @property
    def affine(self) -> FloatArray:
        """4x4 from (column, row, slice) to the scan's frame."""
        step, tilt = self.in_plane * self.pixel_mm, np.radians(self.tilt_deg)
        affine = np.diag((step, step * np.cos(tilt), self.slice_mm, 1.0))
        affine[2, 1] = step * np.sin(tilt)
        middle = np.array(((PIXELS - 1) / 2, (PIXELS - 1) / 2, (self.slices - 1) / 2))
        affine[:3, 3] = np.array(self.centre_mm) - affine[:3, :3] @ middle
        return affine


def scan(
    anatomy: Anatomy,
    patient_to_scan: FloatArray,
    protocol: Protocol,
    rng: np.random.Generator,
    *,
    needles: tuple[tuple[FloatArray, FloatArray], ...] = (),
    seeds: tuple[tuple[FloatArray, FloatArray], ...] = (),
) -> NDArray[np.int16]:
    """Return a scan in HU, (slices, 512, 512) int16.

    Args:
        anatomy: the patient.
        patient_to_scan: 4x4 rigid, from the patient's frame to the scan's.
        protocol: of the scan.
        rng: noise.
        needles: (tip, entry) of each, scan's frame, mm.
        seeds: (centre, unit axis) of each, scan's frame, mm.
    """
    to_scan = protocol.affine
    shape = (protocol.slices, PIXELS, PIXELS)
    sublevels = (np.arange(3) - 1) / 3.0
    hu = render(anatomy.parameters(), np.linalg.inv(patient_to_scan) @ to_scan, shape, sublevels)
    sigma = BLUR_MM / protocol.pixel_mm
    hu = gaussian_filter(hu, (0.0, sigma, sigma))
    for centre, axis in seeds:
        half = axis * SEED_LENGTH_MM / 2
        add_rod(hu, to_scan, centre - half, centre + half, SEED_HU_MM2, protocol.slice_mm)
    for tip, entry in needles:
        outward = (entry - tip) / np.linalg.norm(entry - tip)
        add_rod(hu, to_scan, tip, entry + outward * OUTSIDE_MM, NEEDLE_HU_MM2, protocol.slice_mm)
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise = gaussian_filter(noise, (0.0, 0.7, 0.7))
    hu += noise * (NOISE_HU * np.sqrt(2.0 / protocol.slice_mm) / float(noise.std()))
    return np.clip(np.rint(hu), -1024, protocol.highest_hu).astype(np.int16)


def add_rod(
    hu: NDArray[np.float32],
    to_scan: FloatArray,
    start: FloatArray,
    end: FloatArray,
    hu_mm2: float,
    slice_mm: float,
) -> None:
    """Add a thin metal rod to a scan in place: point spread in plane, box along the slices."""
    to_index = np.linalg.inv(to_scan)
    length = float(np.linalg.norm(end - start))
    count = max(2, int(np.ceil(length / 0.25)))
    fraction = (np.arange(count) + 0.5) / count
    points = start + fraction[:, None] * (end - start)
    indices = points @ to_index[:3, :3].T + to_index[:3, 3]
    pixel = float(np.linalg.norm(to_scan[:3, 0]))
    per_point = hu_mm2 * length / count
    sigma = BLUR_MM / pixel
    reach = int(np.ceil(4 * sigma))
    nz, ny, nx = hu.shape
    # In-slice weight: a 0.3 mm focal spread around the box of the slice.
    spread = 0.3 * np.sqrt(2.0) / slice_mm
    for x, y, z in indices:
        i0, j0 = round(x) - reach, round(y) - reach
        i1, j1 = i0 + 2 * reach + 1, j0 + 2 * reach + 1
        if i0 < 0 or j0 < 0 or i1 > nx or j1 > ny:
            continue
        gx = np.exp(-(((np.arange(i0, i1) - x) / sigma) ** 2) / 2)
        gy = np.exp(-(((np.arange(j0, j1) - y) / sigma) ** 2) / 2)
        patch = np.outer(gy / gy.sum(), gx / gx.sum()) * (per_point / (pixel**2 * slice_mm))
        for k in range(max(0, round(z) - 1), min(nz, round(z) + 2)):
            edges = (np.array((k + 0.5, k - 0.5)) - z) / spread
            weight = float(np.diff(erf(edges[::-1]))[0]) / 2
            hu[k, j0:j1, i0:i1] += (weight * patch).astype(np.float32)
