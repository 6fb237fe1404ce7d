"""What people have said and signed: answers, edits, checks, signatures. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SET_ASIDE = "set aside"


@dataclass(frozen=True)
class Patient:
    """Whom a case is opened for; all blank leaves it to the plan.

    Attributes:
        patient_id: DICOM PatientID.
        patient_name: DICOM PatientName.
        accession_number: of the order.
        scheduled_step: ScheduledProcedureStepID.
    """

    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    scheduled_step: str = ""


NOBODY = Patient()


@dataclass(frozen=True)
class Question:
    """Something that is held until a named person decides.

    Attributes:
        key: stable identity of what is asked.
        text: what is so, and what is asked.
        answers: what may be answered; the first is the cautious one.
        asked_at: number of the event that raised it.
        subject: SeriesInstanceUID it is about, empty if about none.
        place_mm: where in the patient, LPS mm; None if about no place.
    """

    key: str
    text: str
    answers: tuple[str, ...]
    asked_at: int
    subject: str = ""
    place_mm: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Edit:
    """A person's word on a detection.

    Attributes:
        number: event number.
        at: UTC time.
        by: name.
        act: ``confirmed``, ``moved``, ``added`` or ``deleted``.
        what: ``seed 4`` or ``needle 2``.
        reason: why.
        scan_uid: the scan it concerns.
    """

    number: int
    at: datetime
    by: str
    act: str
    what: str
    reason: str
    scan_uid: str


@dataclass(frozen=True)
class Check:
    """An item of the time-out.

    Attributes:
        item: its text.
        answered_by: name, empty while open.
        good: whether it was found in order.
        note: what was said with it.
        at: UTC time of the answer.
    """

    item: str
    answered_by: str = ""
    good: bool = False
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Signature:
    """A signature under the implant.

    Attributes:
        role: in which it was given.
        by: name.
        at: UTC time.
    """

    role: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Addition:
    """A seed that a person planned beyond the plan, whatever became of it.

    Attributes:
        number: event number of the acceptance.
        at: UTC time of it.
        by: name.
        seed: its number in the plan; free again where it was taken back.
        needle: through which needle.
        retraction_mm: how far the needle is drawn back from its deepest point for it.
        advised_by: the dose that the advice was weighed by.
        withdrawn_by: name of who took it back; empty while it stands.
        withdrawn_at: UTC time of that.
    """

    number: int
    at: datetime
    by: str
    seed: int
    needle: int
    retraction_mm: float
    advised_by: str = ""
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Nudge:
    """A registration moved by hand.

    Attributes:
        number: event number.
        by: name.
        reason: why.
        shift_mm: (x, y, z) in the room.
        turn_deg: about x, y and z of the room, in this order, about the target.
    """

    number: int
    by: str
    reason: str
    shift_mm: tuple[float, float, float]
    turn_deg: tuple[float, float, float]
