"""The worklist as the screen asks it: in a thread, since a peer may take its time."""

from __future__ import annotations

from concurrent.futures import Future

from devices.dicom import Peer, WorklistItem, worklist
from guidance.configuration import WorklistSettings
from guidance.console.answering import answered_later
from guidance.screen.scheduled import Scheduled, Worklist


def worklist_of(settings: WorklistSettings, calling_ae: str) -> Worklist | None:
    """Return the worklist that a configuration names; None where it names none."""
    if not settings.peer:
        return None
    peer = Peer.parsed(settings.peer)

    def ask(day: str) -> Future[tuple[Scheduled, ...]]:
        # Left behind if nobody waits for it any more; its timeouts end it.
        return answered_later(lambda: asked(day), "worklist", left_behind=True)

    def asked(day: str) -> tuple[Scheduled, ...]:
        items = worklist(
            peer,
            calling_ae=calling_ae,
            date=day,
            modality=settings.modality,
            station_ae=settings.station,
            answer_s=settings.answer_s,
        )
        return tuple(map(_scheduled, items))

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
