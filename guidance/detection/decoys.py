"""What looks like seeds and is none: droplets, calcifications, markers, clips, pieces of needles.

Seeds of one scan hold the same metal in the same length. Against that stands one body of any
metal, length and width, drawn as a rod that nothing is known of. Where it leaves clearly less of
a rod's image, or no more of several rods' that lie together, and is no seed by its metal and
length, it was that body and not they. Several rods are more free than one body: three that leave
less than it, but by no more than so much freedom does of anything, are none. Beside bone and
streaks it leaves less of a seed as well: only what it leaves hardly anything of counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from guidance.detection.counting import LEAST_WITHIN, ROD_PARAMETERS, Explained
from guidance.detection.depths import THICK_MM
from guidance.detection.rods import Fit, Look, Patch, Start, fit_best, fit_rods, image

FloatArray = NDArray[np.float64]

# A body of any metal (times a seed's, and its standard deviation), length and width, mm.
METAL = 0.7
LENGTH_MM, SPREAD_MM, NORMAL_MM = (3.0, 2.0), 0.4, 0.5
# A rod of which so little more is left than of the scan's lone seeds, and which need not be so
# much shorter, is a seed; what is taken for a longer body is left this ill by seeds.
TIMES_LEFT, TIMES_LEFT_LONG, NOT_SHORTER_MM = 1.5, 2.0, 0.15
# Rods whose centres lie no further apart may be one body.
TOGETHER_MM = 4.8
# The rods of a look are so much longer than the same seeds' are where nothing is known of them:
# median of 820 seeds of the virtual scanner, 0.02 to 0.14 mm by slice thickness.
LOOK_LONGER_MM = 0.05


# Thresholds below: between seeds and look-alikes of the virtual scanner, 17 hard cases at four
# slice thicknesses (``docs/validation.md``). By how much less probable the rods must be (twice
# the logarithm); a body of four free figures against two rods' fourteen need not be better.
FAIRLY, CLEARLY, SURELY, NO_MORE, AS_GOOD = 8.0, 12.0, 20.0, -8.0, -1.0
# Three rods and more, in place of one body, must be worth so many times what their parameters
# cost: of gold, which clips and casts black streaks, they leave a little less. In 57 drawings
# three for what holds no seed were worth up to 1.0 times as much, three seeds 1.3 times or more.
WORTH = 1.2
# And the body holds as much metal as they, or it is a droplet and one seed of them. Where they
# are worth no more than half of what they cost, nothing else need speak against them.
AS_MUCH, HARDLY_WORTH = 0.95, 0.5
# Of a droplet's image a body leaves hardly anything; no body leaves more than the rods by this. Of
# two that cross, a body fairly better leaves 0.019 or more, one no worse 0.006; of droplets drawn
# as two rods, 0.007 and 0.001.
NEARLY_ALL, ALL, WHOLLY, NO_WORSE = 0.98, 0.99, 0.995, 0.03
# Larger metal leaves no more than one rod in its place; what does and is better is the clutter.
AS_WELL = 0.006
# A droplet is shorter than a seed (mm), or a little shorter for a seed's metal.
SHORTER_MM, MUCH_SHORTER_MM, ROUND_MM, ROUND = -0.3, -1.2, 2.5, 1.7
# Or it is blurred more along the normal than seeds are, by this: it is as high as it is long.
HIGHER_MM = 0.22
# Seeds that stand steep look longer: of what rises more than this, length says nothing.
LONGER_MM, LONGER_TOGETHER_MM, STEEP = 0.9, 4.0, 0.3
# Metal of one body in place of one seed, or of one that takes the place of each of several: where
# they are described about as well as lone seeds are, more. Two that cross hide behind each other,
# and one body makes up for it by up to 1.32 times theirs.
MASSIVE_METAL, MARKER_METAL, SURELY_METAL, ILL = 2.1, 1.2, 1.35, 2.5
# Where nothing is known of a rod's lie, in parts of its vector; and of one that stands. Rays that
# cross a standing seed are not starved as those along a flat one are: up to so much more is seen.
ANY_TURN, UPRIGHT = 3.0, np.array((0.1, 0.0, 1.0)) / np.hypot(0.1, 1.0)
STANDING_METAL = 0.3
COMPACT = "it is rounder than a seed: a droplet or a calcification"
LONG = "it is longer than a seed: a clip or a piece of a needle"
MASSIVE = "it holds more metal than seeds in its place would: a marker or a larger piece"


@dataclass(frozen=True, eq=False)
class Body:
    """One body that explains what rods were said to.

    Attributes:
        centre: (3,) scan frame, mm.
        what: in words.
    """

    centre: FloatArray
    what: str


def bodies(one: Explained, look: Look) -> list[Body | None]:
    """Return of each rod of a group what it was taken for, None for a seed.

    Args:
        one: the group.
        look: how one seed looks.
    """
    count = len(one.fit.centres)
    found: list[Body | None] = [None] * count
    for rods in _subsets(one.fit, look):
        if all(found[k] is not None for k in rods):
            continue
        body = _body(one, look, rods)
        for k in rods if body is not None else ():
            found[k] = found[k] or body
    return found


def _subsets(fit: Fit, look: Look) -> Iterable[tuple[int, ...]]:
    """Yield which rods may be one body: those together, most first, then each that fits ill."""
    count = len(fit.centres)
    for size in (4, 3, 2):
        for rods in combinations(range(count), size):
            centres = fit.centres[list(rods)]
            if np.linalg.norm(centres[:, None] - centres[None], axis=2).max() < TOGETHER_MM:
                yield rods
    shorter = fit.length_mm < look.length_mm[0] - NOT_SHORTER_MM
    if shorter or fit.explained_within < 1.0 - TIMES_LEFT * look.left:
        yield from ((k,) for k in range(count))


def _body(one: Explained, look: Look, rods: tuple[int, ...]) -> Body | None:
    """Return the one body that some rods of a group are, None if they are seeds."""
    patch, seeds = _apart(one, look, rods)
    size = len(rods)
    free = replace(
        look,
        amplitude=(size * look.amplitude[0], METAL * size * look.amplitude[0]),
        spread_mm=(look.spread_mm[0], SPREAD_MM),
        normal_mm=(look.normal_mm[0], NORMAL_MM),
        length_mm=LENGTH_MM,
    )
    body = fit_best(patch, free, _starts(seeds))
    what = _told(body, seeds, look)
    doubted = what is (COMPACT if size == 1 else MASSIVE) and len(one.fit.centres) > 1
    if doubted and patch.slice_mm >= THICK_MM:
        # Of seeds that touch, one may cross the needles: it is as likely in any direction.
        lying = replace(look, axis=None, turn=ANY_TURN, rise=ANY_TURN)
        if size == 1:
            metal = (look.amplitude[0], STANDING_METAL * look.amplitude[0])
            lying = replace(lying, amplitude=metal)
        what = _told(body, fit_best(patch, lying, _turned(seeds)), look, beside=True)
    return None if what is None else Body(body.centres[0], what)


def _told(body: Fit, seeds: Fit, look: Look, beside: bool = False) -> str | None:
    """Return what a body is in place of rods, None if they may be seeds.

    Of one beside others that are known but for their error, more must speak against it.
    """
    against, size = _against(body, seeds, look), len(seeds.centres)
    if size > 1:
        return _instead_of(against, size, seeds.points)
    return None if beside and against.gain < SURELY else _instead_of_one(against)


def _turned(seeds: Fit) -> list[Start]:
    """Return where to start rods that may lie in any direction: as they do, and each upright."""
    starts = [(seeds.centres, seeds.axes)]
    for k in range(len(seeds.axes)):
        axes = seeds.axes.copy()
        axes[k] = UPRIGHT
        starts.append((seeds.centres, axes))
    return starts


def _apart(one: Explained, look: Look, rods: tuple[int, ...]) -> tuple[Patch, Fit]:
    """Return the patch with a group's other rods taken as known, and the fit of these."""
    others = [k for k in range(len(one.fit.centres)) if k not in rods]
    if not others:
        return one.patch, one.fit
    known = sum((image(one.patch, one.fit, k) for k in others), np.zeros(one.patch.hu.shape))
    if one.patch.others is not None:
        known = known + one.patch.others
    patch = replace(one.patch, others=known)
    chosen = list(rods)
    return patch, fit_rods(patch, look, one.fit.centres[chosen], one.fit.axes[chosen])


