"""Keeps one worker process: gives it orders, starts another when it died, ends it for good."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from guidance.conductor.library import Library
from guidance.conductor.modelling import Modelled
from guidance.conductor.orders import Drop, Failed, Found, Order, Settings, Told
from guidance.conductor.shared import Laid, Shelf
from guidance.conductor.wire import Wire
from guidance.errors import BrokenError, GuidanceError
from guidance.procedure.jobs import Job, ModelDose, scans_of
from guidance.procedure.state import CaseState

log = logging.getLogger(__name__)

END_WITHIN_S = 2.0


class WorkLost(BrokenError):  # noqa: N818 - named after what happened
    """Work ended without a result; the message says why."""


class WorkDropped(GuidanceError):  # noqa: N818 - named after what happened
    """Work was left because it was asked to be."""


class Foreman:
    """One worker process and what it is doing.

    ``start``, ``run`` and ``end`` belong to one thread, which must live as long as the worker
    (Linux ends the worker with the thread that started it); ``drop`` may be called from others.
    """

    def __init__(self, settings: Settings, library: Library) -> None:
        """Start nothing yet.

        Args:
            settings: for the worker.
            library: whose volumes are used, and whose structure sets are filled.
        """
        self._settings = settings
        self._library = library
        self._shelf = Shelf()
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Wire | None = None
        self._doing: Job | ModelDose | None = None
        # Whether the worker has been told of it, whether nobody wants it any more.
        self._ordered = self._dropped = False
        self._ended = False
        self._lock = threading.Lock()

    @property
    def process_id(self) -> int | None:
        """Process number of the worker, None without one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start a worker and do not wait for it: it loads its libraries by itself."""
        ours, theirs = socket.socketpair()
        with theirs:
            # The same modules as here, and none that lie about in the working directory.
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
            self._process = subprocess.Popen(
                [
                    sys.executable, "-P", "-m", "guidance.conductor.worker",
                    str(theirs.fileno()), str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                start_new_session=True,
            )  # fmt: skip
        self._wire = Wire(ours)
        self._wire.send(self._settings)

    def run(
        self,
        job: Job | ModelDose,
        state: CaseState,
        tell: Callable[[Any], None],
        dose: Modelled | None = None,
    ) -> Any:
        """Have a job done and return what came of it.

        Args:
            job: what to do.
            state: for which.
            tell: called with what is told on the way.
            dose: the model-based dose of the implant, for work that goes by it.

        Raises:
            WorkLost: the worker died, or came upon a defect; another one is started.
            WorkDropped: it was dropped.
        """
        with self._lock:
            self._doing, self._dropped = job, False
        try:
            volumes, descriptors = self._laid(job, state)
            order = Order(job, state, volumes, dose)
            answer = self._answer(order, descriptors, tell)
            answer = answer or self._answer(order, descriptors, tell)
        finally:
            with self._lock:
                self._doing, self._ordered = None, False
        if answer is None:
            raise WorkLost("no process could be had to do it")
        if isinstance(answer, Failed):
            raise WorkLost(answer.reason)
        self._library.keep(answer.structures)
        return answer.result

    def _answer(
        self, order: Order, descriptors: Sequence[int], tell: Callable[[Any], None]
    ) -> Found | Failed | None:
        """Return the worker's answer, None if it was gone before it began."""
        wire, begun = self._ready(), False
        with self._lock:
            if self._ended or self._dropped:
                raise WorkDropped("nobody wants it any more")
            self._ordered = True
        try:
            wire.send(order, descriptors)
            while not isinstance(answer := wire.receive()[0], Found | Failed):
                begun = True
                if isinstance(answer, Told):
                    tell(answer.what)
            return answer
        except (OSError, EOFError) as error:
            lost = self._lost()
            if begun or isinstance(lost, WorkDropped):
                raise lost from error
            return None

    def drop(self, job: Job | ModelDose) -> None:
        """Have a job left; ``run`` then raises WorkDropped, or still returns a result."""
        with self._lock:
            if self._doing != job or self._process is None or self._wire is None:
                return
            self._dropped = True
            if not self._ordered:
                return
            if isinstance(job, ModelDose):
                # It looks up between its rounds, and what it has loaded is kept.
                self._tell_drop()
            else:
                self._process.kill()

    def end(self) -> None:
        """End the worker, whatever it does."""
        with self._lock:
            self._ended = self._dropped = True
            if self._process is not None:
                self._process.kill()

    def clear(self) -> None:
        """Wait for the worker's end and give everything back."""
        self.end()
        if self._process is not None:
            self._process.wait(END_WITHIN_S)
        if self._wire is not None:
            self._wire.close()
        self._shelf.clear()

    # --- in detail ----------------------------------------------------------

    def _tell_drop(self) -> None:
        assert self._wire is not None
        try:
            self._wire.send(Drop())
        except OSError:
            log.info("the worker is gone already")

    def _ready(self) -> Wire:
        """Return the wire to a living worker; one that died while idle is replaced unsaid."""
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                log.warning("the worker was gone: %s", _why(self._process.returncode))
            self._again()
        assert self._wire is not None
        return self._wire

    def _again(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self.start()

    def _lost(self) -> GuidanceError:
        """Return what became of the work, with another worker started in the dead one's place."""
        assert self._process is not None
        self._process.kill()
        code = self._process.wait(END_WITHIN_S)
        with self._lock:
            dropped, ended = self._dropped, self._ended
        if not ended:
            self._again()
        if dropped:
            return WorkDropped("it was dropped")
        log.error("the worker was lost: %s", _why(code))
        return WorkLost(_why(code))

    def _laid(
        self, job: Job | ModelDose, state: CaseState
    ) -> tuple[tuple[Laid, ...], tuple[int, ...]]:
        said, descriptors = [], []
        for scan in scans_of(job, state):
            files = tuple(scan.series.files)
            try:
                laid, descriptor = self._shelf.lay(files, self._library.volume(scan))
            except GuidanceError as error:
                said.append(Laid(files, refused=str(error)))
                continue
            said.append(laid)
            descriptors.append(descriptor)
        return tuple(said), tuple(descriptors)


def _why(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        return f"its process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"its process was ended by signal {-code}"
