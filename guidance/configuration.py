"""The site's configuration: one TOML file, checked at the start, every error naming its key.

Without a file the defaults hold; they listen on loopback only.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dose import sources
from dose.sources import SourceModel
from guidance.errors import RefusedError
from guidance.planning.protocol import Protocol


@dataclass(frozen=True)
class ListenerSettings:
    """``[listener]``: where scans come in.

    Attributes:
        host: address to listen on.
        port: TCP port.
        ae_title: our AE title.
        store: folder that objects are kept in.
        allow: allowed callers as ``AET@ADDRESS``; empty allows any AE title from loopback.
        tls_cert: PEM file of our certificate; empty for plain connections.
        tls_key: PEM file of its key.
        tls_ca: PEM file of the authorities whose peers may call; empty for any.
        quiet_s: a series is whole after so long without a new image.
    """

    host: str = "127.0.0.1"
    port: int = 11112
    ae_title: str = "SEEDGUIDE"
    store: str = "seedguide-data/store"
    allow: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    quiet_s: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no listener can work with."""
        if not 0 < self.port < 65536:
            raise RefusedError("listener.port must be 1 to 65535")
        if not 1 <= len(self.ae_title.strip()) <= 16:
            raise RefusedError("listener.ae_title must have 1 to 16 characters (PS3.5 AE)")
        if not 0.1 <= self.quiet_s <= 60.0:
            raise RefusedError("listener.quiet_s must be 0.1 to 60")


@dataclass(frozen=True)
class ApplicatorSettings:
    """``[applicator]``: the serial link.

    Attributes:
        url: device path, ``usb:SERIAL`` of a USB adapter, or a URL that pyserial opens; empty
            for none.
    """

    url: str = ""


@dataclass(frozen=True)
class JournalSettings:
    """``[journal]``: the record of all cases.

    Attributes:
        where: path of an SQLite file, or an SQLAlchemy URL.
    """

    where: str = "seedguide-data/journal.sqlite"


@dataclass(frozen=True)
class SourceSettings:
    """``[sources]``: seed models beyond the enabled ones.

    Attributes:
        commissioned: models of tier B or C that the site has commissioned.
        folders: folders with the department's own source files.
    """

    commissioned: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def load(self, model: str) -> SourceModel:
        """Return a seed model that this site may use (SourceError if it may not)."""
        folders = tuple(Path(f) for f in self.folders)
        return sources.load(model, commissioned=self.commissioned, folders=folders)

    def usable(self) -> tuple[SourceModel, ...]:
        """Return the seed models that this site may use (SourceError if a folder is bad)."""
        found = sources.available(folders=[Path(f) for f in self.folders])
        return tuple(m for m in found if m.tier == "A" or m.model in self.commissioned)


@dataclass(frozen=True)
class CtSettings:
    """``[ct]``: HU to density, for the model-based dose.

    Attributes:
        calibrations: ``SCANNER = FILE.csv``: maker and model as the CT names them (or how they
            begin), and a file with a line of HU, g/cm3 for each point of the curve.
        uncalibrated: ``schneider`` takes the general curve for other scanners, ``refuse`` none.
    """

    calibrations: tuple[str, ...] = ()
    uncalibrated: str = "schneider"

    def __post_init__(self) -> None:
        """Check the word."""
        if self.uncalibrated not in {"schneider", "refuse"}:
            raise RefusedError(
                f"ct.uncalibrated must be 'schneider' or 'refuse', not {self.uncalibrated!r}"
            )


@dataclass(frozen=True)
class ModelledSettings:
    """``[modelled]``: the model-based dose in the room, beside TG-43.

    Attributes:
        on: whether it is computed; it takes all cores but one for some seconds.
        uncertainty_percent: mean uncertainty in target and cord at which it ends.
        time_limit_s: it ends then, whatever it has reached.
        spacing_mm: of its grid.
        research_models: seed models that are wanted although their effective source misses
            their TG-43 data by more than is allowed; for ``dose --engine mc`` as well.
    """

    on: bool = False
    uncertainty_percent: float = 2.0
    time_limit_s: float = 60.0
    spacing_mm: float = 2.0
    research_models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0.1 <= self.uncertainty_percent <= 50.0:
            raise RefusedError("modelled.uncertainty_percent must be 0.1 to 50")
        if not self.time_limit_s > 0:
            raise RefusedError("modelled.time_limit_s must be above 0")
        if not 0.5 <= self.spacing_mm <= 5.0:
            raise RefusedError("modelled.spacing_mm must be 0.5 to 5")


