"""The room's window: a slice change with everything on it, and stalls in a real case.

Run it under Xvfb (``xvfb-run -a python -m benchmarks screen``); without a display the window
is drawn off the screen.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import numpy as np
from PyQt5.QtCore import QTimer

from benchmarks.harness import Line, best_of, show
from guidance.commands import main as seedguide
from guidance.procedure.snapshot import Snapshot
from guidance.screen import RoomWindow
from guidance.screen.picture import application
from guidance.screen.stalls import StallMeter
from guidance.training.story import Story, rehearsal
from tests.screen.room_case import Recorder, dose, snapshot, volume

SLICES, SIDE = 300, 512
STEPS = 60
SHOWN_EVERY_MS = 60


def main() -> None:
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _slices()
    _snapshots()
    if os.environ.get("DISPLAY"):
        _stalls()
    else:
        print("  (no display: the real case is not played; use xvfb-run)")


def _window():
    app = application()
    window = RoomWindow(Recorder(), "Benchmark", pulse=lambda: None)
    window.resize(1920, 1080)
    window.show()
    window.show_snapshot(snapshot(volume=volume("HFP", side=SIDE, slices=SLICES)))
    app.processEvents()
    return app, window


def _slices() -> None:
    app, window = _window()
    scene, lines = window.scene, []
    plain = np.zeros((1080, 1920), np.uint32)
    beside = best_of(plain.copy, 20)
    for which in ("axial", "coronal", "sagittal"):
        times = []
        for i in range(STEPS):
            start = time.perf_counter()
            scene.step(1 if i < STEPS / 2 else -1, which)
            for view in scene.views:
                view.repaint()
            times.append(time.perf_counter() - start)
        for name, value in (("median", np.median(times)), ("95 %", np.percentile(times, 95))):
            what = f"{which} slice, all five pictures, {name}"
            lines.append(Line(what, float(value), "copy of a full screen", beside))
    show(f"Screen: {SIDE} x {SIDE} x {SLICES}, 1920 x 1080, all overlays", lines)
    window.close()
    app.processEvents()


def _snapshots() -> None:
    app, window = _window()
    case = window._snapshot
    assert case is not None
    again = best_of(lambda: window.show_snapshot(replace(case, event_number=50)), 10)
    doses = [dose(scale=1.0 + i / 100) for i in range(8)]
    times = []
    for i, made in enumerate(doses):
        start = time.perf_counter()
        window.show_snapshot(replace(case, dose=made, event_number=60 + i, seeds=snapshot().seeds))
        times.append(time.perf_counter() - start)
    lines = [Line("a seed drops: new dose on the screen", min(times), "nothing new", again)]
    show("Screen: a snapshot shown", lines)
    window.close()
    app.processEvents()


def _stalls() -> None:
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log = logging.getLogger("guidance.screen.stage")
    log.setLevel(logging.INFO)
    log.addHandler(Keep())
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder) / "out", 3, 12, 0.5, "lumbar", headless=False)
        with rehearsal(story, lambda _text: None) as ready:
            arguments = [a for a in ready.console[3:] if a != "--headless"]
            out = arguments.index("--out")
            # Pictures for the folder are made in the window's thread: not part of a real case.
            del arguments[out : out + 2]
            with patch("guidance.screen.stage.RoomWindow", Watched):
                code = seedguide(arguments)
            series = [len(list(p.glob("*.dcm"))) for p in (ready.room / "store").rglob("*")]
    found = next((line for line in said if "stalls" in line), "nothing was said")
    print(f"\nScreen: a real case, up to {max(series, default=0)} slices a series, exit {code}")
    print(f"  {re.sub('longest stalls of the window', 'longest stalls', found)}")
    _again(Watched.seen)


class Watched(RoomWindow):
    """Keeps what it was given to show."""

    seen: ClassVar[list[Snapshot]] = []

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self.seen.append(snapshot)
        super().show_snapshot(snapshot)


def _again(snapshots: list[Snapshot]) -> None:
    """Show them once more with nothing else at work, and say the most done at once."""
    app = application()
    window = RoomWindow(Recorder(), "Benchmark", pulse=lambda: None, by_turns=True)
    window.resize(1920, 1080)
    window.show()
    meter, timer, left = StallMeter(window), QTimer(window), iter(snapshots)

    def show_next() -> None:
        following = next(left, None)
        if following is None:
            app.quit()
        else:
            window.show_snapshot(following)

    timer.timeout.connect(show_next)
    timer.start(SHOWN_EVERY_MS)
    app.exec()
    print(
        f"  its {len(snapshots)} snapshots shown once more: the window's own work at once at "
        f"most {meter.most_own_s * 1e3:.1f} ms of the processor"
    )
    window.close()
