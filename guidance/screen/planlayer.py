"""The planning CT over the room's while a registration is judged, and moved by hand on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from guidance.procedure.events import RegistrationNudged
from guidance.procedure.registering import nudged
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen.framing import lying, of_interest
from guidance.screen.fusion import WAY_WORDS, WAYS, matched
from guidance.screen.language import tr
from guidance.screen.reslice import Slice

FloatArray = NDArray[np.float64]
Triple = tuple[float, float, float]


class PlanLayer:
    """Which way the planning CT is laid over, and how far a hand has moved it on the screen."""

    def __init__(self) -> None:
        """Lay nothing over."""
        self._laid: str | None = None
        self._under: dict[str, tuple[tuple[object, ...], NDArray[np.int16]]] = {}
        # Shift (x, y, z) in the room, mm, and turn about z, degrees: on the screen alone.
        self.nudge = np.zeros(4)

    def way(self, snapshot: Snapshot | None) -> str:
        """Return how it is laid over: ``blend``, ``difference``, or empty for not."""
        if snapshot is None or snapshot.registration is None or snapshot.planning_volume is None:
            return ""
        if self._laid is None:
            # What is to be judged is shown without being asked for.
            return "blend" if snapshot.step is Step.REGISTER else ""
        return self._laid

    def next_way(self, snapshot: Snapshot | None) -> None:
        """Lay it over in the next way."""
        self._laid = WAYS[(WAYS.index(self.way(snapshot)) + 1) % len(WAYS)]

    def follow(self, before: Snapshot | None, now: Snapshot) -> None:
        """Take a new snapshot; a move on the screen ends with the registration it was made on."""
        if before is not None and _matrix(before) != _matrix(now):
            self.nudge = np.zeros(4)

    def may_move(self, snapshot: Snapshot | None) -> bool:
        """Return whether a registration is shown that waits to be accepted."""
        return snapshot is not None and snapshot.step is Step.REGISTER and bool(self.way(snapshot))

    def move(
        self, axes: FloatArray, right: float, down: float, headward: float, turn: float
    ) -> None:
        """Move the plan on the screen.

        Args:
            axes: (2, 3) directions to the right and down of the axial picture, LPS.
            right: mm.
            down: mm.
            headward: mm.
            turn: degrees about the axis into the picture, clockwise.
        """
        across, below = axes
        into = np.cross(across, below)
        shift = right * across + below * down + into * headward
        self.nudge = self.nudge + np.append(shift, turn * into[2])

    def nudging(
        self, snapshot: Snapshot | None, point: FloatArray
    ) -> tuple[Triple, Triple, Triple]:
        """Return the move on the screen: shift mm, turn degrees, and the point turned about.

        Args:
            snapshot: gives target and needles, whose middle is turned about.
            point: LPS mm, turned about where there are none.
        """
        x, y, z, turn = (float(v) for v in self.nudge)
        cloud = of_interest(snapshot) if snapshot else np.empty((0, 3))
        about = cloud.mean(axis=0) if len(cloud) else point
        ax, ay, az = (round(float(v), 2) for v in about)
        return (x, y, z), (0.0, 0.0, turn), (ax, ay, az)

    def under(
        self, snapshot: Snapshot, which: str, shown: Slice, point: FloatArray
    ) -> NDArray[np.int16] | None:
        """Return the planning CT on the pixels of a slice, None where it is not laid over.

        Args:
            snapshot: of the case.
            which: name of the cut; the same object comes back while nothing changes.
            shown: the slice of the room.
            point: as for ``nudging``.
        """
        if not self.way(snapshot) or snapshot.planning_volume is None:
            return None
        assert snapshot.registration is not None
        matrix = snapshot.registration.plan_to_room
        if self.nudge.any():
            shift, turn, about = self.nudging(snapshot, point)
            matrix = nudged(matrix, RegistrationNudged(shift, turn, about, "", ""))
        key = (id(snapshot.planning_volume), id(shown), matrix.tobytes())
        kept = self._under.get(which)
        if kept is None or kept[0] != key:
            kept = (key, matched(snapshot.planning_volume, matrix, shown))
            self._under[which] = kept
        return kept[1]

    def captions(self, snapshot: Snapshot | None, on: Callable[[str], str]) -> list[str]:
        """Return what is laid over, and how well it fits.

        Args:
            snapshot: of the case.
            on: says in few letters which scan a UID is of, and how old that is.
        """
        way = self.way(snapshot)
        if not way or snapshot is None or snapshot.registration is None:
            return []
        registration = snapshot.registration
        residual = f"{registration.residual_mm:.1f}"
        left = tr("residual {mm} mm on bone", mm=residual)
        lines = [tr(WAY_WORDS[way]), f"{left} · {on(registration.room_uid)}"]
        planning, room = snapshot.planning_volume, snapshot.volume
        if planning is not None and room is not None:
            # Both lie on the same pixels: what is left and what is down is the room's for both.
            lines.append(
                tr(
                    "plan taken {planning}, room {room}: shown turned alike",
                    planning=lying(planning.provenance.patient_position),
                    room=lying(room.provenance.patient_position),
                )
            )
        if not registration.residual_is_current:
            lines[1] = tr("residual is being measured")
        if self.nudge.any():
            x, y, z, turn = self.nudge
            by = f"{x:+.1f} {y:+.1f} {z:+.1f} mm, {turn:+.1f}°"
            lines.append(tr("NOT YET APPLIED: {by} (Return applies)", by=by))
        elif snapshot.step is Step.REGISTER:
            lines.append(tr("arrows, Shift+arrows, [ ] move the plan"))
        return lines


def _matrix(snapshot: Snapshot) -> bytes:
    return b"" if snapshot.registration is None else snapshot.registration.plan_to_room.tobytes()
