"""The planning CT laid over the room's, to judge a registration by eye. Pure numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from guidance.imaging.volume import Volume
from guidance.screen.language import marked
from guidance.screen.reslice import AIR_HU, Slice

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
    right_mm = left + (np.arange(columns) + 0.5) * width / columns
    down_mm = top + (np.arange(rows) + 0.5) * height / rows
    room_to_index = np.linalg.inv(plan_to_room @ planning.geometry.index_to_patient)
    plane = shown.plane
    # Affine along rows and columns: three small vectors instead of a matrix for each pixel.
    origin = room_to_index[:3, :3] @ plane.origin_mm + room_to_index[:3, 3]
    along = (room_to_index[:3, :3] @ plane.right)[:, None, None] * right_mm[None, None, :]
    below = (room_to_index[:3, :3] @ plane.down)[:, None, None] * down_mm[None, :, None]
    index = origin[:, None, None] + along + below
    return np.asarray(
        map_coordinates(
            planning.hu, index[::-1], output=np.int16, order=1, mode="constant", cval=AIR_HU
        )
    )


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
