"""Memory in which the slices of a series lie as the volume will want them."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from guidance.imaging.files import Image

# Slices on either side of the first. Address space only: memory is taken as slices fill it.
REACH = 600


class Ground:
    """Memory for slices to lie on, taken from the system as it is touched.

    A page that is touched for the first time costs more than to copy a slice's pixels into it;
    who has the time can ``warm`` them before the slices come.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        """Reserve address space for slices of (rows, columns)."""
        self._slice_bytes = shape[0] * shape[1] * np.dtype(np.int16).itemsize
        self._pages = mmap.mmap(
            -1, 2 * REACH * self._slice_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        )
        self._pages.madvise(mmap.MADV_HUGEPAGE)
        self.slices: NDArray[np.int16] = np.ndarray(
            (2 * REACH, *shape), np.int16, buffer=self._pages
        )

    def warm(self, reach: int) -> None:
        """Touch the memory of so many slices on either side of the first."""
        self.slices[REACH - reach : REACH + reach] = 0

    def cool(self, first: int, last: int) -> None:
        """Give back what lies outside these slices; it can be used again all the same."""
        page = mmap.PAGESIZE
        low = first * self._slice_bytes // page * page
        high = -(-(last + 1) * self._slice_bytes // page) * page
        if low > 0:
            self._pages.madvise(mmap.MADV_DONTNEED, 0, low)
        if high < len(self._pages):
            self._pages.madvise(mmap.MADV_DONTNEED, high, len(self._pages) - high)


class SliceBlock:
    """Takes slices as they come; a volume needs no copy if they came along it, either way."""

    def __init__(self, ground: Ground | None = None) -> None:
        """Lay slices on ``ground`` if they have its shape; without one take no memory yet."""
        self._ground = ground
        self._block = np.empty((0, 0, 0), np.int16)
        self._lowest = self._highest = (0, 0.0)
        self._first_mm = 0.0

    def laid_down(self, images: Sequence[Image]) -> list[Image]:
        """Lay down slices that came together, in whatever order, and return them from there."""
        if not images:
            return []
        places = [float(i.frame.position_mm @ i.frame.normal) for i in images]
        # From the first slice of all outwards, so that none comes to lie between others.
        start = self._first_mm if len(self._block) else min(places)
        outwards = sorted(
            zip(places, range(len(images)), strict=True), key=lambda p: abs(p[0] - start)
        )
        laid = list(images)
        for place_mm, k in outwards:
            plane = images[k].plane
            laid[k] = replace(images[k], plane=replace(plane, hu=self.take(plane.hu, place_mm)))
        return laid

    def take(self, hu: NDArray[np.int16], place_mm: float) -> NDArray[np.int16]:
        """Lay down a slice and return it from where it lies now.

        Args:
            hu: (rows, columns).
            place_mm: of the slice along the normal.

        Returns:
            The slice as it was given if it lies between others, is of another shape, or does
            not fit any more.
        """
        if not len(self._block):
            if self._ground is None or self._ground.slices.shape[1:] != hu.shape:
                self._ground = Ground(hu.shape)
            self._block = self._ground.slices
            self._lowest = self._highest = (REACH, place_mm)
            self._first_mm = place_mm
            at = REACH
        elif place_mm > self._highest[1]:
            at = self._highest[0] + 1
        elif place_mm < self._lowest[1]:
            at = self._lowest[0] - 1
        else:
            return hu
        if hu.shape != self._block.shape[1:] or not 0 <= at < len(self._block):
            return hu
        if at >= self._highest[0]:
            self._highest = (at, place_mm)
        if at <= self._lowest[0]:
            self._lowest = (at, place_mm)
        laid: NDArray[np.int16] = self._block[at]
        laid[:] = hu
        return laid

    def trim(self) -> None:
        """Give back memory that no slice lies on."""
        if self._ground is not None and len(self._block):
            self._ground.cool(self._lowest[0], self._highest[0])


def stacked(slices: Sequence[NDArray[np.int16]]) -> NDArray[np.int16]:
    """Return slices as one array (n, rows, columns), without a copy where they lie in order."""
    base, size = slices[0].base, slices[0].nbytes
    start = _address(slices[0])
    if (
        isinstance(base, np.ndarray)
        and base.ndim == 3
        and all(s.base is base and _address(s) == start + k * size for k, s in enumerate(slices))
    ):
        first = (start - _address(base)) // size
        return np.asarray(base[first : first + len(slices)])
    return np.stack(slices)


def _address(array: NDArray[np.int16]) -> int:
    return int(array.__array_interface__["data"][0])
