"""The height of a needle from how its brightness is shared between neighbouring slices.

A needle that runs within one slice is seen in that one only, wherever in it it lies; where it
passes into the next, both show it. Where another needle lies beside it, that one's slice says
nothing, unless it is dark. The height is a polynomial along the needle. In thick slices many fit
the shares alike: then their mean is taken, each weighing as probable as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import erf

from guidance.detection.curves import side_of
from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A needle of 1.27 mm lies in a slice as a box of that width does, blurred by the rows by 0.4 mm;
# and a steep one's height at a place is blurred as the image is in the plane. Standard deviations.
# How soft edges are differs from scanner to scanner: of its logarithm.
HALF_MM, BLUR_MM, SOFTER = 0.56, 0.6, 0.3
# How far one share is off, and over how many neighbours together.
SHARE_SIGMA, TOGETHER = 0.2, 6.0
WINDOW = 4
# Another needle this near in the plane, and within so many slices of a slice's middle, brightens
# that slice here. There what a needle is said to have in it is unseen, and costs it so much.
BESIDE_MM, BESIDE_SLICES, UNSEEN = 3.0, 0.75, 0.3
# Places that tell how bright the needle is all together, and how many neighbours that is told by.
LEAST_CLEAR, NEIGHBOURS = 5, 9
# A slice that shows less than this share of the brightest shows neither of two needles.
DARK = 0.1
# What a needle lies in is seen so far beside it. What is as bright still this near is wider than a
# needle, a hub; and places fainter than this share of most say nothing.
AROUND_MM, FLANK_MM, WIDE, FAINT = (-7.0, -5.5, -4.0, 4.0, 5.5, 7.0), (-2.2, 2.2), 0.5, 0.2
# Streaks beside a needle are no brighter than this above what it lies in; bone may be.
BONE_HU = 600.0
# A slice that shows this share of a needle or more shows the needle.
SHOWN = 0.3
# It is known to be dark where no other needle lies in it along this much of the way.
FREE = 0.5
ROUNDS = 12
# Slices from here on leave heights open. Drawn are so many heights near what is known and as many
# with either end so far from it, as a share of a slice; so often; from a normal distribution of so
# many times the variance, that the sides are drawn too.
THICK_MM = 1.5
SAMPLES, ENDS, ADAPTED, WIDER = 200, 0.4, 3, 2.0


@dataclass(frozen=True, eq=False)
class Shares:
    """How the brightness at places along a needle is shared between slices.

    Attributes:
        share: (n, WINDOW) of each slice, adding up to 1 where all are clear.
        clear: (n, WINDOW) no other needle lies there, or neither is seen.
        middle_mm: (n, WINDOW) heights of the slices' middles.
        width_mm: (n, 1) blur of the edges between slices.
        step_mm: from slice to slice.
        tells: (n,) the place says something of height: the needle is seen there, and nothing wider.
    """

    share: FloatArray
    clear: BoolArray
    middle_mm: FloatArray
    width_mm: FloatArray
    step_mm: float
    tells: BoolArray

    @classmethod
    def of(
        cls, values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, others: FloatArray
    ) -> Shares:
        """Read the shares at (n, 3) points; others: (m, 3) of other needles; scan frame, mm."""
        step = float(frame.step[2])
        lowest = np.floor(points[:, 2] / step).astype(int) - WINDOW // 2 + 1
        wanted = lowest[:, None] + np.arange(WINDOW)
        slices = np.clip(wanted, 0, len(values) - 1)
        seen, around, flank = _looked_at(values, frame, points, slices)
        top = np.arange(len(seen)), seen.argmax(axis=1)
        narrow = (flank - around)[top] < WIDE * (seen - around)[top]
        # The same for all slices, but for bone: what is brighter beside it in its own is streaks.
        rest = np.median(around, axis=1)[:, None]
        seen = seen - np.where(around > rest + BONE_HU, around, rest)
        seen = np.where(slices == wanted, np.clip(seen, 0.0, None), 0.0)
        middle = np.asarray(wanted * step, np.float64)
        clear = ~beside(points, middle, step, others)
        clear |= seen < DARK * seen.max(axis=1)[:, None]
        share = np.minimum(seen / np.maximum(_together(seen, clear), 1.0)[:, None], 1.0)
        flat = np.linalg.norm(np.gradient(points[:, :2], axis=0), axis=1)
        rise = np.abs(np.gradient(points[:, 2])) / np.maximum(flat, 1e-3)
        width = np.hypot(HALF_MM, np.minimum(rise, 3.0) * BLUR_MM)[:, None]
        total = seen.sum(axis=1)
        tells = narrow & clear.any(axis=1) & (total > FAINT * np.median(total))
        return cls(share, clear, middle, width, step, tells)

    def told(self) -> Shares:
        """Return the shares at the places that say something of height."""
        kept = self.tells
        share, clear, middle = self.share[kept], self.clear[kept], self.middle_mm[kept]
        return Shares(share, clear, middle, self.width_mm[kept], self.step_mm, kept[kept])

    def left(self, height_mm: FloatArray, softer: FloatArray | float = 1.0) -> FloatArray:
        """Return (..., n, WINDOW) what (..., n) heights leave of the shares.

        The slices' edges are so many times softer, (..., 1, 1).
        """
        edges = self.middle_mm[:, :1] + self.step_mm * (np.arange(WINDOW + 1) - 0.5)
        wide = np.sqrt(2.0) * softer * self.width_mm
        said = 0.5 * np.diff(erf((edges - height_mm[..., None]) / wide))
        return np.asarray(np.where(self.clear, self.share - said, UNSEEN * said))

    def slope(self, height_mm: FloatArray) -> FloatArray:
        """Return (n, WINDOW) how the modelled shares grow with height, 1/mm."""
        up = (self.middle_mm + 0.5 * self.step_mm - height_mm[:, None]) / self.width_mm
        low = up - self.step_mm / self.width_mm
        bell = np.exp(-0.5 * low**2) - np.exp(-0.5 * up**2)
        return np.asarray(self.clear * bell / (self.width_mm * np.sqrt(2.0 * np.pi)))


def heights(
    shares: Shares, rows: FloatArray, start: FloatArray, mean: FloatArray, loose: FloatArray
) -> FloatArray:
    """Return the coefficients of a needle's height.

    Args:
        shares: seen at n places.
        rows: (n, p) powers of the places along the needle.
        start: (p,) coefficients to begin with, mm.
        mean: (p,) what is expected.
        loose: (p,) standard deviation from that.
    """
    found = _fitted(shares, rows, start, mean, loose)
    if shares.step_mm < THICK_MM:
        return found
    # How soft the slices' edges are is open too.
    rows = np.column_stack((rows, np.zeros(len(rows))))
    found, mean, loose = (np.append(v, e) for v, e in ((found, 0.0), (mean, 0.0), (loose, SOFTER)))
    return _mean(shares, rows, found, mean, loose)[:-1]


def own_end(shares: Shares, height_mm: FloatArray) -> int:
    """Return the last place that is a needle's own: what is bright ahead is only others' metal.

    Args:
        shares: at places along it, one after the other.
        height_mm: (n,) of the needle there.

    Returns:
        An index. The slice that showed it there is dark ahead, though no other needle lies in it;
        else the last.
    """
    last = len(height_mm) - 1
    around = np.abs(shares.middle_mm - height_mm[:, None]) < shares.step_mm
    shown = shares.clear & around & (shares.share > SHOWN)
    if not shown.any():
        return last
    at = int(np.flatnonzero(shown.any(axis=1))[-1])
    own = shares.middle_mm[at][np.argmax(np.where(shown[at], shares.share[at], 0.0))]
    free = (shares.clear & (shares.middle_mm == own))[at + 1 :].any(axis=1)
    return at if len(free) and np.mean(free) >= FREE else last


def _fitted(
    shares: Shares, rows: FloatArray, start: FloatArray, mean: FloatArray, loose: FloatArray
) -> FloatArray:
    """Return the likeliest coefficients near some (Levenberg and Marquardt)."""
    found, damping, cost, tried = start, 1e-2, np.inf, start
    for _ in range(ROUNDS):
        left = shares.left(rows @ tried)
        loss = float(_loss(left)) + float((((tried - mean) / loose) ** 2).sum())
        if loss < cost:
            found, cost, damping = tried, loss, damping / 5.0
            normal, gradient = _normal(shares, rows, found, left, loose)
            gradient = gradient + (mean - found) / loose**2
        else:
            damping *= 10.0
        tried = found + np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
    return found


def _mean(
    shares: Shares, rows: FloatArray, likeliest: FloatArray, mean: FloatArray, loose: FloatArray
) -> FloatArray:
    """Return the mean of all polynomials, each as probable as the shares make it.

    Drawn are those near the likeliest, and those whose ends lie about a slice around it; then
    about what was found (importance sampling, Cappe et al., J. Comput. Graph. Stat. 13, 907,
    2004).
    """
    rng = np.random.default_rng(0)
    around = likeliest, _wide(rows, shares.step_mm, loose)
    left = shares.left(rows @ likeliest)
    narrow = likeliest, WIDER * np.linalg.inv(_normal(shares, rows, likeliest, left, loose)[0])
    for _ in range(ADAPTED):
        parts = [
            rng.multivariate_normal(centre, spread, SAMPLES, method="cholesky")
            for centre, spread in (narrow, around)
        ]
        tried = np.vstack(parts)
        density = np.logaddexp(*(_log_normal(tried, *part) for part in (narrow, around)))
        soft = np.exp(tried[:, -1:, None])
        loss = _loss(shares.left(tried @ rows.T, soft)) + (((tried - mean) / loose) ** 2).sum(
            axis=1
        )
        weight = -0.5 * loss - density
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        centre = weight @ tried
        off = tried - centre
        narrow = centre, WIDER * (off * weight[:, None]).T @ off + 1e-3 * around[1]
    return np.asarray(centre)


def _wide(rows: FloatArray, step_mm: float, loose: FloatArray) -> FloatArray:
    """Return the covariance (p, p) of polynomials whose ends lie about in the same slice."""
    root = np.diag(loose)
    straight = np.linalg.inv(rows[[0, -1], :2])
    root[:2, :2] = ENDS * step_mm * straight
    # A bend leaves the ends where they are.
    root[:2, 2:] = -straight @ (rows[[0, -1], 2:] * loose[2:])
    return np.asarray(root @ root.T)


def _log_normal(at: FloatArray, mean: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the logarithm of a normal density at (n, p), but for a constant."""
    root = np.linalg.cholesky(covariance)
    off = np.linalg.solve(root, (at - mean).T)
    return np.asarray(-0.5 * (off**2).sum(axis=0) - np.log(np.diag(root)).sum())


