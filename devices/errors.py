"""Errors of the cables.

DeviceError
|-- DeviceRefused   we asked for something that cannot be; nothing was done
|-- DeviceBroken    the other side, the port or the disk failed
`-- OutcomeUnknown  it may or may not have happened; never handled as a failure
"""


class DeviceError(Exception):
    """Root of the errors of the cables."""


class DeviceRefused(DeviceError):  # noqa: N818 - named after what happened
    """What was asked cannot be; nothing was done."""


class DeviceBroken(DeviceError):  # noqa: N818 - named after what happened
    """The other side, the port or the disk failed."""


class OutcomeUnknown(DeviceError):  # noqa: N818 - named after what happened
    """It may or may not have happened; never handled as a failure."""
