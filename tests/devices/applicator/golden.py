"""Texts that a person has read and found right, kept beside the tests that make them."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("transcripts")


def held(name: str, lines: list[str]) -> None:
    """Compare a transcript with the one kept; ``SEEDGUIDE_WRITE_TRANSCRIPTS=1`` writes it anew."""
    text = "\n".join(lines) + "\n"
    path = FOLDER / f"{name}.txt"
    if os.environ.get("SEEDGUIDE_WRITE_TRANSCRIPTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"read the difference to {path}"
