"""The image of thin metal rods, and the fit of rods to a piece of a scan.

A seed is a short line of metal. In the plane the scanner spreads it as a Gaussian, along the
normal it averages over the slice, and above its highest value it clips. Under the rods the
tissue is taken as a sloping plane. That is the whole model; several rods of one group are
fitted together by damped least squares (Marquardt, J. SIAM 11, 431, 1963), and what is known
of the scan's seeds (how much metal, how sharp, how long, how they lie) enters as a normal prior.

Off the ends of a rod, where rays pass through its whole length, almost no photons are left and
the image is black: such voxels say nothing of where the metal ends, and count little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import pi

import numpy as np
from numpy.typing import NDArray

from guidance.detection.solving import (
    FIRST_ROD,
    LENGTH,
    NORMAL,
    PER_ROD,
    SPREAD,
    draw,
    products,
    solve,
)

FloatArray = NDArray[np.float64]

# Points of the quadrature along a rod: near enough to each other for the sharpest image.
NODE_MM = 0.65
MOST_STEPS, FIRST_STEPS = 20, 6
# After the first steps: fits so much worse than the best do not catch up with it, and fits so
# near to one another end at one place.
WORSE, SAME_MM, SAME_COSINE = 1.5, 0.15, 0.98
# Clutter lies far off more often than a normal distribution has it: Student's t of so many degrees
# of freedom tells the ends of fits apart.
TAILS = 4.0
# Of a rod's brightest voxel: above this share is its own.
FOOTPRINT = 0.15
# What the model leaves of metal that it describes well, as a share of the metal's brightness,
# and what streaks leave around it, HU.
MISFIT_SHARE, MISFIT_HU = 0.05, 60.0
# A voxel darker than the tissue errs by so many times the darkness: a streak makes it dark.
DARK_SHARE = 2.0
# Where no direction is known, one may turn this far from the start's, in parts of its vector.
TURN, RISE = 0.8, 0.4
# Where a start is but a guess, a centre may move so far.
FREE_MM = 3.0


@dataclass(frozen=True, eq=False)
class Look:
    """How a seed of this scan looks: values and how far one may lie off them.

    Attributes:
        amplitude: metal of one seed, HU mm^3, and its standard deviation.
        spread_mm: Gaussian sigma in the plane, and its standard deviation.
        normal_mm: Gaussian sigma along the normal on either side of the slice.
        length_mm: of the part that is seen: in some models the marker, not the capsule.
        axis: (3,) unit direction that the scan's seeds share; None where they share none.
        turn: standard deviation of the axes' parts in the plane.
        rise: standard deviation of the axes' part along the normal.
        misfit: mean square of what the model leaves of lone seeds, in units of what was assumed.
        inside: share of a seed's metal that the voxels of its group hold.
        left: share of a lone seed's own image that the model leaves.
        scatter: standard deviation of lone seeds' metal, as a share.
        starved: how much more than in truth the ends of a flat seed differ in a slice that
            holds more of one. Rays along a seed lose all their photons: of the metal on their
            way too little is seen, and of what sets one end off from the other all is.
    """

    amplitude: tuple[float, float]
    spread_mm: tuple[float, float]
    normal_mm: tuple[float, float]
    length_mm: tuple[float, float]
    axis: FloatArray | None = None
    turn: float = TURN
    rise: float = RISE
    misfit: float = 1.0
    inside: float = 0.5
    left: float = 0.02
    scatter: float = 0.1
    starved: float = 0.0


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of a scan around a group of candidates, in the scan's frame.

    Attributes:
        hu: (nz, ny, nx) float64.
        use: (nz, ny, nx) voxels that count.
        x: (nx,) columns, mm.
        y: (ny,) rows, mm.
        shift: (nz, 2) offset of each slice in the plane, mm.
        z: (nz,) slices, mm.
        slice_mm: thickness.
        clip_hu: value at which the scan clips.
        others: (nz, ny, nx) what neighbours that are not fitted add, HU; None for nothing.
        tissue_hu: what lies around the group; None to guess it from the darker voxels.
        streaks_hu: how much that scatters, streaks included.
    """

    hu: FloatArray
    use: NDArray[np.bool_]
    x: FloatArray
    y: FloatArray
    shift: FloatArray
    z: FloatArray
    slice_mm: float
    clip_hu: float
    others: FloatArray | None = None
    tissue_hu: float | None = None
    streaks_hu: float = MISFIT_HU

    @cached_property
    def data(self) -> FloatArray:
        """(m,) HU of the voxels that count."""
        return self.hu[self.use]

    @cached_property
    def clips(self) -> bool:
        """Whether the scan's highest value cuts off some of the metal."""
        return bool(self.data.max() >= self.clip_hu)

    @cached_property
    def height(self) -> float:
        """HU of the tissue."""
        return self.darker if self.tissue_hu is None else self.tissue_hu

    @cached_property
    def darker(self) -> float:
        """HU of the darker voxels: of what lies under metal, streaks left aside."""
        return float(np.percentile(self.data, 15))

    @cached_property
    def error(self) -> FloatArray:
        """(m,) how far off the model is known to be, HU, standard deviation."""
        above = np.clip(self.data - self.height, 0.0, None)
        below = np.clip(self.height - self.data, 0.0, None)
        square = self.streaks_hu**2 + (MISFIT_SHARE * above) ** 2 + (DARK_SHARE * below) ** 2
        return np.asarray(np.sqrt(square))

    @cached_property
    def plane(self) -> FloatArray:
        """(4, m) one, and x, y and z from their mean: what a sloping plane is made of."""
        k, j, i = np.nonzero(self.use)
        rows = np.array((self.x[i] + self.shift[k, 0], self.y[j] + self.shift[k, 1], self.z[k]))
        return np.vstack((np.ones(len(i)), rows - rows.mean(axis=1, keepdims=True)))

    @cached_property
    def grid(self) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray, FloatArray]:
        """What ``solving`` calls so."""
        k, j, i = np.nonzero(self.use)
        row = (k * len(self.y) + j) * (len(self.x) + 1) + i
        first = np.flatnonzero(np.diff(row, prepend=-2) != 1)
        long = np.diff(first, append=len(row))
        runs = np.column_stack((k[first], j[first], i[first], first, long))
        return runs.astype(np.int64), self.x, self.y, self.shift, self.z


