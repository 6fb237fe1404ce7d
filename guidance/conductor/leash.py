"""A process that must not outlive the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# prctl(2): the signal this process gets when the thread that started it ends.
PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Have the system end this process when its parent ends, however that ends.

    Elsewhere than on Linux the caller must notice by itself that nobody speaks to it any more.

    Args:
        parent: process number of the parent; this process ends at once if that is gone already.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
