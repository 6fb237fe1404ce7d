"""The first scan of the day is looked at as fast as the next."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from virtual import scans

from guidance.detection.detect import detect
from guidance.detection.warming import drawn

# Prints the kernels that a scan compiles or loads beyond those that were ready.
LOADED_LATE = """
import sys, pkgutil, importlib
import numpy as np
import guidance.detection
from dose.geometry import GridGeometry
from guidance.detection import detect, warm_up
from guidance.imaging import Volume

def ready():
    modules = [importlib.import_module(f"guidance.detection.{m.name}")
               for m in pkgutil.iter_modules(guidance.detection.__path__)]
    return {f"{module.__name__}.{name}": len(kernel.signatures) for module in modules
            for name, kernel in vars(module).items() if hasattr(kernel, "signatures")}

warm_up()
before = ready()
for path in sys.argv[1:]:
    scan = np.load(path)
    detect(Volume(GridGeometry(scan["hu"].shape, scan["affine"]), scan["hu"]))
print(sorted(name for name, count in ready().items() if count > before[name]))
"""


def test_a_scan_loads_no_kernel_that_was_not_ready(tmp_path: Path) -> None:
    case = scans(1)
    paths = [tmp_path / "needles.npz", tmp_path / "seeds.npz"]
    for path, volume in zip(paths, (case.needles, case.verification), strict=True):
        np.savez(path, hu=volume.hu, affine=volume.geometry.index_to_patient)
    done = subprocess.run(
        [sys.executable, "-c", LOADED_LATE, *map(str, paths)],
        env=dict(os.environ), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_all_is_found_in_the_drawn_scan() -> None:
    found = detect(drawn())
    assert (len(found.needles), len(found.seeds)) == (2, 8)
