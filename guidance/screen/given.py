"""Widgets that take the height they are given, whatever they have to say."""

from __future__ import annotations


class Given:
    """Beside a widget's class: it asks for no height.

    Words that wrap inside it would otherwise make their height the least it takes, and the
    numbers beside the pictures would have to give way to them.
    """

    def hasHeightForWidth(self) -> bool:
        """Ask for no height."""
        return False