@dataclass(frozen=True, eq=False)
class Fit:
    """Rods fitted to a patch.

    Attributes:
        centres: (n, 3) scan frame, mm.
        axes: (n, 3) unit vectors.
        amplitudes: (n,) HU mm^3.
        spread_mm: Gaussian sigma in the plane.
        normal_mm: Gaussian sigma along the normal.
        length_mm: of the rods.
        cost: squares of what is left in units of what the model is known to leave, with the
            priors' part: twice the negative logarithm of how probable this is.
        points: how many independent points the fit stood on, about.
        explained: share of what rises above the background that the rods explain.
        explained_within: the same, where the rods themselves are bright.
        left_hu: (m,) what is left in the voxels used.
        covariance_mm2: (n, 3, 3) of the centres.
        axis_covariance: (n, 3, 3) of the axes.
        heard_normal: share of what is known of ``normal_mm`` that this image says.
        starved: as in ``Look``.
    """

    centres: FloatArray
    axes: FloatArray
    amplitudes: FloatArray
    spread_mm: float
    normal_mm: float
    length_mm: float
    cost: float
    points: float
    explained: float
    explained_within: float
    left_hu: FloatArray
    covariance_mm2: FloatArray
    axis_covariance: FloatArray
    heard_normal: float = 0.0
    starved: float = 0.0


# Where rods start: (n, 3) centres and (n, 3) unit directions, scan frame.
Start = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class _Solved:
    """A fit before it is described: parameters, cost, model, derivatives, prior, weights."""

    p: FloatArray
    cost: float
    model: FloatArray
    jacobian: FloatArray
    prior: FloatArray
    weight: FloatArray
    points: float
    starved: float


def fit_rods(
    patch: Patch,
    look: Look,
    centres: FloatArray,
    axes: FloatArray,
    steps: int = MOST_STEPS,
    held_mm: float = FREE_MM,
) -> Fit:
    """Fit as many rods as starting centres to a patch.

    Args:
        patch: the piece of the scan.
        look: how one rod looks.
        centres: (n, 3) where to start, scan frame.
        axes: (n, 3) unit directions to start with.
        steps: how many at most.
        held_mm: how far the centres may move, standard deviation.
    """
    return _described(patch, _solved(patch, look, centres, axes, steps, held_mm))


