"""Conditions that a person must know of: raised, latched, acknowledged by name."""

from guidance.alarms.alarm import Alarm, Alarms, Priority, acknowledged, raised, settled

__all__ = ["Alarm", "Alarms", "Priority", "acknowledged", "raised", "settled"]
