"""The planning CT laid over the room's, to judge a registration by eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from guidance.imaging.volume import Volume
from guidance.screen.language import marked
from guidance.screen.reslice import AIR_HU, Slice, on_plane

FloatArray = NDArray[np.float64]

# One after another by a key; the first shows the room alone.
WAYS = ("", "blend", "difference")
WAY_WORDS = {
    "blend": marked("BLEND: plan orange, room blue, grey where they agree"),
    "difference": marked("DIFFERENCE: room less plan; grey where they agree"),
}


def matched(planning: Volume, plan_to_room: FloatArray, shown: Slice) -> NDArray[np.int16]:
    """Return the planning CT on the pixels of a slice of the room, (rows, columns) HU.

    Args:
        planning: in its own frame.
        plan_to_room: 4x4 rigid matrix, LPS mm.
        shown: a slice of the room.
    """
    rows, columns = shown.hu.shape
    left, top, width, height = shown.box_mm
    across, below = width / columns, height / rows
    return on_plane(
        planning.hu, plan_to_room @ planning.geometry.index_to_patient, shown.plane,
        (left + across / 2, top + below / 2), (across, below), (rows, columns), outside=AIR_HU,
    )  # fmt: skip


def blended(room: NDArray[np.uint8], plan: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (rows, columns, 4) B, G, R, opaque: orange is plan alone, blue is room alone.

    Orange and blue stay apart for every common kind of colour blindness.
    """
    mixed = np.full((*room.shape, 4), 255, np.uint8)
    mixed[..., 0] = room
    mixed[..., 1] = (room.astype(np.uint16) + plan) // 2
    mixed[..., 2] = plan
    return mixed


def difference(room: NDArray[np.uint8], plan: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (rows, columns, 4): middle grey where both are equally bright."""
    grey = (128 + (room.astype(np.int16) - plan) // 2).astype(np.uint8)
    return np.stack((grey, grey, grey, np.full_like(grey, 255)), axis=-1)
