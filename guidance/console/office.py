"""The settings as the screen changes them: in a thread, since a disk may take its time."""

from __future__ import annotations

from concurrent.futures import Future

from guidance.console.answering import answered_later
from guidance.settings import Setting, Settings


class SettingsOffice:
    """Keeps the settings of a site."""

    def __init__(self, settings: Settings) -> None:
        """Keep these."""
        self._settings = settings

    @property
    def where(self) -> str:
        """The configuration file; empty where there is none."""
        return str(self._settings.path or "")

    @property
    def rows(self) -> tuple[Setting, ...]:
        """All settings."""
        return self._settings.rows

    @property
    def seed_models(self) -> tuple[tuple[str, bool], ...]:
        """Seed models that may be used here, and whether the site commissioned them itself."""
        return self._settings.seed_models

    def change(self, key: str, typed: str | tuple[str, ...]) -> Future[Setting]:
        """Change one and keep it; returns at once."""
        return answered_later(lambda: self._settings.change(key, typed), "settings")
