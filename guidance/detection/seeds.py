"""Seeds: each candidate group explained by as few rods as explain it, or by none.

Three passes. Lone seeds that are surely seeds show how a seed looks in this scan: how much
metal, how sharp, how long. With that known, groups are explained by one, two, three... rods
together: two seeds side by side are as wide as one, but twice the metal. Last, every group is
fitted again with its neighbours' images taken into account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from guidance.detection.candidates import Group, small, split
from guidance.detection.frame import ScanFrame
from guidance.detection.rods import Fit, Look, Patch, fit_rods, image
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]
T, R = TypeVar("T"), TypeVar("R")

# Metal of one seed as the scan shows it, HU mm^3: 3e4 to 5e4 in a scan of a real scanner that
# clips, less with softer kernels.
UNKNOWN = Look((32000.0, 16000.0), (0.6, 0.2), (0.35, 0.1), (3.8, 0.6))
LEAST_AMPLITUDE, MOST_AMPLITUDE = 14000.0, 110000.0
# Seeds of one batch hold the same metal; streaks and bone beside them change what is seen.
AMPLITUDE_SHARE, SPREAD_MM, NORMAL_MM, LENGTH_MM = 0.1, 0.05, 0.05, 0.15
# Metal is as sharp as the scanner draws it; bone and calcification of this brightness are wider.
WIDEST_SPREAD_MM = 0.8
# Bone and clutter beside a seed are left unexplained; the seed's own image must not be.
LEAST_WITHIN, SURE_WITHIN, SURE_EXPLAINED = 0.93, 0.97, 0.9
# Where streaks lie around seeds, many that agree stand for a few that are surer.
FAIRLY_EXPLAINED, MANY = 0.78, 8
# What is explained less after the first steps of a fit never comes so far.
WORTH_GOING_ON = 0.7
# How much must be explained of a seed that no other shows what seeds look like in this scan,
# and how many must show it.
SURE_ALONE, ENOUGH_SURE = 0.95, 3
# How far a seed's metal may differ from that of the scan's sure ones.
ALIKE_AMPLITUDE = 1.45
MOST_RODS = 6
# However well the model fits lone seeds, beside others it will leave a little.
LEAST_MISFIT = 0.3
# So well explained, with no more metal than a seed has, a group holds no further one.
WELL_WITHIN, PLAIN_AMPLITUDE = 0.985, 1.2
# A further rod has six free parameters (Schwarz, Ann. Stat. 6, 461, 1978).
ROD_PARAMETERS = 6
# Of the metal that a lone seed's voxels hold, a group must hold so much, and so much for each
# of several.
LEAST_HELD, LEAST_HELD_EACH = 0.45, 0.6
# Capsules are 4.5 mm long and 0.8 mm wide, and solid; the fit of each is not that exact.
CAPSULE_MM, CAPSULES_APART_MM = 4.5, 0.45
# Closer than this, one number of rods is as probable as the next.
UNDECIDED = 10.0
AROUND_MM = 2.6
# Capsules cannot share a place.
SAME_SEED_MM = 0.6
# The image of one seed, blur included, is no longer.
LONE_MM = 9.0
WORKERS = 2


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
        axis_covariance: (3, 3).
        spread_mm: blur of its image.
        rods: how many its group was explained by.
        margin: by how much the next best number of rods is less probable (twice its logarithm).
    """

    centre: FloatArray
    axis: FloatArray
    amplitude: float
    explained: float
    explained_within: float
    covariance_mm2: FloatArray
    axis_covariance: FloatArray
    spread_mm: float
    rods: int
    margin: float


@dataclass(frozen=True, eq=False)
class _Explained:
    """A group with the rods that explain it."""

    group: Group
    patch: Patch
    fit: Fit
    margin: float


