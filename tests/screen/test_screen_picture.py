"""The window as a picture, from a process without a window."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PyQt5.QtGui import QImage

from guidance.errors import BrokenError
from guidance.procedure.snapshot import Snapshot
from guidance.screen import render_png
from tests.screen.room_case import NOW, snapshot

SCRIPT = """
import sys
from pathlib import Path
from guidance.screen import render_png
from tests.screen.room_case import snapshot
for name in sys.argv[1:]:
    render_png(snapshot(), Path(name), size=(640, 360))
"""


def pixels(path) -> np.ndarray:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    bits = image.bits()
    bits.setsize(image.sizeInBytes())
    return np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)[..., :3].copy()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (3840, 2160)])
def test_a_picture_has_the_size_asked_for_and_is_not_blank(qapp, tmp_path, size):
    render_png(snapshot(), tmp_path / "room.png", size=size)
    shown = pixels(tmp_path / "room.png")
    assert shown.shape[:2] == size[::-1]
    assert shown.std() > 20
    # Grey tissue in the axial view, left of the middle.
    view = shown[size[1] // 4 : size[1] // 2, size[0] // 5 : size[0] // 3]
    assert (np.ptp(view, axis=-1) == 0).mean() > 0.5
    assert view.mean() > 30


def test_an_empty_case_can_be_drawn(qapp, tmp_path):
    render_png(Snapshot(0, NOW, "case-1"), tmp_path / "empty.png", size=(1280, 720))
    assert pixels(tmp_path / "empty.png").std() > 3


def test_a_folder_that_is_not_there_is_said(qapp, tmp_path):
    with pytest.raises(BrokenError, match="cannot write"):
        render_png(Snapshot(0, NOW, "case-1"), tmp_path / "no" / "room.png", size=(640, 360))


def test_it_works_several_times_in_a_process_without_display_or_application(tmp_path):
    names = [str(tmp_path / f"{i}.png") for i in range(3)]
    bare = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    bare.pop("QT_QPA_PLATFORM", None)
    subprocess.run([sys.executable, "-c", SCRIPT, *names], check=True, env=bare, timeout=60)
    for name in names:
        assert pixels(name).std() > 20
