"""Where a needle's metal ends, read from how its image fades along its axis.

A needle ends in a bevel, and its image in a scan is no blurred copy of its metal: rays along it
find hardly any way through, and where it thins out what they see is averaged by intensity. So
the image has faded before the foremost metal, the more the thicker the slice and the more rays
were lost, which leaves it dark ahead. How much was measured on virtual needles of 18 gauge with
bevels of 18 to 35 degrees (docs/validation.md). Where a scan shows no trace of that beside its
needles, its metal is drawn in proportion and ends square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from guidance.detection.curves import side_of
from guidance.detection.frame import ScanFrame
from guidance.detection.heights import beside
from guidance.detection.profiles import SHADOW_MM
from guidance.detection.shafts import brightest, sampled

FloatArray = NDArray[np.float64]

# The shaft's brightness is that of this stretch behind its end; where it falls to so much of
# it is the edge.
BEHIND_MM, BEFORE_MM = 10.0, 2.5
EDGE = 0.3
ASIDE_MM = (-0.5, -0.25, 0.0, 0.25, 0.5)
# From the edge to the foremost metal, mm, fitted to some 230 virtual needles in slices of 1, 3 and
# 5 mm: of a needle within thick slices; slices of this thickness show two thirds of that. One that
# is dark ahead fades further, by so much for 1000 HU; one that leaves its slice less, by so much
# times the sine of its angle.
THICK_MM, THIN_SLICE_MM = 1.1, 1.7
DARK_MM, STEEP_MM = 0.6, 0.85
# How dark it is ahead: this percentile of what lies there, for some of it may be a seed.
SEED_AHEAD = 25.0
# What bevels leave of uncertainty.
BEVEL_SIGMA_MM = 0.3
# Rays lost in metal brighten what lies beside it, there, by this share of the metal or more.
WING_MM, BESIDE_MM, LEAST_WING = 2.5, 6.5, 0.01
# Steep needles hardly do: a quarter of a scan's needles is enough.
ENOUGH = 75.0


@dataclass(frozen=True)
class Edge:
    """The end of one needle's image.

    Attributes:
        at: along the needle, mm.
        bevelled_mm: from there to the foremost metal, of real metal.
        square_mm: the same, of a rod with a square end drawn in proportion.
        wing: how bright it is beside the shaft, as a share of the shaft.
    """

    at: float
    bevelled_mm: float
    square_mm: float
    wing: float


def edge_of(
    values: NDArray[np.int16], frame: ScanFrame, t: FloatArray, points: FloatArray,
    around: FloatArray, last: int, others: FloatArray,
) -> Edge:  # fmt: skip
    """Return where and how the image of a needle ends.

    Args:
        values: HU (nz, ny, nx).
        frame: of the scan.
        t: (n,) mm along the needle, rising towards its tip.
        points: (n, 3) scan frame.
        around: (n,) what it lies in, HU.
        last: index about where it ends.
        others: (m, 3) of other needles; what their slices show is not this one's end.
    """
    step = t[1] - t[0]
    back, before = round((BEHIND_MM + BEFORE_MM) / step), round(BEFORE_MM / step)
    begin = max(0, last - back)
    along = points[last] - points[begin]
    side = side_of(along)
    ahead = points[begin:]
    z_mm = float(frame.step[2])
    further = 2.0 * np.floor(ahead[:, 2:] / z_mm) + 1.0 - np.rint(ahead[:, 2:] / z_mm)
    hidden = beside(ahead, further * z_mm, z_mm, others)[:, 0]
    lines = [brightest(values, frame, ahead + a * side, hidden) for a in ASIDE_MM]
    seen = np.mean(lines, axis=0)
    here = last - begin
    behind = slice(max(1, here - before))
    # Behind it may lie a lung.
    here_around = float(np.median(around[begin:][max(0, here - before) : here + 1]))
    shaft = here_around + float(np.median((seen - around[begin:])[behind]))
    level = EDGE * shaft
    falls = np.flatnonzero((seen[:-1] >= level) & (seen[1:] < level))
    lit = seen[here] >= level
    nearest = falls[falls >= here][:1] if lit else falls[falls < here][-1:]
    at = float(t[last])
    for i in nearest:
        at = float(t[begin + i] + step * (seen[i] - level) / (seen[i] - seen[i + 1]))
    rise = float(np.arctan2(abs(along[2]), np.hypot(along[0], along[1])))
    bevelled = THICK_MM * (1.0 - np.exp(-frame.slice_mm / THIN_SLICE_MM)) - STEEP_MM * np.sin(rise)
    bevelled += DARK_MM * _dark_ahead(values, frame, t - at, points, side, here_around)
    picked = points[begin : max(begin + 1, last - before)]
    square, wing = _across(values, frame, picked, side)
    return Edge(at, float(bevelled), square, wing)


def offsets(edges: Sequence[Edge]) -> list[float]:
    """Return how far beyond its edge each needle of a scan ends, mm."""
    if not edges:
        return []
    real = np.percentile([e.wing for e in edges], ENOUGH) >= LEAST_WING
    return [e.bevelled_mm if real else e.square_mm for e in edges]


def _dark_ahead(
    values: NDArray[np.int16], frame: ScanFrame, ahead_mm: FloatArray, points: FloatArray,
    side: FloatArray, around: float,
) -> float:  # fmt: skip
    """Return by how many thousand HU it is darker ahead of an edge than what it lies in."""
    ahead = points[(ahead_mm > SHADOW_MM[0]) & (ahead_mm < SHADOW_MM[1])]
    if not len(ahead):
        return 0.0
    lines = [sampled(values, frame, ahead + a * side) for a in ASIDE_MM]
    dark = float(np.percentile(np.mean(lines, axis=0), SEED_AHEAD))
    return max(0.0, min(around, 0.0) - dark) / 1000.0


def _across(
    values: NDArray[np.int16], frame: ScanFrame, points: FloatArray, side: FloatArray
) -> tuple[float, float]:
    """Return the offset of a square end, and how bright it is beside a shaft."""
    aside = np.arange(0.0, BESIDE_MM + 0.1, 0.25)
    ways = np.concatenate((-aside, aside))
    lines = points[None] + ways[:, None, None] * side
    read = brightest(values, frame, lines.reshape(-1, 3)).reshape(len(ways), -1)
    both = np.median(read, axis=1).reshape(2, -1)
    across = np.mean(both, axis=0)
    rest = float(both[:, -3:].mean(axis=1).min())
    across = np.maximum(across - rest, 0.0)
    peak = max(float(across[:3].mean()), 1.0)
    wing = float(np.interp(WING_MM, aside, across)) / peak
    # A Gaussian, clipped: its widths at two heights give its sigma and its unclipped peak.
    wide, narrow = (_falls_to(f * peak, aside, across) for f in (0.2, 0.5))
    sigma = np.sqrt(max(wide**2 - narrow**2, 0.04) / (2.0 * np.log(0.5 / 0.2)))
    whole = 0.5 * peak * np.exp(min(0.5 * (narrow / sigma) ** 2, 3.0))
    return float(sigma * ndtri(min(EDGE * peak / whole, 0.5))), wing


def _falls_to(level: float, at: FloatArray, values: FloatArray) -> float:
    """Return where values first fall to a level."""
    k = max(1, int(np.argmax(values < level)))
    share = (values[k - 1] - level) / max(values[k - 1] - values[k], 1e-9)
    return float(at[k - 1] + np.clip(share, 0.0, 1.0) * (at[k] - at[k - 1]))