@dataclass(frozen=True, eq=False)
class _Scan:
    volume: Volume
    frame: ScanFrame
    stands_out: NDArray[np.float32]
    clip_hu: float


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
    scan = _Scan(volume, frame, stands_out, clip_hu)
    with ThreadPoolExecutor(WORKERS) as pool:
        run = pool.map
        look = _look_of(scan, groups, run)
        if look is None:
            lone = [s for e in _all(scan, groups, UNKNOWN, run, 1) for s in _seeds_of(e)]
            return _once([s for s in lone if _sure_alone(s)])
        explained = _all(scan, groups, look, run)
        explained = list(run(lambda e: _beside_others(e, explained, look), explained))
    return _once([s for e in explained for s in _seeds_of(e) if _alike(s, look)])


def _look_of(
    scan: _Scan, groups: list[Group], run: Callable[..., Iterable[_Explained | None]]
) -> Look | None:
    """Return how a seed looks in this scan, None if too few show it."""

    def lone(group: Group) -> _Explained | None:
        while not small(group, scan.frame):
            pieces = split(group, scan.stands_out, scan.frame)
            if len(pieces) != 1:
                return None
            group = pieces[0]
        if not _lone_size(group, scan.frame):
            return None
        patch = _patch(scan, group)
        if _excess(patch, scan.frame) < LEAST_AMPLITUDE:
            return None
        points, weight = _points(scan, group, patch)
        fit = _best(patch, UNKNOWN, _lone_starts(points, weight), WORTH_GOING_ON)
        return _Explained(group, patch, fit, 0.0)

    lone_ones = [e for e in run(lone, groups) if e is not None]
    sure = [
        e
        for e in lone_ones
        if (f := e.fit).explained_within >= SURE_WITHIN
        and f.explained >= FAIRLY_EXPLAINED
        and f.spread_mm <= WIDEST_SPREAD_MM
        and LEAST_AMPLITUDE <= f.amplitudes[0] <= MOST_AMPLITUDE
    ]
    if len(sure) < ENOUGH_SURE:
        return None
    if len(sure) < MANY:
        sure = [e for e in sure if e.fit.explained >= SURE_EXPLAINED]
    if len(sure) < ENOUGH_SURE:
        return None
    amplitude = _mode([float(e.fit.amplitudes[0]) for e in sure])
    alike = [e for e in sure if abs(e.fit.amplitudes[0] / amplitude - 1) < 0.25]
    if len(alike) < ENOUGH_SURE:
        return None
    fits = [e.fit for e in alike]
    voxel = _voxel_mm3(scan.frame)
    held = [_points(scan, e.group, e.patch)[1].sum() * voxel / amplitude for e in alike]
    look = Look(
        (amplitude, AMPLITUDE_SHARE * amplitude),
        (float(np.median([f.spread_mm for f in fits])), SPREAD_MM),
        (float(np.median([f.normal_mm for f in fits])), NORMAL_MM),
        (float(np.median([f.length_mm for f in fits])), LENGTH_MM),
        inside=float(np.median(held)),
    )
    again = [fit_rods(e.patch, look, e.fit.centres, e.fit.axes) for e in alike]
    misfit = float(np.median([f.cost / f.points for f in again]))
    return replace(look, misfit=max(misfit, LEAST_MISFIT))


def _mode(values: list[float]) -> float:
    """Return the median of the half of the values that lie nearest to each other in ratio."""
    ordered = np.sort(np.log(values))
    half = len(ordered) // 2 + 1
    widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
    first = int(np.argmin(widths))
    return float(np.exp(np.median(ordered[first : first + half])))


def _all(
    scan: _Scan,
    groups: list[Group],
    look: Look,
    run: Callable[..., Iterable[_Explained | None]],
    most: int = MOST_RODS,
) -> list[_Explained]:
    """Explain all groups; those that rods do not explain are split and tried again."""
    found: list[_Explained] = []
    waiting = list(groups)
    while waiting:
        again: list[Group] = [g for g in waiting if not small(g, scan.frame)]
        tried = [g for g in waiting if small(g, scan.frame)]
        for group, explained in zip(
            tried, run(lambda g: _explain(scan, g, look, most), tried), strict=True
        ):
            if explained is None:
                again.append(group)
            else:
                found.append(explained)
        waiting = [piece for g in again for piece in split(g, scan.stands_out, scan.frame)]
    return found


