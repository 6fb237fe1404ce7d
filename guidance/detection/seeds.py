"""Seeds: each candidate group explained by as few rods as explain it, or by none."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.cluster.vq import kmeans2

from guidance.detection.candidates import Group, small, split
from guidance.detection.frame import ScanFrame
from guidance.detection.rods import SEED_LENGTH_MM, Fit, Patch, fit_rods
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# Metal of one seed as the scan shows it, HU mm^3: 3e4 to 5e4 in a scan of a real scanner that
# clips, less with softer kernels.
TYPICAL_AMPLITUDE = 30000.0
LEAST_AMPLITUDE, MOST_AMPLITUDE = 14000.0, 110000.0
# Metal is as sharp as the scanner draws it; bone and calcification of this brightness are wider.
WIDEST_SPREAD_MM = 0.75
# Bone and clutter beside a seed are left unexplained; the seed's own image must not be.
LEAST_WITHIN = 0.95
# So well explained, a further rod would only stand for the bone beside it.
WELL_WITHIN = 0.985
# How much of what rises above its background a group must be explained to be a seed where no
# other shows what seeds look like in this scan, to be one that shows it, and how many must.
SURE_ALONE, SURE, ENOUGH_SURE = 0.95, 0.9, 3
# How far a seed may differ from the scan's sure ones, and how well several in one group must be
# explained: enough rods explain anything.
ALIKE_AMPLITUDE, ALIKE_SPREAD, ALIKE_LEFT, SEVERAL_EXPLAINED = 1.4, 1.1, 2.5, 0.85
# What may be left of a seed's image even in a scan whose seeds fit perfectly.
LEFT = 0.02
MOST_RODS = 5
# A further rod must take away this share of what was left, or it explains nothing.
WORTH_A_ROD = 0.45
AROUND_MM = 2.6
# Capsules cannot share a place.
SAME_SEED_MM = 1.2


@dataclass(frozen=True, eq=False)
class SeedFit:
    """One seed in the scan's frame.

    Attributes:
        centre: (3,) mm.
        axis: (3,) unit vector.
        amplitude: HU mm^3.
        explained: share of what rises above the background that its group's rods explain.
        explained_within: the same, where the rods themselves are bright.
        covariance_mm2: (3, 3).
        spread_mm: blur of its image.
        rods: how many its group was explained by.
    """

    centre: FloatArray
    axis: FloatArray
    amplitude: float
    explained: float
    explained_within: float
    covariance_mm2: FloatArray
    spread_mm: float
    rods: int


def seeds_in(
    volume: Volume,
    frame: ScanFrame,
    stands_out: NDArray[np.float32],
    groups: list[Group],
    clip_hu: float,
) -> list[SeedFit]:
    """Return the seeds of all groups; what rods do not explain is split and tried again.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        groups: where metal may be.
        clip_hu: value at which the scan clips.
    """
    found: list[SeedFit] = []
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        if small(group, frame):
            seeds = _explained(volume, frame, stands_out, group, clip_hu)
            if seeds:
                found += seeds
                continue
        waiting += split(group, stands_out, frame)
    return found


def _explained(
    volume: Volume,
    frame: ScanFrame,
    stands_out: NDArray[np.float32],
    group: Group,
    clip_hu: float,
) -> list[SeedFit]:
    """Return the seeds of a group, none if rods do not explain it."""
    patch = _patch(volume, frame, stands_out, group, clip_hu)
    background = float(np.percentile(patch.hu[patch.use], 15))
    points = frame.of_index(group.index[:, ::-1].astype(np.float64))
    weight = volume.hu[tuple(group.index.T)].astype(np.float64) - background
    excess = float(np.clip(patch.hu - background, 0, None)[patch.use].sum()) * _voxel_mm3(frame)
    if excess < LEAST_AMPLITUDE:
        return []
    best: Fit | None = None
    for n in range(1, MOST_RODS + 1):
        fit = _start_and_fit(patch, points, weight, n, min(excess / n, TYPICAL_AMPLITUDE))
        if best is not None and not _better(fit, best):
            break
        best = fit
        if best.explained_within >= WELL_WITHIN:
            break
    assert best is not None
    if best.explained_within < LEAST_WITHIN or best.spread_mm > WIDEST_SPREAD_MM:
        return []
    return [
        SeedFit(
            c,
            a,
            float(m),
            best.explained,
            best.explained_within,
            v,
            best.spread_mm,
            len(best.centres),
        )
        for c, a, m, v in zip(
            best.centres, best.axes, best.amplitudes, best.covariance_mm2, strict=True
        )
        if LEAST_AMPLITUDE <= m <= MOST_AMPLITUDE and _within(points, c)
    ]


def alike(seeds: list[SeedFit]) -> list[SeedFit]:
    """Return the seeds that are sure, and those that look like them; each once."""
    sure = [s for s in seeds if s.explained >= SURE and s.rods == 1]
    if len(sure) < ENOUGH_SURE:
        return _once([s for s in sure if s.explained >= SURE_ALONE])
    amplitude = float(np.median([s.amplitude for s in sure]))
    spread = float(np.median([s.spread_mm for s in sure]))
    left = max(LEFT, ALIKE_LEFT * float(np.median([1 - s.explained_within for s in sure])))
    return _once(
        [
            s
            for s in seeds
            if amplitude / ALIKE_AMPLITUDE <= s.amplitude <= amplitude * ALIKE_AMPLITUDE
            and s.spread_mm <= ALIKE_SPREAD * spread
            and 1 - s.explained_within <= left
            and (s.rods == 1 or s.explained >= SEVERAL_EXPLAINED)
        ]
    )


def _once(seeds: list[SeedFit]) -> list[SeedFit]:
    """Keep the better explained of two seeds at one place."""
    kept: list[SeedFit] = []
    for seed in sorted(seeds, key=lambda s: -s.explained):
        if all(np.linalg.norm(seed.centre - k.centre) >= SAME_SEED_MM for k in kept):
            kept.append(seed)
    return kept


def _better(fit: Fit, fewer: Fit) -> bool:
    """Tell whether a further rod is worth it, and is a capsule of its own."""
    apart = np.linalg.norm(fit.centres[:, None] - fit.centres[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return (
        fit.residual_hu**2 < (1 - WORTH_A_ROD) * fewer.residual_hu**2
        and float(fit.amplitudes.min()) >= LEAST_AMPLITUDE
        and float(apart.min()) >= SAME_SEED_MM
    )


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
    amplitude: float,
) -> Fit:
    """Split a group into n by position, and fit a rod to each part."""
    rng = np.random.default_rng(n)
    label = np.zeros(len(points), int)
    if n > 1:
        label = _parts(points, n, rng)
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
    return fit_rods(patch, np.array(centres), np.array(axes), amplitude)


def _parts(points: FloatArray, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return to which of n parts each point belongs; a part may stay empty."""
    if len(points) < 2 * n:
        return np.arange(len(points)) % n
    start = points[rng.choice(len(points), n, replace=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(kmeans2(points, start, minit="matrix")[1], np.int64)


def _patch(
    volume: Volume,
    frame: ScanFrame,
    stands_out: NDArray[np.float32],
    group: Group,
    clip_hu: float,
) -> Patch:
    """Cut a group and what is near it out of a scan; what else stands out does not count."""
    margin = np.array(
        [
            int(np.ceil(2.0 / frame.step[2])),
            int(np.ceil(AROUND_MM / frame.pixel_mm[1])) + 1,
            int(np.ceil(AROUND_MM / frame.pixel_mm[0])) + 1,
        ]
    )
    low = np.maximum(group.index.min(axis=0) - margin, 0)
    high = np.minimum(group.index.max(axis=0) + margin + 1, volume.hu.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    hu = volume.hu[box].astype(np.float64)
    k = np.arange(low[0], high[0], dtype=np.float64)
    seen = np.zeros(hu.shape, bool)
    seen[tuple((group.index - low).T)] = True
    return Patch(
        hu=hu,
        use=_grown(seen, margin) & (seen | (stands_out[box] <= group.level_hu)),
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
    return np.asarray(ndimage.binary_dilation(seen, x**2 + y**2 + z**2 <= 1.0))
