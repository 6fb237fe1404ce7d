"""Changes one value of the site's configuration file and leaves every other byte as it is.

The file is written by people, with their comments and their order. A change is made in its
text, and kept only if the file then reads as before but for that value; what is written in a
way not foreseen here is refused rather than guessed at.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from guidance.configuration import Configuration, configuration_of
from guidance.errors import BrokenError, RefusedError

_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]\s*(#.*)?$")
_ANY_HEADER = re.compile(r"\s*\[")

Value = str | bool | int | float | tuple[str, ...]


def changed(text: str, table: str, key: str, value: Value) -> str:
    """Return a configuration's text with one value changed, or added to its table.

    Args:
        text: TOML.
        table: name without brackets.
        key: in the table.
        value: the new one.

    Raises:
        RefusedError: the text is no TOML, or is written so that it cannot be changed here.
    """
    before = _read(text)
    lines = text.splitlines()
    line = f"{key} = {_written(value)}"
    start = next((i for i, t in enumerate(lines) if _names(t, table)), None)
    if start is None:
        lines += ["", f"[{table}]", line] if lines else [f"[{table}]", line]
    else:
        place = _place(lines, start, key)
        if place is None:
            lines.insert(start + 1, line)
        else:
            at, until = place
            lines[at:until] = [line + _remark(lines[at]) if until == at + 1 else line]
    new = "\n".join(lines) + "\n"
    wanted = {**before, table: {**before.get(table, {}), key: _plain(value)}}
    try:
        kept = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        kept = False
    if not kept:
        raise RefusedError(f"{table}.{key} cannot be changed here; change the file by hand")
    return new


def keep(path: Path, table: str, key: str, value: Value) -> Configuration:
    """Change one value of a file, all or nothing, and return the configuration it then is.

    Raises:
        RefusedError: the value is no good, or the file cannot be changed here.
        BrokenError: the disk does not take it; the file is as it was.
    """
    path = path.resolve()
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
        new = changed(text, table, key, value)
        configuration = configuration_of(new, path)
        _replace(path, new, mode)
    except OSError as error:
        raise BrokenError(f"configuration {path} was not changed: {error.strerror}") from error
    return configuration


def _replace(path: Path, text: str, mode: int) -> None:
    """Put a whole new file in the place of another; a power cut leaves the one or the other."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode & 0o7777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"the configuration is not TOML: {error}") from error


def _names(line: str, table: str) -> bool:
    found = _HEADER.match(line)
    return found is not None and found.group(1) == table


def _place(lines: list[str], start: int, key: str) -> tuple[int, int] | None:
    """Return first line and end of a key's value in the table begun at a line."""
    begins = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*=""")
    for i in range(start + 1, len(lines)):
        if begins.match(lines[i]):
            return i, _end(lines, i)
        if _ANY_HEADER.match(lines[i]):
            return None
    return None


def _end(lines: list[str], at: int) -> int:
    """Return where a value ends that may go on over lines."""
    for until in range(at + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[at:until]))
        except tomllib.TOMLDecodeError:
            continue
        return until
    return at + 1


def _remark(line: str) -> str:
    """Return the comment behind a value, with the space before it."""
    for found in re.finditer(r"\s*#", line):
        try:
            if tomllib.loads(line[: found.start()]) == tomllib.loads(line):
                return line[found.start() :]
        except tomllib.TOMLDecodeError:
            continue
    return ""


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _written(value: Value) -> str:
    """Return a value as TOML; JSON's texts and numbers are TOML's."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