def _starts(seeds: Fit) -> list[Start]:
    """Return where to start the body: amid the rods, along each, from one to one, and flat.

    A droplet is as high as it is long: from a steep start it would end as an upright rod.
    """
    middle = seeds.centres.mean(axis=0)[None]
    flat = seeds.axes[0] * (1.0, 1.0, 0.0) + (1e-3, 0.0, 0.0)
    along = list(seeds.axes)
    if len(along) == 1:
        along.append(flat / np.linalg.norm(flat))
    else:
        across = seeds.centres[1] - seeds.centres[0]
        along.append(across / max(float(np.linalg.norm(across)), 1e-6))
    return [(middle, axis[None]) for axis in along]


@dataclass(frozen=True)
class _Against:
    """How one body compares with the rods in whose place it stands.

    Attributes:
        gain: by how much the rods are less probable (twice the logarithm).
        metal: of the body, in seeds.
        longer_mm: than a seed.
        higher_mm: blurred more along the normal than seeds are.
        narrow: hardly wider than a seed.
        steep: rises too much for its length to be known.
        explained: share of the image that it explains.
        no_worse: it explains about as much of the image as the rods.
        as_well: it explains as much.
        left: what the rods leave, in parts of what lone seeds do.
    """

    gain: float
    metal: float
    longer_mm: float
    higher_mm: float
    narrow: bool
    steep: bool
    explained: float
    no_worse: bool
    as_well: bool
    left: float


