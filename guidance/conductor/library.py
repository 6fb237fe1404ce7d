"""What the work of a case is made of: volumes, structure sets, seed models; each read once.

The state of a case holds only references to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dose.structures import Structure
from guidance.configuration import SourceSettings
from guidance.exchange import StructureSet, read_structures
from guidance.imaging import read_latest
from guidance.imaging.volume import Volume
from guidance.procedure.state import CaseState, Scan


class Library:
    """Reads what is asked for, and keeps it."""

    def __init__(
        self,
        sources: SourceSettings | None = None,
        read: Callable[[Sequence[Path]], Volume] = read_latest,
    ) -> None:
        """Start with nothing read.

        Args:
            sources: which seed models the site may use; the enabled ones if left out.
            read: makes a volume of a series' files.
        """
        self.sources = sources or SourceSettings()
        self._read = read
        self._volumes: dict[tuple[str, int], Volume] = {}
        self._structures: dict[str, StructureSet] = {}
        self._newly: dict[str, StructureSet] = {}

    def volume(self, scan: Scan) -> Volume:
        """Return a scan as a volume, read once.

        Raises:
            ImportRefused: it is no volume.
        """
        key = (scan.uid, len(scan.series.files))
        if key not in self._volumes:
            self._volumes[key] = self._read([Path(f) for f in scan.series.files])
        return self._volumes[key]

    def forget_volumes(self) -> None:
        """Keep no volume any longer."""
        self._volumes.clear()

    def structures(self, state: CaseState) -> tuple[Structure, ...]:
        """Return the case's structures in the planning frame, without the needles' lines."""
        if state.structures is None:
            return ()
        found = self.structure_set(state.structures.path).structures
        return tuple(s for s in found if s.role != "BRACHY_CHANNEL")

    def structure_set(self, path: str) -> StructureSet:
        """Return the structure set of a file, read once.

        Raises:
            ImportRefused: it is none.
        """
        if path not in self._structures:
            self._structures[path] = self._newly[path] = read_structures(Path(path))
        return self._structures[path]

    def newly_read(self) -> dict[str, StructureSet]:
        """Return the structure sets read since this was asked last, by path."""
        newly, self._newly = self._newly, {}
        return newly

    def keep(self, found: Mapping[str, StructureSet]) -> None:
        """Keep structure sets that were read elsewhere, by path."""
        for path, structures in found.items():
            self._structures.setdefault(path, structures)
