"""What the cables bring, offered to the conductor as facts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from pathlib import Path

from devices.applicator import ApplicatorLink, DeviceRecord, LinkStatus
from devices.dicom import Announcement, announced_bytes, read_announcements
from devices.errors import DeviceError
from guidance.conductor.conductor import Conductor
from guidance.procedure.advance import Arm, Disarm, Resolve
from guidance.procedure.events import DeviceRecorded, LinkChanged, PermitEnded, SeriesReceived
from guidance.procedure.snapshot import ApplicatorView

log = logging.getLogger(__name__)

# Number and SeriesInstanceUID of an announcement.
Arrived = tuple[int, str]
# A look at the announcements' length takes some microseconds.
POLL_S = 0.002
# A record must be on disk before the device is told so; a disk that takes longer is broken.
DURABLE_WITHIN_S = 10.0


class ListenerFeed:
    """Follows the listener's announcements in its store; the listener itself runs elsewhere.

    What arrived in an earlier case waits until this case's patient is known, and is taken only
    if it is this patient's: a new case must not begin with the plan of the last one.
    """

    def __init__(
        self, store: Path, conductor: Conductor, *, earlier: Collection[Arrived] = ()
    ) -> None:
        """Follow a store from the last announcement the case knows.

        Args:
            store: of the listener.
            conductor: of the case.
            earlier: number and SeriesInstanceUID of announcements that earlier cases took.
        """
        self._earlier, self._waiting = earlier, list[Announcement]()
        self._store = store
        self._conductor = conductor
        # A fact offered again is recorded once; what waited before a restart waits again.
        self._after = 0 if earlier else conductor.state.last_announcement
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="listener-feed")

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _follow(self) -> None:
        seen_bytes = -1
        while not self._stop.wait(POLL_S):
            self._look_back()
            # The file only grows; while it has not, there is nothing to read.
            size = announced_bytes(self._store)
            if size == seen_bytes:
                continue
            seen_bytes = size
            for announcement in read_announcements(self._store, self._after):
                if (announcement.number, announcement.series_instance_uid) in self._earlier:
                    self._waiting.append(announcement)
                else:
                    self._offer(announcement)
                self._after = announcement.number

    def _look_back(self) -> None:
        """Take what waited and is this patient's, once the patient is known."""
        patient = self._conductor.state.patient_id if self._waiting else ""
        if patient:
            waiting, self._waiting = self._waiting, []
            for announcement in waiting:
                if announcement.patient_id == patient:
                    self._offer(announcement)

    def _offer(self, announcement: Announcement) -> None:
        self._conductor.offer(_series(announcement)).result(timeout=DURABLE_WITHIN_S)


def _series(announcement: Announcement) -> SeriesReceived:
    return SeriesReceived(
        number=announcement.number,
        modality=announcement.modality,
        patient_id=announcement.patient_id,
        patient_name="",
        study_instance_uid=announcement.study_instance_uid,
        series_instance_uid=announcement.series_instance_uid,
        frame_of_reference_uid=announcement.frame_of_reference_uid,
        description=announcement.series_description,
        files=tuple(str(f) for f in announcement.files),
    )


class ApplicatorFeed:
    """Ties the applicator's link to the conductor."""

    def __init__(self, url: str, conductor: Conductor, *, wire_log: Path | None = None) -> None:
        """Prepare the link; records go on after the last one the case knows."""
        device = conductor.state.device
        self._conductor = conductor
        self._link_state = device.link
        self._link = ApplicatorLink(
            url,
            record=self._record,
            heard=self._heard,
            position=(device.jid, device.eid) if device.jid else None,
            wire_log=wire_log,
        )
        conductor.connect_applicator(self._arm, self._disarm, self._resolve)

    def start(self) -> None:
        """Open the port."""
        self._link.start()

    def stop(self) -> None:
        """Close the port; the device ends any permit by itself."""
        self._link.close()

    def _record(self, record: DeviceRecord) -> None:
        fact = DeviceRecorded(
            record.jid, record.eid, record.boot, record.ms, record.kind, record.args
        )
        self._conductor.offer(fact).result(timeout=DURABLE_WITHIN_S)

    def _heard(self, status: LinkStatus) -> None:
        if status.state != self._link_state:
            self._link_state = status.state
            self._conductor.offer(LinkChanged(status.state, status.detail))
        state = self._conductor.state
        device = state.device
        self._conductor.heard(
            ApplicatorView(
                link=status.state,
                serial_number=status.serial_number,
                armed=status.armed,
                needle=device.permit_needle if status.armed else device.needle,
                permitted=device.permitted if status.armed else 0,
                dropped=device.dropped,
                cartridge=device.cartridge,
                remaining=device.remaining,
                as_of=status.as_of,
                detail=status.detail,
            )
        )

    def _arm(self, effect: Arm) -> None:
        """Pass a permit on without waiting: the answer comes back as a fact."""
        threading.Thread(target=self._permit, args=(effect,), name="permit", daemon=True).start()

    def _permit(self, effect: Arm) -> None:
        try:
            self._link.permit(
                effect.permit, effect.needle, effect.cartridge, effect.after, effect.stops_mm
            )
        except DeviceError as error:
            self._conductor.offer(PermitEnded(effect.permit, str(error)))

    def _disarm(self, effect: Disarm) -> None:
        log.info("disarming: %s", effect.reason)
        threading.Thread(target=self._end, name="disarm", daemon=True).start()

    def _resolve(self, effect: Resolve) -> None:
        threading.Thread(target=self._tell, args=(effect,), name="resolve", daemon=True).start()

    def _tell(self, effect: Resolve) -> None:
        try:
            self._link.resolve(effect.eid, "DROP" if effect.dropped else "NODROP", effect.by)
        except DeviceError as error:
            # It stays unresolved and is shown so; the person says it again.
            log.warning("record %d was not resolved: %s", effect.eid, error)

    def _end(self) -> None:
        try:
            self._link.disarm()
        except DeviceError as error:
            # The lease ends the permit within a second all the same.
            log.warning("disarm: %s", error)
