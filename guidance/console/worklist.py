"""The worklist as the screen asks it: in a thread, since a peer may take its time."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future

from devices.dicom import Peer, WorklistItem, worklist
from devices.errors import DeviceError
from guidance.configuration import WorklistSettings
from guidance.screen.scheduled import Scheduled, Worklist

log = logging.getLogger(__name__)


def worklist_of(settings: WorklistSettings, calling_ae: str) -> Worklist | None:
    """Return the worklist that a configuration names; None where it names none."""
    if not settings.peer:
        return None
    peer = Peer.parsed(settings.peer)

    def ask(day: str) -> Future[tuple[Scheduled, ...]]:
        answer: Future[tuple[Scheduled, ...]] = Future()
        # Left behind if nobody waits for it any more; its timeouts end it.
        threading.Thread(target=_asked, args=(day, answer), name="worklist", daemon=True).start()
        return answer

    def _asked(day: str, answer: Future[tuple[Scheduled, ...]]) -> None:
        try:
            items = worklist(
                peer,
                calling_ae=calling_ae,
                date=day,
                modality=settings.modality,
                station_ae=settings.station,
                answer_s=settings.answer_s,
            )
            answer.set_result(tuple(map(_scheduled, items)))
        except DeviceError as error:
            answer.set_exception(error)
        except Exception as error:
            # What a peer makes up may break more than its own answer.
            log.exception("the worklist could not be asked")
            answer.set_exception(error)

    return Worklist(str(peer), ask)


def _scheduled(item: WorklistItem) -> Scheduled:
    return Scheduled(
        patient_id=item.patient_id,
        patient_name=item.patient_name,
        birth_date=item.birth_date,
        procedure=item.description,
        starts=item.starts,
        accession=item.accession,
        step=item.step_id,
    )
