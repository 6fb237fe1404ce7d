"""Which key does what; pedals that send keys are configured here too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence

from guidance.errors import RefusedError
from guidance.screen.language import marked

# What a key can do, its first key, and what it is in words.
ACTIONS: dict[str, tuple[str, str]] = {
    "act": ("F2", marked("the act of the step (twice where it asks)")),
    "permit": ("F4", marked("permit seeds (twice)")),
    "stop": ("Esc", marked("END PERMIT, at once")),
    "worklist": ("F3", marked("today's patients")),
    "cartridges": ("F6", marked("cartridges")),
    "work": ("F7", marked("stop the work under way, or run it again")),
    "seen": ("F8", marked("alarm seen")),
    "silence": ("F9", marked("alarm sound paused or on")),
    "about": ("F1", marked("keys, versions, about")),
    "settings": ("F10", marked("settings")),
    "decisions": ("F5", marked("questions, time-out, advice, signatures")),
    "lead": ("F11", marked("the dose that leads: TG-43 or model-based, research (twice)")),
    "language": ("F12", marked("English or Chinese")),
    "up": ("PgUp", marked("one slice headward")),
    "down": ("PgDown", marked("one slice footward")),
    "next": ("Right", marked("next needle")),
    "previous": ("Left", marked("needle before")),
    "home": ("Home", marked("to the needle's tip")),
    "reset": ("R", marked("all views as at first")),
    "measure": ("M", marked("measure distance and angle")),
    "turn": ("T", marked("table below or anterior up")),
    "cine": ("C", marked("cine")),
    "compare": ("D", marked("map of model-based dose (research) against TG-43")),
    "fusion": ("B", marked("blend or difference with the planning CT")),
}


class Keys:
    """Actions by key."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        """Take the usual keys, and those given on top.

        Args:
            given: as ``action=Key``, such as ``act=F13`` for a pedal; a key as Qt names it.

        Raises:
            RefusedError: no such action or key, or one key for two actions.
        """
        self._keys = {action: usual for action, (usual, _) in ACTIONS.items()}
        for text in given:
            action, _, key = (part.strip() for part in text.partition("="))
            if action not in ACTIONS:
                known = ", ".join(ACTIONS)
                raise RefusedError(f"key {text!r}: there is no action {action}; there are {known}")
            if not _number(key) or key in set("123456789"):
                raise RefusedError(f"key {text!r}: {key or 'nothing'} is no key that can be given")
            self._keys[action] = key
        self._actions: dict[int, str] = {}
        for action, key in self._keys.items():
            other = self._actions.setdefault(_number(key), action)
            if other != action:
                raise RefusedError(f"key {key} is given to {other} and to {action}")

    @classmethod
    def usual(cls) -> Self:
        """Return the usual keys."""
        return cls()

    @property
    def given(self) -> tuple[str, ...]:
        """What differs from the usual keys, as ``action=Key``."""
        return tuple(f"{a}={k}" for a, k in self._keys.items() if k != ACTIONS[a][0])

    def with_key(self, action: str, key: str) -> Keys:
        """Return the same keys, one of them changed.

        Raises:
            RefusedError: the key cannot be given, or has another action.
        """
        others = [text for text in self.given if not text.startswith(f"{action}=")]
        return Keys((*others, f"{action}={key}"))

    def of(self, action: str) -> str:
        """Return the key of an action, in words."""
        return self._keys[action]

    def action(self, event: QKeyEvent) -> str:
        """Return what a key press is for, empty if for nothing."""
        return self._actions.get(event.key(), "")

    def preset(self, event: QKeyEvent) -> int:
        """Return the grey scale that a key stands for, 0 if for none."""
        number = event.key() - int(Qt.Key.Key_0)
        return number if 1 <= number <= 9 else 0


# Keys that move the plan: right, down and headward in mm, clockwise in degrees.
_MOVES: dict[int, tuple[float, float, float, float]] = {
    Qt.Key.Key_Left: (-0.5, 0.0, 0.0, 0.0),
    Qt.Key.Key_Right: (0.5, 0.0, 0.0, 0.0),
    Qt.Key.Key_Up: (0.0, -0.5, 0.0, 0.0),
    Qt.Key.Key_Down: (0.0, 0.5, 0.0, 0.0),
    Qt.Key.Key_BracketLeft: (0.0, 0.0, 0.0, -0.5),
    Qt.Key.Key_BracketRight: (0.0, 0.0, 0.0, 0.5),
}


def plan_move(event: QKeyEvent) -> tuple[float, float, float, float] | None:
    """Return how a key moves the plan (with Shift, up and down are headward and footward)."""
    move = _MOVES.get(event.key())
    if move is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return (0.0, 0.0, -move[1], move[3])
    return move


def _number(key: str) -> int:
    sequence = QKeySequence(key)
    return int(sequence[0]) if key and sequence.count() == 1 else 0
