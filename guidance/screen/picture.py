"""The window as a picture, drawn without a screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QApplication

from guidance.errors import BrokenError
from guidance.procedure.snapshot import Snapshot
from guidance.screen.acts import Acts
from guidance.screen.window import RoomWindow

_kept: list[QApplication] = []


def application() -> QApplication:
    """Return the process's QApplication, made without a display where there is none."""
    there = QApplication.instance()
    if isinstance(there, QApplication):
        return there
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not display and sys.platform.startswith("linux"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Qt does not own its application object; if Python let go of it, Qt would crash.
    _kept.append(QApplication(sys.argv[:1] or ["seedguide"]))
    return _kept[0]


class _Nobody:
    """Stands where the acts would be: a picture has no buttons to press."""

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"a picture does not act ({name})")


def render_png(snapshot: Snapshot, path: Path, *, size: tuple[int, int] = (1920, 1080)) -> None:
    """Draw the window of a snapshot and save it as a PNG.

    Call it from the main thread; no window is shown.

    Args:
        snapshot: what to draw.
        path: file to write.
        size: width and height in pixels.

    Raises:
        BrokenError: the file cannot be written.
    """
    app = application()
    nobody: Acts = _Nobody()  # type: ignore[assignment]
    window = RoomWindow(nobody, clock=lambda: snapshot.at)
    window.resize(*size)
    window.show_snapshot(snapshot)
    saved = window.grab().save(str(path), "PNG")
    window.close()
    window.deleteLater()
    app.sendPostedEvents(window, QEvent.Type.DeferredDelete)
    if not saved:
        raise BrokenError(f"cannot write the picture {path}")
