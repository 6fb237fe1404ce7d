"""What is to be sent, kept on disk until the other side has it, and says so if it is asked to.

OUTBOX/jobs/JOB/      job.json, and the files as they were when the job was given
OUTBOX/done/JOB.json  what was delivered
OUTBOX/refused/JOB/   what the other side will not have, with its reason

A job survives restarts. It is tried again, later each time, until it is delivered or refused for
good; with storage commitment it is delivered when the other side has taken responsibility.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import generate_uid
from pynetdicom import build_context

from devices.dicom.commitments import read_commitment
from devices.dicom.peer import Peer, associated, status_of
from devices.dicom.sender import send
from devices.dicom.services import STORAGE_COMMITMENT
from devices.dicom.store import sync_folder
from devices.errors import DeviceBroken, DeviceError, DeviceRefused

# PS3.4 annex J.3: the one instance of the storage commitment push model.
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
FIRST_RETRY_S, LAST_RETRY_S = 2.0, 300.0
# A commitment that does not come is asked for again after so long.
COMMITMENT_S = 600.0


@dataclass(frozen=True)
class SendJob:
    """Files on their way.

    Attributes:
        name: of its folder; jobs are tried in the order of their names.
        peer: as ``AET@HOST:PORT``.
        calling_ae: our AE title.
        files: still to be sent, names in the job's folder.
        sent: names of those that were acknowledged.
        commit: whether storage commitment is wanted.
        transaction_uid: of the commitment that was asked for; empty before.
        attempts: failed ones.
        next_s: not before this time (Unix).
        last_error: why the last attempt failed.
    """

    name: str
    peer: str
    calling_ae: str
    files: tuple[str, ...]
    sent: tuple[str, ...] = ()
    commit: bool = False
    transaction_uid: str = ""
    attempts: int = 0
    next_s: float = 0.0
    last_error: str = ""


class Outbox:
    """The queue; several processes may work on it."""

    def __init__(self, folder: Path, commitments: Path) -> None:
        """Open or make the outbox.

        Args:
            folder: of the outbox.
            commitments: the store whose listener takes the reports of commitment.
        """
        self._folder = folder
        self._commitments = commitments
        for name in ("jobs", "done", "refused"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def put(
        self, paths: Sequence[Path], peer: Peer, *, calling_ae: str, commit: bool = False
    ) -> str:
        """Take files to be sent; when this returns they are safe. Returns the job's name.

        Raises:
            DeviceRefused: there are none, or one is no DICOM file.
        """
        if not paths:
            raise DeviceRefused("there is nothing to send")
        for path in paths:
            _identity(path)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:6]}"
        making = self._folder / f"making-{name}"
        making.mkdir()
        files = []
        for number, path in enumerate(paths, 1):
            shutil.copyfile(path, making / f"{number:05d}.dcm")
            _sync(making / f"{number:05d}.dcm")
            files.append(f"{number:05d}.dcm")
        _write(making, SendJob(name, str(peer), calling_ae, tuple(files), commit=commit))
        making.rename(self._folder / "jobs" / name)
        sync_folder(self._folder / "jobs")
        return name

    def jobs(self) -> tuple[SendJob, ...]:
        """Return the jobs that are not done, oldest first."""
        return tuple(_read(f) for f in sorted((self._folder / "jobs").iterdir()) if f.is_dir())

    def state(self, name: str) -> str:
        """Return ``done``, ``refused: reason`` or ``waiting: reason`` of a job."""
        if (self._folder / "done" / f"{name}.json").exists():
            return "done"
        refused = self._folder / "refused" / name
        if refused.exists():
            return f"refused: {_read(refused).last_error}"
        job = _read(self._folder / "jobs" / name)
        if job.transaction_uid:
            return "waiting: for storage commitment"
        return f"waiting: {job.last_error or 'not tried yet'}"

    def work(self, now_s: float | None = None) -> int:
        """Try every job that is due, once each; return how many were delivered."""
        now_s = time.time() if now_s is None else now_s
        done = 0
        for job in self.jobs():
            # Further off than any wait: the clock was set back.
            due = job.next_s <= now_s or job.next_s > now_s + COMMITMENT_S
            if due or (job.transaction_uid and self._reported(job)):
                with _claimed(self._folder / "jobs" / job.name) as claimed:
                    done += claimed and self._tried(_read(self._folder / "jobs" / job.name), now_s)
        return done

    def _tried(self, job: SendJob, now_s: float) -> bool:
        folder = self._folder / "jobs" / job.name
        try:
            if job.transaction_uid and (report := self._reported(job)) is not None:
                job = self._committed(job, folder, report)
            elif job.transaction_uid:
                job = replace(job, transaction_uid="")  # no report in all the time: ask again
            if job.files:
                job = _sent(job, folder)
            if job.commit and not job.files and not job.transaction_uid and job.sent:
                job = _asked(job, folder, now_s)
        except DeviceRefused as error:
            _write(folder, replace(job, last_error=str(error)))
            folder.rename(self._folder / "refused" / job.name)
            return False
        except DeviceError as error:
            wait_s = min(FIRST_RETRY_S * 2.0**job.attempts, LAST_RETRY_S)
            current = _read(folder)
            _write(
                folder,
                replace(
                    current,
                    attempts=job.attempts + 1,
                    next_s=now_s + wait_s,
                    last_error=str(error),
                ),
            )
            return False
        if job.transaction_uid:
            return False
        record = self._folder / "done" / f"{job.name}.json"
        record.write_text(json.dumps(asdict(job)), encoding="utf-8")
        _sync(record)
        shutil.rmtree(folder)
        return True

    def _reported(self, job: SendJob) -> dict[str, list[str]] | None:
        return read_commitment(self._commitments, job.transaction_uid)

    @staticmethod
    def _committed(job: SendJob, folder: Path, report: dict[str, list[str]]) -> SendJob:
        """Take note of a report: what was not committed is sent again."""
        failed = set(report["failed"])
        names = [n for n in job.sent if _identity(folder / n)[1] in failed]
        kept = tuple(n for n in job.sent if n not in names)
        job = replace(job, transaction_uid="", files=tuple(names), sent=kept, commit=bool(names))
        _write(folder, job)
        if names:
            raise DeviceBroken(f"{job.peer} did not commit {len(names)} instance(s)")
        return job


def _sent(job: SendJob, folder: Path) -> SendJob:
    peer = Peer.parsed(job.peer)
    result = send(
        [folder / n for n in job.files],
        host=peer.host,
        port=peer.port,
        called_ae=peer.ae_title,
        calling_ae=job.calling_ae,
    )
    sent = {p.name for p in result.sent}
    job = replace(
        job,
        files=tuple(n for n in job.files if n not in sent),
        sent=(*job.sent, *sorted(sent)),
    )
    _write(folder, job)
    if result.failed:
        reasons = sorted({reason for _, reason in result.failed})
        text = f"{peer} did not take {len(result.failed)} of the files: {', '.join(reasons)}"
        # PS3.4 B.2.3: A9xx and Cxxx will be the same tomorrow; A7xx may pass.
        final = all(r.startswith(("status 0xA9", "status 0xC")) for r in reasons)
        raise DeviceRefused(text) if final else DeviceBroken(text)
    return job


def _asked(job: SendJob, folder: Path, now_s: float) -> SendJob:
    """Ask for storage commitment (N-ACTION, PS3.4 annex J.3.2)."""
    peer = Peer.parsed(job.peer)
    job = replace(job, transaction_uid=str(generate_uid()), next_s=now_s + COMMITMENT_S)
    request = pydicom.Dataset()
    request.TransactionUID = job.transaction_uid
    request.ReferencedSOPSequence = []
    for name in job.sent:
        item = pydicom.Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = _identity(folder / name)
        request.ReferencedSOPSequence.append(item)
    contexts = [build_context(STORAGE_COMMITMENT)]
    # Written first: the report may come before the answer.
    _write(folder, job)
    try:
        with associated(peer, contexts, calling_ae=job.calling_ae) as association:
            answer, _ = association.send_n_action(
                request, 1, STORAGE_COMMITMENT, COMMITMENT_INSTANCE
            )
            status = status_of(answer, "the request for storage commitment", peer)
    except ValueError as error:
        raise DeviceRefused(f"{peer} offers no storage commitment") from error
    except DeviceBroken:
        _write(folder, replace(job, transaction_uid=""))
        raise
    if status != 0:
        raise DeviceRefused(f"{peer} refused storage commitment with status 0x{status:04X}")
    return job


def _identity(path: Path) -> tuple[str, str]:
    try:
        data = pydicom.dcmread(
            path, specific_tags=["SOPClassUID", "SOPInstanceUID"], stop_before_pixels=True
        )
        return str(data.SOPClassUID), str(data.SOPInstanceUID)
    except (pydicom.errors.InvalidDicomError, AttributeError, OSError) as error:
        raise DeviceRefused(f"{path} is not a DICOM object: {error}") from error


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Tell whether a job is ours to work on now; nobody else's then."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder.exists()
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _write(folder: Path, job: SendJob) -> None:
    temporary = folder / "job.json.part"
    temporary.write_text(json.dumps(asdict(job)), encoding="utf-8")
    _sync(temporary)
    temporary.rename(folder / "job.json")
    sync_folder(folder)


def _read(folder: Path) -> SendJob:
    values: dict[str, Any] = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    values["files"], values["sent"] = tuple(values["files"]), tuple(values["sent"])
    return SendJob(**values)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
