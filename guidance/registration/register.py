"""Rigid registration of the planning CT to a scan of the room, on the bone around the target.

First every shift is tried on coarse grids (levels of a spine look alike, so several are kept),
each is improved with turns allowed, and the best is finished on the target's own vertebra.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from guidance.errors import RefusedError, UnmatchedError
from guidance.imaging.volume import Volume
from guidance.registration.shift import likely_shifts
from guidance.registration.working import WorkingImage

FloatArray = NDArray[np.float64]

BONE_HU = 200.0
# Soft tissue shifts when a patient is turned over; bone does not. Above 900 HU is metal.
WINDOW_HU = (-100.0, 900.0)
SEARCH_MM, COARSE_MM, FINE_MM = 6.0, 4.0, 1.5
AROUND_TARGET_MM = 55.0
# Shifts that are tried with turns left free, and those of them that are tried from other turns.
STARTS, BEST = 12, 2
TURN_DEG = 12.0
# Longest steps of the search, mm: bold first, careful where that went astray.
STEPS_MM = (4.0, 1.0)
# A second level of the spine that matches this nearly as well must be told.
RIVAL = 0.03
RIVAL_MM = 15.0
LEAST_BONE_VOXELS = 200
# A scan that matches better when turned by half has coordinates that are wrong by that. The
# search knows shifts alone; of patients who lie turned by up to 15 degrees since the planning CT
# one that was right led by 0.010 the wrong way.
TURN_LEAD = 0.012
HALF_TURNS = (("left to right", (0, 1)), ("front to back", (0, 2)), ("head to feet", (1, 2)))


@dataclass(frozen=True, eq=False)
class Registration:
    """A rigid registration.

    Attributes:
        plan_to_room: 4x4, LPS mm of the planning CT to LPS mm of the room.
        residual_mm: median distance from bone surfaces of the planning CT, carried over, to the
            nearest bone surface of the room's scan.
        remarks: what a person must know before accepting it.
        elapsed_s: time it took.
        turned_about: axis about which the room's scan seems to be turned by half, as by a wrong
            patient position: ``left to right``, ``front to back``, ``head to feet``; empty if
            it lies the right way.
    """

    plan_to_room: FloatArray
    residual_mm: float
    remarks: tuple[str, ...]
    elapsed_s: float
    turned_about: str = ""


def register(room: Volume, planning: Volume, *, about_mm: FloatArray | None = None) -> Registration:
    """Register the planning CT to a scan of the room.

    Args:
        room: scan of the room.
        planning: planning CT.
        about_mm: (3,) the target's centre in the planning frame; the middle of the planning CT
            if left out.

    Raises:
        UnmatchedError: there is too little bone around the target, or no shift makes them match.
    """
    began = time.perf_counter()
    # A start without overlap is no fault; ITK would print a page about it.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    search = [WorkingImage(v, SEARCH_MM) for v in (planning, room)]
    about = _middle(search[0]) if about_mm is None else np.asarray(about_mm, np.float64)
    fixed, moving = (image.clipped(*WINDOW_HU) for image in search)
    starts = likely_shifts(fixed, moving, SEARCH_MM, STARTS)
    if not starts:
        raise UnmatchedError("the planning CT and the room's scan have no anatomy in common")
    turned_about = find_turn(fixed, moving, starts[0][1])
    try:
        return _improved(room, planning, search, about, starts, turned_about, began)
    except RefusedError as error:
        raise UnmatchedError(str(error), turned_about) from error


def _improved(
    room: Volume,
    planning: Volume,
    search: list[WorkingImage],
    about: FloatArray,
    starts: list[tuple[FloatArray, float]],
    turned_about: str,
    began: float,
) -> Registration:
    """Improve the best starts and finish the best of them."""
    coarse = _Level(room, planning, about, COARSE_MM)
    apart = search[1].origin - search[0].origin
    found = sorted(
        (coarse.improved(_start(about, apart + shift), iterations=15) for shift, _ in starts),
        key=lambda pair: pair[1],
    )
    turned = [coarse.best_turn(transform) for transform, _ in found[:BEST]]
    found = sorted((*turned, *found[BEST:]), key=lambda pair: pair[1])
    transform, score = found[0]
    there = np.array(transform.TransformPoint([float(x) for x in about]))
    fine = _Level(room, planning, about, FINE_MM, room_about=there)
    transform, _ = fine.improved(transform, iterations=60)
    matrix = _matrix(transform)
    residual = fine.residual_mm(matrix)
    remarks = _rivals(found, about, score)
    return Registration(matrix, residual, remarks, time.perf_counter() - began, turned_about)


def find_turn(planning: FloatArray, room: FloatArray, score: float) -> str:
    """Return the axis about which half a turn makes the room's scan match best; empty if none.

    Args:
        planning: (nz, ny, nx) HU on the grid of the search, NaN outside the scan.
        room: the same of the room.
        score: correlation of the best shift as they are.

    Patient coordinates do not depend on how a patient lies; they are wrong by half a turn where
    the technologist entered prone for supine or head first for feet first. One vertebra looks
    much the same head up and head down, so a good residual is no proof; the whole scan is.
    """
    scores = [(score + TURN_LEAD, "")]
    for axis, turned in HALF_TURNS:
        scores += [
            (s, axis) for _, s in likely_shifts(planning, np.flip(room, turned), SEARCH_MM, 1)
        ]
    return max(scores)[1]


def residual_mm(
    room: Volume, planning: Volume, plan_to_room: FloatArray, *, about_mm: FloatArray | None = None
) -> float:
    """Return the residual of a given registration, mm; see ``Registration.residual_mm``.

    Raises:
        RefusedError: there is too little bone, or the target lies outside the room's scan.
    """
    about = _middle(WorkingImage(planning, SEARCH_MM)) if about_mm is None else about_mm
    there = plan_to_room[:3, :3] @ about + plan_to_room[:3, 3]
    return _Level(room, planning, about, FINE_MM, room_about=there).residual_mm(plan_to_room)


class _Level:
    """Both scans at one spacing: planning around the target, the room whole."""

    def __init__(
        self,
        room: Volume,
        planning: Volume,
        about: FloatArray,
        spacing_mm: float,
        *,
        room_about: FloatArray | None = None,
    ) -> None:
        reach = np.full(3, AROUND_TARGET_MM)
        self._planning = WorkingImage(planning, spacing_mm, (about - reach, about + reach))
        bone = np.nan_to_num(self._planning.hu, nan=-1000.0) > BONE_HU
        if bone.sum() * spacing_mm**3 < LEAST_BONE_VOXELS * 8:
            raise RefusedError(
                f"within {AROUND_TARGET_MM:.0f} mm of the target the planning CT shows too "
                "little bone to register by"
            )
        near = ndimage.binary_dilation(bone, iterations=max(1, round(5.0 / spacing_mm)))
        near &= np.isfinite(self._planning.hu)
        self._bone = bone
        self._fixed = self._planning.image(*WINDOW_HU)
        self._mask = self._planning.mask(near)
        box = None
        if room_about is not None:
            box = (room_about - 1.5 * reach, room_about + 1.5 * reach)
        self._room = WorkingImage(room, spacing_mm, box)
        self._moving = self._room.image(*WINDOW_HU)

    def best_turn(self, start: sitk.Euler3DTransform) -> tuple[sitk.Euler3DTransform, float]:
        """Improve a transform from several turns; return the best and its correlation."""
        tried = [self.improved(start, iterations=25)]
        for axis in np.eye(3):
            for turn in (np.radians(TURN_DEG), -np.radians(TURN_DEG)):
                turned = sitk.Euler3DTransform(start)
                turned.SetRotation(*(float(a) for a in turn * axis))
                tried.append(self.improved(turned, iterations=15))
        return min(tried, key=lambda pair: pair[1])

    def improved(
        self, start: sitk.Euler3DTransform, *, iterations: int
    ) -> tuple[sitk.Euler3DTransform, float]:
        """Improve a transform; return it with its (negative) correlation.

        A first step that is too long can leave the basin and end where nothing matches, worse
        than it began; it is then tried again with short steps.
        """
        ends = []
        for step_mm in STEPS_MM:
            method = self._method(step_mm, iterations)
            method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
            try:
                begin = float(method.MetricEvaluate(self._fixed, self._moving))
                end = method.Execute(self._fixed, self._moving)
            except RuntimeError:
                # No overlap is left: this start leads nowhere.
                continue
            if isinstance(end, sitk.CompositeTransform):
                end = end.GetBackTransform()
            ends.append((sitk.Euler3DTransform(end), float(method.GetMetricValue())))
            if ends[-1][1] <= begin:
                break
        return min(ends, key=lambda pair: pair[1], default=(start, 0.0))

    def _method(self, step_mm: float, iterations: int) -> sitk.ImageRegistrationMethod:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsCorrelation()
        method.SetMetricFixedMask(self._mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=step_mm,
            minStep=0.01,
            numberOfIterations=iterations,
            relaxationFactor=0.6,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        return method

    def residual_mm(self, matrix: FloatArray) -> float:
        """Return the median distance of bone surfaces, mm."""
        inner = ndimage.binary_erosion(self._bone)
        surface = np.argwhere(self._bone & ~inner)[:, ::-1]
        spacing = self._planning.spacing_mm
        there = (surface * spacing + self._planning.origin) @ matrix[:3, :3].T + matrix[:3, 3]
        index = ((there - self._room.origin) / spacing)[:, ::-1].T
        hu = np.nan_to_num(self._room.hu, nan=-1000.0)
        lower = np.clip(np.floor(index.min(axis=1)).astype(int) - 10, 0, np.array(hu.shape) - 1)
        upper = np.minimum(np.ceil(index.max(axis=1)).astype(int) + 10, hu.shape)
        if (upper <= lower).any():
            raise RefusedError("the target lies outside the room's scan")
        bone = hu[tuple(slice(a, b) for a, b in zip(lower, upper, strict=True))] > BONE_HU
        if not bone.any():
            raise RefusedError("where the target should be, the room's scan shows no bone")
        edge = bone & ~ndimage.binary_erosion(bone)
        distance = ndimage.distance_transform_edt(~edge, sampling=spacing)
        at = index - lower[:, None]
        inside = ((at >= 0) & (at <= np.array(bone.shape)[:, None] - 1)).all(axis=0)
        if inside.mean() < 0.5:
            raise RefusedError("most of the target's vertebra lies outside the room's scan")
        values = ndimage.map_coordinates(distance, at[:, inside], order=1)
        return round(float(np.median(values)), 3)


def _start(about: FloatArray, shift: FloatArray) -> sitk.Euler3DTransform:
    start = sitk.Euler3DTransform()
    start.SetCenter([float(x) for x in about])
    start.SetTranslation([float(x) for x in shift])
    return start


def _middle(image: WorkingImage) -> FloatArray:
    size = np.array(image.hu.shape[::-1]) - 1
    return np.asarray(image.origin + size * image.spacing_mm / 2)


def _matrix(transform: sitk.Euler3DTransform) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter())
    matrix[:3, 3] = centre + transform.GetTranslation() - matrix[:3, :3] @ centre
    return matrix


def _rivals(
    found: list[tuple[sitk.Euler3DTransform, float]], about: FloatArray, best: float
) -> tuple[str, ...]:
    """Say which other place matches nearly as well."""
    here = np.array(found[0][0].TransformPoint([float(x) for x in about]))
    for transform, score in found[1:]:
        there = np.array(transform.TransformPoint([float(x) for x in about]))
        away = float(np.linalg.norm(there - here))
        if away > RIVAL_MM and score < best + RIVAL:
            return (
                f"A place {away:.0f} mm away matches nearly as well: check that the level of "
                "the spine is the right one.",
            )
    return ()
