"""The virtual patient's body: analytic shapes in Hounsfield units.

Patient frame: DICOM LPS in mm, x to the left, y to the back, z to the head; the origin lies in
the canal at the middle of the diseased vertebra. Sizes are those of a thoracolumbar spine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Hounsfield units at 120 kVp, middle of the usual ranges.
AIR, FAT, MUSCLE, SPONGIOSA, CORTEX, DISC = -1000.0, -95.0, 55.0, 190.0, 850.0, 80.0
CSF, CORD, BLOOD, LESION, GAS, LUNG = 12.0, 38.0, 45.0, 48.0, -900.0, -820.0
# Grain of trabeculae as a scanner shows it, and of vessels in the lung, mm.
TRABECULA_MM, VESSEL_MM = 1.3, 4.0
# Upper endplates' width, mm, T1 to T12 and L1 to L5: means of Panjabi et al. (1991, Spine
# 16:888; 1992, Spine 17:299), here to scale the ranges of T9 and L3 to other levels.
ENDPLATE_MM = {
    "T1": 24.5, "T2": 24.9, "T3": 24.6, "T4": 24.5, "T5": 24.9, "T6": 26.2, "T7": 27.8,
    "T8": 29.5, "T9": 30.6, "T10": 31.9, "T11": 34.9, "T12": 39.0,
    "L1": 41.2, "L2": 42.6, "L3": 44.1, "L4": 46.6, "L5": 47.3,
}  # fmt: skip
# The levels that stand for a region.
REGIONS = {"lumbar": "L3", "thoracic": "T9"}


@dataclass(frozen=True)
class Anatomy:
    """Sizes of one patient, all in mm.

    Attributes:
        level: name of the diseased vertebra.
        body_half_width: of the trunk.
        body_half_depth: of the trunk.
        back_mm: y of the skin of the back in the midline.
        fat_mm: thickness of the fat under the skin.
        vertebra_half_width: of the vertebral body.
        vertebra_half_depth: of the vertebral body.
        vertebra_pitch: from one vertebra to the next.
        disc_mm: height of a disc.
        canal_radius: of the spinal canal.
        cord_radius: of the cord or thecal sac.
        lesion_centre: (x, y, z) of the metastasis.
        lesion_radii: (x, y, z) of the metastasis.
        aorta: (x, y, radius).
        tilt: slope of the vertebrae, so that neighbours differ.
        trabeculae_hu: how far trabeculae and marrow lie to both sides of their mean.
        chest: 1 with lungs and ribs, 0 without.
    """

    level: str
    body_half_width: float
    body_half_depth: float
    back_mm: float
    fat_mm: float
    vertebra_half_width: float
    vertebra_half_depth: float
    vertebra_pitch: float
    disc_mm: float
    canal_radius: float
    cord_radius: float
    lesion_centre: tuple[float, float, float]
    lesion_radii: tuple[float, float, float]
    aorta: tuple[float, float, float]
    tilt: float
    trabeculae_hu: float = 0.0
    chest: float = 0.0

    def parameters(self) -> FloatArray:
        """Return the sizes as the flat array that the renderer takes."""
        return np.array(
            [
                self.body_half_width, self.body_half_depth, self.back_mm, self.fat_mm,
                self.vertebra_half_width, self.vertebra_half_depth, self.vertebra_pitch,
                self.disc_mm, self.canal_radius, self.cord_radius, *self.lesion_centre,
                *self.lesion_radii, *self.aorta, self.tilt, self.trabeculae_hu, self.chest,
            ]
        )  # fmt: skip

    def skin_y(self, x: float) -> float:
        """Return y of the skin of the back at x."""
        inside = max(0.0, 1.0 - (x / self.body_half_width) ** 2)
        centre = self.back_mm - self.body_half_depth
        return float(centre + self.body_half_depth * np.sqrt(inside))

    def tissue(self, points: FloatArray) -> FloatArray:
        """Return the HU of the tissue at points (n, 3) of the patient's frame."""
        return np.asarray(_tissues(self.parameters(), np.ascontiguousarray(points)))


