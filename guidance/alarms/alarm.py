"""Alarms: latched, acknowledged by name, cleared only by the condition itself.

Priorities carry the names of IEC 60601-1-8, whose conformance is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from guidance.errors import RefusedError


class Priority(Enum):
    """Alarm priority, named after IEC 60601-1-8."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Alarm:
    """A condition that a person must know of.

    Attributes:
        key: stable identity of the condition.
        priority: how urgent.
        text: one sentence: what, where, how much.
        raised_at: UTC time.
        active: whether the condition still holds (acknowledging does not clear it).
        acknowledged_by: name, empty while nobody has.
    """

    key: str
    priority: Priority
    text: str
    raised_at: datetime
    active: bool = True
    acknowledged_by: str = ""


Alarms = tuple[Alarm, ...]


def raised(alarms: Alarms, key: str, priority: Priority, text: str, at: datetime) -> Alarms:
    """Return the alarms with one more; one already active under the key keeps its place.

    The same words again change nothing (an acknowledged alarm is not raised anew by the
    condition merely going on); other words need another acknowledgement.
    """
    for alarm in alarms:
        if alarm.key == key and alarm.active and alarm.text == text:
            return alarms
    others = tuple(alarm for alarm in alarms if alarm.key != key)
    return (Alarm(key, priority, text, at), *others)


def settled(alarms: Alarms, key: str) -> Alarms:
    """Return the alarms with a condition over: gone if acknowledged, latched if not."""
    kept = (replace(a, active=False) if a.key == key else a for a in alarms)
    return tuple(a for a in kept if a.active or not a.acknowledged_by)


def acknowledged(alarms: Alarms, key: str, by: str) -> Alarms:
    """Return the alarms with one acknowledged by a named person.

    Raises:
        RefusedError: no name, or no such alarm.
    """
    if not by.strip():
        raise RefusedError("an alarm is acknowledged by a named person")
    if not any(alarm.key == key for alarm in alarms):
        raise RefusedError(f"there is no alarm {key}")
    noted = (replace(a, acknowledged_by=by) if a.key == key else a for a in alarms)
    return tuple(a for a in noted if a.active or a.key != key)
