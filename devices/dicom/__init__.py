"""The DICOM cable: receiving and sending, as bytes and files."""

from devices.dicom.announcements import Announcement, announced_bytes, read_announcements
from devices.dicom.arrivals import StoreWatch
from devices.dicom.door import Tls
from devices.dicom.listener import Caller, Listener, ListenerConfig
from devices.dicom.sender import SendResult, echo, send

__all__ = [
    "Announcement",
    "Caller",
    "Listener",
    "ListenerConfig",
    "SendResult",
    "StoreWatch",
    "Tls",
    "announced_bytes",
    "echo",
    "read_announcements",
    "send",
]
