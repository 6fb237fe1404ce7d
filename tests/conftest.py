"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="run the long stories too")
    parser.addoption(
        "--artefacts", type=Path, help="folder for pictures (default: SEEDGUIDE_ARTEFACTS)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--nightly"):
        late = [item for item in items if "nightly" in item.keywords]
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if "nightly" not in item.keywords]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Third-party data (real scans, published tables); never part of the product."""
    where = os.environ.get("SEEDGUIDE_DATA")
    if not where:
        pytest.skip("SEEDGUIDE_DATA is not set: no third-party data here")
    path = Path(where)
    if not path.is_dir():
        pytest.skip(f"SEEDGUIDE_DATA names {path}, which is not a folder")
    return path


@pytest.fixture(scope="session")
def artefacts(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for what a person wants to look at afterwards, such as pictures of the window."""
    where = pytestconfig.getoption("--artefacts") or os.environ.get("SEEDGUIDE_ARTEFACTS")
    if where:
        path = Path(where).absolute()
        path.mkdir(parents=True, exist_ok=True)
        return path
    cache = getattr(pytestconfig, "cache", None)
    return cache.mkdir("artefacts") if cache else tmp_path_factory.mktemp("artefacts")
