"""Words can be read: nothing clipped at any size in any language, contrast, colour blindness."""

from __future__ import annotations

import html
import itertools
from datetime import timedelta

import numpy as np
import pytest
from PyQt5.QtWidgets import QLabel

from guidance.advice import Advice, Figures, Supplement
from guidance.alarms import Alarm, Priority
from guidance.procedure.snapshot import DoseFigure, Step
from guidance.screen import RoomWindow, theme
from guidance.screen.buttons import push
from guidance.screen.language import speak
from guidance.screen.lettering import LETTER_COLOUR
from tests.screen.clipping import clipped
from tests.screen.room_case import NOW, Recorder, dose, snapshot
from tests.screen.test_screen_modelled import modelled

SIZES = [(1280, 720), (1920, 1080), (3840, 2160)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [Step.PLAN, Step.IMPLANT, Step.CLOSE])
def test_no_words_are_clipped(qtbot, window_of, language, size, step):
    speak(language)
    window = window_of(size)
    window.show_snapshot(snapshot(step=step))
    qtbot.wait(1)
    assert clipped(window) == []
    window._toggle_cartridges()
    # Words that wrap tell their height only after they have got their width.
    qtbot.wait(20)
    assert clipped(window) == []


DECISIVE = (
    DoseFigure("GTV", "D90", "Gy", 132.6, 130.0, 140.0, 100.0, least=True),
    DoseFigure("GTV", "V100", "%", 91.3, 90.0, 95.0, 95.0, least=True),
    DoseFigure("Spinal cord", "Dmax", "Gy", 90.0, 80.0, 70.0, 92.1),
    DoseFigure("Spinal cord", "cumulative EQD2", "Gy", 55.9, 31.0, 31.0, 45.0),
)


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_an_old_scan_takes_no_room_from_the_figures(qtbot, window_of, language, size, stale):
    """A date, its age and what was only counted, beside the most columns and curves there are."""
    speak(language)
    window = window_of(size, clock=lambda: NOW + timedelta(days=319))
    window.show_snapshot(
        snapshot(
            dose=dose(13), modelled=modelled(), dose_figures=DECISIVE,
            dose_is_stale=stale, modelled_is_stale=stale,
        )
    )  # fmt: skip
    qtbot.wait(20)
    assert clipped(window) == []
    for said in (window.figures.text, window.dvh.text):
        assert "319" in said
    # The figures that decide are there, with their limit.
    for decisive in ("133 Gy", "91.3 %", "90 Gy"):
        assert decisive in window.figures.text


WHY = (
    "With the planned seeds still to come, D90 is 64.0 Gy of 100 Gy and V100 60.6 %; 3.3 cc around "
    "(-19, -16, -394) mm, 3 mm from needle 1 are cold, down to 47 Gy. 4 more seeds through needle "
    "1, 2, 3 would make it D90 91.3 Gy and V100 84.9 %; the cord's largest dose goes from 17.1 to "
    "30.9 Gy (limit 92.1 Gy, cumulative EQD2 15.9 Gy)."
)


def advice() -> Advice:
    figures = Figures(64.0, 60.6, 20.0)
    supplement = Supplement(1, 1, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 5.0, figures, 1)
    then = Figures(91.3, 84.9, 40.0)
    return Advice(41, "adjust", WHY, 100.0, figures, then, (), (supplement,) * 4)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_long_sentences_take_no_room_from_the_numbers(qtbot, window_of, language, size):
    """A long alarm, advice and a form at once: the most that the window ever has to say."""
    speak(language)
    window = window_of(size)
    missed = Alarm(
        "misfire:15",
        Priority.MEDIUM,
        "A stroke through needle 1 delivered no seed (record 15); 5 seeds remain in cartridge S3.",
        NOW,
        acknowledged_by="Dr Example",
    )
    window.show_snapshot(snapshot(proposal=advice(), proposal_is_stale=True, alarms=(missed,)))
    qtbot.wait(20)
    assert clipped(window) == []
    window._toggle_cartridges()
    qtbot.wait(20)
    assert clipped(window) == []


def test_the_next_action_has_the_advice_briefly_and_the_page_all_of_it(qtbot):
    window = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(window)
    window.show_snapshot(snapshot(proposal=advice()))
    brief = "ADJUST (TG-43, after event 41): 4 more seeds would make D90 91 of 100\u00a0Gy"
    assert brief in window.next_action._said.text()
    assert "3.3 cc" not in window.next_action._said.text()
    assert any(
        WHY in html.unescape(label.text()) for label in window.decisions.findChildren(QLabel)
    )


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    part = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


WORDS = {
    name: getattr(theme, name)
    for name in ("TEXT", "QUIET", "GOOD", "NOTE", "WARN", "BAD", "PLANNED", "CURRENT")
}


@pytest.mark.parametrize("ground", ["GROUND", "PANEL", "CHOSEN"])
@pytest.mark.parametrize("word", list(WORDS))
def test_words_stand_out_from_what_is_behind_them(word, ground):
    assert contrast(WORDS[word], getattr(theme, ground)) >= 4.5


def test_dark_words_on_bright_grounds_and_lines_on_black_stand_out():
    for bright in (theme.NOTE, theme.WARN):
        assert contrast(theme.GROUND, bright) >= 4.5
    lines = [look[0] for look in theme.ISODOSES.values()]
    lines += [*theme.SEED_COLOURS.values(), LETTER_COLOUR]
    for colour in lines:
        assert contrast(colour, "#000000") >= 4.5, colour


@pytest.mark.parametrize("role", ["", "small", "primary", "stop"])
def test_words_of_a_button_that_cannot_be_pressed_stand_out(qtbot, role):
    button = push("Arm", role)
    button.setEnabled(False)
    button.setStyleSheet(theme.style_sheet(4.0))
    qtbot.addWidget(button)
    button.resize(400, 160)
    picture = button.grab().toImage()
    # Away from the border: the ground is the commonest colour, the words the farthest from it.
    colours = [
        picture.pixelColor(x, y).name()
        for x in range(20, picture.width() - 20)
        for y in range(20, picture.height() - 20, 2)
    ]
    ground = max(set(colours), key=colours.count)
    assert max(contrast(colour, ground) for colour in set(colours)) >= 4.5


# Machado, Oliveira and Fernandes, IEEE TVCG 15:1291 (2009), severity 1.0, linear RGB.
BLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
}  # fmt: skip


def seen_by(kind: str, colour: str) -> np.ndarray:
    part = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLIND[kind]) @ linear, 0, 1)
    return np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", list(BLIND))
def test_what_must_be_told_apart_differs_by_more_than_a_colour_that_some_do_not_see(kind):
    """Alarm priorities have symbol and word, isodoses a dash; their colours differ as well."""
    priorities = [look[1] for look in theme.PRIORITY_LOOK.values()]
    for one, other in itertools.combinations(priorities, 2):
        assert np.linalg.norm(seen_by(kind, one) - seen_by(kind, other)) > 0.15
    assert len({look[0] for look in theme.PRIORITY_LOOK.values()}) == len(priorities)
    looks = [(dash, width) for _, dash, width in theme.ISODOSES.values()]
    assert len(set(looks)) == len(looks)


def test_the_air_between_words_grows_with_them(qtbot):
    """On a large display words of one size stood as near to one another as on a small one."""
    window = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(window)
    found = []
    for size in (*SIZES, SIZES[0]):
        window.resize(*size)
        window._rescale()
        card = window.card.layout()
        found.append((window.top_bar.layout().spacing(), card.contentsMargins().left()))
    assert found == [(18, 10), (18, 10), (36, 20), (18, 10)]
