"""Announcements: what the listener says of each series that became whole, durably."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pydicom

from devices.errors import DeviceBroken

log = logging.getLogger(__name__)

FILE_NAME = "announcements.jsonl"


@dataclass(frozen=True)
class Announcement:
    """A series that became whole.

    Attributes:
        number: from 1, without gaps.
        at: UTC time, ISO 8601.
        modality: DICOM Modality.
        patient_id: DICOM PatientID.
        study_instance_uid: DICOM StudyInstanceUID.
        series_instance_uid: DICOM SeriesInstanceUID.
        frame_of_reference_uid: DICOM FrameOfReferenceUID, empty if the object has none.
        series_description: DICOM SeriesDescription.
        directory: folder of the files.
        files: all files of the series then on disk.
        complete_by: the evidence: ``release``, ``count`` or ``quiet``.
        event: always ``series_whole``.
    """

    number: int
    at: str
    modality: str
    patient_id: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    series_description: str
    directory: Path
    files: tuple[Path, ...]
    complete_by: str
    event: str = "series_whole"

    def as_line(self) -> str:
        """Return the announcement as one line of JSON."""
        values = {**self.__dict__, "directory": str(self.directory.absolute())}
        values["files"] = [path.name for path in self.files]
        values["instances"] = len(self.files)
        return json.dumps(values, ensure_ascii=False)


def _from_line(line: str) -> Announcement:
    values = json.loads(line)
    values.pop("instances")
    directory = Path(values["directory"])
    values["directory"] = directory
    values["files"] = tuple(directory / name for name in values["files"])
    return Announcement(**values)


def read_announcements(store: Path, after: int = 0) -> tuple[Announcement, ...]:
    """Return the announcements numbered above ``after``, oldest first.

    A last line without its end is still being written and is left for the next call.

    Raises:
        DeviceBroken: the file is damaged.
    """
    path = store / FILE_NAME
    if not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    try:
        return tuple(_from_line(line) for line in lines[after:])
    except (ValueError, KeyError, TypeError) as error:
        raise DeviceBroken(f"{path} is damaged: {error}") from error


def announced_bytes(store: Path) -> int:
    """Return how long the announcements are: a cheap way to see that there are new ones."""
    try:
        return (store / FILE_NAME).stat().st_size
    except FileNotFoundError:
        return 0


class AnnouncementLog:
    """Appends announcements, one writer."""

    def __init__(self, store: Path) -> None:
        """Continue the log of a store; a torn last line from a crash is cut off."""
        self._path = store / FILE_NAME
        self._lock = threading.Lock()
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                with self._path.open("r+b") as file:
                    file.truncate(len(whole))
                    os.fsync(file.fileno())
        known = read_announcements(store)
        self._next = len(known) + 1
        self.announced = {a.series_instance_uid: len(a.files) for a in known}

    def announce(self, files: tuple[Path, ...], complete_by: str) -> Announcement:
        """Say durably that the series of these files is whole, and return what was said.

        Raises:
            DeviceBroken: the disk did not take it; nothing was said.
        """
        header = _header(files[0])
        with self._lock:
            announcement = Announcement(
                number=self._next,
                at=datetime.now(UTC).isoformat(),
                modality=_text(header, "Modality"),
                patient_id=_text(header, "PatientID"),
                study_instance_uid=_text(header, "StudyInstanceUID"),
                series_instance_uid=files[0].parent.name,
                frame_of_reference_uid=_frame(header),
                series_description=_text(header, "SeriesDescription"),
                directory=files[0].parent,
                files=files,
                complete_by=complete_by,
            )
            self._append(announcement.as_line() + "\n")
            self._next += 1
            self.announced[announcement.series_instance_uid] = len(files)
            return announcement

    def _append(self, line: str) -> None:
        """Write a line, or nothing of it."""
        # Text that a peer made up may be none in UTF-8.
        content = line.encode("utf-8", "backslashreplace")
        try:
            with self._path.open("ab") as file:
                start = file.tell()
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.truncate(self._path, start)
                    raise
        except OSError as error:
            raise DeviceBroken(f"{self._path}: {error.strerror}") from error


def _header(path: Path) -> pydicom.Dataset:
    """Return what can be read of an instance; it was accepted, so most can."""
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except Exception:
        log.warning("%s cannot be read", path, exc_info=True)
        return pydicom.Dataset()


def _text(header: pydicom.Dataset, keyword: str) -> str:
    """Return an attribute as text; empty where a peer wrote what cannot be read as one."""
    try:
        value = header.get(keyword)
        return "" if value is None else str(value).strip()
    except Exception:
        log.warning("%s of an instance cannot be read", keyword, exc_info=True)
        return ""


def _frame(header: pydicom.Dataset) -> str:
    """Return the frame of reference; a structure set names it in a sequence."""
    own = _text(header, "FrameOfReferenceUID")
    if own or "ReferencedFrameOfReferenceSequence" not in header:
        return own
    try:
        (first, *_) = header.ReferencedFrameOfReferenceSequence
    except Exception:
        log.warning("the frame of reference of an instance cannot be read", exc_info=True)
        return ""
    return _text(first, "FrameOfReferenceUID")
