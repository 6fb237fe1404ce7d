"""Settings on the screen: where each comes from, and what of it may be changed here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt

from guidance.configuration import SourceSettings, load_configuration
from guidance.console.office import SettingsOffice
from guidance.console.session import SessionOptions
from guidance.planning.protocol import Protocol
from guidance.screen import RoomWindow, theme
from guidance.screen.about import versions
from guidance.screen.language import language, speak
from guidance.screen.settingwords import CABLES, HEADINGS, KEYS, LIMITS, SCREEN, WORDS
from guidance.settings import Settings
from tests.screen.room_case import NOW, Recorder, snapshot

FILE = """\
# by hand
[protocol]
clearance_mm = 12.0

[sources]
commissioned = ["6702"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def beeps() -> list[str]:
    return []


@pytest.fixture
def window(qtbot, path, beeps) -> RoomWindow:
    site = Settings(path, load_configuration(path), {"applicator.url": "/dev/ttyUSB0"})
    made = RoomWindow(
        Recorder(), "Dr Example", clock=lambda: NOW, office=SettingsOffice(site),
        pulse=lambda: beeps.append("beep"),
    )  # fmt: skip
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    made.show_snapshot(snapshot(alarms=()))
    return made


def rows(window: RoomWindow) -> dict[str, list[str]]:
    table = window.settings.table
    cells = [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]
    return {words: rest for words, *rest in cells}


def choose(window: RoomWindow, heading: str, words: str) -> None:
    window.settings.show_heading(heading)
    window.settings.table.selectRow(list(rows(window)).index(words))


def said(window: RoomWindow) -> str:
    return window.settings.state.text()


def test_a_key_shows_every_setting_with_where_it_comes_from(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_F10)
    assert window.settings.isVisible()
    there = {}
    for heading in HEADINGS:
        window.settings.headings[heading].click()
        there |= rows(window)
    assert {words for words, _ in WORDS.values()} <= set(there)
    assert there["least distance to an organ at risk"] == ["12 mm", "file", "in the file alone"]
    assert there["residual that needs a reason"] == ["2 mm", "default", "in the file alone"]
    assert there["applicator: port"] == ["/dev/ttyUSB0", "command line", "in the file alone"]
    assert there["seed models commissioned beyond the enabled"][0] == "6702"
    assert str(window.settings._office.where) in window.settings.where.text()
    qtbot.keyClick(window, Qt.Key.Key_F10)
    assert window.table.isVisible()


def test_every_setting_of_the_configuration_has_words():
    keys = {s.key for s in Settings(None, load_configuration(None)).rows}
    assert keys == set(WORDS) | {"screen.keys"}, "the keys have rows of their own"


def test_a_limit_cannot_be_changed_here_and_says_what_holds_for_the_case(window):
    choose(window, LIMITS, "least distance to an organ at risk")
    assert not window.settings.field.isEnabled()
    assert not window.settings.keep_button.isEnabled()
    assert "Not changed beside a patient" in said(window)
    assert rows(window)["least distance to an organ at risk"][0] == "12 mm"
    window.show_snapshot(snapshot(opened_by="Dr Li", protocol=Protocol(clearance_mm=8.0)))
    value = rows(window)["least distance to an organ at risk"][0]
    assert value == "12 mm; THIS CASE: 8 mm"
    assert window.settings.table.item(0, 1).foreground().color().name() == theme.WARN
    assert rows(window)["residual that needs a reason"][0] == "2 mm"


def test_a_change_is_checked_kept_and_says_when_it_holds(qtbot, window, path):
    choose(window, SCREEN, "worklist, AET@HOST:PORT")
    page = window.settings
    page.field.setText("nobody")
    page.keep_button.click()
    qtbot.waitUntil(lambda: "NOT KEPT" in said(window), timeout=5000)
    assert "must be AET@HOST:PORT" in said(window)
    assert path.read_text() == FILE
    page.field.setText("RIS@10.0.0.3:104")
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "holds after a restart" in said(window), timeout=5000)
    assert load_configuration(path).worklist.peer == "RIS@10.0.0.3:104"
    value, origin, _ = rows(window)["worklist, AET@HOST:PORT"]
    assert (value, origin) == ("RIS@10.0.0.3:104 (after a restart)", "file")
    assert path.read_text().startswith(FILE), "what is written by hand stays"


def test_a_pedal_is_given_an_act_by_pressing_it_and_holds_at_once(qtbot, window, path):
    window.toggle_settings()
    choose(window, KEYS, "permit seeds (twice)")
    page = window.settings
    qtbot.keyClick(page.field, Qt.Key.Key_F13)
    assert page.field.text() == "F13"
    page.keep_button.click()
    qtbot.waitUntil(lambda: "Kept." in window.status.text(), timeout=5000)
    assert load_configuration(path).screen.keys == ("permit=F13",)
    qtbot.waitUntil(window.settings.isVisible, timeout=5000)
    assert window.settings.heading == KEYS, "the page stays where it was"
    assert rows(window)["permit seeds (twice)"][:2] == ["F13", "file"]
    assert "F13" in window.about.text
    button = window.act_bar.permit_button
    qtbot.keyClick(window, Qt.Key.Key_F4)
    assert not button.ready
    qtbot.keyClick(window, Qt.Key.Key_F13)
    assert button.ready
    # Back to the usual key leaves nothing behind.
    choose(window, KEYS, "permit seeds (twice)")
    window.settings.field.setText("F4")
    window.settings.keep()
    qtbot.waitUntil(lambda: load_configuration(path).screen.keys == (), timeout=5000)


