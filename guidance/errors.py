"""Errors of the assistant.

GuidanceError
|-- RefusedError       what was asked cannot be done; nothing was changed
|   |-- ImportRefused  an object that came in cannot be used (says which and why)
|   |-- UnmatchedError two scans that cannot be laid on each other
|   `-- CommandError   a wrong command line (one line on stderr, exit code 2)
|-- BrokenError        the other side or the machine failed (disk, port, library)
`-- UnknownError       the outcome is not known; never handled as a failure
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class GuidanceError(Exception):
    """Root of the errors of the assistant."""


class RefusedError(GuidanceError):
    """What was asked cannot be done; nothing was changed."""


class ImportRefused(RefusedError):  # noqa: N818 - named after what happened, as the user reads it
    """An object that came in cannot be used; the message says which and why."""


class UnmatchedError(RefusedError):
    """Two scans cannot be laid on each other.

    Attributes:
        turned_about: axis about which the second one seems to lie turned by half; empty if not.
    """

    def __init__(self, text: str, turned_about: str = "") -> None:
        """Say why, and how the second one seems to be turned."""
        super().__init__(text)
        self.turned_about = turned_about


class CommandError(RefusedError):
    """The command line is wrong; shown as one line on stderr with exit code 2."""


class BrokenError(GuidanceError):
    """The other side or the machine failed."""


class UnknownError(GuidanceError):
    """The outcome is not known."""


@contextmanager
def refusing_damage(file: str) -> Iterator[None]:
    """Refuse a DICOM object that turns out damaged while it is read.

    Values are parsed where they are used, and a damaged one may raise anything; what is said
    already in our own words passes.

    Args:
        file: what to name.

    Raises:
        ImportRefused: for whatever else was raised.
    """
    try:
        yield
    except GuidanceError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise ImportRefused(
            f"{file}: damaged, a part of it cannot be read ({said}); send it again"
        ) from error
