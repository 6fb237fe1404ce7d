"""The model-based dose on the screen: beside TG-43, under its own name, and as a map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor

from guidance.procedure.snapshot import ModelledFigures, ModelledView, Snapshot
from guidance.screen import RoomWindow
from guidance.screen.comparing import BANDS, wash
from guidance.screen.language import speak
from guidance.screen.reslice import axial
from tests.screen.room_case import NOW, PRESCRIPTION_GY, TARGET_MM, Recorder, snapshot


def modelled(**changes: object) -> ModelledView:
    """Two thirds of TG-43 on one side of the target, alike on the other."""
    shown = snapshot()
    assert shown.dose is not None
    geometry, tg43 = shown.dose.geometry, shown.dose.dose_gy
    part = np.ones(geometry.shape, np.float32)
    part[:, :, : geometry.shape[2] // 2] = 2 / 3
    target = {"D90_gy": 117.0, "V100_percent": 89.4, "V150_percent": 55.5, "Dmax_gy": 333.0}
    cord = {"Dmax_gy": 41.0, "D0.1cc_gy": 37.0}
    view = ModelledView(
        geometry, tg43 * part, tg43 * part, tg43, np.full(geometry.shape, 0.02, np.float32),
        (
            ModelledFigures(
                "GTV", target, {**target, "D90_gy": 119.0},
                np.linspace(0, 330, 60), 100 * np.exp(-((np.linspace(0, 330, 60) / 190) ** 4)),
            ),
            ModelledFigures(
                "Spinal cord", cord, {"Dmax_gy": 44.0, "D0.1cc_gy": 39.0},
                np.linspace(0, 41, 60), np.linspace(100, 0, 60),
            ),
        ),
        (("target", 0.0234), ("cord", 0.051)), "GTV", "Spinal cord", 41, "1.9", 12, 800_000, False,
        "Monte Carlo (model-based, research), 6711",
    )  # fmt: skip
    return replace(view, **changes)


@pytest.fixture
def window(window_of) -> RoomWindow:
    return window_of((1920, 1080))


def test_its_figures_stand_beside_tg43_under_their_own_name(window):
    window.show_snapshot(snapshot())
    assert "MC" not in window.figures.text
    window.show_snapshot(snapshot(modelled=modelled()))
    text = window.figures.text
    for words in (
        *("MC research", "117 Gy", "89.4 %", "41 Gy", "CONVERGING"),
        "MC: model-based (Monte Carlo), research, dose to medium",
        *("uncertainty target 2.3 %, cord 5.1 %", "12 seeds after event 41"),
        "to water D90 119 Gy, cord Dmax 44 Gy",
    ):
        assert words in text, words
    # TG-43 is where it was.
    assert "133 Gy" in text
    assert "TG-43 2D line source" in text


def dotted(window: RoomWindow) -> list[QColor]:
    """Return the colours of the dotted lines of the histogram."""
    pens = [item.opts["pen"] for item in window.dvh._plot.listDataItems()]
    return [pen.color() for pen in pens if pen.style() == Qt.PenStyle.DotLine]


def test_its_histogram_is_dotted_and_named(window):
    window.show_snapshot(snapshot())
    assert not dotted(window)
    assert "MC" not in window.dvh.text
    window.show_snapshot(snapshot(modelled=modelled()))
    assert [c.alpha() for c in dotted(window)] == [255, 255]
    assert "dotted: MC (research), to medium" in window.dvh.text
    window.show_snapshot(snapshot(modelled=modelled(), modelled_is_stale=True))
    assert all(c.alpha() < 200 for c in dotted(window))
    assert "MC (research), to medium, STALE" in window.dvh.text
    window.show_snapshot(snapshot())
    assert not dotted(window)


def test_an_outdated_or_refused_one_says_so(window):
    window.show_snapshot(snapshot(modelled=modelled(ended=True), modelled_is_stale=True))
    assert "STALE, MC: model-based" in window.figures.text
    assert "CONVERGING" not in window.figures.text
    window.show_snapshot(snapshot(modelled_refused="The CT is too short."))
    assert "no model-based dose (MC, research): The CT is too short." in window.figures.text


def test_a_key_lays_the_map_over_the_axial_picture_with_its_legend(window, qtbot):
    window.show_snapshot(snapshot(modelled=modelled()))
    assert window.scene.axial.wash is None
    qtbot.keyClick(window, Qt.Key.Key_D)
    view = window.scene.axial
    assert view.wash is not None
    assert "MAP: Monte Carlo (model-based, research) against TG-43" in view.captions
    assert any("MC lower by 25 to 50 %" in key.text for key in view._legend)
    assert window.scene.sagittal.wash is None
    window.show_snapshot(snapshot(modelled=modelled(), modelled_is_stale=True))
    assert any("STALE" in line for line in view.captions)
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert view.wash is None
    assert not any("MAP" in line for line in view.captions)


def test_the_map_is_the_difference_and_only_where_it_is_known():
    shown, view = snapshot(), modelled()
    plane = axial(shown.volume, 15).plane
    plane = replace(plane, origin_mm=np.array((*plane.origin_mm[:2], TARGET_MM[2])))
    found = wash(view, PRESCRIPTION_GY, plane)
    assert found is not None
    colours = {c: tuple(reversed(bytes.fromhex(c[1:]))) for *_, c in BANDS}
    there = found.pixels[found.pixels[..., 3] > 0]
    # One third less, and nothing else but the seam between both halves.
    assert (there[:, :3] == colours["#5c93ff"]).all(axis=1).mean() > 0.9
    assert (found.pixels[..., 3] > 0).mean() < 0.5
    unsure = replace(view, uncertainty=np.full_like(view.uncertainty, 0.2))
    hidden = wash(unsure, PRESCRIPTION_GY, plane)
    assert hidden is not None
    assert not hidden.pixels[..., 3].any()


@pytest.mark.parametrize("wanted", ["en", "zh"])
def test_it_is_said_in_both_languages(qtbot, wanted):
    speak(wanted)
    made = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(made)
    shown: Snapshot = snapshot(modelled=modelled())
    made.show_snapshot(shown)
    word = {"en": "CONVERGING", "zh": "正在收敛"}[wanted]
    assert word in made.figures.text
