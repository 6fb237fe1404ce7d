"""Work that is answered later: in a thread of its own, so that the window never waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from devices.errors import DeviceError
from guidance.errors import GuidanceError

log = logging.getLogger(__name__)
T = TypeVar("T")


def answered_later(work: Callable[[], T], name: str, *, left_behind: bool = False) -> Future[T]:
    """Return the answer to come of some work; what it raises is the answer too.

    Args:
        work: what to do.
        name: of the thread, and of what is logged where a defect ends it.
        left_behind: the program ends without waiting for it.
    """
    answer: Future[T] = Future()

    def do() -> None:
        try:
            answer.set_result(work())
        except (GuidanceError, DeviceError) as error:
            answer.set_exception(error)
        except Exception as error:
            # A defect of ours, or what a peer made up: told, and logged.
            log.exception("%s failed", name)
            answer.set_exception(error)

    threading.Thread(target=do, name=name, daemon=left_behind).start()
    return answer
