"""Detection scored on simulated cases with known truth: one row for each slice thickness.

Beside it, in the same run and on the same images, the plainest thing that could work: a
threshold and the components above it. Simulated cases are no proof against patients.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from dose.geometry import GridGeometry
from guidance.detection import DetectedNeedle, DetectedSeed, Detections, detect
from guidance.detection.body import Body
from guidance.detection.candidates import contrast
from guidance.detection.frame import ScanFrame
from guidance.detection.needles import find_needles
from guidance.imaging.volume import Provenance, Volume
from simulators.cases import HARD, generate

FloatArray = NDArray[np.float64]

# A seed further than this from the truth is another one.
MATCH_MM = 3.0
# A needle is found where its tip and its direction are about right.
NEEDLE_TIP_MM, NEEDLE_DEG = 12.0, 8.0
# The baseline: metal is what is brighter than this; long pieces are needles.
THRESHOLD_HU_MM, LEAST_HU, MOST_HU = 4000.0, 900.0, 2000.0
LEAST_MM3, NEEDLE_MM = 1.0, 25.0
# Some 300 slices.
COPIES, RUNS = 3, 5


@dataclass(frozen=True, eq=False)
class Truth:
    """What lies in a case, LPS mm.

    Attributes:
        centres: (n, 3) of the seeds.
        axes: (n, 3) unit vectors.
        pairs: (n,) how a seed touches another: "", "side", "end", "cross".
        tips: (m, 3) of the needles.
        directions: (m, 3) unit vectors at the tip, the way the needle was pushed.
    """

    centres: FloatArray
    axes: FloatArray
    pairs: tuple[str, ...]
    tips: FloatArray
    directions: FloatArray


@dataclass
class Score:
    """What was found in one case, or in several together; errors one for each match."""

    seeds: int = 0
    said: int = 0
    found: int = 0
    centre_mm: list[float] = field(default_factory=list)
    axis_deg: list[float] = field(default_factory=list)
    needles: int = 0
    needles_said: int = 0
    tip_mm: list[float] = field(default_factory=list)
    pairs: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Count another case in."""
        self.seeds += other.seeds
        self.said += other.said
        self.found += other.found
        self.centre_mm += other.centre_mm
        self.axis_deg += other.axis_deg
        self.needles += other.needles
        self.needles_said += other.needles_said
        self.tip_mm += other.tip_mm
        self.seconds += other.seconds
        for kind, (found, of) in other.pairs.items():
            have = self.pairs.get(kind, (0, 0))
            self.pairs[kind] = (have[0] + found, have[1] + of)

    @property
    def row(self) -> str:
        """One line of the table."""
        touching = [v for k, v in self.pairs.items() if k]
        pairs = _percent(sum(f for f, _ in touching), sum(n for _, n in touching))
        return (
            f"{_percent(self.found, self.seeds)} / {_percent(self.found, self.said)} %, "
            f"{_mean(self.centre_mm):.2f} ({_rms(self.centre_mm):.2f}) mm, "
            f"{_mean(self.axis_deg):.0f} deg, {len(self.tip_mm)} of {self.needles} needles "
            f"({self.needles_said - len(self.tip_mm)} invented), "
            f"tip {_mean(self.tip_mm):.2f} (max {max(self.tip_mm, default=0):.1f}) mm, "
            f"pairs {pairs} %, {_mean(self.seconds):.2f} s"
        )

    @property
    def classes(self) -> str:
        """Touching seeds found, by how they touch."""
        return ", ".join(f"{k} {f} of {n}" for k, (f, n) in sorted(self.pairs.items()) if k)


def score(found: Detections, truth: Truth) -> Score:
    """Compare detections with the truth, one to one."""
    said = np.array([s.position_mm for s in found.seeds]).reshape(-1, 3)
    rows, columns = matched(truth.centres, said, MATCH_MM)
    result = Score(len(truth.centres), len(said), len(rows), seconds=[found.elapsed_s])
    result.centre_mm = list(np.linalg.norm(truth.centres[rows] - said[columns], axis=1))
    for i, j in zip(rows, columns, strict=True):
        axis = found.seeds[j].axis
        if axis is not None:
            result.axis_deg.append(_angle(truth.axes[i], np.asarray(axis)))
    hit = {int(i) for i in rows}
    for kind in set(truth.pairs):
        members = [i for i, k in enumerate(truth.pairs) if k == kind]
        result.pairs[kind] = (sum(i in hit for i in members), len(members))
    tips = np.array([n.tip_mm for n in found.needles]).reshape(-1, 3)
    result.needles, result.needles_said = len(truth.tips), len(tips)
    for i, j in zip(*matched(truth.tips, tips, NEEDLE_TIP_MM), strict=True):
        if _angle(truth.directions[i], end_direction(found.needles[j])) < NEEDLE_DEG:
            result.tip_mm.append(float(np.linalg.norm(truth.tips[i] - tips[j])))
    return result


