"""Peers that we call: their address, and associations with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from pynetdicom import AE
from pynetdicom.presentation import PresentationContext

from devices.errors import DeviceBroken, DeviceRefused

CONNECT_S = 5.0
ANSWER_S = 60.0


@dataclass(frozen=True)
class Peer:
    """An application entity.

    Attributes:
        ae_title: its title.
        host: name or address.
        port: TCP port.
    """

    ae_title: str
    host: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read a peer written as ``AET@HOST:PORT``.

        Raises:
            DeviceRefused: it is not written so.
        """
        title, at, address = text.partition("@")
        host, colon, port = address.rpartition(":")
        if not (at and colon and host and port.isdigit() and 0 < int(port) < 65536):
            raise DeviceRefused(f"{text}: write a peer as AET@HOST:PORT, such as PACS@10.0.0.2:104")
        if not 1 <= len(title.strip()) <= 16:
            raise DeviceRefused(f"{text}: an AE title has 1 to 16 characters")
        return cls(title.strip(), host, int(port))

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.ae_title}@{self.host}:{self.port}"


@contextmanager
def associated(
    peer: Peer,
    contexts: Sequence[PresentationContext],
    *,
    calling_ae: str,
    roles: Sequence[Any] = (),
    handlers: Sequence[Any] = (),
    answer_s: float = ANSWER_S,
) -> Iterator[Any]:
    """Open an association, and release it.

    Args:
        peer: to call.
        contexts: to propose.
        calling_ae: our AE title.
        roles: SCP/SCU role selections.
        handlers: of pynetdicom's events.
        answer_s: longest wait for one answer.

    Raises:
        DeviceBroken: the peer cannot be reached or does not want us.
    """
    entity = AE(ae_title=calling_ae)
    entity.requested_contexts = list(contexts)
    entity.connection_timeout = entity.acse_timeout = CONNECT_S
    entity.dimse_timeout = entity.network_timeout = answer_s
    association = entity.associate(
        peer.host,
        peer.port,
        ae_title=peer.ae_title,
        ext_neg=list(roles),
        evt_handlers=list(handlers),
    )
    if not association.is_established:
        if association.is_rejected:
            raise DeviceBroken(
                f"{peer} rejected the association: it must know {calling_ae} and our address"
            )
        raise DeviceBroken(f"{peer} cannot be reached, or speaks no DICOM")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def status_of(answer: Any, what: str, peer: Peer) -> int:
    """Return the status of an answer.

    Raises:
        DeviceBroken: there was none.
    """
    status = getattr(answer, "Status", None)
    if status is None:
        raise DeviceBroken(f"{peer} did not answer {what}: the association broke or time ran out")
    return int(status)
