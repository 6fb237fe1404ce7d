"""Lets the scripted person act on what the room shows."""

from __future__ import annotations

import logging

from guidance.conductor.desk import permit_number
from guidance.console.session import Session
from guidance.errors import RefusedError
from guidance.procedure.snapshot import Snapshot
from guidance.training.autopilot import Autopilot

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 10.0


class Driver:
    """Lets the autopilot act on each snapshot, one act at a time."""

    def __init__(self, session: Session) -> None:
        """Drive one session; does nothing unless its options ask for an autopilot."""
        options = session.options
        self._session = session
        self._autopilot = (
            Autopilot(options.operator or "Autopilot", options.deliveries)
            if options.autopilot
            else None
        )

    def see(self, snapshot: Snapshot) -> None:
        """Do at most one act; a refused one is logged and thought over at the next snapshot."""
        if self._autopilot is None:
            return
        conductor = self._session.conductor
        state = conductor.state
        act = self._autopilot.next_act(state, snapshot, permit_number(state.device.permit))
        if act is None:
            return
        try:
            conductor.offer(act).result(timeout=ANSWER_WITHIN_S)
        except RefusedError as error:
            log.info("refused: %s", error)
