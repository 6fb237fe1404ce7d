"""The DICOM cable: receiving and sending, as bytes and files."""

from devices.dicom.announcements import Announcement, announced_bytes, read_announcements
from devices.dicom.arrivals import StoreWatch
from devices.dicom.door import Tls
from devices.dicom.listener import Caller, Listener, ListenerConfig
from devices.dicom.outbox import Outbox, SendJob
from devices.dicom.peer import Peer
from devices.dicom.query import (
    SeriesFound,
    WorklistItem,
    find_series,
    get_series,
    move_series,
    worklist,
)
from devices.dicom.sender import SendResult, echo, send

__all__ = [
    "Announcement",
    "Caller",
    "Listener",
    "ListenerConfig",
    "Outbox",
    "Peer",
    "SendJob",
    "SendResult",
    "SeriesFound",
    "StoreWatch",
    "Tls",
    "WorklistItem",
    "announced_bytes",
    "echo",
    "find_series",
    "get_series",
    "move_series",
    "read_announcements",
    "send",
    "worklist",
]
