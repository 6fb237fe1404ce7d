"""Errors of the assistant.

GuidanceError
|-- RefusedError       what was asked cannot be done; nothing was changed
|   |-- ImportRefused  an object that came in cannot be used (says which and why)
|   `-- CommandError   a wrong command line (one line on stderr, exit code 2)
|-- BrokenError        the other side or the machine failed (disk, port, library)
`-- UnknownError       the outcome is not known; never handled as a failure
"""


class GuidanceError(Exception):
    """Root of the errors of the assistant."""


class RefusedError(GuidanceError):
    """What was asked cannot be done; nothing was changed."""


class ImportRefused(RefusedError):  # noqa: N818 - named after what happened, as the user reads it
    """An object that came in cannot be used; the message says which and why."""


class CommandError(RefusedError):
    """The command line is wrong; shown as one line on stderr with exit code 2."""


class BrokenError(GuidanceError):
    """The other side or the machine failed."""


class UnknownError(GuidanceError):
    """The outcome is not known."""