def draw_anatomy(rng: np.random.Generator, level: str, target_cc: float) -> Anatomy:
    """Draw a patient at random within the ranges of adults.

    Args:
        rng: source of randomness.
        level: ``lumbar``, ``thoracic``, or a vertebra from ``T1`` to ``L5``.
        target_cc: volume of the metastasis, 4 to 121 cc.

    Raises:
        ValueError: there is no such level.
    """
    level = REGIONS.get(level, level)
    if level not in ENDPLATE_MM:
        raise ValueError(f"level {level!r}: choose lumbar, thoracic, or one of T1 to L5")
    lumbar = level.startswith("L")
    size = ENDPLATE_MM[level] / ENDPLATE_MM["L3" if lumbar else "T9"]
    radius = (3.0 * target_cc * 1000.0 / (4.0 * np.pi)) ** (1.0 / 3.0)
    stretch = rng.uniform(0.92, 1.08, 2)
    radii = radius * np.array([stretch[0], stretch[1], 1.0 / (stretch[0] * stretch[1])])
    cord = rng.uniform(6.0, 7.0) if lumbar else rng.uniform(4.5, 5.5)
    side = rng.choice((-1.0, 1.0))
    away = np.array([side * 0.82, -0.57, 0.0])
    gap = rng.uniform(7.0, 10.0)
    centre = away * (cord + gap + radii.max()) + (0.0, 0.0, rng.uniform(-3.0, 3.0))
    half_width = rng.uniform(22.0, 26.0) if lumbar else rng.uniform(15.0, 19.0)
    half_depth = rng.uniform(15.0, 18.0) if lumbar else rng.uniform(13.0, 16.0)
    return Anatomy(
        level=level,
        body_half_width=rng.uniform(155.0, 172.0),
        body_half_depth=rng.uniform(100.0, 118.0),
        back_mm=rng.uniform(56.0, 66.0),
        fat_mm=rng.uniform(8.0, 18.0),
        vertebra_half_width=float(half_width * size),
        vertebra_half_depth=float(half_depth * size),
        vertebra_pitch=rng.uniform(34.0, 38.0) if lumbar else rng.uniform(25.0, 29.0),
        disc_mm=rng.uniform(7.0, 10.0) if lumbar else rng.uniform(4.0, 6.0),
        canal_radius=cord + rng.uniform(2.0, 3.0),
        cord_radius=float(cord),
        lesion_centre=(float(centre[0]), float(centre[1]), float(centre[2])),
        lesion_radii=(float(radii[0]), float(radii[1]), float(radii[2])),
        aorta=(rng.uniform(8.0, 16.0), rng.uniform(-74.0, -66.0), rng.uniform(9.0, 12.0)),
        tilt=rng.uniform(0.04, 0.08),
    )


@njit(cache=True, nogil=True, parallel=True)
def render(parameters, to_patient, shape, sublevels):  # type: ignore[no-untyped-def]
    """Return HU (nz, ny, nx) float32, averaged over ``sublevels`` heights in each slice.

    Args:
        parameters: ``Anatomy.parameters()``.
        to_patient: (4, 4) from index (x, y, z) to the patient frame.
        shape: (nz, ny, nx).
        sublevels: (n,) offsets along the slice index, such as (-0.33, 0, 0.33).
    """
    nz, ny, nx = shape
    hu = np.empty((nz, ny, nx), np.float32)
    for k in prange(nz):
        for j in range(ny):
            for i in range(nx):
                total = 0.0
                for s in range(len(sublevels)):
                    level = k + sublevels[s]
                    x = (
                        to_patient[0, 0] * i
                        + to_patient[0, 1] * j
                        + to_patient[0, 2] * level
                        + to_patient[0, 3]
                    )
                    y = (
                        to_patient[1, 0] * i
                        + to_patient[1, 1] * j
                        + to_patient[1, 2] * level
                        + to_patient[1, 3]
                    )
                    z = (
                        to_patient[2, 0] * i
                        + to_patient[2, 1] * j
                        + to_patient[2, 2] * level
                        + to_patient[2, 3]
                    )
                    total += _tissue(parameters, x, y, z)
                hu[k, j, i] = total / len(sublevels)
    return hu


