"""Seeds: each candidate group explained by as few rods as explain it, or by none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from guidance.detection.candidates import Group
from guidance.detection.frame import ScanFrame
from guidance.detection.rods import SEED_LENGTH_MM, Fit, Patch, fit_rods
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# Metal of one seed as the scan shows it, HU mm^3: from seeds in scans of real scanners
# (clipped, about 3e4) down to half of it, and up to three times.
TYPICAL_AMPLITUDE = 30000.0
LEAST_AMPLITUDE, MOST_AMPLITUDE = 9000.0, 110000.0
# Within one scan seeds are alike: beyond this factor of the median they are something else.
ALIKE = 2.6
# How much of the variance around a seed its rod must explain.
LEAST_EXPLAINED = 0.72
MOST_RODS = 5
# A further rod must take away this share of what was left, or it explains nothing.
WORTH_A_ROD = 0.45
AROUND_MM = 2.6


@dataclass(frozen=True, eq=False)
class SeedFit:
    """One seed in the scan's frame.

    Attributes:
        centre: (3,) mm.
        axis: (3,) unit vector.
        amplitude: HU mm^3.
        explained: share of the variance around it that its group's rods explain.
        covariance_mm2: (3, 3).
        level_hu: contrast at which its group was connected.
    """

    centre: FloatArray
    axis: FloatArray
    amplitude: float
    explained: float
    covariance_mm2: FloatArray
    level_hu: float


def explain(volume: Volume, frame: ScanFrame, group: Group, clip_hu: float) -> list[SeedFit]:
    """Return the seeds of a group, none if rods do not explain it."""
    patch = _patch(volume, frame, group, clip_hu)
    background = float(np.percentile(patch.hu[patch.use], 15))
    points = frame.of_index(group.index[:, ::-1].astype(np.float64))
    weight = volume.hu[tuple(group.index.T)].astype(np.float64) - background
    excess = float(np.clip(patch.hu - background, 0, None)[patch.use].sum()) * _voxel_mm3(frame)
    if excess < LEAST_AMPLITUDE or excess > MOST_AMPLITUDE * MOST_RODS:
        return []
    likely = int(np.clip(round(excess / TYPICAL_AMPLITUDE), 1, MOST_RODS))
    best: Fit | None = None
    for n in range(max(1, likely - 1), min(MOST_RODS, likely + 1) + 1):
        fit = _start_and_fit(patch, points, weight, n, excess, background)
        if best is None or fit.residual_hu**2 < (1 - WORTH_A_ROD) * best.residual_hu**2:
            best = fit
    assert best is not None
    if best.explained < LEAST_EXPLAINED:
        return []
    return [
        SeedFit(c, a, float(m), best.explained, v, group.level_hu)
        for c, a, m, v in zip(
            best.centres, best.axes, best.amplitudes, best.covariance_mm2, strict=True
        )
        if LEAST_AMPLITUDE <= m <= MOST_AMPLITUDE and _within(points, c)
    ]


def alike(seeds: list[SeedFit]) -> list[SeedFit]:
    """Leave out what differs from the scan's own seeds; the stronger of two at one place stays."""
    if not seeds:
        return []
    sure = [s.amplitude for s in seeds if s.explained > 0.85] or [s.amplitude for s in seeds]
    median = float(np.median(sure))
    kept: list[SeedFit] = []
    for seed in sorted(seeds, key=lambda s: -s.explained):
        if not median / ALIKE <= seed.amplitude <= median * ALIKE:
            continue
        if any(np.linalg.norm(seed.centre - k.centre) < 1.2 for k in kept):
            continue
        kept.append(seed)
    return kept


def _within(points: FloatArray, centre: FloatArray) -> bool:
    """Tell whether a fitted centre lies on the group it was fitted to."""
    return bool(np.linalg.norm(points - centre, axis=1).min() < 1.5 + SEED_LENGTH_MM / 4)


def _voxel_mm3(frame: ScanFrame) -> float:
    return frame.pixel_mm[0] * frame.pixel_mm[1] * float(frame.step[2])


def _start_and_fit(
    patch: Patch,
    points: FloatArray,
    weight: FloatArray,
    n: int,
    excess: float,
    background: float,
) -> Fit:
    """Split a group into n by position, and fit a rod to each part."""
    rng = np.random.default_rng(n)
    label = np.zeros(len(points), int)
    if n > 1:
        _, label = kmeans2(points, n, minit="++", rng=rng)
    centres, axes = [], []
    for part in range(n):
        members = label == part
        if not members.any():
            members[:] = True
        w = np.clip(weight[members], 1.0, None)
        centre = (points[members] * w[:, None]).sum(axis=0) / w.sum()
        off = (points[members] - centre) * np.sqrt(w)[:, None]
        axis = np.linalg.svd(off, full_matrices=False)[2][0] if len(off) > 2 else (1.0, 0, 0)
        centres.append(centre)
        axes.append(axis)
    return fit_rods(patch, np.array(centres), np.array(axes), excess / n, background)


def _patch(volume: Volume, frame: ScanFrame, group: Group, clip_hu: float) -> Patch:
    """Cut a group and what is near it out of a scan."""
    margin = np.array(
        [
            1 + int(np.ceil(1.0 / frame.step[2])),
            int(np.ceil(AROUND_MM / frame.pixel_mm[1])) + 1,
            int(np.ceil(AROUND_MM / frame.pixel_mm[0])) + 1,
        ]
    )
    low = np.maximum(group.index.min(axis=0) - margin, 0)
    high = np.minimum(group.index.max(axis=0) + margin + 1, volume.hu.shape)
    hu = volume.hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].astype(np.float64)
    k = np.arange(low[0], high[0], dtype=np.float64)
    seen = np.zeros(hu.shape, bool)
    seen[tuple((group.index - low).T)] = True
    return Patch(
        hu=hu,
        use=_grown(seen, margin),
        x=np.arange(low[2], high[2]) * frame.pixel_mm[0],
        y=np.arange(low[1], high[1]) * frame.pixel_mm[1],
        shift=k[:, None] * frame.step[:2],
        z=k * frame.step[2],
        slice_mm=frame.slice_mm,
        clip_hu=clip_hu,
    )


def _grown(seen: NDArray[np.bool_], margin: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask grown by the margin's ellipsoid."""
    reach = [np.arange(-m, m + 1) / (m + 0.5) for m in margin]
    z, y, x = np.meshgrid(*reach, indexing="ij")
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(seen, x**2 + y**2 + z**2 <= 1.0))
