"""The scanner's push to the assistant (C-STORE)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    CTImageStorage,
    RTPlanStorage,
    RTStructureSetStorage,
)

RETRY_S = 0.5
SETTLE_S = 0.0005


class NotDeliveredError(RuntimeError):
    """The peer did not take an object."""


def push(
    objects: Iterable[FileDataset], *, host: str, port: int, called_ae: str, patience_s: float = 30
) -> int:
    """Send objects over one association and return how many were acknowledged.

    Args:
        objects: sent in this order.
        host: of the listener.
        port: of the listener.
        called_ae: AE title of the listener.
        patience_s: how long a listener that is not up yet is waited for.

    Raises:
        NotDeliveredError: no association in that time, or an object was refused.
    """
    entity = AE(ae_title="VIRTUALCT")
    for storage in (CTImageStorage, RTPlanStorage, RTStructureSetStorage):
        entity.add_requested_context(storage, ExplicitVRLittleEndian)
    deadline = time.monotonic() + patience_s
    while not (link := entity.associate(host, port, ae_title=called_ae)).is_established:
        if time.monotonic() > deadline:
            raise NotDeliveredError(f"{called_ae} at {host}:{port} accepts no association")
        time.sleep(RETRY_S)
    sent = 0
    try:
        for data in objects:
            # The library's own loop must have woken from its last pause, or it may eat the answer.
            while link.is_established and link._is_paused:
                time.sleep(SETTLE_S)
            status = link.send_c_store(data).get("Status")
            if status != 0:
                raise NotDeliveredError(
                    f"{called_ae} did not take {data.SOPInstanceUID}: status {status}"
                )
            sent += 1
    finally:
        link.release()
    return sent
