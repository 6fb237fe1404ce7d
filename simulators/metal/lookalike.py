"""What lies in or on a patient and is no seed: screws, cement, calcium, markers, clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulators.metal.solid import Solid, ball, cylinder, ellipsoid

FloatArray = NDArray[np.float64]

# A pedicle screw, mm: core and thread, pitch, tulip head.
CORE_MM, THREAD_MM, PITCH_MM = 4.4, 5.6, 2.8
HEAD_MM, HEAD_LENGTH_MM = 11.0, 14.0


def pedicle_screw(tip: FloatArray, head: FloatArray) -> list[Solid]:
    """Return a titanium pedicle screw from its tip to where its head begins."""
    tip, head = np.asarray(tip, dtype=float), np.asarray(head, dtype=float)
    length = float(np.linalg.norm(head - tip))
    axis = (head - tip) / length
    solids = [cylinder(tip, head, CORE_MM, "titanium")]
    for at in np.arange(PITCH_MM, length - PITCH_MM, PITCH_MM):
        turn = cylinder(tip + at * axis, tip + (at + 0.9) * axis, THREAD_MM, "titanium")
        core = cylinder(tip + at * axis, tip + (at + 0.9) * axis, CORE_MM, "titanium")
        solids += [turn, replace(core.hollow("titanium"), displaced=-1.0)]
    return [*solids, cylinder(head, head + HEAD_LENGTH_MM * axis, HEAD_MM, "titanium")]


def rod(start: FloatArray, end: FloatArray) -> list[Solid]:
    """Return a titanium rod of 5.5 mm, as it joins the heads of screws."""
    return [cylinder(start, end, 5.5, "titanium")]


def cement_droplet(centre: FloatArray, diameter: float) -> list[Solid]:
    """Return a droplet of bone cement."""
    return [ball(centre, diameter, "cement")]


def lump(centre: FloatArray, radii: FloatArray, density: float) -> list[Solid]:
    """Return a calcification: bone mineral of a density in g/cm3."""
    return [ellipsoid(centre, radii, "bone", density=density)]


def marker(centre: FloatArray, axis: FloatArray) -> list[Solid]:
    """Return a fiducial marker of gold, 3 x 1 mm."""
    half = 1.5 * np.asarray(axis, dtype=float)
    return [cylinder(centre - half, centre + half, 1.0, "gold")]


def clip(centre: FloatArray, axis: FloatArray, across: FloatArray) -> list[Solid]:
    """Return a surgical clip of titanium: two legs of 6 x 0.7 mm, 1.2 mm apart."""
    half, aside = 3.0 * np.asarray(axis, dtype=float), 0.6 * np.asarray(across, dtype=float)
    return [
        cylinder(centre + side * aside - half, centre + side * aside + half, 0.7, "titanium")
        for side in (-1.0, 1.0)
    ]
