"""A display of our own: Xvfb, for as long as the process that draws on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

# As large as the largest room display that is tested.
SCREEN = "3840x2160x24"
WANTED = "Xvfb is not installed (scripts/setup installs it)"


@contextmanager
def display() -> Iterator[str]:
    """Let Qt draw on an X server of our own; without Xvfb on nothing, and yield an empty name."""
    given = {name: os.environ.get(name) for name in ("DISPLAY", "QT_QPA_PLATFORM")}
    server = shutil.which("Xvfb")
    if server is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        yield ""
    else:
        name = _started(server)
        os.environ |= {"DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}
        yield name
    for variable, value in given.items():
        os.environ.pop(variable, None)
        if value is not None:
            os.environ[variable] = value


def _started(server: str) -> str:
    """Start a server on a free number and return its name.

    It ends by itself with its last client. Nobody else may end it: Qt leaves the process at
    once, tests and all, when its display goes away.
    """
    tell, told = os.pipe()
    options = ("-displayfd", str(told), "-screen", "0", SCREEN, "-nolisten", "tcp", "-terminate")
    aside = ("sh", "-c", '"$@" >/dev/null 2>&1 &', "sh")
    subprocess.run((*aside, server, *options), pass_fds=(told,), check=True)
    os.close(told)
    with os.fdopen(tell) as line:
        return f":{line.readline().strip()}"
