"""Reports of storage commitment that came to the listener (PS3.4 annex J.3.3), on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydicom

from devices.dicom.store import Instance, sync_folder


def keep_commitment(store: Path, report: pydicom.Dataset) -> None:
    """Keep a report durably, before its sender is told that we have it.

    Raises:
        DeviceRefused: it names no transaction.
    """
    transaction = str(report.get("TransactionUID", ""))
    Instance("1", transaction)  # a UID, or it could be a path
    folder = store / "commitments"
    folder.mkdir(exist_ok=True)
    content = {
        "committed": _instances(report, "ReferencedSOPSequence"),
        "failed": _instances(report, "FailedSOPSequence"),
    }
    temporary = folder / f"{transaction}.part"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / f"{transaction}.json")
    sync_folder(folder)


def read_commitment(store: Path, transaction_uid: str) -> dict[str, list[str]] | None:
    """Return which SOP instances were ``committed`` and which ``failed``; None before it came."""
    path = store / "commitments" / f"{transaction_uid}.json"
    if not transaction_uid or not path.exists():
        return None
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _instances(report: pydicom.Dataset, keyword: str) -> list[str]:
    return [str(item.ReferencedSOPInstanceUID) for item in report.get(keyword) or ()]