@njit(cache=True, nogil=True)
def render_plane(parameters, to_patient, pixels, offsets):  # type: ignore[no-untyped-def]
    """Return HU of one plane, (pixels, pixels) float32, averaged over offsets.

    Args:
        parameters: ``Anatomy.parameters()``.
        to_patient: (4, 4) from index (column, row, height) to the patient frame.
        pixels: on each side.
        offsets: (n, 3) of the index.
    """
    hu = np.empty((pixels, pixels), np.float32)
    m = to_patient
    for j in range(pixels):
        for i in range(pixels):
            total = 0.0
            for s in range(len(offsets)):
                u, v, w = i + offsets[s, 0], j + offsets[s, 1], offsets[s, 2]
                x = m[0, 0] * u + m[0, 1] * v + m[0, 2] * w + m[0, 3]
                y = m[1, 0] * u + m[1, 1] * v + m[1, 2] * w + m[1, 3]
                z = m[2, 0] * u + m[2, 1] * v + m[2, 2] * w + m[2, 3]
                total += _tissue(parameters, x, y, z)
            hu[j, i] = total / len(offsets)
    return hu


@njit(cache=True, nogil=True)
def _tissues(parameters, points):  # type: ignore[no-untyped-def]
    """Return the HU of the tissue at each point."""
    hu = np.empty(len(points))
    for i in range(len(points)):
        hu[i] = _tissue(parameters, points[i, 0], points[i, 1], points[i, 2])
    return hu


@njit(cache=True, nogil=True)
def _tissue(p, x, y, z):  # type: ignore[no-untyped-def]
    """Return the HU of the tissue at a point of the patient frame."""
    bx = x / p[0]
    by = (y - (p[2] - p[1])) / p[1]
    if bx * bx + by * by > 1.0:
        return AIR
    lx, ly, lz = (x - p[10]) / p[13], (y - p[11]) / p[14], (z - p[12]) / p[15]
    if lx * lx + ly * ly + lz * lz < 1.0:
        return LESION
    canal2 = x * x + y * y
    if canal2 < p[8] * p[8]:
        return CORD if canal2 < p[9] * p[9] else CSF
    bone = _bone(p, x, y, z, canal2)
    if bone < -2000.0:
        bone = _rib(p, x, y, z) if p[21] > 0.0 else bone
    if bone < -2000.0:
        return _soft_tissue(p, x, y, z)
    if bone == SPONGIOSA and p[20] > 0.0:
        bone += p[20] * _grain(x / TRABECULA_MM, y / TRABECULA_MM, z / TRABECULA_MM)
    return bone


@njit(cache=True, nogil=True)
def _grain(x, y, z):  # type: ignore[no-untyped-def]
    """Return value noise from -1 to 1: random on the whole numbers, linear between them."""
    i, j, k = np.floor(x), np.floor(y), np.floor(z)
    f, g, h = x - i, y - j, z - k
    total = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                weight = (f if a else 1.0 - f) * (g if b else 1.0 - g) * (h if c else 1.0 - h)
                # A hash by the fractional part of a large sine.
                dot = (i + a) * 12.9898 + (j + b) * 78.233 + (k + c) * 37.719
                wave = np.sin(dot) * 43758.5453
                total += weight * (2.0 * (wave - np.floor(wave)) - 1.0)
    return total