def _against(body: Fit, seeds: Fit, look: Look) -> _Against:
    return _Against(
        gain=seeds.cost - body.cost,
        metal=float(body.amplitudes[0]) / look.amplitude[0],
        longer_mm=abs(body.length_mm) - (look.length_mm[0] - LOOK_LONGER_MM),
        higher_mm=body.normal_mm - look.normal_mm[0],
        narrow=body.spread_mm < look.spread_mm[0] + SPREAD_MM / 2,
        steep=bool(abs(body.axes[0, 2]) >= STEEP),
        explained=body.explained_within,
        no_worse=body.explained_within > seeds.explained_within - NO_WORSE,
        as_well=body.explained_within > seeds.explained_within - AS_WELL,
        left=(1.0 - seeds.explained_within) / look.left,
    )


def _instead_of_one(a: _Against) -> str | None:
    """Return what a body in place of one rod is, None if it may be a seed."""
    much_shorter = a.longer_mm < MUCH_SHORTER_MM and a.narrow
    if a.gain < (FAIRLY if much_shorter else CLEARLY):
        return None
    massive = a.metal - a.longer_mm / ROUND_MM > ROUND
    high = a.higher_mm > HIGHER_MM and a.gain > SURELY
    compact = much_shorter or (a.longer_mm < SHORTER_MM and (massive or high))
    if a.explained > NEARLY_ALL and compact:
        return COMPACT
    if a.no_worse and not a.steep and a.longer_mm > LONGER_MM and a.left > TIMES_LEFT_LONG:
        return LONG
    return MASSIVE if a.as_well and a.metal > MASSIVE_METAL else None


def _instead_of(a: _Against, size: int, points: float) -> str | None:
    """Return what a body in place of several rods is, None if they may be seeds.

    Args:
        a: how it compares.
        size: how many rods.
        points: how many independent points their fit stood on.
    """
    metal = MARKER_METAL if a.left > ILL else SURELY_METAL
    if a.no_worse and a.metal > metal * size and a.gain > AS_GOOD:
        return MASSIVE
    if a.gain > NO_MORE and a.longer_mm > LONGER_TOGETHER_MM:
        return LONG
    all_of_it = a.gain > 0.0 and a.explained > (ALL if a.gain > FAIRLY else WHOLLY)
    if a.no_worse and all_of_it and a.longer_mm < MUCH_SHORTER_MM:
        return COMPACT
    cost = ROD_PARAMETERS * (size - 1) * float(np.log(points))
    freer = -WORTH * cost if a.metal > AS_MUCH * size else 0.0
    # Three seeds are described as well as lone ones are, and one body leaves something of them.
    unlike_seeds = a.left > TIMES_LEFT or a.explained > ALL
    none = a.gain > -HARDLY_WORTH * cost or (a.gain > freer and unlike_seeds)
    if size > 2 and none and a.explained > LEAST_WITHIN:
        return COMPACT if a.longer_mm < SHORTER_MM else MASSIVE
    return None