def _explain(scan: _Scan, group: Group, look: Look, most: int) -> _Explained | None:
    """Explain a group by as few rods as explain it; None if none do."""
    if most == 1 and not _lone_size(group, scan.frame):
        return None
    patch = _patch(scan, group)
    points, weight = _points(scan, group, patch)
    # How many seeds' metal the group holds; where it clips, less is seen.
    held = float(weight.sum()) * _voxel_mm3(scan.frame) / (look.inside * look.amplitude[0])
    if held < LEAST_HELD:
        return None
    best: Fit | None = None
    scores: list[float] = []
    most = min(most, max(1, int(held / LEAST_HELD_EACH)))
    for n in range(1, most + 1):
        if best is not None and _plain(best, look):
            break
        starts = _starts(patch, points, weight, best, n)
        fit = _best(patch, look, starts, WORTH_GOING_ON if most == 1 else 0.0)
        scores.append(fit.cost + n * ROD_PARAMETERS * float(np.log(max(fit.points, 2.0))))
        if best is not None and (scores[-1] >= min(scores[:-1]) or not _possible(fit, look)):
            break
        best = fit
    assert best is not None
    if best.explained_within < LEAST_WITHIN or not _possible(best, look):
        return None
    ordered = sorted(scores)
    margin = ordered[1] - ordered[0] if len(ordered) > 1 else np.inf
    return _Explained(group, patch, best, margin)


def _best(
    patch: Patch, look: Look, starts: list[tuple[FloatArray, FloatArray]], worth: float = 0.0
) -> Fit:
    """Return the best fit from several starts: a few steps from each, then the best two on.

    What is explained less than is worth going on with after the first steps stays as it is.
    """
    tried = sorted((fit_rods(patch, look, c, a, 4) for c, a in starts), key=lambda f: f.cost)
    if tried[0].explained_within < worth:
        return tried[0]
    ends = [fit_rods(patch, look, f.centres, f.axes) for f in tried[:2]]
    return min(ends, key=lambda f: f.cost)


def _lone_size(group: Group, frame: ScanFrame) -> bool:
    """Tell whether a group is no larger than the image of one seed."""
    in_plane = np.ptp(group.index[:, 1:], axis=0) * frame.pixel_mm[::-1]
    along = float(np.ptp(group.index[:, 0])) * float(frame.step[2])
    return float(np.linalg.norm(in_plane)) <= LONE_MM and along <= LONE_MM + frame.slice_mm


def _possible(fit: Fit, look: Look) -> bool:
    """Tell whether rods can be seeds: each with a seed's metal, sharp, none inside another."""
    share = fit.amplitudes / look.amplitude[0]
    if share.min() < 1 / ALIKE_AMPLITUDE or share.max() > ALIKE_AMPLITUDE:
        return False
    if fit.spread_mm > look.spread_mm[0] + 3 * look.spread_mm[1]:
        return False
    return all(
        _apart(fit.centres[i], fit.axes[i], fit.centres[j], fit.axes[j]) >= CAPSULES_APART_MM
        for i in range(len(share))
        for j in range(i)
    )


def _apart(a: FloatArray, u: FloatArray, b: FloatArray, v: FloatArray) -> float:
    """Return how near two capsules come, centre line to centre line, mm."""
    t = np.linspace(-0.5, 0.5, 10)[:, None] * CAPSULE_MM
    one, other = a + t * u, b + t * v
    return float(np.linalg.norm(one[:, None] - other[None], axis=2).min())


