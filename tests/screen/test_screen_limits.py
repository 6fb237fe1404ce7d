"""Limits, what lies ahead, advice and corrections: said with their numbers, word and colour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt5.QtWidgets import QLabel

from guidance.procedure.snapshot import DoseFigure, Edit
from guidance.screen import RoomWindow, theme
from guidance.screen.doses import dose_rows, limit_words
from guidance.screen.language import speak
from guidance.screen.words import ahead_line
from guidance.tracking.implant import Encounter
from tests.screen.room_case import NOW, Recorder, dose, needles, snapshot

COLD = DoseFigure("GTV", "D90", "Gy", 100.0, 96.0, 146.0, 120.0, True)
HOT = DoseFigure("Spinal cord", "Dmax", "Gy", 90.0, 88.0, 99.0, 80.0)
FINE = DoseFigure("Spinal cord", "cumulative EQD2", "Gy", 44.0, 43.0, 49.0, 50.0)
EARLY = DoseFigure("GTV", "V100", "%", None, None, None, 95.0, True)
FIGURES = (COLD, EARLY, HOT, FINE)
BONE = Encounter("bone", "bone", 12.2, 4.0, "scan")
CORD = Encounter("Spinal cord", "cord", 31.6, 8.0, "structures")


@pytest.fixture
def window(window_of) -> RoomWindow:
    return window_of((1920, 1080))


@pytest.mark.parametrize(
    ("figure", "words", "colour"),
    [
        (COLD, "≥ 120 BELOW", theme.WARN),
        (HOT, "≤ 80 ABOVE", theme.BAD),
        (FINE, "≤ 50 kept", theme.GOOD),
        (EARLY, "≥ 95", theme.QUIET),
    ],
)
def test_a_limit_is_said_with_a_word_and_a_colour(figure, words, colour):
    assert limit_words(figure) == (words, colour)


def test_each_decisive_figure_stands_with_its_structure():
    rows = dose_rows(snapshot(dose_figures=FIGURES, dose_counted=dose(11, 0.9)))
    at = [(row.structure, row.quantity, row.limit) for row in rows]
    assert at.index(("Spinal cord", "EQD2 in all", "≤ 50 kept")) == 5
    assert at[0] == ("GTV", "D90", "≥ 120 BELOW")
    assert len(at) == len(set(at))


def test_before_the_first_seed_it_is_no_news_that_the_target_lacks_dose():
    rows = dose_rows(snapshot(dose_figures=FIGURES, seeds=()))
    at = {(row.structure, row.quantity): (row.limit, row.colour) for row in rows}
    assert at["GTV", "D90"] == ("≥ 120", theme.QUIET)
    assert at["Spinal cord", "EQD2 in all"] == ("≤ 50 kept", theme.GOOD)


def test_the_dose_as_counted_stands_beside_the_dose_as_known(window):
    window.show_snapshot(snapshot(dose_figures=FIGURES, dose_counted=dose(11, 0.9)))
    row = next(r for r in dose_rows(window._snapshot) if r.quantity == "V100")
    assert (row.implant, row.counted) == ("91.3 %", "82.2 %")
    assert "82.2" in window.figures.text


def test_limits_of_a_stale_dose_are_not_in_the_colours_of_a_fresh_one(window):
    window.show_snapshot(snapshot(dose_figures=FIGURES, dose_is_stale=True))
    assert theme.GOOD not in window.figures.text
    assert theme.BAD not in window.figures.text


def test_what_lies_ahead_is_said_nearest_first_and_the_cord_warns():
    track = replace(needles()[0], ahead=(CORD, BONE))
    text = "ahead: bone (scan) 12 mm, Spinal cord 32 mm"
    assert ahead_line(track) == (text, theme.WARN)
    inside = replace(track, ahead=(replace(BONE, distance_mm=0.0),))
    assert ahead_line(inside) == ("ahead: tip in bone (scan)", theme.NOTE)
    assert ahead_line(replace(track, ahead=()))[0] == ""


@pytest.mark.parametrize(("language", "bone"), [("en", "bone (scan)"), ("zh", "骨（扫描）")])
def test_the_card_says_what_lies_ahead_in_both_languages(qtbot, language, bone):
    speak(language)
    window = RoomWindow(Recorder(), clock=lambda: NOW)
    qtbot.addWidget(window)
    tracks = tuple(replace(track, ahead=(BONE,)) for track in needles())
    window.show_snapshot(snapshot(needles=tracks))
    assert any(bone in label.text() for label in window.card.findChildren(QLabel))


def test_corrections_of_detections_are_listed_newest_first(window):
    edits = (
        Edit(30, NOW, "Dr Example", "moved", "seed 4", "deeper", "1.9"),
        Edit(31, NOW, "Dr Example", "deleted", "needle 2", "an artefact", "1.9"),
    )
    window.show_snapshot(snapshot(edits=edits))
    said = " | ".join(label.text() for label in window.decisions.findChildren(QLabel))
    assert said.index("needle 2 deleted: Dr Example (an artefact)") < said.index("seed 4 moved")
