"""Sending DICOM files to a peer (C-STORE) and asking whether it is there (C-ECHO)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError
from pynetdicom import AE, build_context

from devices.errors import DeviceBroken, DeviceRefused

VERIFICATION = "1.2.840.10008.1.1"
SETTLE_S = 0.0005


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
            settle(association)
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


def settle(association: Any) -> None:
    """Wait until an association has taken note that the last message is done.

    pynetdicom pauses the association's own loop while a message is under way. Where the next one
    starts before that loop has woken, it takes the old pause for a new one, and the loop may eat
    the answer: on a busy machine a store then ends in half a minute of silence.
    """
    while association.is_established and association._is_paused:
        time.sleep(SETTLE_S)


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
