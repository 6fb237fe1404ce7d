"""Groups of candidates as pieces of the scan: their voxels, what surrounds them, their shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.candidates import Contrast, Group
from guidance.detection.frame import ScanFrame
from guidance.detection.rods import MISFIT_HU, Patch, Start
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# How far around a group its patch reaches, in the plane and along the normal.
AROUND_MM, ABOVE_MM = 2.6, 2.0
# Metal in thin slices is brighter, and so is what streaks leave around it, HU mm.
STREAKS_HU_MM = 150.0
# Of a normal distribution: its standard deviation over the median distance from the middle.
OF_MEDIAN = 1.4826
# The image of one seed, blur included, is no longer.
LONE_MM = 9.0


@dataclass(frozen=True, eq=False)
class Scan:
    """What seeds are looked for in.

    Attributes:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        clip_hu: value at which it clips.
    """

    volume: Volume
    frame: ScanFrame
    stands_out: Contrast
    clip_hu: float

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel."""
        return self.frame.pixel_mm[0] * self.frame.pixel_mm[1] * float(self.frame.step[2])


def patch_of(scan: Scan, group: Group) -> Patch:
    """Cut a group and what is near it out of a scan; what else stands out does not count."""
    frame = scan.frame
    margin = np.array(
        [
            int(np.ceil(ABOVE_MM / frame.step[2])),
            int(np.ceil(AROUND_MM / frame.pixel_mm[1])) + 1,
            int(np.ceil(AROUND_MM / frame.pixel_mm[0])) + 1,
        ]
    )
    low = np.maximum(group.index.min(axis=0) - margin, 0)
    high = np.minimum(group.index.max(axis=0) + margin + 1, scan.volume.hu.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    k = np.arange(low[0], high[0], dtype=np.float64)
    seen = np.zeros(high - low, bool)
    seen[tuple((group.index - low).T)] = True
    hu = scan.volume.hu[box].astype(np.float64)
    use = _grown(seen, margin) & (seen | (scan.stands_out.hu[box] <= group.floor_hu))
    around = hu[use & ~seen]
    tissue, scatter = tissue_of(around) if len(around) else (float(hu.min()), 0.0)
    return Patch(
        hu=hu,
        use=use,
        x=np.arange(low[2], high[2]) * frame.pixel_mm[0],
        y=np.arange(low[1], high[1]) * frame.pixel_mm[1],
        shift=k[:, None] * frame.step[:2],
        z=k * frame.step[2],
        slice_mm=frame.slice_mm,
        clip_hu=scan.clip_hu,
        tissue_hu=tissue,
        streaks_hu=max(MISFIT_HU, scatter, STREAKS_HU_MM / max(frame.slice_mm, 1.0)),
    )


def tissue_of(around: FloatArray) -> tuple[float, float]:
    """Return the value of tissue and its standard deviation, HU, from voxels around metal.

    Half of them scatter less: streaks that cross them do not count twice.
    """
    tissue = float(np.median(around))
    return tissue, OF_MEDIAN * float(np.median(np.abs(around - tissue)))


def _grown(seen: NDArray[np.bool_], margin: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask grown by the margin's ellipsoid."""
    # As far as the ellipsoid reaches is one: quicker than a dilation by so many voxels.
    away = ndimage.distance_transform_edt(~seen, sampling=1.0 / (margin + 0.5))
    return np.asarray(away <= 1.0)


def voxels(scan: Scan, group: Group, patch: Patch) -> tuple[FloatArray, FloatArray]:
    """Return (n, 3) voxels of a group, mm, and (n,) how much they rise above their background."""
    points = scan.frame.of_index(group.index[:, ::-1].astype(np.float64))
    weight = scan.volume.hu[tuple(group.index.T)].astype(np.float64) - patch.darker
    return points, np.clip(weight, 1.0, None)


def excess(scan: Scan, patch: Patch) -> float:
    """Return how much of a patch rises above the background, HU mm^3."""
    return float(np.clip(patch.data - patch.darker, 0, None).sum()) * scan.voxel_mm3


def lone_size(group: Group, frame: ScanFrame) -> bool:
    """Tell whether a group is no larger than the image of one seed."""
    in_plane = np.ptp(group.index[:, 1:], axis=0) * frame.pixel_mm[::-1]
    along = float(np.ptp(group.index[:, 0])) * float(frame.step[2])
    return float(np.linalg.norm(in_plane)) <= LONE_MM and along <= LONE_MM + frame.slice_mm


def moments(points: FloatArray, weight: FloatArray) -> Start:
    """Return (1, 3) centre and (1, 3) long axis."""
    centre = weight @ points / weight.sum()
    off = (points - centre) * np.sqrt(weight)[:, None]
    axis = np.linalg.svd(off, full_matrices=False)[2][0] if len(off) > 2 else np.eye(3)[0]
    return centre[None], axis[None]


def parts(points: FloatArray, weight: FloatArray, n: int) -> Start:
    """Divide points into n parts by position (k-means, farthest points first)."""
    middle = weight @ points / weight.sum()
    chosen = [points[int(np.argmax(np.linalg.norm(points - middle, axis=1)))]]
    while len(chosen) < n:
        apart = np.min([np.linalg.norm(points - c, axis=1) for c in chosen], axis=0)
        chosen.append(points[int(np.argmax(apart))])
    centres = np.array(chosen)
    for _ in range(8):
        label = np.argmin(np.linalg.norm(points[:, None] - centres[None], axis=2), axis=1)
        for part in range(n):
            members = label == part
            if members.any():
                centres[part] = weight[members] @ points[members] / weight[members].sum()
    axes = np.tile((1.0, 0.0, 0.0), (n, 1))
    for part in range(n):
        members = label == part
        if members.any():
            axes[part] = moments(points[members], weight[members])[1][0]
    return centres, axes
