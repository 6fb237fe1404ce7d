"""The conductor: sole writer of state and journal.

Threads, and what each may touch:

- ``conductor``: the state and the journal; hands out frozen snapshots.
- ``numerics``: one worker; gets a job and a frozen state, gives back a fact. With nothing else
  to do it carries photons for the model-based dose, until anything newer is asked of it.
- ``arrivals``: decodes slices while their series still arrives; keeps them to itself.
- ``listener-feed``: follows the listener's announcements, offers them as facts.
- ``applicator`` (in devices): offers each record and waits until it is on disk.

Everything reaches the conductor through one queue. An act of a person is asked of the state
first and recorded only if it is not refused; then effects, jobs and the snapshot follow.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from guidance.conductor.modelling import ModelDose, Modelled, Modelling
from guidance.conductor.picture import Picture
from guidance.conductor.workbench import Workbench
from guidance.configuration import CtSettings, ModelledSettings, SourceSettings
from guidance.errors import BrokenError, GuidanceError
from guidance.imaging import Volume, read_latest
from guidance.journal import Journal
from guidance.planning.protocol import Protocol
from guidance.procedure.advance import Arm, Disarm, Resolve, advance, replayed
from guidance.procedure.events import Event, ProcedureEvent, from_record, key_of, to_payload
from guidance.procedure.jobs import Job, jobs
from guidance.procedure.snapshot import ApplicatorView, Snapshot
from guidance.procedure.state import CaseState

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Offer:
    fact: Event
    reply: Future[ProcedureEvent]


@dataclass(frozen=True)
class _Done:
    job: Job
    fact: Event


@dataclass(frozen=True)
class _Heard:
    view: ApplicatorView


class _Stop:
    pass


def utc_now() -> datetime:
    """Return the time of day in UTC."""
    return datetime.now(UTC)


class Conductor:
    """Runs one case from its journal."""

    def __init__(
        self,
        journal: Journal,
        case_id: str,
        publish: Callable[[Snapshot], None],
        *,
        clock: Clock = utc_now,
        sources: SourceSettings | None = None,
        protocol: Protocol | None = None,
        read: Callable[[Sequence[Path]], Volume] = read_latest,
        modelled: ModelledSettings | None = None,
        ct: CtSettings | None = None,
    ) -> None:
        """Replay the case's journal.

        Args:
            journal: open for writing.
            case_id: the case to open or to resume.
            publish: called in the conductor's thread with every new snapshot.
            clock: gives the time of each fact.
            sources: which seed models the site may use.
            protocol: what a new case is held against; an opened one keeps its own.
            read: makes a volume of a series' files.
            modelled: whether and how well the model-based dose is wanted.
            ct: HU to density, for it.

        Raises:
            BrokenError: the journal's chain does not hold.
            SourceError: the case's seed model may not be used here (any more).
        """
        verification = journal.verify(case_id)
        if not verification.whole:
            raise BrokenError(f"journal of case {case_id}: {verification.fault}")
        self._journal = journal
        self._case_id = case_id
        self._publish = publish
        self._clock = clock
        self.protocol = protocol or Protocol()
        self._state = replayed(case_id, map(from_record, journal.records(case_id)))
        self._applicator = ApplicatorView()
        self._shown = Snapshot(self._state.number, self._state.at, case_id)
        self._arm: Callable[[Arm], None] = _nobody
        self._disarm: Callable[[Disarm], None] = _nobody
        self._resolve: Callable[[Resolve], None] = _nobody
        self._workbench = Workbench(sources, read)
        if self._state.plan is not None:
            self._workbench.sources.load(self._state.plan.source_model)
        self._picture = Picture(self._workbench)
        self._modelling = Modelling(self._workbench, modelled, ct)
        self._inbox: queue.Queue[_Offer | _Done | Modelled | _Heard | _Stop] = queue.Queue()
        self._work: queue.Queue[tuple[Job | ModelDose, CaseState] | None] = queue.Queue()
        self._at_work: Job | ModelDose | None = None
        self._threads = (
            threading.Thread(target=self._conduct, name="conductor"),
            threading.Thread(target=self._compute, name="numerics"),
        )

    @property
    def state(self) -> CaseState:
        """The state after the last event (frozen; safe to read from any thread)."""
        return self._state

    def connect_applicator(
        self,
        arm: Callable[[Arm], None],
        disarm: Callable[[Disarm], None],
        resolve: Callable[[Resolve], None],
    ) -> None:
        """Say who carries out permits and what else the applicator is told; before ``start``."""
        self._arm, self._disarm, self._resolve = arm, disarm, resolve

    def start(self) -> None:
        """Start the threads and publish the first snapshot."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in the queue and end the threads."""
        self._modelling.stop()
        self._inbox.put(_Stop())
        self._work.put(None)
        for thread in self._threads:
            thread.join(timeout=60)

    def offer(self, fact: Event) -> Future[ProcedureEvent]:
        """Offer a fact; the future holds its event once it is on disk, or the refusal."""
        offer = _Offer(fact, Future())
        self._inbox.put(offer)
        return offer.reply

    def heard(self, view: ApplicatorView) -> None:
        """Take note of the applicator's latest answer (shown, not recorded)."""
        self._inbox.put(_Heard(view))

    # --- the conductor's thread --------------------------------------------

    def _conduct(self) -> None:
        self._follow_up()
        while True:
            item = self._inbox.get()
            match item:
                case _Offer(fact, reply):
                    self._take(fact, reply)
                case _Done(_, fact):
                    self._at_work = None
                    self._take(fact, Future())
                case Modelled():
                    self._modelling.take(item)
                    if item.ended:
                        self._at_work = None
                case _Heard(view):
                    self._applicator = view
                case _Stop():
                    return
            if self._inbox.empty():
                self._follow_up()

    def _take(self, fact: Event, reply: Future[ProcedureEvent]) -> None:
        try:
            event = self._recorded(fact)
        except GuidanceError as error:
            reply.set_exception(error)
            if isinstance(error, BrokenError):
                # What cannot be recorded must not be acted on: nothing more is permitted.
                log.error("%s", error)
                self._disarm(Disarm("the journal cannot be written"))
            return
        reply.set_result(event)

    def _recorded(self, fact: Event) -> ProcedureEvent:
        kind, payload = to_payload(fact)
        event = ProcedureEvent(self._state.number + 1, self._clock(), fact)
        after, effects = advance(self._state, event)
        record = self._journal.append(self._case_id, kind, payload, at=event.at, key=key_of(fact))
        if record.number != event.number:
            # A keyed fact offered again: it is in the state already.
            return from_record(record)
        self._state = after
        for effect in effects:
            match effect:
                case Arm():
                    self._arm(effect)
                case Disarm():
                    self._disarm(effect)
                case Resolve():
                    self._resolve(effect)
        return event

    def _follow_up(self) -> None:
        """Give out the next job, and show the state as it is now."""
        outstanding = jobs(self._state)
        due = outstanding[0] if outstanding else self._modelling.due(self._state)
        if self._at_work is None and due is not None:
            self._at_work = due
            self._work.put((due, self._state))
        elif isinstance(self._at_work, ModelDose) and self._at_work != due:
            self._modelling.supersede()
        try:
            shown = self._picture.of(self._state, self._applicator)
            self._shown = self._modelling.beside(shown, self._state)
            busy = _in_words(self._at_work)
        except Exception as error:
            # A defect of ours must not stop the count; the screen says that it is behind.
            log.exception("the picture could not be made")
            busy = f"THE PICTURE IS OUT OF DATE ({type(error).__name__}: {error})"
            self._shown = replace(self._shown, dose_is_stale=True)
        self._publish(replace(self._shown, busy=busy))

    # --- the worker's thread -----------------------------------------------

    def _compute(self) -> None:
        while (item := self._work.get()) is not None:
            job, state = item
            if isinstance(job, ModelDose):
                self._modelling.run(job, state, self._inbox.put)
            else:
                self._inbox.put(_Done(job, self._workbench.run(job, state)))


def _nobody(_effect: object) -> None:
    """Nobody is connected: there is no applicator to arm or to disarm."""


def _in_words(job: Job | ModelDose | None) -> str:
    words = {
        "ReadPlan": "reading the plan",
        "ReadStructures": "reading the structures",
        "AnalyseScan": "looking for needles and seeds",
        "RegisterPlan": "registering the plan to the room",
        "TrackNeedles": "matching the needles with the plan",
        "MeasureRegistration": "measuring the registration",
        # Nobody waits for advice: ``proposal_is_stale`` says that it is being weighed.
        "Advise": "",
        # Nor for the model-based dose; it says itself how far it is.
        "ModelDose": "",
    }
    return words.get(type(job).__name__, "") if job is not None else ""
