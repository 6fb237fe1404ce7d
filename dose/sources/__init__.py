"""TG-43 data of the seed models, one file for each, with citations.

Tiers say how far a table's provenance carries: A is enabled; B and C need commissioning by the
site (named in its configuration); a model that is off says why.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path

from dose.errors import SourceError
from dose.sources.model import SourceModel, source_model

__all__ = ["SourceModel", "available", "load", "source_model"]


def available(*, folders: Sequence[Path] = ()) -> tuple[SourceModel, ...]:
    """Return every seed model known, ordered by nuclide and model.

    Args:
        folders: folders with a department's own files; theirs replace ours of the same model.

    Raises:
        SourceError: a file is malformed; names file, field and reason.
    """
    found: dict[str, SourceModel] = {}
    for entry in resources.files("dose.sources").joinpath("data").iterdir():
        if entry.name.endswith(".json"):
            model = _parsed(entry.read_text(encoding="utf-8"), entry.name)
            found[model.model] = model
    for folder in folders:
        if not folder.is_dir():
            raise SourceError(f"source folder {folder} is not there")
        for path in sorted(folder.glob("*.json")):
            model = _parsed(path.read_text(encoding="utf-8"), str(path))
            found[model.model] = model
    return tuple(sorted(found.values(), key=lambda m: (m.nuclide, m.model)))


def load(
    model: str, *, commissioned: Collection[str] = (), folders: Sequence[Path] = ()
) -> SourceModel:
    """Return a seed model that may be used for dose.

    Args:
        model: its name, such as ``6711``.
        commissioned: models of tier B or C that the site has commissioned.
        folders: folders with a department's own files.

    Raises:
        SourceError: unknown, off, or not commissioned.
    """
    known = {m.model: m for m in available(folders=folders)}
    found = known.get(model)
    if found is None:
        raise SourceError(f"seed model {model} is not known; known are {', '.join(known)}")
    if found.tier == "off":
        raise SourceError(f"seed model {model} is off: {found.tier_reason}")
    if found.tier != "A" and model not in commissioned:
        raise SourceError(
            f"seed model {model} is of tier {found.tier} ({found.tier_reason}); commission it "
            "and name it in the configuration under sources.commissioned"
        )
    return found


def _parsed(text: str, where: str) -> SourceModel:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"source file {where} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise SourceError(f"source file {where} must hold one object")
    return source_model(data, where)