def _plain(fit: Fit, look: Look) -> bool:
    """Tell whether rods explain a group so well that no further one need be tried."""
    share = fit.amplitudes / look.amplitude[0]
    return fit.explained_within >= WELL_WITHIN and bool((share < PLAIN_AMPLITUDE).all())


def _starts(
    patch: Patch, points: FloatArray, weight: FloatArray, fewer: Fit | None, n: int
) -> list[tuple[FloatArray, FloatArray]]:
    """Return where to start n rods: beside, along and across those of the fit with fewer."""
    if fewer is None:
        return _lone_starts(points, weight)
    starts = [_parts(points, weight, n)]
    for which in range(n - 1):
        centre, axis = fewer.centres[which], fewer.axes[which]
        normal = np.array((0.0, 0.0, 1.0))
        aside = np.cross(axis, normal)
        if np.linalg.norm(aside) < 0.2:
            aside = np.array((1.0, 0.0, 0.0))
        aside /= np.linalg.norm(aside)
        over = np.cross(axis, aside)
        flat = np.array((axis[0], axis[1], 0.3 * axis[2])) + 1e-6
        turned = [flat + aside, flat - aside]
        pairs = [
            (0.6 * aside, axis, axis),
            (0.6 * over, axis, axis),
            (2.2 * axis, axis, axis),
            (0.4 * over, *turned),
            (-0.4 * over, *turned),
        ]
        for shift, one, other in pairs:
            centres = np.vstack((fewer.centres, centre - shift))
            centres[which] = centre + shift
            axes = np.vstack((fewer.axes, other))
            axes[which] = one
            axes /= np.linalg.norm(axes, axis=1, keepdims=True)
            starts.append((centres, axes))
    # Where most is left unexplained.
    where = np.argwhere(patch.use)
    top = where[int(np.argmax(fewer.left_hu))]
    at = np.array(
        (
            patch.x[top[2]] + patch.shift[top[0], 0],
            patch.y[top[1]] + patch.shift[top[0], 1],
            patch.z[top[0]],
        )
    )
    nearest = int(np.argmin(np.linalg.norm(fewer.centres - at, axis=1)))
    starts.append((np.vstack((fewer.centres, at)), np.vstack((fewer.axes, fewer.axes[nearest]))))
    return starts


