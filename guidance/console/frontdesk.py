"""The desk of a session: the acts in the case that runs, and the change to another one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from guidance.conductor.desk import Answer, Desk
from guidance.console.answering import answered_later
from guidance.errors import RefusedError
from guidance.procedure.acts import NOBODY, Patient
from guidance.procedure.events import ProcedureEvent


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

    def open_another_case(self, by: str, patient: Patient = NOBODY) -> Answer:
        """Leave the case that runs and open another; refused while that is being done."""
        return answered_later(lambda: self._change(by, patient), "another-case")

    def _change(self, by: str, patient: Patient) -> ProcedureEvent:
        if not self._changing.acquire(blocking=False):
            raise RefusedError("another case is being opened already")
        try:
            return self._begin(by, patient)
        finally:
            self._changing.release()
