"""The worker's side of an order: volumes taken from shared memory, work done, result told."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Sequence
from pathlib import Path

from guidance.conductor.carrying import PhotonRun
from guidance.conductor.library import Library
from guidance.conductor.modelling import Modelled
from guidance.conductor.orders import Begun, Drop, Failed, Found, Order, Settings, Told
from guidance.conductor.shared import Laid, taken
from guidance.conductor.wire import Wire
from guidance.conductor.workbench import Workbench
from guidance.detection import warm_up
from guidance.imaging.volume import Volume
from guidance.procedure.jobs import ModelDose

log = logging.getLogger(__name__)


class Labour:
    """Does one order after the other.

    It keeps nothing of a case but structure sets it has read and the last model-based dose, to
    which a seed can be added.
    """

    def __init__(self, wire: Wire, settings: Settings) -> None:
        """Be ready.

        Args:
            wire: to the console.
            settings: as they stand there.
        """
        self._wire = wire
        self._there: dict[tuple[str, ...], tuple[Laid, int | None]] = {}
        self._library = Library(settings.sources, self._read)
        self._workbench = Workbench(self._library)
        self._photons = PhotonRun(self._library, settings.modelled, settings.ct)
        self._dropped = threading.Event()
        self._orders: queue.Queue[tuple[Order, list[int]]] = queue.Queue()

    def listen(self) -> None:
        """Take orders until nobody speaks any more; then end the process, whatever it does."""
        try:
            while True:
                message, descriptors = self._wire.receive()
                if isinstance(message, Drop):
                    self._dropped.set()
                elif isinstance(message, Order):
                    self._dropped.clear()
                    self._orders.put((message, descriptors))
        except EOFError:
            log.info("nobody speaks any more")
        except Exception:
            log.exception("an order could not be read")
        finally:
            os._exit(0)

    def work(self) -> None:
        """Do what is ordered, for ever; be quick at the first scan too.

        Raises:
            OSError: nobody hears the answers.
        """
        warm_up()
        while True:
            order, descriptors = self._orders.get()
            self._wire.send(Begun())
            self._lay_out(order, descriptors)
            answer: Found | Failed
            try:
                answer = self._done(order)
            except Exception as error:
                # A defect of ours must not stop the room: it is said, logged, and set aside.
                log.exception("%s failed", type(order.job).__name__)
                answer = Failed(f"internal error: {type(error).__name__}: {error}")
            self._wire.send(answer)

    def _done(self, order: Order) -> Found:
        job, state = order.job, order.state
        if not isinstance(job, ModelDose):
            fact = self._workbench.run(job, state, order.dose)
            return Found(fact, self._library.newly_read())
        last: list[Modelled] = []

        def tell(so_far: Modelled) -> None:
            if so_far.ended:
                last.append(so_far)
            else:
                self._wire.send(Told(so_far))

        self._photons.run(job, state, tell, self._dropped.is_set)
        return Found(last[-1])

    def _lay_out(self, order: Order, descriptors: list[int]) -> None:
        """Have the volumes of an order at hand, and those of no other."""
        self._library.forget_volumes()
        for _, unread in self._there.values():
            if unread is not None:
                os.close(unread)
        left = iter(descriptors)
        self._there = {
            laid.files: (laid, None if laid.refused else next(left)) for laid in order.volumes
        }

    def _read(self, files: Sequence[Path]) -> Volume:
        return taken(*self._there.pop(tuple(str(f) for f in files)))
