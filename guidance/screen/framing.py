"""Which part of the patient the pictures show, and the key to what is drawn there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from guidance.advice import MODELLED
from guidance.imaging.volume import Volume
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme, words
from guidance.screen.greyscale import GreyScale
from guidance.screen.language import marked, tr
from guidance.screen.lettering import Key
from guidance.screen.overlays import here
from guidance.screen.reslice import Plane, Slice, across_needle, needle_plane, reslice
from guidance.screen.sight import Sight
from guidance.tracking.implant import NeedleTrack

FloatArray = NDArray[np.float64]

POSITIONS = {
    "HFS": marked("supine"),
    "HFP": marked("prone"),
    "FFS": marked("supine"),
    "FFP": marked("prone"),
}
ON_THE_SIDE = marked("on the side")
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


def start(volume: Volume, cloud: FloatArray, needle: NeedleTrack | None) -> FloatArray:
    """Return where to look first: a needle's tip, else the middle of the plan, else of the scan.

    Args:
        volume: shown.
        cloud: (n, 3) points of interest, LPS mm; may be none.
        needle: the current one.
    """
    ends = shaft(needle) if needle else None
    if ends is not None:
        return np.array(ends[1])
    if len(cloud):
        return np.asarray(cloud.mean(axis=0))
    shape = np.array(volume.geometry.shape[::-1])
    return np.asarray(volume.geometry.indices_to_patient(shape // 2))


def fitted(plane: Plane, cloud: FloatArray) -> tuple[FloatArray, float]:
    """Return centre and length of a picture that holds all points; 0 where there are none."""
    if not len(cloud):
        return np.zeros(2), 0.0
    flat = plane.project(cloud)[:, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (low + high) / 2, max(LEAST_SPAN_MM, float((high - low).max()) + 2 * MARGIN_MM)


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
    if snapshot.supplements:
        keys.append(Key(theme.SUPPLEMENT, tr("supplementary seed, planned")))
    present = {seed.status for seed in snapshot.seeds}
    keys += [
        Key(colour, tr(theme.SEED_WORDS[status]))
        for status, colour in theme.SEED_COLOURS.items()
        if status in present
    ]
    dose = snapshot.dose
    if dose is not None and dose.seeds:
        named = tr(" STALE") if snapshot.dose_is_stale else ""
        if snapshot.engine == MODELLED:
            # The lines are those of the dose that does not lead.
            named = f" TG-43{named}"
        keys += [
            Key(colour, f"{percent} % = {dose.prescription_gy * percent / 100:g} Gy{named}", dash)
            for percent, (colour, dash, _) in theme.ISODOSES.items()
        ]
    return tuple(keys)


def lying(position: str) -> str:
    """Return a patient position with what it means, such as ``HFP prone``; a dash for none."""
    if not position:
        return words.DASH
    return f"{position.upper()} {tr(POSITIONS.get(position.upper(), ON_THE_SIDE))}"


def axial_captions(sight: Sight, window: GreyScale, shown: Slice) -> tuple[str, str, str]:
    """Return which axial slice is shown, in which grey scale, and how the patient lies."""
    assert sight.volume is not None
    position = sight.volume.provenance.patient_position
    turned = tr("patient position not given")
    if sight.anatomical:
        turned = tr("{lying}, ANATOMICAL: anterior up (T)", lying=lying(position))
    elif position:
        turned = tr("{lying}, table below", lying=lying(position))
    return (
        tr("slice {number}/{count}  z {z} mm", number=shown.number + 1,
           count=sight.count("axial"), z=f"{shown.plane.origin_mm[2]:.1f}"),
        f"W {window.width_hu:.0f}  L {window.level_hu:.0f}  {tr(window.name)}",
        turned,
    )  # fmt: skip
