"""Which structures are the spinal cord, or stand for it."""

from __future__ import annotations

from collections.abc import Iterable

from dose.structures import Structure

# As planning systems and segmentation programs call it; the canal and the thecal sac stand for
# the cord where it was not drawn (Sahgal et al. use the sac).
_NAMES = ("cord", "myelon", "spinal canal", "spinal_canal", "thecal", "cauda", "脊髓", "椎管")


def is_cord(name: str) -> bool:
    """Return whether a structure of that name is the cord or stands for it."""
    lowered = name.lower().replace("spinalcanal", "spinal canal")
    return any(part in lowered for part in _NAMES)


def cord_of(structures: Iterable[Structure]) -> Structure | None:
    """Return the cord among structures, else what stands for it; None without either."""
    found = [s for s in structures if is_cord(s.name)]
    proper = [s for s in found if "cord" in s.name.lower() or "脊髓" in s.name]
    return next(iter(proper or found), None)
