"""Questions to a worklist or an archive (C-FIND), and fetching what it has (C-GET, C-MOVE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pynetdicom import build_context, build_role, evt

from devices.dicom.listener import STORAGE_CLASSES, TRANSFER_SYNTAXES
from devices.dicom.peer import ANSWER_S, Peer, associated, status_of
from devices.dicom.reception import OUT_OF_RESOURCES, SUCCESS, Rejected, received
from devices.dicom.services import STUDY_FIND, STUDY_GET, STUDY_MOVE, WORKLIST_FIND
from devices.dicom.store import InstanceStore
from devices.errors import DeviceBroken

# PS3.4 annex C.4: more answers follow.
PENDING = {0xFF00, 0xFF01}


@dataclass(frozen=True)
class WorklistItem:
    """A scheduled procedure step.

    Attributes:
        patient_id: PatientID.
        patient_name: PatientName, as text.
        birth_date: PatientBirthDate, YYYYMMDD or empty.
        sex: PatientSex.
        accession: AccessionNumber.
        study_instance_uid: StudyInstanceUID of the study to be made.
        description: of the requested procedure or the step.
        modality: Modality of the step.
        starts: date and time of the step, ``YYYYMMDD HHMMSS``.
        station_ae: ScheduledStationAETitle.
        step_id: ScheduledProcedureStepID.
    """

    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    accession: str
    study_instance_uid: str
    description: str
    modality: str
    starts: str
    station_ae: str
    step_id: str = ""


@dataclass(frozen=True)
class SeriesFound:
    """A series that an archive has.

    Attributes:
        patient_id: PatientID.
        patient_name: PatientName, as text.
        study_instance_uid: of its study.
        study_date: StudyDate.
        series_instance_uid: its own.
        modality: Modality.
        description: SeriesDescription.
        instances: how many, as far as the archive says; 0 if it does not.
    """

    patient_id: str
    patient_name: str
    study_instance_uid: str
    study_date: str
    series_instance_uid: str
    modality: str
    description: str
    instances: int


def worklist(
    peer: Peer,
    *,
    calling_ae: str,
    date: str = "",
    modality: str = "",
    patient_id: str = "",
    station_ae: str = "",
    answer_s: float = ANSWER_S,
) -> tuple[WorklistItem, ...]:
    """Ask a modality worklist (PS3.4 annex K).

    Args:
        peer: the worklist.
        calling_ae: our AE title.
        date: ``YYYYMMDD`` or a range ``YYYYMMDD-YYYYMMDD``; empty for any.
        modality: such as CT; empty for any.
        patient_id: empty for any.
        station_ae: ScheduledStationAETitle; empty for any.
        answer_s: longest wait for one answer.

    Raises:
        DeviceBroken: the peer cannot be reached, or does not answer the question.
    """
    step = pydicom.Dataset()
    step.ScheduledProcedureStepStartDate = date
    step.ScheduledProcedureStepStartTime = ""
    step.Modality = modality
    step.ScheduledStationAETitle = station_ae
    step.ScheduledProcedureStepDescription = ""
    step.ScheduledProcedureStepID = ""
    question = pydicom.Dataset()
    question.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (
        "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber",
        "StudyInstanceUID", "RequestedProcedureDescription", "RequestedProcedureID",
    ):  # fmt: skip
        setattr(question, keyword, "")
    question.PatientID = patient_id
    question.ScheduledProcedureStepSequence = [step]
    answers = _find(peer, WORKLIST_FIND, question, calling_ae, answer_s)
    return tuple(sorted((_item(a) for a in answers), key=lambda i: (i.starts, i.patient_name)))


def _item(answer: pydicom.Dataset) -> WorklistItem:
    steps = answer.get("ScheduledProcedureStepSequence") or [pydicom.Dataset()]
    step = steps[0]
    return WorklistItem(
        patient_id=_text(answer, "PatientID"),
        patient_name=_text(answer, "PatientName"),
        birth_date=_text(answer, "PatientBirthDate"),
        sex=_text(answer, "PatientSex"),
        accession=_text(answer, "AccessionNumber"),
        study_instance_uid=_text(answer, "StudyInstanceUID"),
        description=_text(answer, "RequestedProcedureDescription")
        or _text(step, "ScheduledProcedureStepDescription"),
        modality=_text(step, "Modality"),
        starts=f"{_text(step, 'ScheduledProcedureStepStartDate')} "
        f"{_text(step, 'ScheduledProcedureStepStartTime')}".strip(),
        station_ae=_text(step, "ScheduledStationAETitle"),
        step_id=_text(step, "ScheduledProcedureStepID"),
    )


def find_series(
    peer: Peer, criteria: Mapping[str, str], *, calling_ae: str
) -> tuple[SeriesFound, ...]:
    """Ask an archive for series: its studies first, then the series of each.

    Args:
        peer: the archive.
        criteria: of the study, by keyword: PatientID, StudyInstanceUID, AccessionNumber.
        calling_ae: our AE title.

    Raises:
        DeviceBroken: the peer cannot be reached, or does not answer the question.
    """
    model = STUDY_FIND
    wanted = ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "AccessionNumber")
    question = _question("STUDY", {**dict.fromkeys(wanted, ""), **criteria})
    found = []
    for study in _find(peer, model, question, calling_ae):
        uid = _text(study, "StudyInstanceUID")
        columns = ("SeriesInstanceUID", "Modality", "SeriesDescription")
        below = _question(
            "SERIES",
            {
                **dict.fromkeys(columns, ""),
                "StudyInstanceUID": uid,
                "NumberOfSeriesRelatedInstances": None,
            },
        )
        found += [
            SeriesFound(
                patient_id=_text(study, "PatientID"),
                patient_name=_text(study, "PatientName"),
                study_instance_uid=uid,
                study_date=_text(study, "StudyDate"),
                series_instance_uid=_text(series, "SeriesInstanceUID"),
                modality=_text(series, "Modality"),
                description=_text(series, "SeriesDescription"),
                instances=int(series.get("NumberOfSeriesRelatedInstances") or 0),
            )
            for series in _find(peer, model, below, calling_ae)
        ]
    return tuple(found)


def get_series(peer: Peer, series: SeriesFound, out: Path, *, calling_ae: str) -> tuple[Path, ...]:
    """Fetch a series over our own association (C-GET) into a folder kept like the store.

    Raises:
        DeviceBroken: the peer does not send all of it, or the disk does not take it.
    """
    store = InstanceStore(out, reserve_bytes=0)
    kept: list[Path] = []

    def keep(event: Any) -> int:
        request = event.request
        try:
            item = received(
                request.DataSet.getvalue() if request.DataSet else b"",
                str(request.AffectedSOPClassUID),
                str(request.AffectedSOPInstanceUID),
                event.context.transfer_syntax,
            )
            store.keep(item.instance, item.content)
        except Rejected as error:
            return error.status
        except DeviceBroken:
            return OUT_OF_RESOURCES
        kept.append(store.path(item.instance))
        return SUCCESS

    model = STUDY_GET
    contexts = [build_context(model)]
    contexts += [build_context(c, list(TRANSFER_SYNTAXES)) for c in STORAGE_CLASSES]
    roles = [build_role(c, scp_role=True) for c in STORAGE_CLASSES]
    handlers = [(evt.EVT_C_STORE, keep)]
    question = _series_question(series)
    with associated(
        peer, contexts, calling_ae=calling_ae, roles=roles, handlers=handlers
    ) as association:
        _follow(association.send_c_get(question, model), "C-GET", peer)
    return tuple(kept)


def move_series(peer: Peer, series: SeriesFound, destination_ae: str, *, calling_ae: str) -> int:
    """Have an archive send a series to an AE it knows, such as our listener (C-MOVE).

    Returns:
        How many instances it sent.

    Raises:
        DeviceBroken: the peer does not know the destination, or could not send all of it.
    """
    model = STUDY_MOVE
    with associated(peer, [build_context(model)], calling_ae=calling_ae) as association:
        question = _series_question(series)
        answers = association.send_c_move(question, destination_ae, model)
        return _follow(answers, f"C-MOVE to {destination_ae} (does it know that AE?)", peer)


def _follow(answers: Any, what: str, peer: Peer) -> int:
    """Wait for the last of many answers; return how many instances were sent."""
    for answer, _ in answers:
        status = status_of(answer, what, peer)
        if status in PENDING:
            continue
        failed = int(answer.get("NumberOfFailedSuboperations") or 0)
        if status != SUCCESS or failed:
            comment = answer.get("ErrorComment") or "no comment"
            raise DeviceBroken(
                f"{peer} ended {what} with status 0x{status:04X}, {failed} instances failed: "
                f"{comment}"
            )
        return int(answer.get("NumberOfCompletedSuboperations") or 0)
    raise DeviceBroken(f"{peer} ended {what} without an answer")


def _find(
    peer: Peer,
    model: str,
    question: pydicom.Dataset,
    calling_ae: str,
    answer_s: float = ANSWER_S,
) -> list[pydicom.Dataset]:
    found = []
    with associated(
        peer, [build_context(model)], calling_ae=calling_ae, answer_s=answer_s
    ) as association:
        for answer, identifier in association.send_c_find(question, model):
            status = status_of(answer, "C-FIND", peer)
            if status in PENDING and identifier is not None:
                found.append(identifier)
            elif status not in PENDING and status != SUCCESS:
                comment = answer.get("ErrorComment") or "no comment"
                raise DeviceBroken(f"{peer} answered C-FIND with 0x{status:04X}: {comment}")
    return found


def _question(level: str, values: Mapping[str, str | None]) -> pydicom.Dataset:
    question = pydicom.Dataset()
    question.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(question, keyword, value)
    return question


def _series_question(series: SeriesFound) -> pydicom.Dataset:
    return _question(
        "SERIES",
        {
            "StudyInstanceUID": series.study_instance_uid,
            "SeriesInstanceUID": series.series_instance_uid,
        },
    )


def _text(data: pydicom.Dataset, keyword: str) -> str:
    value = data.get(keyword)
    return "" if value is None else str(value).strip()