@pytest.mark.parametrize(("key", "why"), [("F2", "is given to"), ("5", "is no key")])
def test_a_key_that_is_taken_or_is_none_is_refused(window, path, key, why):
    choose(window, KEYS, "permit seeds (twice)")
    window.settings.field.setText(key)
    window.settings.keep()
    assert "NOT CHANGED" in said(window)
    assert why in said(window)
    assert window.keys.of("permit") == "F4"
    assert path.read_text() == FILE


def test_the_language_holds_at_once_and_is_kept(qtbot, window, path):
    window.toggle_settings()
    window.settings.languages["zh"].click()
    qtbot.waitUntil(lambda: "已保存。" in window.status.text(), timeout=5000)
    assert language() == "zh"
    assert load_configuration(path).screen.language == "zh"
    qtbot.waitUntil(window.settings.isVisible, timeout=5000)
    choose(window, SCREEN, "语言")
    assert not window.settings.keep_button.isEnabled()
    assert "请在下方选择语言" in said(window)


def test_a_sound_can_be_heard_before_it_is_needed(window, beeps):
    window.settings.sound_button.click()
    assert beeps == ["beep"]


def test_a_disk_that_does_not_take_it_is_said(qtbot, window, path, monkeypatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("guidance.configuration_file.os.fsync", full)
    choose(window, SCREEN, "worklist: modality wanted")
    window.settings.field.setText("CT")
    window.settings.keep()
    qtbot.waitUntil(lambda: "No space left on device" in said(window), timeout=5000)
    assert path.read_text() == FILE


def test_without_a_file_what_holds_at_once_holds_and_is_said_not_to_be_kept(qtbot):
    window = RoomWindow(
        Recorder(),
        clock=lambda: NOW,
        office=SettingsOffice(Settings(None, load_configuration(None))),
    )
    qtbot.addWidget(window)
    assert "no configuration file" in window.settings.where.text()
    choose(window, SCREEN, "worklist: modality wanted")
    window.settings.field.setText("CT")
    window.settings.keep()
    qtbot.waitUntil(lambda: "start with --config FILE" in said(window), timeout=5000)
    window.settings.languages["zh"].click()
    qtbot.waitUntil(lambda: "未保存：没有配置文件" in window.status.text(), timeout=5000)
    assert language() == "zh"


def test_a_window_without_settings_has_keys_and_languages(qtbot):
    window = RoomWindow(Recorder(), clock=lambda: NOW)
    qtbot.addWidget(window)
    window.toggle_settings()
    assert rows(window)["permit seeds (twice)"][0] == "F4"
    window.settings.show_heading(CABLES)
    assert rows(window) == {}
    window.settings.languages["zh"].click()
    assert language() == "zh"


def test_the_command_line_over_the_file_is_said_so(tmp_path, path):
    from guidance.commands import _parser

    arguments = _parser(["console", "--config", str(path), "--store", str(tmp_path / "s")])
    site = SessionOptions.from_arguments(arguments).site
    assert site is not None
    assert site.of("listener.store").text == str(tmp_path / "s")
    assert site.of("listener.store").origin.value == "command line"
    assert site.of("applicator.url").origin.value == "default"


def test_about_says_the_notice_all_versions_and_the_seed_models(qtbot, window):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    text = window.about.text
    assert "Research software, not a medical device" in text
    for name in ("seedguide", "Python", "Qt", "numpy", "scipy", "numba", "pydicom", "pynetdicom",
                 "pyserial", "simpleitk", "sqlalchemy", "pyqt5", "pyqtgraph", "reportlab",
                 "SQLite"):  # fmt: skip
        assert f"{name} " in text, name
    assert "pytest" not in versions(), "what only builds and tests is not what it runs on"
    enabled = ", ".join(m.model for m in SourceSettings().usable())
    assert f"seed models enabled: {enabled}" in text
    assert "commissioned by this site: 6702" in text


def test_at_another_size_the_pages_leave_the_numbers_their_room(qtbot, window):
    speak("en")
    window.show_snapshot(replace(snapshot(), opened_by="Dr Li"))
    before = window.card._rows[0][1].height()
    for toggle in (window.toggle_settings, window.toggle_worklist, window.toggle_about):
        toggle()
        qtbot.wait(20)
        assert window.card._rows[0][1].height() == before


def test_a_list_is_said_whole_and_in_the_language_in_use(qtbot, window):
    window.toggle_settings()
    choose(window, LIMITS, "items of the time-out")
    row = window.settings.table.currentRow()
    value = window.settings.table.item(row, 1).text()
    assert "Consent signed, Allergies" in value
    assert value.endswith("Survey meter there and working")
    assert window.settings.table.rowHeight(row) > 2 * window.settings.table.rowHeight(0)
    speak("zh")
    window._build_anew()
    choose(window, LIMITS, "术前核查项目")
    assert "已签知情同意、" in window.settings.table.item(row, 1).text()
