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


def parse_record(words: tuple[str, ...]) -> DeviceRecord | None:
    """Return the record of an E line's words, None if they are no record."""
    if len(words) < 6 or words[0] != "E" or not all(w.isdecimal() for w in words[2:5]):
        return None
    eid, boot, ms = (int(w) for w in words[2:5])
    return DeviceRecord(words[1], eid, boot, ms, words[5], words[6:])
