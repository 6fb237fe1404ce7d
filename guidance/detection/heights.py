"""The height of a needle from how its brightness is shared between neighbouring slices.

A needle that runs within one slice is seen in that one only, wherever in it it lies; where it
passes into the next, both show it. Where another needle lies beside it, that one's slice says
nothing. The height is a polynomial along the needle. In thick slices many fit the shares alike:
then their mean is taken, each weighing as probable as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import erf

from guidance.detection.frame import ScanFrame

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A needle of 1.27 mm lies in a slice as a box of that width does, blurred by the rows by 0.5 mm;
# and a steep one's height at a place is blurred as the image is in the plane. Standard deviations.
HALF_MM, BLUR_MM = 0.62, 0.6
# How far one share is off, and over how many neighbours together.
SHARE_SIGMA, TOGETHER = 0.2, 6.0
WINDOW = 4
# What a thick slice shows on both sides of a needle so far aside, bone or a streak, is not its own.
BACKGROUND_MM = 3.5
# Another needle this near in the plane, and within so many slices of a slice's middle, brightens
# that slice here. There what a needle is said to have in it is unseen, and costs it so much.
BESIDE_MM, BESIDE_SLICES, UNSEEN = 4.0, 0.75, 0.3
# Places that tell how bright the needle is all together, and how many neighbours that is told by.
LEAST_CLEAR, NEIGHBOURS = 5, 9
ROUNDS = 12
# Bends looked from beside the first one, in standard deviations.
STARTS = (-2.0, 2.0)
# Slices from here on leave heights open; tried are so many of either end's, as shares of a
# slice, and so many bends.
THICK_MM = 1.5
ENDS, BENDS = np.linspace(-0.7, 0.7, 9), np.array((-1.0, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Shares:
    """How the brightness at places along a needle is shared between slices.

    Attributes:
        share: (n, WINDOW) of each slice, adding up to 1 where all are clear.
        clear: (n, WINDOW) no other needle lies there.
        middle_mm: (n, WINDOW) heights of the slices' middles.
        width_mm: (n, 1) blur of the edges between slices.
        step_mm: from slice to slice.
    """

    share: FloatArray
    clear: BoolArray
    middle_mm: FloatArray
    width_mm: FloatArray
    step_mm: float

    @classmethod
    def of(
        cls, values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, others: FloatArray
    ) -> Shares:
        """Read the shares at (n, 3) points; others: (m, 3) of other needles; scan frame, mm."""
        step = float(frame.step[2])
        lowest = np.floor(points[:, 2] / step).astype(int) - WINDOW // 2 + 1
        wanted = lowest[:, None] + np.arange(WINDOW)
        slices = np.clip(wanted, 0, len(values) - 1)
        seen = _in_slices(values, frame, points, slices)
        if step >= THICK_MM:
            aside = _aside(points)
            left, right = (
                _in_slices(values, frame, points + way * aside, slices) for way in (-1.0, 1.0)
            )
            seen = seen - np.minimum(left, right)
        seen = np.where(slices == wanted, np.clip(seen, 0.0, None), 0.0)
        middle = np.asarray(wanted * step, np.float64)
        clear = ~_beside(points, middle, step, others)
        share = np.minimum(seen / np.maximum(_together(seen, clear), 1.0)[:, None], 1.0)
        flat = np.linalg.norm(np.gradient(points[:, :2], axis=0), axis=1)
        rise = np.abs(np.gradient(points[:, 2])) / np.maximum(flat, 1e-3)
        width = np.hypot(HALF_MM, np.minimum(rise, 3.0) * BLUR_MM)[:, None]
        return cls(share, clear, middle, width, step)

    @property
    def tell(self) -> BoolArray:
        """Tell the places (n,) that say something of height.

        What is no brighter than water in any slice, dim metal in air, says nothing.
        """
        return np.asarray(self.share.any(axis=1) & self.clear.any(axis=1))

    def where(self, kept: BoolArray) -> Shares:
        """Return the shares at some of the places."""
        share, clear, middle = self.share[kept], self.clear[kept], self.middle_mm[kept]
        return Shares(share, clear, middle, self.width_mm[kept], self.step_mm)

    def left(self, height_mm: FloatArray) -> FloatArray:
        """Return (..., n, WINDOW) what (..., n) heights leave of the shares."""
        up = (self.middle_mm + 0.5 * self.step_mm - height_mm[..., None]) / self.width_mm
        low = up - self.step_mm / self.width_mm
        said = 0.5 * (erf(up / np.sqrt(2)) - erf(low / np.sqrt(2)))
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
    if shares.step_mm < THICK_MM:
        return _fitted(shares, rows, start, mean, loose)[0]
    # In thick slices what is likeliest nearby need not be so among all.
    found = min(
        (_fitted(shares, rows, one, mean, loose) for one in _starts(rows, start, loose)),
        key=lambda f: f[1],
    )[0]
    return _mean(shares, rows, found, mean, loose)


def _starts(rows: FloatArray, start: FloatArray, loose: FloatArray) -> list[FloatArray]:
    """Return a polynomial, and those that bend more one way and the other between its ends."""
    found = [start]
    for bend in STARTS:
        one = start.copy()
        one[2] += bend * loose[2]
        change = bend * loose[2] * rows[[0, -1], 2]
        one[:2] -= np.linalg.solve(rows[[0, -1], :2], change)
        found.append(one)
    return found


def _fitted(
    shares: Shares, rows: FloatArray, start: FloatArray, mean: FloatArray, loose: FloatArray
) -> tuple[FloatArray, float]:
    """Return the likeliest coefficients near some (Levenberg and Marquardt), and their loss."""
    found, damping, cost, tried = start, 1e-2, np.inf, start
    for _ in range(ROUNDS):
        left = shares.left(rows @ tried)
        loss = float(_loss(left)) + float((((tried - mean) / loose) ** 2).sum())
        if loss < cost:
            found, cost, damping = tried, loss, damping / 5.0
            slope = shares.slope(rows @ found)
            far = np.maximum(np.abs(left) / SHARE_SIGMA, 1e-6)
            heard = np.minimum(1.0, 1.0 / far) / (SHARE_SIGMA**2 * TOGETHER)
            normal = np.einsum("ic,ip,iq->pq", heard * slope**2, rows, rows) + np.diag(loose**-2.0)
            gradient = np.einsum("ic,ip->p", heard * slope * left, rows)
            gradient = gradient + (mean - found) / loose**2
        else:
            damping *= 10.0
        tried = found + np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
    return found, cost


def _mean(
    shares: Shares, rows: FloatArray, around: FloatArray, mean: FloatArray, loose: FloatArray
) -> FloatArray:
    """Return the mean of the polynomials around one, each as probable as the shares make it."""
    straight = np.linalg.inv(rows[[0, -1], :2])
    bends = BENDS if len(around) > 2 else BENDS[1:2]
    first, last, bend = (g.ravel() for g in np.meshgrid(ENDS, ENDS, bends, indexing="ij"))
    change = np.zeros((len(first), len(around)))
    change[:, :2] = shares.step_mm * np.column_stack((first, last)) @ straight.T
    if len(around) > 2:
        # A bend that leaves the ends where they are.
        size = bend * loose[2]
        change[:, 2] = size
        change[:, :2] -= (size[:, None] * rows[[0, -1], 2]) @ straight.T
    tried = around + change
    loss = _loss(shares.left(tried @ rows.T))
    loss = loss + (((tried - mean) / loose)[:, 2:] ** 2).sum(axis=1)
    weight = np.exp(-0.5 * (loss - loss.min()))
    return np.asarray(weight @ tried / weight.sum())


def _loss(left: FloatArray) -> FloatArray:
    """Return the sum of squares over the last two axes, outliers heard less (Huber 1964)."""
    far = np.abs(left) / SHARE_SIGMA
    each = np.where(far < 1.0, far**2, 2.0 * far - 1.0)
    return np.asarray(each.sum(axis=(-2, -1)) / TOGETHER)


def _beside(
    points: FloatArray, middle_mm: FloatArray, step_mm: float, others: FloatArray
) -> BoolArray:
    """Tell in which slices (n, WINDOW) around points other needles lie near them."""
    near = np.zeros(middle_mm.shape, bool)
    if len(others):
        reach = np.array((1.0, 1.0, BESIDE_MM / (BESIDE_SLICES * step_mm)))
        tree = cKDTree(others * reach)
        for c in range(WINDOW):
            place = np.column_stack((points[:, :2], middle_mm[:, c])) * reach
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


def _in_slices(
    values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, slices: NDArray[np.int64]
) -> FloatArray:
    """Return (n, WINDOW) HU at the points' places in the plane, in the slices given; at least 0."""
    shift = slices[..., None] * frame.step[:2]
    i, j = np.moveaxis((points[:, None, :2] - shift) / frame.pixel_mm, 2, 0)
    at = np.stack((slices, j, i)).reshape(3, -1)
    seen = ndimage.map_coordinates(values, at, np.float64, order=1, mode="nearest")
    return np.asarray(np.clip(seen, 0.0, None).reshape(slices.shape))


def _aside(points: FloatArray) -> FloatArray:
    """Return (n, 3) the way from places along a needle to what lies beside its image."""
    x, y = np.gradient(points[:, :2], axis=0).T
    across = np.column_stack((y, -x, np.zeros_like(x)))
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return np.asarray(BACKGROUND_MM * across / np.maximum(length, 1e-6))