def fit_best(
    patch: Patch, look: Look, starts: list[Start], worth: float = 0.0, well: float = np.inf
) -> Fit:
    """Return the best fit from several starts: a few steps from each, then the best two on.

    Args:
        patch: the piece of the scan.
        look: how one rod looks.
        starts: where to start, the likeliest first.
        worth: what is explained less within the rods after the first steps stays as it is.
        well: where the first start explains so much after its first steps, it goes on alone.
    """
    first = _solved(patch, look, *starts[0], FIRST_STEPS)
    if _shares(patch, first)[1] >= well:
        return _described(patch, _solved(patch, look, *_rods(first.p)[:2], MOST_STEPS))
    tried = [first, *(_solved(patch, look, c, a, FIRST_STEPS) for c, a in starts[1:])]
    tried.sort(key=lambda s: s.cost)
    if worth > 0 and _shares(patch, tried[0])[1] < worth:
        return _described(patch, tried[0])
    others = [s for s in tried[1:] if s.cost < WORSE * tried[0].cost and not _same(s, tried[0])]
    ends = [_solved(patch, look, *_rods(s.p)[:2], MOST_STEPS) for s in (tried[0], *others[:1])]
    lone = len(starts[0][0]) == 1
    return _described(patch, min(ends, key=lambda s: _doubted(patch, s) if lone else s.cost))


def _doubted(patch: Patch, solved: _Solved) -> float:
    """Return the cost of a lone rod, what lies far off the model taken for clutter.

    Else one that reaches for a needle beside it would be better than one that does not. Of
    several rods, what lies far off is more often one of them.
    """
    left = (patch.data - np.minimum(solved.model, patch.clip_hu)) * solved.weight
    tied = len(left) / solved.points
    of_prior = solved.cost - float(left @ left)
    return of_prior + float((TAILS + 1.0) * np.log1p(left**2 * tied / TAILS).sum() / tied)


def _same(one: _Solved, other: _Solved) -> bool:
    """Tell whether two fits of as many rods are on their way to the same end."""
    (a, u, _), (b, v, _) = _rods(one.p), _rods(other.p)
    near = np.linalg.norm(a - b, axis=1) < SAME_MM
    return bool((near & (np.abs((u * v).sum(axis=1)) > SAME_COSINE)).all())


def _solved(
    patch: Patch,
    look: Look,
    centres: FloatArray,
    axes: FloatArray,
    steps: int,
    held_mm: float = FREE_MM,
) -> _Solved:
    n = len(centres)
    correlated = voxels_per_point(patch, look.spread_mm[0])
    weight = 1.0 / (patch.error * np.sqrt(correlated * look.misfit))
    fixed = np.zeros(len(weight)) if patch.others is None else patch.others[patch.use]
    shared = [patch.height, 0, 0, 0, look.spread_mm[0], look.normal_mm[0], look.length_mm[0]]
    rods = np.column_stack((centres, axes, np.full(n, look.amplitude[0])))
    start = np.concatenate((shared, rods.ravel()))
    # Thick slices say little of height and tilt: where the data are silent, the start holds.
    rod = (held_mm, held_mm, held_mm, look.turn, look.turn, look.rise, look.amplitude[1])
    widths = (300.0, 100.0, 100.0, 100.0, look.spread_mm[1], look.normal_mm[1], look.length_mm[1])
    prior = np.array((*widths, *(rod * n))) ** -2.0
    if look.axis is None:
        # A seed that lies in one slice could rise or fall in it: taken as flat, with an error.
        rods[:, 5] = 0.0
    else:
        rods[:, 3:6] = np.where(axes @ look.axis < 0, -1.0, 1.0)[:, None] * look.axis
    mean = np.concatenate((shared, rods.ravel()))
    nodes, weights = _quadrature(max(3, round(look.length_mm[0] / NODE_MM)))
    p, cost, model, jacobian = solve(
        start, mean, prior, patch.data, weight, fixed, min(patch.clip_hu, 1e9),
        patch.plane, patch.grid, patch.slice_mm, nodes, weights, look.starved, steps,
    )  # fmt: skip
    points = len(weight) / correlated
    return _Solved(p, cost, model, jacobian, prior, weight, points, look.starved)


