"""The model-based dose in the room: when it is due, and the last one that was had.

It is asked for while nothing more urgent is, shown beside TG-43 as it converges, and is never a
fact of the case: it can be had again from the facts. A result carries its job, and is dropped
where that has been superseded. Where it leads, advice waits until it is there whole for the
implant as it is: neither that of an earlier implant nor TG-43 is weighed in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from guidance.advice import MODELLED
from guidance.configuration import ModelledSettings
from guidance.errors import RefusedError
from guidance.procedure.events import EngineChosen, Event
from guidance.procedure.jobs import Advise, Job, ModelDose, advice_lacks, key_of, model_dose
from guidance.procedure.snapshot import ModelledView, Snapshot
from guidance.procedure.state import CaseState


@dataclass(frozen=True)
class Modelled:
    """What came of a job so far.

    Attributes:
        job: that it is of.
        view: the dose as it is now, None where there is none (yet).
        refused: why there can be none, else empty.
        ended: whether that is the last of it.
        share: how much of it is done, 0 to 1.
    """

    job: ModelDose
    view: ModelledView | None = None
    refused: str = ""
    ended: bool = False
    share: float = 0.0


class Modelling:
    """Knows when the dose is due, and keeps the last one."""

    def __init__(self, settings: ModelledSettings | None = None) -> None:
        """Have no dose.

        Args:
            settings: whether the dose is wanted; it is not if left out.
        """
        self._settings = settings or ModelledSettings()
        self._superseded = False
        self._last: Modelled | None = None
        self._settled: ModelDose | None = None
        self._share = 0.0

    def due(self, state: CaseState) -> ModelDose | None:
        """Return the dose that a state calls for and that is not there yet."""
        wanted = model_dose(state)
        if wanted is None or not self._settings.on or state.closed_by or wanted == self._settled:
            return None
        if key_of(wanted) in state.stopped:
            return None
        return wanted

    def check(self, fact: Event) -> None:
        """Refuse to let a dose lead that is not computed here.

        Raises:
            RefusedError: so it is.
        """
        if isinstance(fact, EngineChosen) and fact.engine == MODELLED and not self._settings.on:
            raise RefusedError("the model-based dose is not computed here; see the settings")

    def final(self, state: CaseState) -> Modelled | None:
        """Return the last word on the dose of the implant as it is, None before there is one."""
        last = self._last
        there = last is not None and last.ended and last.job == model_dose(state)
        return last if there else None

    def awaited(self, job: Job, state: CaseState) -> bool:
        """Return whether work has to wait for the dose."""
        if not isinstance(job, Advise) or state.engine != MODELLED:
            return False
        return self._settings.on and self.final(state) is None

    def waiting(self, state: CaseState) -> str:
        """Return what advice waits for, in a sentence; empty where it does not."""
        wanted = model_dose(state)
        if state.engine != MODELLED or not advice_lacks(state):
            return ""
        if not state.seeds:
            return "Advice waits for the first seed: the model-based dose leads."
        if wanted is None:
            return "Advice waits: the last scan has not been looked at."
        if not self.awaited(Advise(state.implant_at), state):
            return ""
        if key_of(wanted) in state.stopped:
            return "Advice waits: the model-based dose leads, and was stopped."
        return "Advice waits for the model-based dose of the implant as it is."

    def supersede(self) -> None:
        """Take nothing more of the running job: something newer is asked for."""
        self._superseded = True

    def free(self) -> None:
        """Note that no job runs any more."""
        self._superseded, self._share = False, 0.0

    @property
    def share(self) -> float:
        """How much of the running job is done, 0 to 1."""
        return self._share

    def take(self, found: Modelled) -> None:
        """Keep what a job gave, unless something newer has been asked since."""
        if self._superseded:
            return
        self._share = found.share
        if found.view is not None or found.refused:
            self._last = found
        if found.ended:
            self._settled = found.job

    def beside(self, shown: Snapshot, state: CaseState) -> Snapshot:
        """Return a snapshot with the dose beside TG-43, marked where it is of another implant."""
        shown = replace(shown, advice_waits=self.waiting(state))
        last, registration = self._last, state.registration
        # Under another registration the structures lay elsewhere.
        if last is None or registration is None:
            return shown
        if last.job.registration_number != registration.number:
            return shown
        stale = model_dose(state) != last.job
        if last.view is None:
            return shown if stale else replace(shown, modelled_refused=last.refused)
        return replace(shown, modelled=last.view, modelled_is_stale=stale)