@njit(cache=True, nogil=True)
def _rib(p, x, y, z):  # type: ignore[no-untyped-def]
    """Return the HU of rib at a point, less than -2000 where there is none.

    Ribs run in the wall of the chest, one for each vertebra, and sink towards the front.
    """
    by = y - (p[2] - p[1])
    depth = 1.0 - np.sqrt((x / p[0]) ** 2 + (by / p[1]) ** 2)
    wall = depth * p[1] - p[3] - 10.0
    if wall < 0.0 or wall > 7.0 or abs(x) < 30.0:
        return -3000.0
    turn = (z + 0.5 * (p[2] - y) + 4.0) / p[6]
    height = abs(turn - np.floor(turn) - 0.5) * p[6]
    if height > 5.5:
        return -3000.0
    return SPONGIOSA if height < 4.0 and 1.5 < wall < 5.5 else CORTEX


@njit(cache=True, nogil=True)
def _lung(p, x, y, z):  # type: ignore[no-untyped-def]
    """Return the HU of lung at a point, less than -2000 outside it."""
    by = (y - (p[2] - p[1]) + 4.0) / (p[1] - p[3] - 22.0)
    bx = x / (p[0] - p[3] - 22.0)
    # The mediastinum and the muscles beside the spine keep the lungs apart.
    if bx * bx + by * by > 1.0 or abs(x) < 34.0 - 0.1 * y:
        return -3000.0
    vessel = _grain(x / VESSEL_MM, y / VESSEL_MM, z / VESSEL_MM)
    return LUNG + (600.0 if vessel > 0.62 else 60.0 * vessel)


@njit(cache=True, nogil=True)
def _soft_tissue(p, x, y, z):  # type: ignore[no-untyped-def]
    """Return the HU of what is neither bone nor lesion, inside the skin."""
    ax, ay = x - p[16], y - p[17]
    if ax * ax + ay * ay < p[18] * p[18]:
        return BLOOD
    if p[21] > 0.0:
        lung = _lung(p, x, y, z)
        if lung > -2000.0:
            return lung
    gx, gy = (x + 60.0) / 22.0, (y + 95.0) / 16.0
    if p[21] == 0.0 and gx * gx + gy * gy < 1.0 and np.sin(z / 9.0) > -0.4:
        return GAS
    fx = x / (p[0] - p[3])
    fy = (y - (p[2] - p[1])) / (p[1] - p[3])
    return FAT if fx * fx + fy * fy > 1.0 else MUSCLE


@njit(cache=True, nogil=True)
def _bone(p, x, y, z, canal2):  # type: ignore[no-untyped-def]
    """Return the HU of vertebra or disc at a point, less than -2000 where there is none."""
    level = np.floor(z / p[6] + 0.5)
    local = z - level * p[6] + p[19] * (y + 25.0)
    # Neighbours differ: each vertebra is a little wider, and its processes longer, than the
    # one above it.
    size = 1.0 - 0.04 * level
    half_height = 0.5 * (p[6] - p[7])
    centre_y = -(p[8] + p[5] * size + 1.0)
    vx, vy = x / (p[4] * size), (y - centre_y) / (p[5] * size)
    v = vx * vx + vy * vy
    if v < 1.0:
        if abs(local) > half_height:
            return DISC
        wall = (1.0 - np.sqrt(v)) * p[5]
        return CORTEX if wall < 1.6 or half_height - abs(local) < 1.2 else SPONGIOSA
    arch_height = half_height * (0.62 + 0.05 * level)
    if abs(local) > arch_height:
        return -3000.0
    if canal2 < (p[8] + 5.0) ** 2 and y > -p[8]:
        shell = np.sqrt(canal2) - p[8]
        return CORTEX if shell < 1.4 or shell > 3.6 else SPONGIOSA
    spinous = abs(x) < 3.2 and p[8] < y < p[8] + 24.0 + 2.0 * level
    transverse = abs(y - 2.0) < 4.0 and p[8] < abs(x) < p[8] + 26.0 - 2.0 * level
    if spinous or transverse:
        inner = abs(x) < 1.8 if spinous else abs(y - 2.0) < 2.5
        return SPONGIOSA if inner and abs(local) < arch_height - 1.4 else CORTEX
    return -3000.0
