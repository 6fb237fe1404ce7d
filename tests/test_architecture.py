"""The house keeps its shape: who may import whom."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def assert_runs(code: str) -> None:
    """Run a program in an interpreter of its own, which nothing has been imported into."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_no_module_imports_upward() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_qt_stays_in_the_screen() -> None:
    outside = [
        path.relative_to(ROOT)
        for package in ("dose", "devices", "guidance", "simulators")
        for path in (ROOT / package).rglob("*.py")
        if "guidance/screen" not in path.as_posix()
        and any(
            line.strip().startswith(("import PyQt5", "from PyQt5", "import pyqtgraph"))
            for line in path.read_text().splitlines()
        )
    ]
    assert not outside


def test_dose_imports_without_the_extras() -> None:
    code = (
        "import sys, pkgutil, dose, importlib\n"
        "for m in pkgutil.walk_packages(dose.__path__, 'dose.'): importlib.import_module(m.name)\n"
        "bad = {'PyQt5', 'pydicom', 'skimage', 'SimpleITK', 'serial'} & set(sys.modules)\n"
        "sys.exit(', '.join(bad) or 0)\n"
    )
    assert_runs(code)


def test_the_window_waits_for_no_library_of_the_worker_or_the_report() -> None:
    """Transport runs in the worker, the report is written at the end of a case."""
    code = (
        "import sys, guidance.console.room\n"
        "late = {'matplotlib', 'reportlab', 'dose.transport', 'guidance.media'}\n"
        "sys.exit(', '.join(late & set(sys.modules)) or 0)\n"
    )
    assert_runs(code)
