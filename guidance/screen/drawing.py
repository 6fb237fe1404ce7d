"""What lies on a slice, made once for as long as it stays the same."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_

from guidance.procedure.snapshot import Snapshot
from guidance.screen import words
from guidance.screen.framing import scan_uid
from guidance.screen.measuring import Ruler
from guidance.screen.outlines import structure_lines
from guidance.screen.overlays import Line, Shape, isodose_lines, needle_lines, seed_capsules
from guidance.screen.reslice import Plane

# What shapes were made of, and the shapes.
Made = tuple[tuple[object, ...], tuple[object, ...], tuple[Shape, ...]]


class Shapes:
    """Structures, isodoses, needles, seeds and the ruler on the slices shown."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        self._kept: dict[tuple[object, ...], tuple[Line, ...]] = {}
        self._made: dict[object, Made] = {}

    def clear(self) -> None:
        """Forget all lines: the slices are others."""
        self._kept.clear()

    def follow(self, before: Snapshot | None, now: Snapshot) -> None:
        """Forget what a new snapshot has made out of date."""
        if before is None or before.dose is not now.dose:
            self._forget("isodose")
        if before is None or before.structures is not now.structures:
            self._forget("structures")

    def of(
        self,
        snapshot: Snapshot,
        plane: Plane,
        place: tuple[object, ...],
        current: int | None,
        ruler: Ruler,
    ) -> tuple[Shape, ...]:
        """Return the shapes on a plane; the same objects while nothing has changed.

        Args:
            snapshot: of the case.
            plane: of the slice.
            place: name of the view, then whatever tells its slices apart.
            current: number of the current needle.
            ruler: drawn on top.
        """
        plan, dose = snapshot.plan, snapshot.dose
        target = plan.target_name if plan else ""
        planned = plan.seeds if plan else ()
        structures = self._keep(
            ("structures", *place),
            lambda: tuple(structure_lines(snapshot.structures, plane, target=target)),
        )
        isodoses: tuple[Line, ...] = ()
        if dose is not None and dose.seeds:
            isodoses = self._keep(("isodose", *place), lambda: isodose_lines(dose, plane))
        points = tuple(point.tobytes() for point in ruler.points)
        parts = (
            snapshot.structures, snapshot.dose, snapshot.needles, snapshot.seeds, plan, plane,
            snapshot.supplements,
        )  # fmt: skip
        said_of = (current, points, scan_uid(snapshot))
        kept = self._made.get(place[0])
        # The same objects, since arrays in them cannot be asked whether they are equal.
        if kept is not None and kept[1] == said_of and all(map(is_, kept[0], parts)):
            return kept[2]
        made: tuple[Shape, ...] = (
            *structures,
            *isodoses,
            *needle_lines(words.tracks(snapshot), plane, current, scan_uid(snapshot)),
            *seed_capsules(snapshot.seeds, planned, plane, snapshot.supplements),
            *ruler.lines(plane),
        )
        self._made[place[0]] = (parts, said_of, made)
        return made

    def _keep(
        self, key: tuple[object, ...], make: Callable[[], tuple[Line, ...]]
    ) -> tuple[Line, ...]:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _forget(self, what: str) -> None:
        self._kept = {key: lines for key, lines in self._kept.items() if key[0] != what}