@dataclass(frozen=True)
class ScreenSettings:
    """``[screen]``: the room's screen.

    Attributes:
        language: ``en`` or ``zh``.
        keys: keys and pedals as ``action=Key``, such as ``act=F13``.
    """

    language: str = "en"
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorklistSettings:
    """``[worklist]``: who is asked for today's patients.

    Attributes:
        peer: ``AET@HOST:PORT`` of the worklist; empty for none.
        modality: of the steps wanted, such as CT; empty for any.
        station: ScheduledStationAETitle of the steps wanted; empty for any.
        answer_s: longest wait for its answer.
    """

    peer: str = ""
    modality: str = ""
    station: str = ""
    answer_s: float = 15.0

    def __post_init__(self) -> None:
        """Refuse a peer that is not written as one."""
        if self.peer and not re.fullmatch(r"[^@]{1,16}@[^@\s]+:[1-9]\d{0,4}", self.peer):
            raise RefusedError(
                f"worklist.peer must be AET@HOST:PORT, such as RIS@10.0.0.2:104, not {self.peer!r}"
            )
        if not 1.0 <= self.answer_s <= 120.0:
            raise RefusedError("worklist.answer_s must be 1 to 120")


@dataclass(frozen=True)
class Configuration:
    """All settings."""

    listener: ListenerSettings = field(default_factory=ListenerSettings)
    applicator: ApplicatorSettings = field(default_factory=ApplicatorSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    sources: SourceSettings = field(default_factory=SourceSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    protocol: Protocol = field(default_factory=Protocol)
    ct: CtSettings = field(default_factory=CtSettings)
    modelled: ModelledSettings = field(default_factory=ModelledSettings)
    worklist: WorklistSettings = field(default_factory=WorklistSettings)


_TABLES: dict[str, type[Any]] = {
    "listener": ListenerSettings,
    "applicator": ApplicatorSettings,
    "journal": JournalSettings,
    "sources": SourceSettings,
    "screen": ScreenSettings,
    "protocol": Protocol,
    "ct": CtSettings,
    "modelled": ModelledSettings,
    "worklist": WorklistSettings,
}


def load_configuration(path: Path | None) -> Configuration:
    """Read the configuration file; the defaults if there is none.

    Raises:
        RefusedError: the file is missing, is no TOML, or has a wrong key or value.
    """
    return Configuration() if path is None else _checked(tables_of(path), path)


def configuration_of(text: str, path: Path) -> Configuration:
    """Return the configuration that a text is; the path is named in what is wrong with it.

    Raises:
        RefusedError: it is no TOML, or has a wrong key or value.
    """
    return _checked(_parsed(text, path), path)


def tables_of(path: Path) -> dict[str, Any]:
    """Return the tables of a configuration file as they are written, unchecked.

    Raises:
        RefusedError: the file is missing or no TOML.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"), path)
    except OSError as error:
        raise RefusedError(f"configuration {path} cannot be read: {error.strerror}") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"configuration {path} is not TOML: {error}") from error


def _checked(tables: dict[str, Any], path: Path) -> Configuration:
    for name in tables:
        if name not in _TABLES:
            raise RefusedError(
                f"configuration {path}: [{name}] is not known; there are {', '.join(_TABLES)}"
            )
    loaded = {name: _table(path, name, tables.get(name, {})) for name in _TABLES}
    return Configuration(**loaded)


def _table(path: Path, name: str, values: Any) -> Any:
    kind = _TABLES[name]
    if not isinstance(values, dict):
        raise RefusedError(f"configuration {path}: {name} must be a table, [{name}]")
    defaults = {f.name: getattr(kind(), f.name) for f in fields(kind)}
    for key, value in values.items():
        if key not in defaults:
            raise RefusedError(
                f"configuration {path}: {name}.{key} is not known; "
                f"[{name}] has {', '.join(defaults)}"
            )
        values[key] = _value(f"configuration {path}: {name}.{key}", value, defaults[key])
    try:
        return kind(**values)
    except RefusedError as error:
        raise RefusedError(f"configuration {path}: {error}") from error


def _value(where: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise RefusedError(f"{where} must be a list of texts")
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        kinds = {bool: "true or false", int: "a whole number", float: "a number"}
        kind = kinds.get(type(default), "a text")
        raise RefusedError(f"{where} must be {kind}, not {value!r}")
    return value
