"""Checks of the machine before a case: each says what is so, and what to do if it is not."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from guidance.configuration import Configuration, load_configuration
from guidance.errors import RefusedError

# A case of 300-slice scans takes about 0.5 GB; below this a long day could fill the disk.
DISK_WANTED_GB = 10.0
DEPENDENCIES = (
    "numpy", "scipy", "numba", "pydicom", "pynetdicom", "pyserial", "SimpleITK", "SQLAlchemy",
    "scikit-image", "pylibjpeg", "reportlab", "matplotlib", "PyQt5", "pyqtgraph",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One checked thing.

    Attributes:
        subject: what was checked.
        verdict: ``ok``, ``note`` or ``FAIL``.
        detail: what is so.
        remedy: what to do about it; empty when nothing.
    """

    subject: str
    verdict: str
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return asdict(self)


def examine(config: Path | None) -> tuple[Finding, ...]:
    """Check everything; a configuration that cannot be read leaves the defaults to check."""
    try:
        settings = load_configuration(config)
        said = f"{config} is valid" if config else "none given; the defaults hold"
        configuration = Finding("configuration", "ok", said)
    except RefusedError as error:
        settings = Configuration()
        remedy = "mend the key that is named and run doctor again"
        configuration = Finding("configuration", "FAIL", str(error), remedy)
    checks: tuple[Callable[[], Finding], ...] = (
        _dependencies,
        _display,
        lambda: _port(settings.listener.host, settings.listener.port),
        lambda: _serial(settings.applicator.url),
        lambda: _disk(Path(settings.listener.store)),
        _clock,
    )
    return (configuration, *(check() for check in checks))


def _dependencies() -> Finding:
    missing = []
    for name in DEPENDENCIES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        remedy = "install the full program: pip install 'seedguide[assistant,screen,simulators]'"
        return Finding("dependencies", "FAIL", f"missing: {', '.join(missing)}", remedy)
    version = platform.python_version()
    return Finding("dependencies", "ok", f"{len(DEPENDENCIES)} libraries, Python {version}")


def _display() -> Finding:
    name = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "")
    if name:
        return Finding("display", "ok", f"display {name}")
    remedy = "log in at the screen or set DISPLAY; without one use --headless"
    return Finding("display", "note", "no display: the room screen cannot open", remedy)


def _port(host: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "another listener may be running; stop it or set listener.port"
            return Finding("DICOM port", "FAIL", f"{host}:{port}: {error.strerror}", remedy)
    return Finding("DICOM port", "ok", f"{host}:{port} is free")


def _serial(url: str) -> Finding:
    if not url:
        remedy = "set applicator.url to count seeds as they drop"
        return Finding("applicator", "note", "no serial device is configured", remedy)
    if "://" in url:
        return Finding("applicator", "note", f"{url} is reached over the network; not tried")
    if url.startswith("usb:"):
        return Finding("applicator", "note", f"the USB adapter {url[4:]} is looked for when used")
    try:
        mode = Path(url).stat().st_mode
    except OSError as error:
        remedy = "plug the applicator in, or mend applicator.url"
        return Finding("applicator", "FAIL", f"{url}: {error.strerror}", remedy)
    if not stat.S_ISCHR(mode):
        return Finding("applicator", "FAIL", f"{url} is no serial device", "mend applicator.url")
    if not os.access(url, os.R_OK | os.W_OK):
        remedy = "add this user to the group dialout and log in again"
        return Finding("applicator", "FAIL", f"{url} may not be opened by this user", remedy)
    return Finding("applicator", "ok", url)


def _disk(store: Path) -> Finding:
    folder = store.absolute()
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    if not os.access(folder, os.W_OK):
        return Finding("disk", "FAIL", f"{folder} is not writable", "set listener.store")
    if free_gb < DISK_WANTED_GB:
        remedy = f"free space until at least {DISK_WANTED_GB:.0f} GB are there"
        return Finding("disk", "FAIL", f"{free_gb:.1f} GB free at {folder}", remedy)
    return Finding("disk", "ok", f"{free_gb:.0f} GB free at {folder}")


def _clock() -> Finding:
    command = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        answer = None
    if answer is not None and answer.stdout.strip() == "yes":
        return Finding("clock", "ok", "set by the network")
    remedy = "compare it with the scanner's clock; switch on NTP where there is a network"
    return Finding("clock", "note", "nobody vouches for the clock of this machine", remedy)
