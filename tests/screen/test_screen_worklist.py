"""Today's patients: asked without holding the window up, chosen, and a case opened for one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pydicom
import pytest
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityWorklistInformationFind
from PyQt5.QtCore import Qt, QTimer

from guidance.configuration import WorklistSettings
from guidance.console.worklist import worklist_of
from guidance.procedure.acts import Patient
from guidance.procedure.snapshot import Snapshot
from guidance.screen import RoomWindow, theme
from guidance.screen.language import speak
from guidance.screen.scheduled import Scheduled, Worklist
from guidance.screen.words import person_name
from tests.screen.room_case import NOW, Recorder, snapshot

WANG = Scheduled(
    "P1", "Wang^Xiaoming=王^小明", "19600101", "Seeds T12", "20260305 093000", "A1", "S1"
)
LI = Scheduled("P2", "Li^Na", "", "Biopsy L3", "20260305 1100", "A2", "S2")
UNOPENED = Snapshot(0, NOW, "case-9", next_action="Open the case.")


class Peer:
    """Is asked, and answers when the test lets it."""

    def __init__(self) -> None:
        self.days: list[str] = []
        self.answers: list[Future[tuple[Scheduled, ...]]] = []

    def ask(self, day: str) -> Future[tuple[Scheduled, ...]]:
        self.days.append(day)
        self.answers.append(Future())
        return self.answers[-1]


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def acts() -> Recorder:
    return Recorder()


def window_of(qtbot, acts, worklist, shown=UNOPENED) -> RoomWindow:
    made = RoomWindow(acts, "Dr Example", clock=lambda: NOW, worklist=worklist)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    made.show_snapshot(shown)
    return made


@pytest.fixture
def window(qtbot, acts, peer) -> RoomWindow:
    return window_of(qtbot, acts, Worklist("RIS@10.0.0.2:104", peer.ask))


def rows(window: RoomWindow) -> list[list[str]]:
    table = window.worklist.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def opened(window: RoomWindow, peer: Peer, *items: Scheduled) -> None:
    window.toggle_worklist()
    peer.answers[-1].set_result(items)


def test_a_key_shows_todays_patients(qtbot, window, peer):
    assert not window.act_bar.worklist_button.isHidden()
    qtbot.keyClick(window, Qt.Key.Key_F3)
    assert window.worklist.isVisible()
    assert not window.table.isVisible()
    assert peer.days == [NOW.astimezone().strftime("%Y%m%d")]
    peer.answers[0].set_result((WANG, LI))
    assert rows(window) == [
        ["09:30", "Wang Xiaoming (王 小明)", "P1", "1960-01-01", "Seeds T12", "A1"],
        ["11:00", "Li Na", "P2", "", "Biopsy L3", "A2"],
    ]
    assert "2 scheduled; RIS@10.0.0.2:104" in window.worklist.state.text()
    qtbot.keyClick(window, Qt.Key.Key_F3)
    assert not window.worklist.isVisible()
    assert window.table.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F3)
    assert len(peer.days) == 1, "what is known is not asked for again"


def test_choosing_opens_nothing_and_a_second_act_opens_the_case(qtbot, window, peer, acts):
    opened(window, peer, WANG, LI)
    page = window.worklist
    assert not page.open_button.isEnabled()
    page.table.selectRow(0)
    assert acts.acts == []
    assert "Wang Xiaoming (王 小明) (P1)" in page.open_button.text()
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert acts.acts == [
        ("open_case", "Dr Example", Patient("P1", "Wang^Xiaoming=王^小明", "A1", "S1"))
    ]
    window.show_snapshot(replace(UNOPENED, opened_by="Dr Example", patient_id="P1"))
    assert not page.isVisible(), "there is nothing more to do here"


def test_it_goes_by_keyboard_alone(qtbot, window, peer, acts):
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F3)
    peer.answers[0].set_result((WANG, LI))
    table = window.worklist.table
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert acts.acts == [], "nobody is chosen"
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert window.worklist.chosen == LI
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert acts.acts == [("disarm", "Dr Example")], "ending the permit is one press here too"
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert acts.acts[1][2].patient_id == "P2"


def test_the_filter_leaves_who_fits_and_keeps_the_choice(window, peer):
    opened(window, peer, WANG, LI)
    page = window.worklist
    page.table.selectRow(1)
    page.filter.setText("p2 biopsy")
    assert [row[2] for row in rows(window)] == ["P2"]
    assert page.chosen == LI
    page.filter.setText("小明")
    assert [row[2] for row in rows(window)] == ["P1"]
    assert page.chosen is None
    assert not page.open_button.isEnabled()
    page.filter.clear()
    assert len(rows(window)) == 2


def test_no_answer_is_said_and_the_case_is_opened_by_hand(qtbot, window, peer, acts):
    window.toggle_worklist()
    page = window.worklist
    peer.answers[0].set_exception(ConnectionError("RIS@10.0.0.2:104 cannot be reached"))
    assert "NO ANSWER: RIS@10.0.0.2:104 cannot be reached. Open by hand." in page.state.text()
    assert theme.BAD in page.state.text()
    page.patient_id.setText(" P7 ")
    page.patient_name.setText("Zhao^Yun")
    qtbot.mouseClick(page.hand_button, Qt.MouseButton.LeftButton)
    assert acts.acts[0][0] == "open_case"
    assert acts.acts[0][2].patient_id == "P7"
    assert acts.acts[0][2].patient_name == "Zhao^Yun"
    # Asked again, it may answer.
    page.refresh_button.click()
    peer.answers[1].set_result((LI,))
    assert len(rows(window)) == 1


def test_nobody_scheduled_is_an_answer(window, peer):
    opened(window, peer)
    assert "0 scheduled" in window.worklist.state.text()
    assert theme.WARN in window.worklist.state.text()


def test_one_need_not_wait_and_a_late_answer_is_not_shown(qtbot, window, peer):
    window.toggle_worklist()
    page = window.worklist
    assert page.refresh_button.isHidden()
    assert "asking RIS@10.0.0.2:104… 0 s" in page.state.text()
    page._asked_s = time.monotonic() - 700
    # On a busy machine some seconds more.
    qtbot.waitUntil(lambda: "… 7" in page.state.text(), timeout=20000)
    page.stop_button.click()
    peer.answers[0].set_result((WANG,))
    assert rows(window) == []
    assert "Not waited for" in page.state.text()
    assert page.stop_button.isHidden()


def test_without_a_peer_only_by_hand(qtbot, acts):
    window = window_of(qtbot, acts, None)
    window.toggle_worklist()
    assert "No worklist is named" in window.worklist.state.text()
    window.worklist.open_by_hand()
    assert acts.acts[0][2].patient_id == "", "the plan will say who it is"


def test_a_case_that_is_open_is_left_by_two_presses_only(qtbot, window, peer, acts):
    opened(window, peer, WANG)
    page = window.worklist
    page.table.selectRow(0)
    window.show_snapshot(snapshot(opened_by="Dr Other", case_id="case-9"))
    window.toggle_worklist()
    page.table.selectRow(0)
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert acts.acts == []
    assert "CASE case-9 STAYS OPEN" in page.open_button.text()
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    assert acts.acts[0][0] == "open_another_case"
    assert acts.acts[0][2].patient_id == "P1"
    qtbot.mouseClick(page.hand_button, Qt.MouseButton.LeftButton)
    assert len(acts.acts) == 1
    qtbot.mouseClick(page.hand_button, Qt.MouseButton.LeftButton)
    assert len(acts.acts) == 2


def test_a_case_that_took_another_patients_plan_is_not_the_one_that_is_opened(window, peer, acts):
    window.show_snapshot(replace(UNOPENED, patient_id="P2"))
    opened(window, peer, WANG, LI)
    for row in (0, 1):
        window.worklist.table.selectRow(row)
        window.worklist.open_chosen()
    assert [act[0] for act in acts.acts] == ["open_another_case", "open_case"]


def test_after_a_closed_case_the_button_offers_the_next(window):
    window.show_snapshot(snapshot(opened_by="Dr Other"))
    assert window.act_bar.worklist_button.isHidden()
    window.show_snapshot(snapshot(opened_by="Dr Other", closed=True))
    assert not window.act_bar.worklist_button.isHidden()


def test_an_answer_to_a_window_said_anew_in_another_language_is_dropped(qtbot, window, peer):
    window.toggle_worklist()
    window.change_language("zh")
    qtbot.wait(50)
    # The page stays where it was, and asks anew.
    assert not window.worklist.isHidden()
    peer.answers[0].set_result((WANG,))
    assert "正在查询" in window.worklist.state.text()
    assert rows(window) == []
    peer.answers[1].set_result((LI,))
    assert len(rows(window)) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Wang^Xiaoming=王^小明=", "Wang Xiaoming (王 小明)"),
        ("Example^Case", "Example Case"),
        ("=王^小明", "王 小明"),
        ("", ""),
    ],
)
def test_a_name_is_said_in_each_of_its_scripts(name, said):
    assert person_name(name) == said


# --- a real worklist over the network ------------------------------------------------


def step(name: str, patient_id: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    item.PatientName, item.PatientID, item.AccessionNumber = name, patient_id, "A7"
    item.PatientBirthDate, item.StudyInstanceUID = "19600101", generate_uid()
    item.RequestedProcedureDescription = "Seed implantation"
    scheduled = pydicom.Dataset()
    scheduled.Modality, scheduled.ScheduledProcedureStepID = "CT", "S7"
    scheduled.ScheduledProcedureStepStartDate = "20260305"
    scheduled.ScheduledProcedureStepStartTime = "0930"
    item.ScheduledProcedureStepSequence = [scheduled]
    return item


class Ris:
    """A worklist that answers when it is let."""

    def __init__(self) -> None:
        self.may_answer, self.asked = threading.Event(), list[pydicom.Dataset]()
        entity = AE("RIS")
        entity.add_supported_context(ModalityWorklistInformationFind)
        self._server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, self._find)]
        )
        self.port = int(self._server.server_address[1])

    def _find(self, event: evt.Event) -> Iterator[tuple[int, pydicom.Dataset | None]]:
        self.asked.append(event.identifier)
        self.may_answer.wait(20)
        yield 0xFF00, step("Wang^Xiaoming=王^小明", "P1")
        yield 0x0000, None

    def stop(self) -> None:
        self.may_answer.set()
        self._server.shutdown()


@pytest.fixture
def ris() -> Iterator[Ris]:
    made = Ris()
    yield made
    made.stop()


def settings(port: int, answer_s: float = 15.0) -> WorklistSettings:
    return WorklistSettings(f"RIS@127.0.0.1:{port}", "CT", answer_s=answer_s)


def test_a_slow_worklist_holds_nothing_up(qtbot, acts, ris):
    window = window_of(qtbot, acts, worklist_of(settings(ris.port), "SEEDGUIDE"))
    ticks = []
    timer = QTimer(window)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(20)
    window.toggle_worklist()
    qtbot.waitUntil(lambda: bool(ris.asked), timeout=10000)
    qtbot.wait(400)
    assert len(ticks) >= 8, "the window went on while the worklist thought"
    assert rows(window) == []
    ris.may_answer.set()
    qtbot.waitUntil(lambda: len(rows(window)) == 1, timeout=10000)
    assert rows(window)[0] == [
        "09:30", "Wang Xiaoming (王 小明)", "P1", "1960-01-01", "Seed implantation", "A7"
    ]  # fmt: skip
    (asked,) = ris.asked
    (wanted,) = asked.ScheduledProcedureStepSequence
    assert wanted.ScheduledProcedureStepStartDate == NOW.astimezone().strftime("%Y%m%d")
    assert wanted.Modality == "CT"
    window.worklist.table.selectRow(0)
    window.worklist.open_chosen()
    assert acts.acts[0][2].scheduled_step == "S7"


def test_a_worklist_that_never_answers_is_given_up(qtbot, acts, ris):
    window = window_of(qtbot, acts, worklist_of(settings(ris.port, answer_s=1.0), "SEEDGUIDE"))
    window.toggle_worklist()
    state = window.worklist.state
    qtbot.waitUntil(lambda: "NO ANSWER" in state.text(), timeout=15000)
    assert "did not answer C-FIND" in state.text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_worklist_that_is_not_there_is_said(qtbot, acts, language):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    speak(language)
    window = window_of(qtbot, acts, worklist_of(settings(port), "SEEDGUIDE"))
    window.toggle_worklist()
    wanted = "cannot be reached" if language == "en" else f"无法连接 RIS@127.0.0.1:{port}"
    qtbot.waitUntil(lambda: wanted in window.worklist.state.text(), timeout=15000)


def test_a_configuration_that_names_nobody_asks_nobody():
    assert worklist_of(WorklistSettings(), "SEEDGUIDE") is None
