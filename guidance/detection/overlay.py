"""Pictures of every detection, for the eye: what was said drawn over what the scanner saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from guidance.detection.detections import Detections
from guidance.detection.frame import ScanFrame
from guidance.imaging.volume import Volume

FloatArray = NDArray[np.float64]

HALF_MM, ZOOM = 14.0, 8
WINDOW_HU = (-200.0, 2200.0)
SEED_MM = 4.5
SEED_COLOUR, NEEDLE_COLOUR = (255, 80, 80), (80, 220, 255)


def write_overlays(volume: Volume, found: Detections, folder: Path) -> int:
    """Write one picture for each seed and each needle tip: the slice, and a cut along the normal.

    Args:
        volume: the scan.
        found: what was found in it.
        folder: made if absent; pictures are named seed-001.png, needle-001.png...

    Returns:
        How many pictures were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(found.seeds, start=1):
        picture = _pair(volume, found, np.array(seed.position_mm))
        picture.save(folder / f"seed-{number:03d}.png")
    for number, needle in enumerate(found.needles, start=1):
        picture = _pair(volume, found, np.array(needle.tip_mm))
        picture.save(folder / f"needle-{number:03d}.png")
    return len(found.seeds) + len(found.needles)


def _pair(volume: Volume, found: Detections, middle: FloatArray) -> Image.Image:
    """Return the slice through a point beside the cut along columns and the normal."""
    frame = ScanFrame.of(volume)
    across, down, normal = frame.rotation
    left = _cut(volume, frame, found, middle, across, down)
    right = _cut(volume, frame, found, middle, across, normal)
    both = Image.new("RGB", (left.width + right.width + 4, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    return both


def _cut(
    volume: Volume,
    frame: ScanFrame,
    found: Detections,
    middle: FloatArray,
    right: FloatArray,
    down: FloatArray,
) -> Image.Image:
    """Return the nearest voxels on a plane through a point, detections drawn on it."""
    side = int(2 * HALF_MM * ZOOM)
    offset = (np.arange(side) + 0.5) / ZOOM - HALF_MM
    points = middle + offset[:, None, None] * down + offset[None, :, None] * right
    index = np.rint(frame.to_index(frame.from_patient(points.reshape(-1, 3)))).astype(int)
    inside = ((index >= 0) & (index < np.array(volume.hu.shape)[::-1])).all(axis=1)
    hu = np.full(len(index), -1024.0)
    i, j, k = index[inside].T
    hu[inside] = volume.hu[k, j, i]
    grey = np.clip((hu - WINDOW_HU[0]) / (WINDOW_HU[1] - WINDOW_HU[0]), 0, 1) * 255
    picture = Image.fromarray(grey.reshape(side, side).astype(np.uint8)).convert("RGB")
    draw = ImageDraw.Draw(picture)

    def at(point: FloatArray) -> tuple[float, float]:
        off = point - middle
        return (
            float((off @ right + HALF_MM) * ZOOM),
            float((off @ down + HALF_MM) * ZOOM),
        )

    out_of_plane = np.cross(right, down)
    for seed in found.seeds:
        centre = np.array(seed.position_mm)
        if abs((centre - middle) @ out_of_plane) > SEED_MM:
            continue
        if seed.axis is not None:
            half = SEED_MM / 2 * np.array(seed.axis)
            draw.line([at(centre - half), at(centre + half)], fill=SEED_COLOUR, width=2)
        x, y = at(centre)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], outline=SEED_COLOUR)
    for needle in found.needles:
        path = np.array(needle.path_mm or (needle.tip_mm, needle.entry_mm))
        if abs((path[0] - middle) @ out_of_plane) > SEED_MM:
            continue
        draw.line([at(p) for p in path], fill=NEEDLE_COLOUR, width=1)
        x, y = at(path[0])
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], outline=NEEDLE_COLOUR)
    return picture
