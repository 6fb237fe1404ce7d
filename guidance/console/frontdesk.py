"""The desk of a session: the acts in the case that runs, and the change to another one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from guidance.conductor.desk import Answer, Desk
from guidance.console.answering import answered_later
from guidance.errors import RefusedError
from guidance.procedure.events import ProcedureEvent


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


class FrontDesk(Desk):
    """Passes acts on to the case that runs; opens another one in a thread of its own."""

    def __init__(self, begin: Callable[[str, Patient], ProcedureEvent]) -> None:
        """Serve nobody yet.

        Args:
            begin: leaves the case that runs and opens another; may take its time.
        """
        super().__init__()
        self._begin = begin
        self._changing = threading.Lock()

    def open_another_case(
        self,
        by: str,
        *,
        patient_id: str = "",
        patient_name: str = "",
        accession_number: str = "",
        scheduled_step: str = "",
    ) -> Answer:
        """Leave the case that runs and open another; refused while that is being done."""
        patient = Patient(patient_id, patient_name, accession_number, scheduled_step)
        return answered_later(lambda: self._change(by, patient), "another-case")

    def _change(self, by: str, patient: Patient) -> ProcedureEvent:
        if not self._changing.acquire(blocking=False):
            raise RefusedError("another case is being opened already")
        try:
            return self._begin(by, patient)
        finally:
            self._changing.release()
