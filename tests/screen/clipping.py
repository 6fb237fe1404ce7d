"""Words that have less room than they need."""

from __future__ import annotations

from PyQt5.QtWidgets import QAbstractButton, QLabel

from guidance.screen import RoomWindow


def clipped(window: RoomWindow) -> list[str]:
    """Labels and buttons whose words need more room than they have."""
    found = []
    for widget in (*window.findChildren(QLabel), *window.findChildren(QAbstractButton)):
        if not widget.isVisible() or not widget.text():
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            room, need = widget.height(), widget.heightForWidth(widget.width())
        else:
            hint = widget.sizeHint()
            room, need = widget.width(), hint.width()
            if widget.height() < hint.height() - 2:
                room, need = widget.height(), hint.height()
        if need > room + 1:
            found.append(f"{widget.text()!r} needs {need}, has {room}")
    return found
