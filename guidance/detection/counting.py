"""How many rods a group holds: as few as explain it, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guidance.detection.candidates import Group, small, split, uncut
from guidance.detection.capsules import UP, apart, in_line, moved_apart
from guidance.detection.depths import THICK_MM
from guidance.detection.patches import Scan, lone_size, moments, parts, patch_of, voxels
from guidance.detection.rods import Fit, Look, Patch, Start, fit_best, fit_rods

FloatArray = NDArray[np.float64]

# Bone and clutter beside a seed are left unexplained; the seed's own image must not be. Where
# the model describes lone seeds better, others are held to that: so many times what it leaves
# of them, at least.
LEAST_WITHIN = 0.93
TIMES_LEFT, LEAST_LEFT = 10.0, 0.02
# Of a piece of larger metal, most is left: bone and clutter are not so bright.
LEAST_EXPLAINED = 0.55
# Where no clutter was cut away, of a large clump and its parts, bone is told from seeds by more:
# plates of vertebrae in slices of 5 mm were explained by five rods to 0.85 and more. By less where
# a few rods are described about as well as the scan's lone seeds are: so many times what is left
# of those.
LEAST_OF_UNCUT, LEAST_OF_FEW, FEW_RODS, TIMES_LEFT_OF_FEW = 0.93, 0.8, 3, 3.0
# What is explained less after the first steps of a fit never comes so far.
WORTH_GOING_ON = 0.7
# How far a seed's metal may differ from that of the scan's sure ones.
ALIKE_AMPLITUDE = 1.45
# A group of which more than clutter is left, and whose rods hold so many times as much more as
# the scan's seeds scatter by, is of something larger.
TIMES_SCATTER, LEAST_MORE, CLUTTERED = 6.0, 0.15, 0.92
# And how much wider it may be seen: where the scale clips, the brighter looks the wider.
WIDER_MM = 0.2
MOST_RODS = 6
# So well explained, its own image and all there is, with no more metal than a seed has, a group
# holds no further one.
WELL_WITHIN, PLAIN_AMPLITUDE, PLAIN_EXPLAINED = 0.985, 1.2, 0.85
# A further rod has six free parameters (Schwarz, Ann. Stat. 6, 461, 1978).
ROD_PARAMETERS = 6
# Beside fewer that can be seeds a further one needs very strong evidence (twice the logarithm of
# how many times as probable; Kass and Raftery, J. Am. Stat. Assoc. 90, 773, 1995).
# Of thinner slices each shows less of several, and more slices tell them apart.
SURER, SURER_FROM_MM = 10.0, 2.5
# Of the metal that a lone seed's voxels hold, a group must hold so much, less in thick slices, of
# which two that share a seed show too little each; and so much for each of several.
LEAST_HELD, LEAST_HELD_IN_THICK, LEAST_HELD_EACH = 0.45, 0.3, 0.6
# Rods that share a place are moved apart, held there so closely, and fitted again: more closely
# where the image would have them back.
HELD_MM = (0.15, 0.05)
# What is seen of a seed is at least this long.
SEEN_MM = 3.0


@dataclass(frozen=True, eq=False)
class Explained:
    """A group with the rods that explain it.

    Attributes:
        group: the voxels.
        patch: the piece of the scan the rods were fitted to.
        fit: the rods.
        margin: by how much the next best number of rods is less probable (twice its logarithm).
    """

    group: Group
    patch: Patch
    fit: Fit
    margin: float


Run = Callable[..., Iterable[Any]]


def explain_all(
    scan: Scan, groups: list[Group], look: Look, run: Run, most: int = MOST_RODS
) -> list[Explained]:
    """Explain all groups; those that rods do not explain are split and tried again.

    Args:
        scan: what they are groups of.
        groups: where metal may be.
        look: how one seed looks.
        run: maps a function over groups.
        most: how many rods a group may hold.
    """
    found: list[Explained] = []
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


def _explain(scan: Scan, group: Group, look: Look, most: int) -> Explained | None:
    """Explain a group by as few rods as explain it; None if none do."""
    if most == 1 and not lone_size(group, scan.frame):
        return None
    patch = patch_of(scan, group)
    points, weight = voxels(scan, group, patch)
    # How many seeds' metal the group holds; where it clips, less is seen.
    held = float(weight.sum()) * scan.voxel_mm3 / (look.inside * look.amplitude[0])
    if held < (LEAST_HELD if patch.slice_mm < THICK_MM else LEAST_HELD_IN_THICK):
        return None
    surer = SURER if patch.slice_mm >= SURER_FROM_MM else 0.0
    best: Fit | None = None
    fewer: Fit | None = None
    scores: list[float] = []
    most = min(most, max(1, int(held / LEAST_HELD_EACH)))
    for n in range(1, most + 1):
        # Explained well where the rods are is not enough while the group holds another's metal.
        enough = held < n - 1 + LEAST_HELD_EACH
        if best is not None and enough and _plain(best, look):
            break
        fit = _fitted(patch, look, (points, weight), fewer, n, most)
        scores.append(fit.cost + n * ROD_PARAMETERS * float(np.log(max(fit.points, 2.0))))
        better = scores[-1] <= min(scores[:-1], default=np.inf) - (
            surer if best is not None else 0.0
        )
        # Too few rods hold too much metal each: that may mend itself with one more.
        few = held > n + LEAST_HELD_EACH or _too_few(fit, look)
        if n > 1 and not (better and (_possible(fit, look) or few)):
            break
        fewer = fit
        if _possible(fit, look):
            best = fit
    if best is None or best.explained_within < _least_within(look):
        return None
    least = LEAST_EXPLAINED
    if uncut(group, scan.frame):
        well = best.explained_within >= max(WELL_WITHIN, 1.0 - TIMES_LEFT_OF_FEW * look.left)
        least = LEAST_OF_FEW if well and len(best.centres) <= FEW_RODS else LEAST_OF_UNCUT
    if best.explained < least:
        return None
    ordered = sorted(scores)
    margin = ordered[1] - ordered[0] if len(ordered) > 1 else np.inf
    return Explained(group, patch, best, margin)


def _fitted(
    patch: Patch,
    look: Look,
    seen: tuple[FloatArray, FloatArray],
    fewer: Fit | None,
    n: int,
    most: int,
) -> Fit:
    """Return the best fit of n rods.

    Args:
        patch: the piece of the scan.
        look: how one seed looks.
        seen: (n, 3) voxels of the group, mm, and (n,) how much they rise.
        fewer: the fit with one rod less; None if there is none.
        n: how many rods.
        most: how many are tried.
    """
    starts = _starts(patch, *seen, fewer, n)
    if n > 1:
        return free_of_others(patch, look, fit_best(patch, look, starts))
    worth = WORTH_GOING_ON if most == 1 else 0.0
    fit = fit_best(patch, look, starts, worth, if_thin(patch, WELL_WITHIN))
    if patch.slice_mm < THICK_MM or fit.explained_within >= _least_within(look):
        return fit
    # Of a seed that slices share each shows little, and the voxels' mean may lie far off it.
    between = fit_best(patch, look, edge_starts(*seen, patch.slice_mm))
    return min(fit, between, key=lambda f: f.cost)


def alike(amplitude: float, spread_mm: float, look: Look) -> bool:
    """Tell whether a rod has a seed's metal, and is as sharp."""
    share = amplitude / look.amplitude[0]
    return (
        1 / ALIKE_AMPLITUDE <= share <= ALIKE_AMPLITUDE
        and spread_mm <= look.spread_mm[0] + WIDER_MM
    )


