"""How a seed looks in one scan, learned from its lone seeds: metal, sharpness, length, lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from guidance.detection.candidates import Group, small, split
from guidance.detection.counting import (
    LEAST_WITHIN,
    WORTH_GOING_ON,
    Explained,
    Run,
    if_thin,
    lone_starts,
)
from guidance.detection.depths import THICK_MM, softness
from guidance.detection.patches import OF_MEDIAN, Scan, excess, lone_size, patch_of, voxels
from guidance.detection.rods import RISE, TURN, Fit, Look, Patch, fit_best, fit_rods, image

FloatArray = NDArray[np.float64]

# How starved rays are, by how dark it is off the ends of flat seeds, as a share of their
# brightness: measured on lone seeds of known tilt in the virtual scanner.
STARVED_BY_DARK, MOST_STARVED = 25.0, 1.6
# Metal of one seed as the scan shows it, HU mm^3: 3e4 to 5e4 in a scan of a real scanner that
# clips, less with softer kernels. What is seen of its length: 2.5 to 2.8 mm in the virtual scanner,
# 3.4 mm in that scan. A guess too long would have flat seeds in thick slices tilt.
UNKNOWN = Look((32000.0, 16000.0), (0.6, 0.2), (0.35, 0.1), (3.0, 0.6))
LEAST_AMPLITUDE, MOST_AMPLITUDE = 14000.0, 110000.0
# Seeds of one batch hold the same metal; streaks and bone beside them change what is seen.
AMPLITUDE_SHARE, SPREAD_MM, NORMAL_MM, LENGTH_MM = 0.1, 0.05, 0.05, 0.15
# Metal is as sharp as the scanner draws it; bone and calcification of this brightness are wider.
WIDEST_SPREAD_MM = 0.8
SURE_WITHIN, SURE_EXPLAINED = 0.97, 0.9
# Where streaks lie around seeds, many that agree stand for a few that are surer.
FAIRLY_EXPLAINED, MANY = 0.78, 8
# More than so many tell no more of how seeds look: medians of them are off by a sixth of what
# they scatter. Groups are looked at so many at a time until there are as many.
PLENTY, ROUND = 60, 32
# How many must show how seeds look.
ENOUGH_SURE = 3
# What has a seed's metal up to this share is likely one.
LIKELY = 0.35
# However well the model fits lone seeds, beside others it will leave a little.
LEAST_MISFIT = 0.3
# Seeds follow their needles. Directions that scatter more than this are no common one; however
# little they scatter, a seed may lie this far off, in parts of its vector.
MOST_TURN, LEAST_TURN, LEAST_RISE = 0.6, 0.2, 0.2
# Where it is dark off a seed's ends: so far beyond them and to either side; in so many voxels;
# not of seeds steeper than this part along the normal.
DARK_MM, DARK_ASIDE_MM, ENOUGH_DARK, MOST_DARK_RISE = (0.8, 1.8), 0.7, 3, 0.5


def look_of(scan: Scan, groups: list[Group], run: Run) -> Look | None:
    """Return how a seed looks in a scan, None if too few show it.

    Args:
        scan: what is looked at.
        groups: where metal may be.
        run: maps a function over groups.
    """
    lone = _looked_at(scan, groups, run)
    sure = [e for e in lone if _sure(e.fit)]
    if len(sure) < MANY:
        sure = [e for e in sure if e.fit.explained >= SURE_EXPLAINED]
    if len(sure) < ENOUGH_SURE:
        return None
    amplitude = _mode([float(e.fit.amplitudes[0]) for e in sure])
    alike = [e for e in sure if abs(e.fit.amplitudes[0] / amplitude - 1) < 0.25]
    if len(alike) < ENOUGH_SURE:
        return None
    fits = [e.fit for e in alike]
    held = [voxels(scan, e.group, e.patch)[1].sum() * scan.voxel_mm3 / amplitude for e in alike]
    look = Look(
        (amplitude, AMPLITUDE_SHARE * amplitude),
        (float(np.median([f.spread_mm for f in fits])), SPREAD_MM),
        UNKNOWN.normal_mm,
        (float(np.median([f.length_mm for f in fits])), UNKNOWN.length_mm[1]),
        inside=float(np.median(held)),
        starved=_starved(alike),
    )
    if (soft := _softness(scan, alike, look)) is not None:
        look = replace(look, normal_mm=(soft, NORMAL_MM))
    again = list(run(_again(look), alike))
    misfit = float(np.median([f.cost / f.points for f in again]))
    metal = np.array([f.amplitudes[0] for f in again])
    look = replace(
        look,
        normal_mm=(
            _weighed([(f.normal_mm, f.heard_normal) for f in again]) if soft is None else soft,
            NORMAL_MM,
        ),
        length_mm=(float(np.median([f.length_mm for f in again])), LENGTH_MM),
        misfit=max(misfit, LEAST_MISFIT),
        left=float(np.median([1.0 - f.explained_within for f in again])),
        scatter=OF_MEDIAN * float(np.median(np.abs(metal / np.median(metal) - 1.0))),
    )
    likely = [e for e in lone if abs(e.fit.amplitudes[0] / amplitude - 1) < LIKELY]
    refitted = list(run(_again(look), likely))
    good = [f.axes[0] for f in refitted if f.explained_within >= LEAST_WITHIN]
    return _lying(look, np.array([f.axes[0] for f in again]), np.array(good).reshape(-1, 3))


def _looked_at(scan: Scan, groups: list[Group], run: Run) -> list[Explained]:
    """Explain groups from all over the scan by one rod each, until plenty are surely seeds."""
    rounds = -(-len(groups) // ROUND)
    lone: list[Explained] = []
    for first in range(rounds):
        seen = run(lambda g: _lone(scan, g), groups[first::rounds])
        lone += [e for e in seen if e is not None]
        if sum(_sure(e.fit) for e in lone) >= PLENTY:
            break
    return lone


def _softness(scan: Scan, lone: list[Explained], look: Look) -> float | None:
    """Return how soft the edges of thick slices are; None of thin ones, and where nothing tells.

    In thin slices each seed tells so itself.
    """
    if scan.frame.slice_mm < THICK_MM:
        return None
    places = (scan.frame.of_index(e.group.index[:, ::-1].astype(np.float64)) for e in lone)
    return softness(((e.patch, p) for e, p in zip(lone, places, strict=True)), look)


def _again(look: Look) -> Callable[[Explained], Fit]:
    """Return what fits a lone seed once more, by how seeds look."""
    return lambda e: fit_rods(e.patch, look, e.fit.centres, e.fit.axes)


def _lone(scan: Scan, group: Group) -> Explained | None:
    """Explain a group, or the one piece of it that a higher level leaves, by one rod."""
    while not small(group, scan.frame):
        pieces = split(group, scan.stands_out, scan.frame)
        if len(pieces) != 1:
            return None
        group = pieces[0]
    if not lone_size(group, scan.frame):
        return None
    patch = patch_of(scan, group)
    if excess(scan, patch) < LEAST_AMPLITUDE:
        return None
    points, weight = voxels(scan, group, patch)
    starts = lone_starts(points, weight, patch.slice_mm)
    fit = fit_best(patch, UNKNOWN, starts, WORTH_GOING_ON, if_thin(patch, SURE_WITHIN))
    return Explained(group, patch, fit, 0.0)


def _sure(fit: Fit) -> bool:
    """Tell whether a rod is surely a seed, as far as one can know without others."""
    return (
        fit.explained_within >= SURE_WITHIN
        and fit.explained >= FAIRLY_EXPLAINED
        and fit.spread_mm <= WIDEST_SPREAD_MM
        and LEAST_AMPLITUDE <= fit.amplitudes[0] <= MOST_AMPLITUDE
    )


def _starved(lone: list[Explained]) -> float:
    """Return how starved rays along seeds are, by how dark it is off the ends of lone ones."""
    dark = [d for e in lone if (d := _darkness(e.patch, e.fit)) is not None]
    share = float(np.median(dark)) if len(dark) >= ENOUGH_SURE else 0.0
    return float(np.clip(STARVED_BY_DARK * share, 0.0, MOST_STARVED))


def _darkness(patch: Patch, fit: Fit) -> float | None:
    """Return how far it is below tissue off a seed's ends, as a share of its brightest voxel.

    None where the seed is steep, or too few voxels are left there.
    """
    axis, centre = fit.axes[0], fit.centres[0]
    if abs(axis[2]) > MOST_DARK_RISE:
        return None
    own = image(patch, fit, 0)
    k = int(np.argmax(own.max(axis=(1, 2))))
    x = patch.x + patch.shift[k, 0] - centre[0]
    y = (patch.y + patch.shift[k, 1] - centre[1])[:, None]
    flat = axis[:2] / np.linalg.norm(axis[:2])
    beyond = np.abs(x * flat[0] + y * flat[1]) - 0.5 * fit.length_mm
    aside = np.abs(y * flat[0] - x * flat[1])
    off = patch.use[k] & (beyond > DARK_MM[0]) & (beyond < DARK_MM[1]) & (aside < DARK_ASIDE_MM)
    if np.count_nonzero(off) < ENOUGH_DARK:
        return None
    return float((patch.height - patch.hu[k][off].mean()) / own[k].max())


def _weighed(values: Sequence[tuple[float, float]]) -> float:
    """Return the median of values, each counted as often as its weight, which follows it, says."""
    ordered = np.array(sorted(values))
    heard = np.cumsum(ordered[:, 1])
    return float(ordered[np.searchsorted(heard, 0.5 * heard[-1]), 0])


def _mode(values: Sequence[float]) -> float:
    """Return the median of the half of the values that lie nearest to each other in ratio."""
    ordered = np.sort(np.log(values))
    half = len(ordered) // 2 + 1
    widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
    first = int(np.argmin(widths))
    return float(np.exp(np.median(ordered[first : first + half])))


def _lying(look: Look, sure: FloatArray, likely: FloatArray) -> Look:
    """Add to a look how seeds lie: the direction they share, or else how steep they are.

    What one image says of a seed's tilt is little; many that lie alike say more. The sure ones
    show best how seeds lie in the plane. But many of them are sure because they lie in two
    slices: how steep is taken from all that are likely.
    """
    if min(len(sure), len(likely)) < MANY:
        return look
    common, turn = _shared(sure)
    if turn > MOST_TURN:
        rise = OF_MEDIAN * float(np.median(np.abs(likely[:, 2])))
        return replace(look, rise=float(np.clip(rise, LEAST_RISE, RISE)))
    of_all = _shared(likely)[0]
    of_all *= 1.0 if of_all @ common > 0 else -1.0
    signs = np.where(likely @ of_all < 0, -1.0, 1.0)
    rise = OF_MEDIAN * float(np.median(np.abs(signs * likely[:, 2] - of_all[2])))
    flat = np.sqrt(max(1.0 - of_all[2] ** 2, 0.0)) / max(np.hypot(*common[:2]), 1e-9)
    return replace(
        look,
        axis=np.array((flat * common[0], flat * common[1], of_all[2])),
        turn=float(np.clip(turn, LEAST_TURN, TURN)),
        rise=float(np.clip(rise, LEAST_RISE, RISE)),
    )


def _shared(axes: FloatArray) -> tuple[FloatArray, float]:
    """Return (3,) the direction nearest to all axes, and how far they scatter, radians."""
    common = np.linalg.eigh(axes.T @ axes)[1][:, -1]
    along = np.clip(np.abs(axes @ common), 0.0, 1.0)
    return common, OF_MEDIAN * float(np.median(np.arccos(along)))