def _normal(
    shares: Shares, rows: FloatArray, at: FloatArray, left: FloatArray, loose: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the normal matrix (p, p) and the gradient (p,) where the shares leave so much."""
    slope = shares.slope(rows @ at)
    far = np.maximum(np.abs(left) / SHARE_SIGMA, 1e-6)
    heard = np.minimum(1.0, 1.0 / far) / (SHARE_SIGMA**2 * TOGETHER)
    normal = np.einsum("ic,ip,iq->pq", heard * slope**2, rows, rows) + np.diag(loose**-2.0)
    return normal, np.einsum("ic,ip->p", heard * slope * left, rows)


def _loss(left: FloatArray) -> FloatArray:
    """Return the sum of squares over the last two axes, outliers heard less (Huber 1964)."""
    far = np.abs(left) / SHARE_SIGMA
    each = np.where(far < 1.0, far**2, 2.0 * far - 1.0)
    return np.asarray(each.sum(axis=(-2, -1)) / TOGETHER)


def beside(
    points: FloatArray, middle_mm: FloatArray, step_mm: float, others: FloatArray
) -> BoolArray:
    """Tell in which slices others lie near a needle.

    Args:
        points: (n, 3) of the needle, scan frame, mm.
        middle_mm: (n, k) heights of the middles of slices.
        step_mm: from slice to slice.
        others: (m, 3) of other needles.

    Returns:
        (n, k).
    """
    near = np.zeros(middle_mm.shape, bool)
    if len(others):
        reach = np.array((1.0, 1.0, BESIDE_MM / (BESIDE_SLICES * step_mm)))
        tree = cKDTree(others * reach)
        for c, middle in enumerate(middle_mm.T):
            place = np.column_stack((points[:, :2], middle)) * reach
            near[:, c] = tree.query(place, distance_upper_bound=BESIDE_MM)[0] < BESIDE_MM
    return near


def _together(seen: FloatArray, clear: BoolArray) -> FloatArray:
    """Return (n,) the brightness of a needle in all slices together."""
    total = seen.sum(axis=1)
    sure = np.flatnonzero(clear.all(axis=1) & (total > 0))
    if len(sure) < LEAST_CLEAR:
        rest = np.full(len(total), float(np.median(total)))
    else:
        typical = ndimage.median_filter(total[sure], NEIGHBOURS, mode="nearest")
        rest = np.interp(np.arange(len(total)), sure, typical)
    return np.where(clear.all(axis=1), total, rest)


def _looked_at(
    values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, slices: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (n, WINDOW) HU on a needle, of what it lies in, and on its flanks."""
    side = side_of(points[-1] - points[0])
    aside = np.array((0.0, *FLANK_MM, *AROUND_MM))
    places = points + aside[:, None, None] * side
    # (ways aside, places, slices)
    shift = slices[..., None] * frame.step[:2]
    i, j = np.moveaxis((places[:, :, None, :2] - shift) / frame.pixel_mm, 3, 0)
    at = np.stack((np.broadcast_to(slices, i.shape), j, i)).reshape(3, -1)
    read = ndimage.map_coordinates(values, at, np.float64, order=1, mode="nearest")
    read = read.reshape(i.shape)
    flanks = len(FLANK_MM) + 1
    around, flank = np.median(read[flanks:], axis=0), np.mean(read[1:flanks], axis=0)
    return read[0], np.asarray(around), np.asarray(flank)
