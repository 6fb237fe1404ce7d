"""Sending DICOM files to a peer (C-STORE) and asking whether it is there (C-ECHO)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError
from pynetdicom import AE, build_context

from devices.errors import DeviceBroken, DeviceRefused

VERIFICATION = "1.2.840.10008.1.1"


@dataclass(frozen=True)
class SendResult:
    """What became of each file.

    Attributes:
        sent: acknowledged with success or a warning.
        failed: (file, reason) of the others.
    """

    sent: tuple[Path, ...]
    failed: tuple[tuple[Path, str], ...]


def send(
    paths: Sequence[Path], *, host: str, port: int, called_ae: str, calling_ae: str = "SEEDGUIDE"
) -> SendResult:
    """Send files over one association.

    Raises:
        DeviceRefused: there is nothing to send, or a file is not DICOM.
        DeviceBroken: no association could be made.
    """
    if not paths:
        raise DeviceRefused("there is nothing to send")
    wanted = {_context(path) for path in paths}
    entity = AE(ae_title=calling_ae)
    entity.requested_contexts = [
        build_context(sop_class, [syntax]) for sop_class, syntax in sorted(wanted)
    ]
    association = entity.associate(host, port, ae_title=called_ae)
    if not association.is_established:
        raise DeviceBroken(f"{called_ae} at {host}:{port} did not accept the association")
    sent, failed = [], []
    try:
        for path in paths:
            try:
                answer = association.send_c_store(path)
                status = answer.get("Status")
            except (ValueError, RuntimeError) as error:
                failed.append((path, str(error)))
                continue
            if status is not None and (status == 0 or status & 0xF000 == 0xB000):
                sent.append(path)
            else:
                reason = "no answer" if status is None else f"status 0x{status:04X}"
                failed.append((path, reason))
    finally:
        association.release()
    return SendResult(tuple(sent), tuple(failed))


def echo(*, host: str, port: int, called_ae: str, calling_ae: str = "SEEDGUIDE") -> bool:
    """Tell whether a peer answers C-ECHO with success."""
    entity = AE(ae_title=calling_ae)
    entity.requested_contexts = [build_context(VERIFICATION)]
    association = entity.associate(host, port, ae_title=called_ae)
    if not association.is_established:
        return False
    try:
        return bool(association.send_c_echo().get("Status") == 0)
    finally:
        association.release()


def _context(path: Path) -> tuple[str, str]:
    try:
        header = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except (InvalidDicomError, OSError) as error:
        raise DeviceRefused(f"{path} is not a DICOM file: {error}") from error
    return str(header.SOPClassUID), str(header.file_meta.TransferSyntaxUID)
