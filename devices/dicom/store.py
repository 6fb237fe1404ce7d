"""The store: DICOM objects on disk, each durable before its sender is told so.

STORE/incoming/               temporary names; emptied at the start
STORE/objects/SERIES/SOP.dcm  one file for each instance, Part 10, bytes as received
STORE/aside/                  the same instance with other bytes, kept for a person to see
STORE/announcements.jsonl     one line for every series that became whole
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from devices.errors import DeviceBroken, DeviceRefused

# PS3.5 section 9.1: components of digits, at most 64 characters. Anything else in a UID could
# be a path.
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
DISK_RESERVE_BYTES = 1 << 30


class Kept(Enum):
    """What became of an instance."""

    NEW = "new"
    SAME = "same"
    ASIDE = "aside"


@dataclass(frozen=True)
class Instance:
    """Identity of an instance.

    Attributes:
        series_instance_uid: the series it belongs to.
        sop_instance_uid: its own UID.
    """

    series_instance_uid: str
    sop_instance_uid: str

    def __post_init__(self) -> None:
        """Refuse what is no UID."""
        for name in ("series_instance_uid", "sop_instance_uid"):
            value = getattr(self, name)
            if len(value) > 64 or not _UID.fullmatch(value):
                raise DeviceRefused(f"{name} {value[:80]!r} is not a DICOM UID")


class InstanceStore:
    """Keeps instances; safe for several threads."""

    def __init__(self, root: Path, *, reserve_bytes: int = DISK_RESERVE_BYTES) -> None:
        """Make the folders and clear what an earlier crash left half written.

        Raises:
            DeviceBroken: the folder cannot be used.
        """
        self.root = root
        self._reserve_bytes = reserve_bytes
        try:
            for name in ("incoming", "objects", "aside"):
                (root / name).mkdir(parents=True, exist_ok=True)
            for half_written in (root / "incoming").iterdir():
                half_written.unlink()
        except OSError as error:
            raise DeviceBroken(f"store {root} cannot be used: {error.strerror}") from error

    def keep(self, instance: Instance, content: bytes) -> Kept:
        """Put an instance on disk for good: write, sync, rename, sync the folder.

        Args:
            instance: its identity.
            content: the whole Part 10 file.

        Raises:
            DeviceBroken: the disk is full or failed; nothing is left behind.
        """
        final = self.path(instance)
        if final.exists():
            if _same_bytes(final, content):
                return Kept.SAME
            digest = hashlib.sha256(content).hexdigest()[:16]
            self._write(self.root / "aside" / f"{instance.sop_instance_uid}-{digest}.dcm", content)
            return Kept.ASIDE
        self._write(final, content)
        return Kept.NEW

    def path(self, instance: Instance) -> Path:
        """Return where an instance is kept."""
        folder = self.root / "objects" / instance.series_instance_uid
        return folder / f"{instance.sop_instance_uid}.dcm"

    def series(self) -> dict[str, tuple[Path, ...]]:
        """Return the files of every series on disk."""
        return {
            folder.name: tuple(sorted(folder.glob("*.dcm")))
            for folder in sorted((self.root / "objects").iterdir())
        }

    def _write(self, final: Path, content: bytes) -> None:
        temporary = self.root / "incoming" / uuid.uuid4().hex
        try:
            if shutil.disk_usage(self.root).free - len(content) < self._reserve_bytes:
                raise DeviceBroken(f"store {self.root}: the disk is full to its reserve")
            new_folder = not final.parent.exists()
            if new_folder:
                final.parent.mkdir(exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            try:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.rename(final)
            sync_folder(final.parent)
            if new_folder:
                sync_folder(final.parent.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise DeviceBroken(f"store {self.root}: {error.strerror}") from error


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same_bytes(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and path.read_bytes() == content
