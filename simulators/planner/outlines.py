"""What the planner draws: target, margin and cord, as closed contours on the planning slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from simulators.patient import Anatomy
from simulators.scanner import Protocol

FloatArray = NDArray[np.float64]

# The clinical target: the visible tumour and its margin, not nearer to the canal than its wall.
CTV_MARGIN_MM = 3.0
STEP_MM = 0.5
LEAST_POINTS = 8

Inside = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Outline:
    """One structure.

    Attributes:
        name: ROI name.
        role: DICOM RTROIInterpretedType.
        contours: (slice index, (n, 3) points in the planning frame, mm) of each contour.
    """

    name: str
    role: str
    contours: tuple[tuple[int, FloatArray], ...]


def outlines(
    anatomy: Anatomy, patient_to_planning: FloatArray, protocol: Protocol
) -> tuple[Outline, ...]:
    """Draw GTV, CTV and spinal cord on every planning slice that they meet."""
    centre = np.array(anatomy.lesion_centre)
    radii = np.array(anatomy.lesion_radii)

    def gtv(p: FloatArray) -> FloatArray:
        return np.asarray(1.0 - np.linalg.norm((p - centre) / radii, axis=-1))

    def ctv(p: FloatArray) -> FloatArray:
        inside = 1.0 - np.linalg.norm((p - centre) / (radii + CTV_MARGIN_MM), axis=-1)
        from_canal = np.linalg.norm(p[..., :2], axis=-1) - anatomy.canal_radius
        return np.asarray(np.minimum(inside * radii.mean(), from_canal))

    def cord(p: FloatArray) -> FloatArray:
        return np.asarray(anatomy.cord_radius - np.linalg.norm(p[..., :2], axis=-1))

    to_patient: FloatArray = np.asarray(np.linalg.inv(patient_to_planning), np.float64)
    at = np.asarray(patient_to_planning[:3, :3] @ centre + patient_to_planning[:3, 3])
    reach = float(radii.max()) + 15.0
    canal = np.asarray(patient_to_planning[:3, 3])
    return (
        Outline("GTV", "GTV", _drawn(gtv, to_patient, protocol, at, reach)),
        Outline("CTV", "CTV", _drawn(ctv, to_patient, protocol, at, reach)),
        Outline("Spinal cord", "ORGAN", _drawn(cord, to_patient, protocol, canal, 25.0)),
    )


def _drawn(
    inside: Inside, to_patient: FloatArray, protocol: Protocol, about: FloatArray, reach: float
) -> tuple[tuple[int, FloatArray], ...]:
    """Return the zero lines of a function of patient points on each slice."""
    side = np.arange(-reach, reach + STEP_MM / 2, STEP_MM)
    contours = []
    for k in range(protocol.slices):
        z = float(protocol.affine[2, 2] * k + protocol.affine[2, 3])
        x, y = np.meshgrid(about[0] + side, about[1] + side)
        points = np.stack((x, y, np.full_like(x, z)), axis=-1)
        value = inside(points @ to_patient[:3, :3].T + to_patient[:3, 3])
        if not (value > 0).any():
            continue
        for line in find_contours(value, 0.0):  # type: ignore[no-untyped-call]
            if len(line) < LEAST_POINTS:
                continue
            xy = about[:2] - reach + line[:-1, ::-1] * STEP_MM
            contours.append((k, np.column_stack((xy, np.full(len(xy), z)))))
    return tuple(contours)