def matched(
    true: FloatArray, said: FloatArray, within_mm: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return indices of the one-to-one assignment with most matches, then the nearest."""
    if not len(true) or not len(said):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    apart = np.linalg.norm(true[:, None] - said[None], axis=2)
    cost = np.where(apart <= within_mm, apart, 1e4)
    rows, columns = linear_sum_assignment(cost)
    good = apart[rows, columns] <= within_mm
    return rows[good].astype(np.int64), columns[good].astype(np.int64)


def end_direction(needle: DetectedNeedle) -> FloatArray:
    """Return the direction of a needle at its tip."""
    if len(needle.path_mm) > 1:
        along = np.subtract(needle.path_mm[0], needle.path_mm[1])
        return np.asarray(along / np.linalg.norm(along))
    return np.asarray(needle.direction)


def baseline(volume: Volume) -> Detections:
    """Find metal by a threshold, its components by connection, their axes by moments."""
    began = time.perf_counter()
    slice_mm = volume.provenance.slice_thickness_mm or 1.0
    level = float(np.clip(THRESHOLD_HU_MM / slice_mm, LEAST_HU, MOST_HU))
    labels, _ = ndimage.label(volume.hu > level, np.ones((3, 3, 3)))
    affine = volume.geometry.index_to_patient
    voxel = abs(float(np.linalg.det(affine[:3, :3])))
    seeds, needles = [], []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        index = np.argwhere(labels[box] == number) + [s.start for s in box]
        if len(index) * voxel < LEAST_MM3 or len(index) < 2:
            continue
        points = index[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
        weight = volume.hu[tuple(index.T)].astype(np.float64)
        centre = weight @ points / weight.sum()
        off = (points - centre) * np.sqrt(weight)[:, None]
        axis = np.linalg.svd(off, full_matrices=False)[2][0]
        along = (points - centre) @ axis
        if np.ptp(along) > NEEDLE_MM:
            ends = points[np.argmin(along)], points[np.argmax(along)]
            deep = sorted(ends, key=lambda p: float(p[1]))
            needles.append(DetectedNeedle(_point(deep[0]), _point(deep[1]), 0.5))
        else:
            seeds.append(DetectedSeed(_point(centre), _point(axis), 0.5))
    return Detections(tuple(seeds), tuple(needles), (), time.perf_counter() - began)


def main() -> None:
    """Print the table for the library's hard cases, or those and thicknesses named.

    ``python -m benchmarks.detection [case,case...] [mm,mm...]``; a case takes the virtual scanner
    some 20 s at 3 mm and a minute at 1 mm.
    """
    names = sys.argv[1].split(",") if len(sys.argv) > 1 else HARD
    slices = [float(v) for v in sys.argv[2].split(",")] if len(sys.argv) > 2 else [1, 2, 3, 5]
    detect(_scanned("dozen", 5.0)[2])
    table(_scanned(name, slice_mm) for slice_mm in slices for name in names)
    if 1 in slices:
        split(_scanned("bone", 1.0)[2])


def split(volume: Volume) -> None:
    """Print where the time goes in three copies of a volume upon one another, best of five."""
    hu = np.concatenate([volume.hu] * COPIES)
    geometry = GridGeometry(hu.shape, volume.geometry.index_to_patient)
    stacked = Volume(geometry, hu, volume.provenance)
    frame = ScanFrame.of(stacked)
    whole, of_contrast, of_needles = [], [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        stands_out = contrast(stacked, frame)
        between = time.perf_counter()
        find_needles(stacked, frame, stands_out, Body.of(stacked, frame))
        of_contrast.append(between - start)
        of_needles.append(time.perf_counter() - between)
        whole.append(detect(stacked).elapsed_s)
    rest = min(whole) - min(of_contrast) - min(of_needles)
    print(
        f"\n{len(hu)} slices: {min(whole):.2f} to {max(whole):.2f} s, of that contrast "
        f"{min(of_contrast):.2f}, needles {min(of_needles):.2f}, seeds {rest:.2f} s"
    )


def _scanned(name: str, slice_mm: float) -> tuple[str, float, Volume, Truth]:
    """Return a case of the library as detection sees it, and its truth."""
    scan = generate(name, slice_mm)
    highest = int(scan.hu.max())
    volume = Volume(
        GridGeometry(scan.hu.shape, scan.affine),
        scan.hu,
        Provenance(slice_thickness_mm=slice_mm, clipped_at_hu=highest),
    )
    seeds = [s for s in scan.truth["seeds"] if s["whole"]]
    needles = [n for n in scan.truth["needles"] if n["tip_inside"]]
    pushed = np.array([np.subtract(*n["curve_mm"][:2]) for n in needles]).reshape(-1, 3)
    truth = Truth(
        centres=np.array([s["position_mm"] for s in seeds]).reshape(-1, 3),
        axes=np.array([s["axis"] for s in seeds]).reshape(-1, 3),
        pairs=tuple("" if s["partner"] is None else s["sort"] for s in seeds),
        tips=np.array([n["tip_mm"] for n in needles]).reshape(-1, 3),
        directions=pushed / np.linalg.norm(pushed, axis=1, keepdims=True),
    )
    return name, slice_mm, volume, truth


def table(cases: Iterable[tuple[str, float, Volume, Truth]]) -> None:
    """Print one row for each slice thickness, ours and the baseline."""
    ours: dict[float, Score] = {}
    plain: dict[float, Score] = {}
    for name, slice_mm, volume, truth in cases:
        for scores, found in ((ours, detect(volume)), (plain, baseline(volume))):
            one = score(found, truth)
            scores.setdefault(slice_mm, Score()).add(one)
            if scores is ours:
                print(f"  {name:24s} {slice_mm:g} mm  {one.row}", flush=True)
    for slice_mm in sorted(ours):
        print(f"\n{slice_mm:g} mm  baseline  {plain[slice_mm].row}")
        print(f"      detect    {ours[slice_mm].row}\n      touching  {ours[slice_mm].classes}")


def _angle(a: FloatArray, b: FloatArray) -> float:
    return float(np.degrees(np.arccos(np.clip(abs(a @ b), 0.0, 1.0))))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values else 0.0


def _point(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


if __name__ == "__main__":
    main()
