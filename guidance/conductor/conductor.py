"""The conductor: sole writer of state and journal.

Threads, and what each may touch:

- ``conductor``: the state and the journal; hands out frozen snapshots.
- ``numerics``: speaks to the worker, a process of its own; hands it a job and a frozen state,
  brings back a fact. With nothing else to do the worker carries photons for the model-based
  dose, until anything newer is asked of it.
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

from guidance.conductor.foreman import Foreman, WorkDropped, WorkLost
from guidance.conductor.library import Library
from guidance.conductor.modelling import Modelled, Modelling
from guidance.conductor.orders import Settings
from guidance.conductor.picture import Picture
from guidance.configuration import CtSettings, ModelledSettings, SourceSettings
from guidance.errors import BrokenError, GuidanceError
from guidance.imaging import Volume, read_latest
from guidance.journal import Journal
from guidance.planning.protocol import Protocol
from guidance.procedure.advance import Arm, Disarm, Resolve, advance, replayed
from guidance.procedure.events import (
    Event,
    ProcedureEvent,
    WorkBrokeOff,
    from_record,
    key_of,
    to_payload,
)
from guidance.procedure.jobs import Advise, Job, ModelDose, jobs
from guidance.procedure.jobs import key_of as work_key
from guidance.procedure.snapshot import ApplicatorView, Snapshot, WorkView
from guidance.procedure.state import CaseState

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Offer:
    fact: Event
    reply: Future[ProcedureEvent]


@dataclass(frozen=True)
class _Done:
    """A piece of work is over; without a fact if it was left."""

    job: Job | ModelDose
    fact: Event | None


# Work for a state, with the model-based dose that it goes by, if it does.
_Task = tuple[Job | ModelDose, CaseState, Modelled | None]


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
        self._library = Library(sources, read)
        if self._state.plan is not None:
            self._library.sources.load(self._state.plan.source_model)
        self._picture = Picture(self._library)
        modelled = modelled or ModelledSettings()
        self._modelling = Modelling(modelled)
        settings = Settings(self._library.sources, modelled, ct or CtSettings())
        self._foreman = Foreman(settings, self._library)
        self._inbox: queue.Queue[_Offer | _Done | Modelled | _Heard | _Stop] = queue.Queue()
        self._work: queue.Queue[_Task | None] = queue.Queue()
        self._at_work: Job | ModelDose | None = None
        self._at_work_since = self._state.at
        self._threads = (
            threading.Thread(target=self._conduct, name="conductor"),
            threading.Thread(target=self._compute, name="numerics"),
        )

    @property
    def state(self) -> CaseState:
        """The state after the last event (frozen; safe to read from any thread)."""
        return self._state

    @property
    def worker_id(self) -> int | None:
        """Process number of the worker, None before it is started."""
        return self._foreman.process_id

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
        """Take what is in the queue and end; work under way is left, for the next start."""
        self._foreman.end()
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
                case _Done(job, fact):
                    self._at_work = None
                    if isinstance(job, ModelDose):
                        self._modelling.free()
                    if fact is not None:
                        self._take(fact, Future())
                case Modelled():
                    self._modelling.take(item)
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
        self._modelling.check(fact)
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
        due = self._due()
        if self._at_work is None and due is not None:
            self._at_work, self._at_work_since = due, self._clock()
            dose = self._modelling.final(self._state) if isinstance(due, Advise) else None
            self._work.put((due, self._state, dose))
        elif self._at_work is not None and self._unwanted(self._at_work, due):
            self._foreman.drop(self._at_work)
        try:
            whole = self._modelling.final(self._state)
            modelled = whole.view if whole is not None else None
            shown = self._picture.of(self._state, self._applicator, modelled)
            self._shown = self._modelling.beside(shown, self._state)
            busy = _waited_for(self._at_work)
        except Exception as error:
            # A defect of ours must not stop the count; the screen says that it is behind.
            log.exception("the picture could not be made")
            busy = f"THE PICTURE IS OUT OF DATE ({type(error).__name__}: {error})"
            self._shown = replace(self._shown, dose_is_stale=True)
        self._publish(replace(self._shown, busy=busy, work=self._work_view()))

    def _due(self) -> Job | ModelDose | None:
        for job in jobs(self._state):
            if not self._modelling.awaited(job, self._state):
                return job
        return self._modelling.due(self._state)

    def _work_view(self) -> WorkView | None:
        job = self._at_work
        if job is None:
            return None
        share = self._modelling.share if isinstance(job, ModelDose) else None
        key = work_key(job)
        stoppable = key not in self._state.stopped
        return WorkView(key, _in_words(job), self._at_work_since, share, stoppable)

    def _unwanted(self, job: Job | ModelDose, due: Job | ModelDose | None) -> bool:
        if isinstance(job, ModelDose) and job != due:
            self._modelling.supersede()
            return True
        return work_key(job) in self._state.stopped

    # --- the thread that speaks to the worker ------------------------------

    def _compute(self) -> None:
        self._foreman.start()
        while (item := self._work.get()) is not None:
            job, state, dose = item
            self._inbox.put(_Done(job, self._worked(job, state, dose)))
        self._foreman.clear()

    def _worked(
        self, job: Job | ModelDose, state: CaseState, dose: Modelled | None
    ) -> Event | None:
        """Return the fact that work led to; None where it is no fact, or was left."""
        try:
            found = self._foreman.run(job, state, self._inbox.put, dose)
        except WorkDropped:
            return None
        except WorkLost as error:
            return WorkBrokeOff(work_key(job), str(error))
        except Exception as error:
            # A defect of ours must not stop the room: it is said, logged, and set aside.
            log.exception("the work could not be given out")
            reason = f"internal error: {type(error).__name__}: {error}"
            return WorkBrokeOff(work_key(job), reason)
        if isinstance(found, Modelled):
            self._inbox.put(found)
            return None
        fact: Event = found
        return fact


def _nobody(_effect: object) -> None:
    """Nobody is connected: there is no applicator to arm or to disarm."""


def _waited_for(job: Job | ModelDose | None) -> str:
    """Return what is done in words, empty where nobody waits for it.

    ``proposal_is_stale`` says that advice is weighed, the model-based dose how far it is.
    """
    return "" if job is None or isinstance(job, (Advise, ModelDose)) else _in_words(job)


def _in_words(job: Job | ModelDose) -> str:
    words = {
        "ReadPlan": "reading the plan",
        "ReadStructures": "reading the structures",
        "AnalyseScan": "looking for needles and seeds",
        "RegisterPlan": "registering the plan to the room",
        "TrackNeedles": "matching the needles with the plan",
        "MeasureRegistration": "measuring the registration",
        "Advise": "weighing advice",
        "ModelDose": "model-based dose",
    }
    return words[type(job).__name__]
