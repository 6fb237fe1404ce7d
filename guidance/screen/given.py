"""Widgets that take the room they are given, whatever they have to say."""

from __future__ import annotations

from PyQt5.QtWidgets import QSizePolicy, QWidget


def ignore_hint(widget: QWidget) -> None:
    """Let the window alone decide how large a widget is."""
    widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)


class Given:
    """Beside a widget's class: it asks for no height.

    Words that wrap inside it would otherwise make their height the least it takes, and the
    numbers beside the pictures would have to give way to them.
    """

    def hasHeightForWidth(self) -> bool:
        """Ask for no height."""
        return False
