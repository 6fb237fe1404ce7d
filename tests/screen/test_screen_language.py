"""The screen in two languages: nothing left untranslated, nothing clipped of its numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QLabel, QLineEdit, QTableWidget

from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow
from guidance.screen.about import versions
from guidance.screen.language import FOLDER, language, said, speak, tr
from guidance.screen.settingwords import HEADINGS
from tests.screen.room_case import NOW, Recorder, snapshot
from tests.screen.texts import Texts, in_code, read_ts

PLACE = re.compile(r"\{\w+\}")
# Names of the case, units, keys, terms that Chinese departments write in Latin letters.
LATIN = re.compile(
    r"(<[^>]*>|&nbsp;|&lt;|&gt;|&amp;"
    r"|Example|Case|Dr|P-0042|case-1|L3|left|GTV|Spinal|cord|A17|B2|SN7"
    r"|mm|cm|cc|Gy|mCi|MBq|HU|LPS|CT|TG|DVH|D90|V100|V150|D0\.1cc|Dmax|HFP|HFS|[WLUzx]\b"
    r"|F\d+|Esc|PgUp|PgDown|Home|Right|Left|Ctrl|[A-Z]\b|s\b"
    r"|Python|Qt|SQLite|seedguide|rc\d*|dev\d*|AET|HOST|PORT|TLS|AE|EQD2|worklist|peer|--config|FILE"
    r"|English)"
)


@pytest.fixture
def window(window_of) -> RoomWindow:
    speak("zh")
    return window_of()


def shown(window: RoomWindow) -> list[str]:
    """All words that the window shows."""
    found = [label.text() for label in window.findChildren(QLabel)]
    found += [button.text() for button in window.findChildren(QAbstractButton)]
    found += [field.placeholderText() for field in window.findChildren(QLineEdit)]
    for table in window.findChildren(QTableWidget):
        for column in range(table.columnCount()):
            found.append(table.horizontalHeaderItem(column).text())
            found += [table.item(row, column).text() for row in range(table.rowCount())]
    for view in window.scene.views:
        found += [tr(view.title), *view.captions, *(key.text for key in view._legend)]
    return [text for text in found if text]


def latin_words(text: str) -> list[str]:
    # Names of packages are names.
    text = text.replace(versions(), " ")
    return re.findall(r"[A-Za-z]{2,}", LATIN.sub(" ", text))


def said_in_chinese(texts: Texts) -> Texts:
    """What is translated; a new sentence of the core is shown in English until it is."""
    return {key: translation for key, translation in texts.items() if translation}


def test_every_text_of_the_screen_is_translated_and_keeps_its_places():
    there = read_ts(FOLDER / "zh.ts")
    for context, text in in_code():
        if context == "screen":
            assert there.get((context, text)), f"scripts/translations: not translated: {text!r}"
    for (_, text), translation in said_in_chinese(there).items():
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(translation)), text


def test_the_compiled_file_is_that_of_the_source(qapp):
    from PyQt5.QtCore import QCoreApplication

    speak("zh")
    for (context, text), translation in said_in_chinese(read_ts(FOLDER / "zh.ts")).items():
        said_ = QCoreApplication.translate(context, text)
        assert said_ == translation, f"run scripts/translations: {text!r}"


def test_sentences_of_the_core_are_recognised_with_their_numbers(qapp):
    speak("zh")
    for (context, text), translation in said_in_chinese(read_ts(FOLDER / "zh.ts")).items():
        if context == "core":
            places = PLACE.findall(text)
            numbers = {place: str(17 + i) for i, place in enumerate(places)}

            def filled(template: str, numbers=numbers) -> str:
                return PLACE.sub(lambda found: numbers[found.group()], template)

            assert said(filled(text)) == filled(translation)
    assert said("What nobody has translated.") == "What nobody has translated."


def test_answers_and_the_reasons_of_advice_are_said_in_chinese(qapp):
    from guidance.procedure import asking

    speak("zh")
    for answer in (
        asking.SET_ASIDE, asking.ANEW, asking.SAME_FRAME, asking.PLANNING, asking.ROOM,
        asking.USE, asking.RIGHT, asking.AGAIN, asking.LEAVE_OUT, asking.IS_SEED,
    ):  # fmt: skip
        assert said(answer) != answer
    for reason in REASONS:
        chinese = said(reason)
        assert set(re.findall(r"[a-z]{2,}", chinese)) <= {"mm", "cc"}, chinese
        # Every number is still there.
        assert sorted(re.findall(r"[\d.]+\d", chinese)) == sorted(re.findall(r"[\d.]+\d", reason))


REASONS = (
    "With the planned seeds still to come, D90 is 64.0 Gy of 100 Gy and V100 60.6 %; 3.3 cc around "
    "(-19, -16, -394) mm, 3 mm from needle 1 are cold, down to 47 Gy. 4 more seeds through needle "
    "1, 2, 3 would make it D90 91.3 Gy and V100 84.9 %; the cord's largest dose goes from 17.1 to "
    "30.9 Gy (limit 92.1 Gy, cumulative EQD2 15.9 Gy).",
    "D90 is 64.0 Gy of 100 Gy and V100 60.6 %; 3.3 cc around (-19, -16, -394) mm are cold, down to "
    "47 Gy. 1 more seed through needle 11 would make it D90 91.3 Gy and V100 84.9 %; no cord is "
    "drawn, so its dose is not known.",
    "With the 12 planned seeds still to come, D90 is 120.0 Gy of 100 Gy and V100 96.0 %.",
    "The target is covered: D90 is 120.0 Gy of 100 Gy and V100 96.0 %. No further seed is needed "
    "for it.",
    "D90 is 64.0 Gy of 100 Gy and V100 60.6 %. Every reachable seed would take the cord over "
    "50.0 Gy.",
    "D90 is 64.0 Gy of 100 Gy and V100 60.6 %. No place through the needles in place would mend "
    "it: consider another needle there.",
    "The cord receives up to 93.0 Gy (cumulative EQD2 51.2 Gy); the case's limit is 92.1 Gy.",
    "D0.1cc of the cord is 93.0 Gy; the case's limit is 92.1 Gy.",
)


def test_a_list_in_a_sentence_is_said_piece_by_piece(qapp):
    speak("zh")
    wanted = "Send from the planning system: planning CT, structure set, plan."
    assert said(wanted) == "请从计划系统发送：计划 CT、结构集、计划。"
    # What is no list of texts stays as it is.
    assert "S3-1, S3-2" in said("Count the seeds left in cartridge S3-1, S3-2.")


@pytest.mark.parametrize("step", list(Step))
def test_no_english_is_left_on_the_screen(window, step):
    case = snapshot(step=step, next_action="Open the case.", unknown_strokes=((17, 3),))
    window.show_snapshot(case)
    window._toggle_cartridges()
    window.toggle_about()
    window.toggle_settings()
    for heading in HEADINGS:
        window.settings.show_heading(heading)
        for text in shown(window):
            if "1 of 11" not in text and "passes the spinal cord" not in text:
                assert not latin_words(text), text
    window.toggle_worklist()
    window.scene.measure()
    for text in shown(window):
        if "1 of 11" not in text and "passes the spinal cord" not in text:
            assert not latin_words(text), text


def test_an_empty_case_is_said_in_chinese(window):
    window.show_snapshot(Snapshot(0, NOW, "case-1", next_action="Open the case."))
    assert "请打开病例" in " ".join(shown(window))
    for text in shown(window):
        assert not latin_words(text), text


def test_the_language_changes_by_a_key_and_what_was_typed_stays(qtbot):
    speak("en")
    window = RoomWindow(Recorder(), "Dr Example", clock=lambda: NOW)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show_snapshot(snapshot())
    assert "NOT ARMED" not in " ".join(shown(window))
    qtbot.keyClick(window, Qt.Key.Key_F12)
    assert language() == "zh"
    assert "已解锁" in " ".join(shown(window))
    assert window.act_bar.operator.text() == "Dr Example"
    qtbot.keyClick(window, Qt.Key.Key_F12)
    assert "ARMED: 2 of 3" in " ".join(shown(window))


def test_a_language_that_is_not_there_is_an_error(qapp):
    with pytest.raises(KeyError):
        speak("xx")
    silent = replace(snapshot(), busy="reading the plan")
    assert said(silent.busy) == "reading the plan"
