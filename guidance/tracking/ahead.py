"""The line ahead: what a needle would meet if it were pushed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dose.errors import StructureError
from dose.structures import Structure
from dose.structures.planes import PlaneStack, plane_stack
from guidance.imaging.volume import Volume
from guidance.planning.cord import is_cord
from guidance.tracking.implant import Encounter, Point

FloatArray = NDArray[np.float64]

# How far ahead is looked, and how finely.
REACH_MM, STEP_MM = 60.0, 0.5
# Cancellous bone begins about here; above is metal (needles, seeds) and says nothing of bone.
BONE_HU, METAL_HU = 200.0, 1800.0
# Between fat (-100) and lung (-500 and below).
GAS_HU = -300.0
# The metal of the tip itself blooms over this length.
TIP_BLOOM_MM = 2.0
# Less than this in a row is noise or a voxel's edge; gaps below it are closed.
LEAST_MM = 1.5
AT_MOST = 8
_VESSELS = ("aort", "vena", "ivc", "svc", "vein", "arter", "iliac", "vessel", "动脉", "静脉")
_OUTLINES = {"EXTERNAL", "BODY", "SUPPORT", "MARKER", "BRACHY_CHANNEL"}
_TARGETS = {"GTV", "CTV", "PTV"}


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What lies around the needles: the scan they were seen in, and the case's structures.

    Attributes:
        volume: the scan; None where only structures are known.
        stacks: (structure, its planes), outlines of the body left out.
        target_name: of the structure that is the prescription's.
    """

    volume: Volume | None
    stacks: tuple[tuple[Structure, PlaneStack], ...]
    target_name: str = ""

    @classmethod
    def of(
        cls, volume: Volume | None, structures: Sequence[Structure], target_name: str = ""
    ) -> Surroundings:
        """Prepare structures; those that enclose nothing are left out."""
        stacks = []
        for structure in structures:
            if {structure.role.upper(), structure.name.upper()} & _OUTLINES:
                continue
            try:
                stacks.append((structure, plane_stack(structure)))
            except StructureError:
                continue
        return cls(volume, tuple(stacks), target_name)


def line_ahead(tip_mm: Point, entry_mm: Point, around: Surroundings) -> tuple[Encounter, ...]:
    """Return what a needle would meet within 60 mm of its tip, nearest first.

    Args:
        tip_mm: its tip, LPS mm.
        entry_mm: a point behind it on its line.
        around: in the same frame of reference.
    """
    tip = np.asarray(tip_mm, dtype=np.float64)
    along = tip - np.asarray(entry_mm, dtype=np.float64)
    along = along / np.linalg.norm(along)
    ahead = np.arange(0.0, REACH_MM + STEP_MM / 2, STEP_MM)
    points = tip + ahead[:, None] * along
    met: list[Encounter] = []
    for structure, stack in around.stacks:
        kind = _kind(structure, around.target_name)
        met += _runs(structure.name, kind, stack.contains(points), ahead, "structures")
    if around.volume is not None:
        hu = _hu(around.volume, points)
        settled = ahead >= TIP_BLOOM_MM
        bone = (hu > BONE_HU) & (hu < METAL_HU) & settled
        met += _runs("bone", "bone", bone, ahead, "scan")
        met += _runs("gas", "gas", (hu < GAS_HU) & settled, ahead, "scan")
    return tuple(sorted(met, key=lambda e: e.distance_mm)[:AT_MOST])


def _kind(structure: Structure, target_name: str) -> str:
    name, role = structure.name.lower(), structure.role.upper()
    if structure.name == target_name or {role, name.upper()} & _TARGETS:
        return "target"
    if is_cord(name):
        return "cord"
    if any(part in name for part in _VESSELS):
        return "vessel"
    return "bone" if "vertebra" in name or "bone" in name or name.startswith("rib") else "organ"


def _runs(
    what: str, kind: str, inside: NDArray[np.bool_], ahead: FloatArray, seen_in: str
) -> list[Encounter]:
    """Return each stretch of the line that lies inside, from its first to its last point."""
    least = round(LEAST_MM / STEP_MM)
    padded = np.pad(inside, least)
    closed = ndimage.binary_closing(padded, np.ones(least, dtype=bool))[least:-least]
    label, count = ndimage.label(closed)
    found = []
    for k in range(1, count + 1):
        stretch = ahead[label == k]
        length = float(stretch[-1] - stretch[0]) + STEP_MM
        if seen_in == "structures" or length >= LEAST_MM:
            found.append(Encounter(what, kind, float(stretch[0]), length, seen_in))
    return found


def _hu(volume: Volume, points: FloatArray) -> FloatArray:
    """Return Hounsfield units at points (n, 3); NaN outside the scan."""
    index = volume.geometry.patient_to_indices(points)[:, ::-1].T
    low = np.maximum(np.floor(index.min(axis=1)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 2, volume.hu.shape)
    if (high <= low).any():
        return np.full(len(points), np.nan)
    part = volume.hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return np.asarray(
        ndimage.map_coordinates(part.astype(np.float64), index - low[:, None], order=1, cval=np.nan)
    )
