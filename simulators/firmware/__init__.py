"""The controller: its own codec, memory and rules."""

from simulators.firmware.controller import Controller
from simulators.firmware.mechanics import Magazine, Mechanics, Passage
from simulators.firmware.memory import JournalMemory, MemoryFaultError, PowerLostError, Record

__all__ = [
    "Controller",
    "JournalMemory",
    "Magazine",
    "Mechanics",
    "MemoryFaultError",
    "Passage",
    "PowerLostError",
    "Record",
]
