"""What the settings page is given: who keeps the settings, and the window they change."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from guidance.screen.keys import Keys
from guidance.settings import Setting


class Office(Protocol):
    """Who keeps the settings."""

    @property
    def where(self) -> str:
        """The configuration file; empty where there is none."""

    @property
    def rows(self) -> tuple[Setting, ...]:
        """All settings."""

    @property
    def seed_models(self) -> tuple[tuple[str, bool], ...]:
        """Seed models that may be used here, and whether the site commissioned them itself."""

    def change(self, key: str, typed: str | tuple[str, ...]) -> Future[Setting]:
        """Change one and keep it; returns at once."""


class House(Protocol):
    """The window, as far as settings change it at once."""

    keys: Keys

    def change_language(self, wanted: str) -> None:
        """Say everything in another language."""

    def change_keys(self, keys: Keys) -> None:
        """Use other keys."""

    def say(self, text: str, done: bool) -> None:
        """Say in the status line what came of something."""
