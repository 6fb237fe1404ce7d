"""The site's settings as people look at them: value, where it comes from, when a change holds."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path

from guidance.configuration import Configuration, tables_of
from guidance.configuration_file import Value, keep
from guidance.errors import RefusedError


class Origin(Enum):
    """Where a value comes from."""

    DEFAULT = "default"
    FILE = "file"
    COMMAND_LINE = "command line"


class Effect(Enum):
    """When a change made here holds."""

    AT_ONCE = "at once"
    RESTART = "after a restart"
    # Limits and cables are not changed beside a patient: the file is, and then the program.
    BY_HAND = "in the file alone"


# What may be changed beside a patient: nothing that a count, a limit or a cable hangs on.
CHANGEABLE = {
    "screen.language": Effect.AT_ONCE,
    "screen.keys": Effect.AT_ONCE,
    "worklist.peer": Effect.RESTART,
    "worklist.modality": Effect.RESTART,
    "worklist.station": Effect.RESTART,
    "worklist.answer_s": Effect.RESTART,
    "modelled.on": Effect.RESTART,
    "modelled.uncertainty_percent": Effect.RESTART,
    "modelled.time_limit_s": Effect.RESTART,
    "modelled.spacing_mm": Effect.RESTART,
}
_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


@dataclass(frozen=True)
class Setting:
    """One value.

    Attributes:
        key: ``table.name`` as in the file.
        value: in force, or kept for after a restart.
        origin: where it comes from.
        effect: when a change holds.
        waits: whether it was changed and holds only after a restart.
    """

    key: str
    value: Value
    origin: Origin
    effect: Effect
    waits: bool = False

    @property
    def text(self) -> str:
        """The value as it is typed."""
        if isinstance(self.value, tuple):
            return ", ".join(self.value)
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value)


class Settings:
    """All settings of a site; changes what may be changed, in the file."""

    def __init__(
        self,
        path: Path | None,
        configuration: Configuration,
        given: Mapping[str, str] | None = None,
    ) -> None:
        """Look at a configuration.

        Args:
            path: its file; None where there is none.
            configuration: as read from it.
            given: by key, what the command line puts over it.
        """
        self.path = path
        self._configuration, self._given = configuration, dict(given or {})
        tables = {} if path is None else tables_of(path)
        self._in_file = {f"{table}.{name}" for table, names in tables.items() for name in names}
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    @property
    def rows(self) -> tuple[Setting, ...]:
        """All settings, in the order of the file's tables."""
        with self._lock:
            return tuple(self._setting(key) for key in _keys(self._configuration))

    @property
    def seed_models(self) -> tuple[tuple[str, bool], ...]:
        """Seed models that may be used here, and whether the site commissioned them itself."""
        models = self._configuration.sources.usable()
        return tuple((m.model, m.tier != "A") for m in models)

    def of(self, key: str) -> Setting:
        """Return one setting.

        Raises:
            RefusedError: there is none of this name.
        """
        with self._lock:
            return self._setting(self._known(key))

    def change(self, key: str, typed: str | tuple[str, ...]) -> Setting:
        """Change a setting and keep it in the file.

        Args:
            key: such as ``worklist.peer``.
            typed: the value as people type it; a list may be given as one.

        Raises:
            RefusedError: it is not changed here, is no good, or there is no file to keep it in.
            BrokenError: the disk does not take it.
        """
        with self._lock:
            key, effect = self._known(key), CHANGEABLE.get(key, Effect.BY_HAND)
            if effect is Effect.BY_HAND:
                raise RefusedError(f"{key} is changed in the file alone, and not during a case")
            if self.path is None:
                raise RefusedError("there is no configuration file; start with --config FILE")
            table, _, name = key.partition(".")
            value = parsed(key, typed, _value_of(self._configuration, key))
            self._configuration = keep(self.path, table, name, value)
            self._in_file.add(key)
            if effect is Effect.RESTART:
                self._waiting.add(key)
            return self._setting(key)

    def _known(self, key: str) -> str:
        if key not in _keys(self._configuration):
            raise RefusedError(f"there is no setting {key}")
        return key

    def _setting(self, key: str) -> Setting:
        effect, waits = CHANGEABLE.get(key, Effect.BY_HAND), key in self._waiting
        if key in self._given:
            return Setting(key, self._given[key], Origin.COMMAND_LINE, effect, waits)
        origin = Origin.FILE if key in self._in_file else Origin.DEFAULT
        return Setting(key, _value_of(self._configuration, key), origin, effect, waits)


def parsed(key: str, typed: str | tuple[str, ...], like: Value) -> Value:
    """Return a typed value of the kind that a setting has.

    Raises:
        RefusedError: it is not of that kind.
    """
    if isinstance(like, tuple):
        parts = typed if isinstance(typed, tuple) else tuple(typed.split(","))
        return tuple(part.strip() for part in parts if part.strip())
    text = ", ".join(typed) if isinstance(typed, tuple) else typed.strip()
    if isinstance(like, bool):
        if text.casefold() in _YES | _NO:
            return text.casefold() in _YES
        raise RefusedError(f"{key} is yes or no, not {text!r}")
    if isinstance(like, str):
        return text
    try:
        return int(text) if isinstance(like, int) else float(text)
    except ValueError as error:
        raise RefusedError(f"{key} must be a number, not {text!r}") from error


def _keys(configuration: Configuration) -> tuple[str, ...]:
    return tuple(
        f"{table.name}.{field.name}"
        for table in fields(configuration)
        for field in fields(getattr(configuration, table.name))
    )


def _value_of(configuration: Configuration, key: str) -> Value:
    table, _, name = key.partition(".")
    value: Value = getattr(getattr(configuration, table), name)
    return value
