"""The listener: a Storage SCP that acknowledges nothing it could lose.

Every association has its own thread (pynetdicom); one more closes quiet series.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.uid import (
    BasicTextSRStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    CTImageStorage,
    EncapsulatedPDFStorage,
    EnhancedCTImageStorage,
    EnhancedSRStorage,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RTBrachyTreatmentRecordStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
    XRayRadiationDoseSRStorage,
)
from pynetdicom import AE, _config, evt

from devices.dicom.announcements import Announcement, AnnouncementLog
from devices.dicom.commitments import keep_commitment
from devices.dicom.door import REQUEST_S, Door, Tls, make_room
from devices.dicom.pace import quicken
from devices.dicom.reception import OUT_OF_RESOURCES, SUCCESS, Rejected, received
from devices.dicom.series import SeriesWatch
from devices.dicom.services import STORAGE_COMMITMENT
from devices.dicom.store import InstanceStore, Kept
from devices.errors import DeviceBroken, DeviceRefused

log = logging.getLogger(__name__)

STORAGE_CLASSES = (
    CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage,
    RTStructureSetStorage, RTPlanStorage, RTDoseStorage, RTBrachyTreatmentRecordStorage,
    EncapsulatedPDFStorage, BasicTextSRStorage, EnhancedSRStorage, ComprehensiveSRStorage,
    Comprehensive3DSRStorage, XRayRadiationDoseSRStorage, SecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)  # fmt: skip
VERIFICATION = "1.2.840.10008.1.1"
# PS3.7 annex C.4.
PROCESSING_FAILURE = 0x0110
TRANSFER_SYNTAXES = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
)  # fmt: skip


TICK_S = 0.02


@dataclass(frozen=True)
class Caller:
    """A peer that may call: its AE title and address."""

    ae_title: str
    address: str


@dataclass(frozen=True)
class ListenerConfig:
    """How to listen.

    Attributes:
        store: folder for what is received.
        port: TCP port; 0 lets the system choose.
        host: address to listen on.
        ae_title: our AE title; callers must use it.
        allow: peers that may call; empty allows any AE title from a loopback address.
        quiet_s: a series is whole after so long without a new instance.
        maximum_associations: at once.
        maximum_object_bytes: larger objects are refused.
        idle_s: a silent association is closed after so long.
        reserve_bytes: disk space that stays free.
        tls: certificates; None for plain connections.
    """

    store: Path
    port: int
    host: str = "127.0.0.1"
    ae_title: str = "SEEDGUIDE"
    allow: tuple[Caller, ...] = ()
    quiet_s: float = 0.5
    maximum_associations: int = 30
    maximum_object_bytes: int = 512 << 20
    idle_s: float = 30.0
    reserve_bytes: int = 1 << 30
    tls: Tls | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not 0 <= self.port < 65536:
            raise DeviceRefused(f"port {self.port} is not a TCP port")
        if not 1 <= len(self.ae_title.strip()) <= 16:
            raise DeviceRefused(f"AE title {self.ae_title!r} must have 1 to 16 characters")
        if self.quiet_s <= 0:
            raise DeviceRefused("the quiet time must be positive")


class Listener:
    """A running Storage SCP; use as a context manager."""

    def __init__(self, config: ListenerConfig, announce: Callable[[Announcement], None]) -> None:
        """Prepare the store; ``announce`` is called after each durable announcement."""
        self._config = config
        self._announce = announce
        self._store = InstanceStore(config.store, reserve_bytes=config.reserve_bytes)
        self._log = AnnouncementLog(config.store)
        self._watch = SeriesWatch(config.quiet_s, self._whole)
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="series-watch", daemon=True)
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Listener:
        """Start listening; series that a crash left unannounced are looked at first."""
        now_s = time.monotonic()
        for series_uid, files in self._store.series().items():
            if len(files) > self._log.announced.get(series_uid, 0):
                self._watch.stored(series_uid, files, None, now_s)
        # The library's own handlers compose a text for every PDU that nobody reads.
        _config.LOG_HANDLER_LEVEL = "none"
        entity = AE(ae_title=self._config.ae_title)
        entity.maximum_associations = self._config.maximum_associations
        entity.maximum_pdu_size = 1 << 20
        entity.network_timeout = self._config.idle_s
        entity.acse_timeout = REQUEST_S
        entity.dimse_timeout = self._config.idle_s
        entity.require_called_aet = True
        if self._config.allow:
            entity.require_calling_aet = sorted({c.ae_title for c in self._config.allow})
        for storage_class in STORAGE_CLASSES:
            entity.add_supported_context(storage_class, list(TRANSFER_SYNTAXES))
        entity.add_supported_context(VERIFICATION)
        # Who reports a commitment is its SCP, and calls us (PS3.4 annex J.3.3).
        entity.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._on_open),
            (evt.EVT_REQUESTED, self._on_requested),
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_N_EVENT_REPORT, self._on_report),
            (evt.EVT_RELEASED, lambda event: self._watch.released(id(event.assoc))),
            (evt.EVT_ABORTED, lambda event: self._watch.lost(id(event.assoc))),
            (evt.EVT_CONN_CLOSE, lambda event: self._watch.lost(id(event.assoc))),
        ]
        address = (self._config.host, self._config.port)
        tls = self._config.tls.context() if self._config.tls else None
        try:
            self._server = entity.make_server(address, evt_handlers=handlers, server_class=Door)
        except OSError as error:
            raise DeviceBroken(
                f"cannot listen on {address[0]}:{address[1]}: {error.strerror}; "
                "stop whoever uses the port or choose another"
            ) from error
        entity._servers.append(self._server)  # where the library's shutdown looks for it
        self._server.tls = tls
        self._server.addresses = frozenset(c.address for c in self._config.allow)
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="dicom-door", daemon=True
        ).start()
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop; what was acknowledged is on disk already."""
        self._stop.set()
        self._server.shutdown()
        self._ticker.join(timeout=5)

    def _on_open(self, event: Any) -> None:
        quicken(
            event.assoc,
            largest_object_bytes=self._config.maximum_object_bytes,
            pdu_s=self._config.idle_s,
            others=lambda: self._server.active_associations,
        )

    def _on_requested(self, event: Any) -> None:
        make_room(self._server.active_associations, self._config.maximum_associations)
        address = str(event.assoc.requestor.address)
        title = str(event.assoc.requestor.primitive.calling_ae_title).strip()
        if self._config.allow:
            allowed = Caller(title, address) in self._config.allow
        else:
            allowed = ipaddress.ip_address(address).is_loopback
        if not allowed:
            log.warning("association from %s at %s refused: not on the allow-list", title, address)
            event.assoc.acse.send_reject(0x01, 0x01, 0x03)
            event.assoc.kill()

    def _on_store(self, event: Any) -> int:
        request = event.request
        sender = str(event.assoc.requestor.ae_title).strip()
        data_set = request.DataSet.getvalue() if request.DataSet else b""
        try:
            if len(data_set) > self._config.maximum_object_bytes:
                raise Rejected(OUT_OF_RESOURCES, f"object of {len(data_set)} bytes is too large")
            item = received(
                data_set,
                str(request.AffectedSOPClassUID),
                str(request.AffectedSOPInstanceUID),
                event.context.transfer_syntax,
            )
            kept = self._store.keep(item.instance, item.content)
        except Rejected as error:
            log.warning("instance from %s refused: %s", sender, error)
            return error.status
        except DeviceBroken as error:
            log.error("instance from %s not stored: %s", sender, error)
            return OUT_OF_RESOURCES
        if kept is Kept.ASIDE:
            log.warning(
                "instance %s came again with other bytes; set aside",
                item.instance.sop_instance_uid,
            )
        if kept is Kept.NEW:
            path = self._store.path(item.instance)
            uid = item.instance.series_instance_uid
            self._watch.stored(uid, (path,), id(event.assoc), time.monotonic(), item.evidence)
        return SUCCESS

    def _on_report(self, event: Any) -> tuple[int, None]:
        try:
            keep_commitment(self._config.store, event.event_information)
        except (DeviceRefused, OSError, AttributeError) as error:
            log.warning("a report of storage commitment was not kept: %s", error)
            return PROCESSING_FAILURE, None
        return SUCCESS, None

    def _whole(self, files: tuple[Path, ...], evidence: str) -> None:
        everything = tuple(sorted(files[0].parent.glob("*.dcm")))
        said = self._log.announce(everything, evidence)
        try:
            self._announce(said)
        except OSError as error:
            # Whoever listened at our output went away; what is on disk is what counts.
            log.error("announcement %d was heard by nobody: %s", said.number, error)

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            self._watch.tick(time.monotonic())