def _lone_starts(points: FloatArray, weight: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Return where to start one rod: as it seems to lie, flat, steeper, and upright."""
    centre, axis = _moments(points, weight)
    flat = axis * (1.0, 1.0, 0.0) + (1e-3, 0.0, 0.0)
    flat /= np.linalg.norm(flat)
    up = np.array((0.0, 0.0, 1.0))
    axes = [axis, flat, flat + 0.6 * up, flat - 0.6 * up, up + 0.1 * flat]
    return [(centre, a / np.linalg.norm(a)) for a in axes]


def _beside_others(one: _Explained, explained: list[_Explained], look: Look) -> _Explained:
    """Fit a group again, with the images of its neighbours taken into account."""
    patch = one.patch
    others = np.zeros(patch.hu.shape)
    low = np.array((patch.x[0], patch.y[0], patch.z[0])) - 4.0
    high = np.array((patch.x[-1], patch.y[-1], patch.z[-1])) + 4.0
    for other in explained:
        if other is one:
            continue
        for which, centre in enumerate(other.fit.centres):
            if (centre > low).all() and (centre < high).all():
                others += image(patch, other.fit, which)
    if others.max() < 1.0:
        return one
    beside = replace(patch, others=others)
    return replace(one, patch=beside, fit=fit_rods(beside, look, one.fit.centres, one.fit.axes))


def _seeds_of(one: _Explained) -> list[SeedFit]:
    fit = one.fit
    return [
        SeedFit(
            fit.centres[k],
            fit.axes[k],
            float(fit.amplitudes[k]),
            fit.explained,
            fit.explained_within,
            fit.covariance_mm2[k],
            fit.axis_covariance[k],
            fit.spread_mm,
            len(fit.centres),
            one.margin,
        )
        for k in range(len(fit.centres))
    ]


def _sure_alone(seed: SeedFit) -> bool:
    """Tell whether a seed needs no others to be one: all of it explained, sharp as metal is."""
    return seed.explained >= SURE_ALONE and seed.spread_mm <= WIDEST_SPREAD_MM


def _alike(seed: SeedFit, look: Look) -> bool:
    """Tell whether a seed looks like the scan's sure ones."""
    amplitude = seed.amplitude / look.amplitude[0]
    return (
        1 / ALIKE_AMPLITUDE <= amplitude <= ALIKE_AMPLITUDE
        and seed.spread_mm <= look.spread_mm[0] + 3 * SPREAD_MM
    )


def _once(seeds: list[SeedFit]) -> list[SeedFit]:
    """Keep the better explained of two seeds at one place."""
    kept: list[SeedFit] = []
    for seed in sorted(seeds, key=lambda s: -s.explained_within):
        if all(np.linalg.norm(seed.centre - k.centre) >= SAME_SEED_MM for k in kept):
            kept.append(seed)
    return kept


def _points(scan: _Scan, group: Group, patch: Patch) -> tuple[FloatArray, FloatArray]:
    """Return (n, 3) voxels of a group, mm, and (n,) how much they rise above their background."""
    points = scan.frame.of_index(group.index[:, ::-1].astype(np.float64))
    background = float(np.percentile(patch.hu[patch.use], 15))
    weight = scan.volume.hu[tuple(group.index.T)].astype(np.float64) - background
    return points, np.clip(weight, 1.0, None)


def _voxel_mm3(frame: ScanFrame) -> float:
    return frame.pixel_mm[0] * frame.pixel_mm[1] * float(frame.step[2])


def _excess(patch: Patch, frame: ScanFrame) -> float:
    """Return how much rises above the background, HU mm^3."""
    background = float(np.percentile(patch.hu[patch.use], 15))
    above = np.clip(patch.hu - background, 0, None)[patch.use]
    return float(above.sum()) * _voxel_mm3(frame)


def _moments(points: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (1, 3) centre and (1, 3) long axis."""
    centre = weight @ points / weight.sum()
    off = (points - centre) * np.sqrt(weight)[:, None]
    axis = np.linalg.svd(off, full_matrices=False)[2][0] if len(off) > 2 else np.eye(3)[0]
    return centre[None], axis[None]


def _parts(points: FloatArray, weight: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
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
    axes = []
    for part in range(n):
        members = label == part
        axes.append(
            _moments(points[members], weight[members])[1][0] if members.any() else (1, 0, 0)
        )
    return centres, np.array(axes, dtype=np.float64)


def _patch(scan: _Scan, group: Group) -> Patch:
    """Cut a group and what is near it out of a scan; what else stands out does not count."""
    frame = scan.frame
    margin = np.array(
        [
            int(np.ceil(2.0 / frame.step[2])),
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
    return Patch(
        hu=scan.volume.hu[box].astype(np.float64),
        use=_grown(seen, margin) & (seen | (scan.stands_out[box] <= group.level_hu)),
        x=np.arange(low[2], high[2]) * frame.pixel_mm[0],
        y=np.arange(low[1], high[1]) * frame.pixel_mm[1],
        shift=k[:, None] * frame.step[:2],
        z=k * frame.step[2],
        slice_mm=frame.slice_mm,
        clip_hu=scan.clip_hu,
    )


def _grown(seen: NDArray[np.bool_], margin: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask grown by the margin's ellipsoid."""
    # As far as the ellipsoid reaches is one: quicker than a dilation by so many voxels.
    away = ndimage.distance_transform_edt(~seen, sampling=1.0 / (margin + 0.5))
    return np.asarray(away <= 1.0)
