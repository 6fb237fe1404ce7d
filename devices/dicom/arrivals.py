"""What has come into the store since it was last looked at, whole series or not."""

from __future__ import annotations

import os
from pathlib import Path


class StoreWatch:
    """Tells of instances as they come; one reader."""

    def __init__(self, store: Path) -> None:
        """Take what is there already as known."""
        self._objects = store / "objects"
        self._changed_ns: dict[str, int] = {}
        self._known: dict[str, set[str]] = {}
        self.new()

    def new(self) -> tuple[Path, ...]:
        """Return the files that came since the last call, series by series.

        Instances appear in the store whole, by renaming; a folder that has not changed is not
        read again.
        """
        found: list[Path] = []
        try:
            folders = list(os.scandir(self._objects))
        except FileNotFoundError:
            return ()
        for folder in folders:
            changed_ns = folder.stat().st_mtime_ns
            if self._changed_ns.get(folder.name) == changed_ns:
                continue
            known = self._known.setdefault(folder.name, set())
            entries = [e for e in os.scandir(folder.path) if e.name not in known]
            # In the order in which they were written.
            entries.sort(key=lambda e: (e.stat().st_mtime_ns, e.name))
            names = [e.name for e in entries]
            known.update(names)
            found += [Path(folder.path, name) for name in names]
            # Two renames may fall into one tick of the file system's clock: look once more.
            if names:
                self._changed_ns.pop(folder.name, None)
            else:
                self._changed_ns[folder.name] = changed_ns
        return tuple(found)
