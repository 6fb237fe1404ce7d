"""Which dose leads on the screen: chosen by hand, named beside every figure, never assumed."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QPen
from PyQt5.QtWidgets import QLabel

from guidance.advice import MODELLED, TG43
from guidance.procedure.snapshot import DoseFigure, Snapshot, Step
from guidance.screen import RoomWindow, theme
from guidance.screen.doses import limit_words
from guidance.screen.language import speak
from tests.screen.clipping import clipped
from tests.screen.room_case import snapshot
from tests.screen.test_screen_legible import SIZES, advice
from tests.screen.test_screen_modelled import modelled

D90 = DoseFigure("GTV", "D90", "Gy", 133.0, 130.0, 146.0, 120.0, True, 117.0)
WAITS = "Advice waits for the model-based dose of the implant as it is."


def case(engine: str = MODELLED, **changes: object) -> Snapshot:
    chosen = "Dr Example" if engine == MODELLED else ""
    shown = snapshot(
        opened_by="Dr Example", engine=engine, engine_chosen_by=chosen,
        modelled=modelled(ended=True), dose_figures=(replace(D90, engine=engine),),
    )  # fmt: skip
    return replace(shown, **changes)


@pytest.fixture
def window(window_of) -> RoomWindow:
    return window_of((1920, 1080))


def said_by(window: RoomWindow) -> str:
    labels = window.decisions.findChildren(QLabel)
    return " ".join(html.unescape(label.text()) for label in labels if not label.isHidden())


def test_a_key_pressed_twice_lets_the_other_dose_lead(window, acts, qtbot):
    window.show_snapshot(case(TG43))
    qtbot.keyClick(window, Qt.Key.Key_F11)
    # It is seen what is about to be chosen, and nothing is done yet.
    assert not window.decisions.isHidden()
    assert "SURE? model-based, research LEADS" in window.decisions.lead_button.text()
    assert "leading dose: TG-43" in said_by(window)
    assert acts.acts == []
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert acts.acts == [("choose_engine", MODELLED, "Dr Example")]
    window.show_snapshot(case())
    assert "leading dose: model-based, research, chosen by Dr Example" in said_by(window)


def test_the_mouse_does_it_too_and_back(window, acts, qtbot):
    window.show_snapshot(case())
    window.toggle_decisions()
    for _ in range(2):
        qtbot.mouseClick(window.decisions.lead_button, Qt.MouseButton.LeftButton)
    assert acts.acts == [("choose_engine", TG43, "Dr Example")]


def test_what_was_about_to_be_chosen_is_not_when_another_dose_leads_meanwhile(window, acts, qtbot):
    window.show_snapshot(case(TG43))
    qtbot.keyClick(window, Qt.Key.Key_F11)
    window.show_snapshot(case())
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert acts.acts == []


@pytest.mark.parametrize(
    ("changes", "recorded"),
    [({}, True), ({"modelled_is_stale": True}, False), ({"modelled": modelled()}, False)],
)
def test_who_verifies_verifies_both_doses_if_both_are_there_whole(
    window, acts, qtbot, changes, recorded
):
    shown = case(step=Step.VERIFY, **changes)
    window.show_snapshot(shown)
    qtbot.keyClick(window, Qt.Key.Key_F2)
    modelled_ = shown.modelled if recorded else None
    assert acts.acts == [("verify_implant", shown.dose, "Dr Example", modelled_)]


@pytest.mark.parametrize("changes", [{"closed": True}, {"opened_by": ""}])
def test_without_an_open_case_there_is_no_choice(window, acts, qtbot, changes):
    window.show_snapshot(case(TG43, **changes))
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_F11)
    assert acts.acts == []


def test_the_name_of_the_dose_stands_beside_every_figure_of_advice(window):
    weighed = replace(advice(), engine=MODELLED)
    window.show_snapshot(case(proposal=weighed))
    assert "ADJUST (model-based, research, after event 41): 4 more" in said_in(window)
    page = said_by(window)
    assert "ADJUST (model-based, research, after event 41): With the planned" in page
    assert "D90 64 Gy (model-based, research)" in page
    window.show_snapshot(case(TG43, proposal=advice()))
    assert "ADJUST (TG-43, after event 41): 4 more" in said_in(window)
    assert "D90 64 Gy (TG-43)" in said_by(window)


def test_the_next_action_has_one_sentence_of_it(window):
    covered = "The target is covered: D90 is 103.2 Gy of 100 Gy and V100 91.6 %."
    reason = f"{covered} No further seed is needed for it."
    stop = replace(advice(), verdict="stop", reason=reason, predicted=None, seeds=())
    window.show_snapshot(case(proposal=replace(stop, engine=MODELLED)))
    assert f"STOP (model-based, research, after event 41): {covered}</span>" in said_in(window)
    assert reason in said_by(window)


def said_in(window: RoomWindow) -> str:
    return str(window.next_action._said.text())


def test_advice_that_waits_says_for_what_and_the_old_one_says_that_it_is_old(window):
    shown = case(proposal=advice(), proposal_is_stale=True, advice_waits=WAITS)
    window.show_snapshot(shown)
    assert WAITS in said_in(window)
    assert theme.WARN in said_in(window)
    assert "ADJUST (TG-43, after event 41 STALE)" in said_by(window)
    window.show_snapshot(case(proposal=None, advice_waits=WAITS))
    assert WAITS in said_by(window)


def lines(window: RoomWindow) -> list[QPen]:
    return [item.opts["pen"] for item in window.dvh._plot.listDataItems()]


def test_the_histogram_of_the_dose_that_leads_is_solid(window):
    dashed, solid, dotted = Qt.PenStyle.DashLine, Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
    for engine, order, said in (
        (TG43, [dashed, solid, dotted], "solid: TG-43 implant"),
        (MODELLED, [dashed, dotted, solid], "solid: MC (research), to medium"),
    ):
        window.show_snapshot(case(engine))
        assert list(dict.fromkeys(pen.style() for pen in lines(window))) == order
        assert said in window.dvh.text
    window.show_snapshot(case(modelled_is_stale=True))
    assert "solid, faint: MC (research), to medium, STALE" in window.dvh.text
    window.show_snapshot(case(modelled=None))
    assert solid not in [pen.style() for pen in lines(window)]
    assert "solid: MC (research), none at hand" in window.dvh.text


def test_its_figures_come_first_and_are_held_against_the_limits(window):
    window.show_snapshot(case(TG43))
    text = window.figures.text
    assert text.index(">implant<") < text.index(">counted<") < text.index(">MC research<")
    assert "≥ 120 kept" in text
    window.show_snapshot(case())
    text = window.figures.text
    assert text.index(">MC research<") < text.index(">TG-43<") < text.index(">counted<")
    assert text.index("117 Gy") < text.index("133 Gy")
    assert "limit, by MC" in text
    assert "≥ 120 BELOW" in text
    # A figure that no histogram has is there too.
    eqd2 = DoseFigure("Spinal cord", "cumulative EQD2", "Gy", 16.0, 16.0, 17.0, 50.0, modelled=11.0)
    window.show_snapshot(case(dose_figures=(eqd2,)))
    assert ">11 Gy<" in window.figures.text
    window.show_snapshot(case())
    assert "LEADS; MC: model-based (Monte Carlo), research, dose to medium" in text
    # The isodoses on the slices stay those of TG-43, and say so.
    assert any("120 Gy TG-43" in key.text for key in window.scene.axial._legend)


def test_without_it_nothing_stands_in_its_place(window):
    none = DoseFigure("GTV", "D90", "Gy", 133.0, 130.0, 146.0, 120.0, True, engine=MODELLED)
    assert limit_words(none) == ("≥ 120", theme.QUIET)
    window.show_snapshot(case(modelled=None, dose_figures=(none,)))
    text = window.figures.text
    assert "the model-based dose (MC, research) leads; none is at hand" in text
    assert text.index(">MC research<") < text.index(">–<") < text.index("133 Gy")
    assert "kept" not in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_all_of_it_has_its_room(qtbot, window_of, language, size):
    speak(language)
    window = window_of(size)
    weighed = replace(advice(), engine=MODELLED)
    window.show_snapshot(case(proposal=weighed, proposal_is_stale=True, advice_waits=WAITS))
    qtbot.wait(20)
    assert clipped(window) == []
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.wait(20)
    # Columns with more lines than they hold say how many more.
    assert not [text for text in clipped(window) if "F11" in text or "Example" in text]
