"""An 18 G steel needle: bevelled, straight or bent along an arc, with its hub.

18 G is 1.27 mm across (ISO 9626, thin wall); the lumen lets a seed of 0.8 mm pass. The stylet
fills it but for a slit and is ground together with the bevel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.metal.solid import Solid, cylinder

FloatArray = NDArray[np.float64]

OUTER_MM, LUMEN_MM, STYLET_MM = 1.27, 1.02, 0.92
HUB_MM, HUB_LENGTH_MM = 6.5, 18.0
# A bend is laid in straight pieces no longer than this, mitred.
PIECE_MM = 6.0


@dataclass(frozen=True)
class NeedleShape:
    """A needle.

    Attributes:
        tip: (3,) mm, on the axis, level with the foremost metal.
        entry: (3,) mm, on the skin.
        bend: (3,) 1/mm, curvature vector in the middle of the chord, at right angles to it;
            zero if straight.
        outside_mm: length of the shaft outside the skin, up to the hub.
        stylet: whether the stylet is in; else the lumen is empty.
        bevel_deg: angle between bevel and axis; 90 is a flat end.
        bevel_turn_deg: where around the axis the bevel faces.
    """

    tip: FloatArray
    entry: FloatArray
    bend: FloatArray
    outside_mm: float = 60.0
    stylet: bool = True
    bevel_deg: float = 25.0
    bevel_turn_deg: float = 0.0

    def curve(self, count: int = 2) -> FloatArray:
        """Return (count, 3) points from the tip to the skin along the axis."""
        return self.along(np.linspace(0.0, 1.0, count))

    def along(self, fraction: FloatArray) -> FloatArray:
        """Return points at fractions of the way from tip (0) to skin (1); beyond 1 straight on.

        The arc is a parabola over the chord, which at a sag of a few millimetres differs from
        a circle by micrometres.
        """
        fraction = np.asarray(fraction, dtype=float)
        chord = self.entry - self.tip
        inside = np.minimum(fraction, 1.0)
        # Curvature kappa over a chord L: offset kappa L^2 s (1 - s) / 2, outward of the bend.
        length2 = float(chord @ chord)
        sag = -0.5 * length2 * inside * (1.0 - inside)
        end_slope = chord + 0.5 * length2 * self.bend
        beyond = np.maximum(fraction - 1.0, 0.0)
        return np.asarray(
            self.tip
            + inside[:, None] * chord
            + sag[:, None] * self.bend
            + beyond[:, None] * end_slope
        )


def straight(tip: FloatArray, entry: FloatArray) -> NeedleShape:
    """Return an ordinary straight needle."""
    return NeedleShape(np.asarray(tip), np.asarray(entry), np.zeros(3))


def needle_solids(shape: NeedleShape) -> list[Solid]:
    """Return tube, lumen or stylet, and hub of a needle."""
    chord = float(np.linalg.norm(shape.entry - shape.tip))
    bent = bool(np.any(shape.bend))
    inside = max(1, int(np.ceil(chord / PIECE_MM))) if bent else 1
    ends = np.append(np.linspace(0.0, 1.0, inside + 1), 1.0 + shape.outside_mm / chord)
    points = shape.along(ends)
    planes = _cuts(shape, points)
    solids: list[Solid] = []
    for i in range(len(points) - 1):
        displaced = 1.0 if i < inside else 0.0
        cuts = (planes[i], planes[i + 1])
        # Each piece keeps the side of a cut that it lies on.
        facing = (tuple(-v for v in cuts[0]), cuts[1])
        tube = _piece(points[i], points[i + 1], OUTER_MM, facing, displaced)
        lumen = _piece(points[i], points[i + 1], LUMEN_MM, facing, 0.0).hollow("steel")
        solids += [tube, lumen]
        if shape.stylet:
            solids.append(_piece(points[i], points[i + 1], STYLET_MM, facing, 0.0))
    solids.append(_hub(points[-2], points[-1]))
    return solids


def _piece(
    start: FloatArray,
    end: FloatArray,
    diameter: float,
    cuts: tuple[tuple[float, ...], tuple[float, ...]],
    displaced: float,
) -> Solid:
    planes = tuple((c[0], c[1], c[2], c[3]) for c in cuts)
    return cylinder(start, end, diameter, "steel", planes=planes, displaced=displaced)


def _cuts(shape: NeedleShape, points: FloatArray) -> list[tuple[float, ...]]:
    """Return a plane (nx, ny, nz, d) at each point: bevel, mitres, square end."""
    steps = np.diff(points, axis=0)
    directions = steps / np.linalg.norm(steps, axis=1)[:, None]
    cuts = [_bevel(shape, directions[0])]
    for before, after, point in zip(directions[:-1], directions[1:], points[1:-1], strict=True):
        normal = before + after
        normal = normal / np.linalg.norm(normal)
        cuts.append((*normal, float(normal @ point)))
    cuts.append((*directions[-1], float(directions[-1] @ points[-1])))
    return cuts


def _bevel(shape: NeedleShape, backward: FloatArray) -> tuple[float, ...]:
    """Return the plane of the bevel; its normal points backward, along the shaft."""
    u = np.cross(backward, (0.0, 0.0, 1.0) if abs(backward[2]) < 0.9 else (1.0, 0.0, 0.0))
    u = u / np.linalg.norm(u)
    v = np.cross(backward, u)
    turn, slope = np.radians(shape.bevel_turn_deg), np.radians(shape.bevel_deg)
    face = np.cos(turn) * u + np.sin(turn) * v
    normal = np.sin(slope) * backward - np.cos(slope) * face
    # The foremost point lies on the wall opposite the face.
    foremost = shape.tip - OUTER_MM / 2.0 * face
    return (*normal, float(normal @ foremost))


def _hub(before: FloatArray, end: FloatArray) -> Solid:
    """Return the plastic hub: it attenuates a little more than water."""
    direction = (end - before) / np.linalg.norm(end - before)
    hub = cylinder(end, end + HUB_LENGTH_MM * direction, HUB_MM, "water", displaced=0.0)
    return replace(hub, density=1.1)
