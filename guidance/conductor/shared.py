"""Volumes in memory that two processes see: copied once, never sent through a pipe.

The memory has no name and no file: it is gone with the last process that holds it, whichever
way that one ends (Linux, ``memfd_create``).
"""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from dose.geometry import GridGeometry
from guidance.errors import ImportRefused
from guidance.imaging.volume import Provenance, Volume

# Two scans are at work at a time: the room's and the planning CT.
HELD = 2
# A single write takes at most some 2 GB.
PIECE_BYTES = 1 << 28


@dataclass(frozen=True)
class Laid:
    """What is said of a volume whose voxels lie in shared memory.

    Attributes:
        files: of its series; they name it.
        geometry: where the voxels lie, None where there is no volume.
        provenance: where it came from.
        refused: why there is none, else empty.
    """

    files: tuple[str, ...]
    geometry: GridGeometry | None = None
    provenance: Provenance | None = None
    refused: str = ""


class Shelf:
    """The side that has the volumes: copies each into shared memory once, keeps the last two."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: OrderedDict[tuple[str, ...], tuple[Volume, int]] = OrderedDict()

    def lay(self, files: tuple[str, ...], volume: Volume) -> tuple[Laid, int]:
        """Return what is said of a volume, and the file descriptor of its voxels."""
        held = self._held.pop(files, None)
        if held is None or held[0] is not volume:
            if held is not None:
                os.close(held[1])
            held = (volume, _copied(volume))
        self._held[files] = held
        while len(self._held) > HELD:
            _, (_, old) = self._held.popitem(last=False)
            os.close(old)
        return Laid(files, volume.geometry, volume.provenance), held[1]

    def clear(self) -> None:
        """Give the memory back, as far as no other process holds it."""
        while self._held:
            _, (_, descriptor) = self._held.popitem()
            os.close(descriptor)


def _copied(volume: Volume) -> int:
    descriptor = os.memfd_create("seedguide-volume")
    # Written, not mapped: the copy takes no address space here and lets other threads run.
    voxels = np.ascontiguousarray(volume.hu).reshape(-1).view(np.uint8).data
    done = 0
    while done < len(voxels):
        done += os.write(descriptor, voxels[done : done + PIECE_BYTES])
    return descriptor


def taken(laid: Laid, descriptor: int | None) -> Volume:
    """Return the volume on the other side, without a copy; the descriptor is closed.

    Raises:
        ImportRefused: there is no volume; the reason is that of the side that has it.
    """
    if laid.geometry is None or laid.provenance is None or descriptor is None:
        raise ImportRefused(laid.refused)
    try:
        pages = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    hu = np.frombuffer(pages, np.int16).reshape(laid.geometry.shape)
    return Volume(laid.geometry, hu, laid.provenance)