def _least_within(look: Look) -> float:
    """Return how much of its own image must be explained of a group's rods in this scan."""
    return max(LEAST_WITHIN, 1.0 - max(TIMES_LEFT * look.left, LEAST_LEFT))


def too_much(amplitude: float, explained: float, look: Look) -> bool:
    """Tell whether a rod, in a group ill explained, has more metal than the scan's seeds."""
    more = max(TIMES_SCATTER * look.scatter, LEAST_MORE)
    return explained < CLUTTERED and amplitude > look.amplitude[0] * (1.0 + more)


def _possible(fit: Fit, look: Look) -> bool:
    """Tell whether rods can be seeds: each with a seed's metal, sharp, none inside another.

    Three end to end in one line are taken for a piece of a needle.
    """
    free = apart(fit.centres, fit.axes) and not in_line(fit.centres, fit.axes)
    return free and _of_metal(fit, look)


def _of_metal(fit: Fit, look: Look) -> bool:
    """Tell whether each rod has a seed's metal, and is as sharp."""
    return all(alike(float(a), fit.spread_mm, look) for a in fit.amplitudes)


def _too_few(fit: Fit, look: Look) -> bool:
    """Tell whether a rod has the metal of more than one seed."""
    return bool(fit.amplitudes.max() > ALIKE_AMPLITUDE * look.amplitude[0])


