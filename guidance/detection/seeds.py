"""Seeds: each candidate group explained by as few rods as explain it, or by none.

Three passes. Lone seeds that are surely seeds show how a seed looks in this scan: how much
metal, how sharp, how long, how they lie. With that known, groups are explained by one, two,
three... rods together: two seeds side by side are as wide as one, but twice the metal. Last,
every group is fitted again with its neighbours' images taken into account.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from guidance.detection.candidates import Contrast, Group
from guidance.detection.capsules import lifted
from guidance.detection.counting import LEAST_WITHIN, Explained, alike, explain_all, too_much
from guidance.detection.decoys import Body, bodies
from guidance.detection.depths import THICK_MM, depth, depths
from guidance.detection.frame import ScanFrame
from guidance.detection.look import UNKNOWN, WIDEST_SPREAD_MM, look_of
from guidance.detection.patches import Scan
from guidance.detection.rods import Fit, Look, fit_rods, image
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

# How much must be explained of a seed where no others show what seeds look like in the scan.
SURE_ALONE = 0.95
# Closer than this, one number of rods is as probable as the next.
UNDECIDED = 10.0
# Capsules cannot share a place.
SAME_SEED_MM = 0.6
# A rod further than this from a patch adds nothing to it.
FAR_MM = 4.0
WORKERS = 2
# A lone seed in thick slices is moved to where the slices beside its own place it, if they leave
# its height open by less than this share of a slice, and if the fit there is not less probable
# by more than this (twice its logarithm).
KNOWN, ABOUT_AS_PROBABLE = 0.2, 2.0
# Fits begin at the edge between slices or in the middle of one and end near there, though in
# slices so thick many heights are as probable. The mean of all is never far off, and seldom
# exact: a seed is put so far from one to the other. In thinner slices that gains nothing.
OPEN_MM, WAY = 2.5, 0.7
# Heights are tried in steps of 0.1 mm: none is known better than to the half of one.
LEAST_SIGMA_MM = 0.05


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
        body: what it is instead of a seed; None for a seed.
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
    body: Body | None = None


def seeds_in(
    volume: Volume,
    frame: ScanFrame,
    stands_out: Contrast,
    groups: list[Group],
    clip_hu: float,
) -> list[SeedFit]:
    """Return the seeds of all groups, and what was taken for seeds and is none.

    What rods do not explain is split and tried again.

    Args:
        volume: the scan.
        frame: of the scan.
        stands_out: its contrast.
        groups: where metal may be.
        clip_hu: value at which the scan clips.
    """
    scan = Scan(volume, frame, stands_out, clip_hu)
    with ThreadPoolExecutor(WORKERS) as pool:
        run = pool.map
        look = look_of(scan, groups, run)
        if look is None:
            lone = [s for e in explain_all(scan, groups, UNKNOWN, run, 1) for s in _seeds_of(e)]
            return _once([s for s in lone if _sure_alone(s)])
        explained = explain_all(scan, groups, look, run)
        rods = [(e, k) for e in explained for k in range(len(e.fit.centres))]
        centres = np.array([e.fit.centres[k] for e, k in rods]).reshape(-1, 3)
        explained = list(run(lambda e: _beside_others(e, rods, centres, look), explained))
        # Of some, what was bright is their neighbours'.
        explained = [e for e in explained if e.fit.explained_within >= LEAST_WITHIN]
        told = list(run(lambda e: bodies(e, look), explained))
        explained = list(run(lambda e: _at_height(e, look, frame), explained))
    seeds = [
        replace(s, body=body)
        for e, of_rods in zip(explained, told, strict=True)
        for s, body in zip(_seeds_of(e), of_rods, strict=True)
    ]
    seeds = [s for s in seeds if alike(s.amplitude, s.spread_mm, look)]
    return _once([s for s in seeds if not too_much(s.amplitude, s.explained, look)])


def _beside_others(
    one: Explained, rods: list[tuple[Explained, int]], centres: FloatArray, look: Look
) -> Explained:
    """Fit a group again, with the images of its neighbours taken into account.

    Args:
        one: the group.
        rods: all groups' rods: the group, and which of its rods.
        centres: (n, 3) of these rods.
        look: how one seed looks.
    """
    patch = one.patch
    others = np.zeros(patch.hu.shape)
    low = np.array((patch.x[0], patch.y[0], patch.z[0])) - FAR_MM
    high = np.array((patch.x[-1], patch.y[-1], patch.z[-1])) + FAR_MM
    for at in np.flatnonzero(((centres > low) & (centres < high)).all(axis=1)):
        other, which = rods[at]
        if other is not one:
            others += image(patch, other.fit, which)
    if others.max() < 1.0:
        return one
    beside = replace(patch, others=others)
    return replace(one, patch=beside, fit=fit_rods(beside, look, one.fit.centres, one.fit.axes))


def _at_height(one: Explained, look: Look, frame: ScanFrame) -> Explained:
    """Place the seeds of a group in thick slices by what the slices beside their own show.

    Args:
        one: a group.
        look: how one seed looks.
        frame: of the scan.
    """
    if frame.slice_mm < THICK_MM:
        return one
    points = frame.of_index(one.group.index[:, ::-1].astype(np.float64))
    if len(one.fit.centres) == 1:
        lone = depth(one.patch, points, look)
        fit, found_all = _begun_there(one, look, lone), [lone]
    else:
        fit, found_all = one.fit, depths(one.patch, points, look, one.fit)
    # Where the scan clips, slices' shares are not what they were.
    share = WAY if frame.slice_mm >= OPEN_MM and not one.patch.clips else 0.0
    by_mm = [
        0.0 if found is None else share * (found[0] - z)
        for found, z in zip(found_all, fit.centres[:, 2], strict=True)
    ]
    centres = lifted(fit.centres, fit.axes, np.array(by_mm))
    covariance = fit.covariance_mm2.copy()
    for k, found in enumerate(found_all):
        if found is not None:
            covariance[k] = _with_height(covariance[k], centres[k, 2], found)
    return replace(one, fit=replace(fit, centres=centres, covariance_mm2=covariance))


def _begun_there(one: Explained, look: Look, found: tuple[float, float] | None) -> Fit:
    """Fit a lone seed again, from where the slices beside its own place it."""
    fit = one.fit
    if found is None or found[1] >= KNOWN * one.patch.slice_mm:
        return fit
    centre = fit.centres.copy()
    centre[0, 2] = found[0]
    again = fit_rods(one.patch, look, centre, fit.axes)
    return again if again.cost < fit.cost + ABOUT_AS_PROBABLE else fit


def _with_height(
    covariance: FloatArray, height_mm: float, probable: tuple[float, float]
) -> FloatArray:
    """Return (3, 3) a covariance with that of the height put in.

    The fit knows the slope where it ends, and nothing of other heights that are as probable.
    Those are known no better than fit and slices' shares agree: real slices' edges are softer
    or sharper than any model of them.

    Args:
        covariance: (3, 3) of a centre, mm^2.
        height_mm: of the centre.
        probable: mean of the heights that are probable, and their standard deviation, mm.
    """
    sigma = max(float(np.hypot(probable[1], height_mm - probable[0])), LEAST_SIGMA_MM)
    scale = np.array((1.0, 1.0, sigma / np.sqrt(covariance[2, 2])))
    return np.asarray(covariance * np.outer(scale, scale))


def _seeds_of(one: Explained) -> list[SeedFit]:
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


def _once(seeds: list[SeedFit]) -> list[SeedFit]:
    """Keep the better explained of two seeds at one place."""
    kept: list[SeedFit] = []
    ordered = sorted(seeds, key=lambda s: -s.explained_within)
    taken = np.full((len(ordered), 3), np.inf)
    for seed in ordered:
        if (np.linalg.norm(taken - seed.centre, axis=1) >= SAME_SEED_MM).all():
            taken[len(kept)] = seed.centre
            kept.append(seed)
    return kept
