"""The settings as the screen changes them: in a thread, since a disk may take its time."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future

from guidance.errors import GuidanceError
from guidance.settings import Setting, Settings

log = logging.getLogger(__name__)


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
        answer: Future[Setting] = Future()
        threading.Thread(target=self._change, args=(key, typed, answer), name="settings").start()
        return answer

    def _change(self, key: str, typed: str | tuple[str, ...], answer: Future[Setting]) -> None:
        try:
            answer.set_result(self._settings.change(key, typed))
        except GuidanceError as error:
            answer.set_exception(error)
        except Exception as error:
            log.exception("the setting %s could not be changed", key)
            answer.set_exception(error)
