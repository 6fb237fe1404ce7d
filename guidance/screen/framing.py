"""Which part of the patient the pictures show, and the key to what is drawn there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from guidance.imaging.volume import Volume
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme, words
from guidance.screen.language import tr
from guidance.screen.lettering import Key
from guidance.screen.overlays import here
from guidance.screen.reslice import Slice, across_needle, needle_plane, reslice
from guidance.tracking.implant import NeedleTrack

FloatArray = NDArray[np.float64]

MARGIN_MM = 30.0
LEAST_SPAN_MM = 120.0
ACROSS_SPAN_MM = 60.0


def shaft(needle: NeedleTrack) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return entry and tip: as seen, else as planned, None if neither is known."""
    if needle.tip_mm is not None and needle.entry_mm is not None:
        return needle.entry_mm, needle.tip_mm
    if needle.planned is not None:
        return needle.planned.entry_mm, needle.planned.tip_mm
    return None


def planes(
    volume: Volume,
    entry_mm: tuple[float, ...],
    tip_mm: tuple[float, ...],
    position: str,
    beside_mm: float = 0.0,
    depth_mm: float = 0.0,
) -> tuple[Slice, Slice]:
    """Return the plane that holds a needle and the one across it at its tip.

    Args:
        volume: to cut.
        entry_mm: of the needle, LPS mm.
        tip_mm: of the needle.
        position: PatientPosition by which pictures are turned.
        beside_mm: how far beside the needle the first plane lies, into the screen.
        depth_mm: how far beyond the tip the second one lies.
    """
    along = np.subtract(tip_mm, entry_mm)
    direction = along / np.linalg.norm(along)
    held = needle_plane(tip_mm, direction, position)
    along_plane = replace(held, origin_mm=held.origin_mm + beside_mm * held.axes[2])
    across_plane = across_needle(tip_mm + depth_mm * direction, direction, position)
    # The views are about as wide as high.
    half_mm = max(LEAST_SPAN_MM, 1.2 * float(np.linalg.norm(along)))
    return (
        reslice(volume, along_plane, half_mm=half_mm, step_mm=0.9),
        reslice(volume, across_plane, half_mm=ACROSS_SPAN_MM, step_mm=0.4),
    )


def scan_uid(snapshot: Snapshot) -> str:
    """Return the UID of the scan shown, empty if there is none."""
    return snapshot.scan.series_instance_uid if snapshot.scan else ""


def of_interest(snapshot: Snapshot) -> FloatArray:
    """Return (n, 3) points that the axial picture must hold: target and needles."""
    points: list[FloatArray] = []
    target = snapshot.plan.target_name if snapshot.plan else ""
    points += [c for s in snapshot.structures if s.name == target for c in s.contours]
    shafts = (shaft(n) for n in words.tracks(snapshot))
    points += [np.array(pair) for pair in shafts if pair is not None]
    return np.concatenate(points) if points else np.empty((0, 3))


def legend(snapshot: Snapshot) -> tuple[Key, ...]:
    """Return the key to the shapes of a snapshot."""
    keys = []
    needles = words.tracks(snapshot)
    if needles:
        keys.append(Key(theme.PLANNED, tr("planned"), "dash"))
    if any(here(n, scan_uid(snapshot)) for n in needles):
        keys.append(Key(theme.NOTE, tr("needle seen")))
    elif any(n.tip_mm is not None for n in needles):
        keys.append(Key(theme.NOTE, tr("needle seen on an earlier scan"), "dot"))
    present = {seed.status for seed in snapshot.seeds}
    keys += [
        Key(colour, tr(theme.SEED_WORDS[status]))
        for status, colour in theme.SEED_COLOURS.items()
        if status in present
    ]
    dose = snapshot.dose
    if dose is not None and dose.seeds:
        stale = tr(" STALE") if snapshot.dose_is_stale else ""
        keys += [
            Key(colour, f"{percent} % = {dose.prescription_gy * percent / 100:g} Gy{stale}", dash)
            for percent, (colour, dash, _) in theme.ISODOSES.items()
        ]
    return tuple(keys)