def image(patch: Patch, fit: Fit, which: int) -> FloatArray:
    """Return (nz, ny, nx) what one rod of a fit adds to a patch, HU, without clipping."""
    rod = np.concatenate((fit.centres[which], fit.axes[which]))
    nodes, weights = _quadrature(max(3, round(fit.length_mm / NODE_MM)))
    p = np.concatenate(((0, 0, 0, 0, fit.spread_mm, fit.normal_mm, fit.length_mm), rod, (1.0,)))
    shape = patch.hu.shape
    k, j = (part.ravel() for part in np.indices(shape[:2]))
    first = np.arange(len(k)) * shape[2]
    runs = np.column_stack((k, j, np.zeros_like(k), first, np.full(len(k), shape[2])))
    model, jacobian = np.zeros(patch.hu.size), np.zeros((len(p), patch.hu.size))
    draw(p, (runs, *patch.grid[1:]), patch.slice_mm, nodes, weights, fit.starved, model, jacobian)
    return np.asarray(fit.amplitudes[which] * model.reshape(shape))


def voxels_per_point(patch: Patch, spread_mm: float) -> float:
    """Return how many voxels the blur ties to one another: they err together."""
    area = (patch.x[1] - patch.x[0]) * (patch.y[1] - patch.y[0]) if len(patch.x) > 1 else 1.0
    step = patch.z[1] - patch.z[0] if len(patch.z) > 1 else patch.slice_mm
    cell = 4.0 * pi * spread_mm**2 / area * max(1.0, max(patch.slice_mm, 1.0) / step)
    return max(1.0, cell)


@cache
def _quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes), np.asarray(weights)


def _rods(p: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (n, 3) centres, (n, 3) axes and (n,) amplitudes."""
    rods = p[FIRST_ROD:].reshape(-1, PER_ROD)
    return rods[:, :3].copy(), rods[:, 3:6].copy(), rods[:, 6].copy()


def _described(patch: Patch, solved: _Solved) -> Fit:
    """Put the result of the fit into words that seeds are judged by."""
    p, model, jacobian, data = solved.p, solved.model, solved.jacobian, patch.data
    centres, axes, amplitudes = _rods(p)
    left = data - np.minimum(model, patch.clip_hu)
    explained, explained_within = _shares(patch, solved)
    clipped = (model >= patch.clip_hu) & (data >= patch.clip_hu)
    heard = np.where(clipped, 0.0, solved.weight)
    # Not by BLAS: its threads wait for each other longer than so little work takes.
    size = len(p)
    normal = np.empty((size, size))
    products(jacobian, heard, left, normal, np.empty(size), np.empty_like(jacobian))
    covariance = np.linalg.inv(normal + np.diag(solved.prior))
    starts = range(FIRST_ROD, size, PER_ROD)
    return Fit(
        centres=centres,
        axes=axes,
        amplitudes=amplitudes,
        spread_mm=float(p[SPREAD]),
        normal_mm=float(p[NORMAL]),
        length_mm=float(p[LENGTH]),
        cost=float(solved.cost),
        points=solved.points,
        explained=explained,
        explained_within=explained_within,
        left_hu=left,
        covariance_mm2=np.array([covariance[s : s + 3, s : s + 3] for s in starts]),
        axis_covariance=np.array([covariance[s + 3 : s + 6, s + 3 : s + 6] for s in starts]),
        heard_normal=1.0 - float(covariance[NORMAL, NORMAL] * solved.prior[NORMAL]),
        starved=solved.starved,
    )


def _shares(patch: Patch, solved: _Solved) -> tuple[float, float]:
    """Return how much the rods explain of what rises above the tissue, and where they lie."""
    left = patch.data - np.minimum(solved.model, patch.clip_hu)
    above = patch.data - np.minimum(solved.p[:4] @ solved.jacobian[:4], patch.clip_hu)
    units = solved.jacobian[FIRST_ROD + 6 :: PER_ROD]
    within = (units > FOOTPRINT * units.max(axis=1, keepdims=True)).any(axis=0)
    return _share(left, above), _share(left[within], above[within])


def _share(left: FloatArray, above: FloatArray) -> float:
    """Return how much of what rises above the tissue is explained; dark streaks do not rise."""
    rises = above > 0
    total = float(np.sum(above[rises] ** 2))
    return 1.0 - float(np.sum(left[rises] ** 2)) / total if total > 0 else 0.0