def free_of_others(patch: Patch, look: Look, fit: Fit) -> Fit:
    """Return rods that share a place as they fit the image once they do not."""
    if not _of_metal(fit, look) or apart(fit.centres, fit.axes):
        return fit
    moved = moved_apart(fit.centres, fit.axes)
    for held_mm in HELD_MM:
        tried = [fit_rods(patch, look, c, fit.axes, held_mm=held_mm) for c in moved]
        free = [f for f in tried if apart(f.centres, f.axes)]
        if free:
            return min(free, key=lambda f: f.cost)
    return fit


def _plain(fit: Fit, look: Look) -> bool:
    """Tell whether rods explain a group so well that no further one need be tried."""
    share = fit.amplitudes / look.amplitude[0]
    well = fit.explained_within >= WELL_WITHIN and fit.explained >= PLAIN_EXPLAINED
    return well and bool((share < PLAIN_AMPLITUDE).all())


def _starts(
    patch: Patch, points: FloatArray, weight: FloatArray, fewer: Fit | None, n: int
) -> list[Start]:
    """Return where to start n rods: beside, along and across those of the fit with fewer."""
    if fewer is None:
        return lone_starts(points, weight, patch.slice_mm)
    starts = [parts(points, weight, n)]
    for which in range(n - 1):
        centre, axis = fewer.centres[which], fewer.axes[which]
        aside = np.cross(axis, UP)
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
    axes = np.vstack((fewer.axes, fewer.axes[nearest]))
    # Of thick slices two may share it.
    half = 0.5 * patch.slice_mm
    for up in (0.0, half, -half) if patch.slice_mm >= THICK_MM else (0.0,):
        starts.append((np.vstack((fewer.centres, at + up * UP)), axes))
    return starts


def if_thin(patch: Patch, well: float) -> float:
    """Return how well one start must explain a lone seed for no other to be tried.

    In thick slices no start explains it so well that another tilt would not as well.
    """
    return well if patch.slice_mm < THICK_MM else np.inf


def lone_starts(points: FloatArray, weight: FloatArray, slice_mm: float) -> list[Start]:
    """Return where to start one rod: as it seems to lie, flat, steeper, and upright.

    Not steeper than the voxels (n, 3) are high, for which a slice more or less is allowed.
    """
    centre, axis = moments(points, weight)
    flat = _flat(axis)
    axes = [axis[0], flat[0], *(flat + 0.6 * UP), *(flat - 0.6 * UP), *(UP + 0.1 * flat)]
    high = float(np.ptp(points[:, 2])) + 1.5 * slice_mm
    units = [a / np.linalg.norm(a) for a in axes]
    return [(centre, a[None]) for a in units[:2]] + [
        (centre, a[None]) for a in units[2:] if SEEN_MM * abs(a[2]) <= high
    ]


def _flat(axis: FloatArray) -> FloatArray:
    """Return (1, 3) an axis laid into the plane."""
    flat = axis * (1.0, 1.0, 0.0) + (1e-3, 0.0, 0.0)
    return np.asarray(flat / np.linalg.norm(flat))


def edge_starts(points: FloatArray, weight: FloatArray, slice_mm: float) -> list[Start]:
    """Return where to start one flat rod that slices share: at each edge of those it is seen in."""
    centre, axis = moments(points, weight)
    flat = _flat(axis)
    low, high = points[:, 2].min() - 0.5 * slice_mm, points[:, 2].max() + slice_mm
    return [
        (np.array([[centre[0, 0], centre[0, 1], z]]), flat) for z in np.arange(low, high, slice_mm)
    ]
