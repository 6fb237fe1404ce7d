"""What the link hands out: journal records and its own state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["connecting", "up", "lost", "refused", "closed"]


@dataclass(frozen=True)
class DeviceRecord:
    """One record of the applicator's journal, never renumbered.

    Attributes:
        jid: id of the journal.
        eid: number in the journal, from 1 on.
        boot: start of the controller it was written in.
        ms: time since that start, ms.
        kind: what happened; kinds not known here are passed on as they are.
        args: its words.
    """

    jid: str
    eid: int
    boot: int
    ms: int
    kind: str
    args: tuple[str, ...]


@dataclass(frozen=True)
class LinkStatus:
    """How the link stands.

    Attributes:
        state: connecting, up, lost, refused or closed.
        detail: why, in a sentence; empty while all is well.
        serial_number: of the controller; empty until it has said so.
        jid: id of the controller's journal; empty until it has said so.
        head_eid: last record in the controller.
        acked_eid: last record the controller knows to be on our disk.
        armed: whether the controller said that a permit is in force.
        as_of: when the controller last answered (UTC), None if it never did.
    """

    state: State
    detail: str = ""
    serial_number: str = ""
    jid: str = ""
    head_eid: int = 0
    acked_eid: int = 0
    armed: bool = False
    as_of: datetime | None = None


@dataclass(frozen=True)
class ControllerStatus:
    """What the controller says of itself when asked.

    Attributes:
        head_eid: last record in its journal.
        acked_eid: last record that it knows to be on a host's disk.
        armed: whether a permit is in force.
        permitted_left: seeds that the permit still allows.
        last_permit: highest permit number it has seen.
        cartridge: serial number, empty without one.
        remaining: seeds in the cartridge by the follower; None if it cannot tell.
        needle: number it is on, 0 for none.
        unresolved: strokes of unknown outcome that nobody has resolved.
    """

    head_eid: int
    acked_eid: int
    armed: bool
    permitted_left: int
    last_permit: int
    cartridge: str
    remaining: int | None
    needle: int
    unresolved: int


def parse_status(words: tuple[str, ...]) -> ControllerStatus:
    """Return the status of an answer's words after OK.

    Raises:
        ValueError, IndexError: they are no status.
    """
    head, acked, armed, left, permit, cartridge, remaining, needle, unresolved = words[:9]
    return ControllerStatus(
        int(head),
        int(acked),
        armed == "1",
        int(left),
        int(permit),
        "" if cartridge == "-" else cartridge,
        None if remaining == "-" else int(remaining),
        int(needle),
        int(unresolved),
    )


def parse_record(words: tuple[str, ...]) -> DeviceRecord | None:
    """Return the record of an E line's words, None if they are no record."""
    if len(words) < 6 or words[0] != "E" or not all(w.isdecimal() for w in words[2:5]):
        return None
    eid, boot, ms = (int(w) for w in words[2:5])
    return DeviceRecord(words[1], eid, boot, ms, words[5], words[6:])
