"""Each page with the most it has to say, at every size and in every language.

Pictures of all of them are kept (--artefacts).
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import timedelta

import pytest
from PyQt5.QtWidgets import QApplication, QPushButton

from guidance.advice import Advice, Figures, Supplement
from guidance.configuration import load_configuration
from guidance.console.office import SettingsOffice
from guidance.planning.plan import PlannedSeed
from guidance.planning.protocol import CHECKLIST
from guidance.procedure.acts import Check, Edit, Question, Signature
from guidance.procedure.snapshot import Snapshot, Step, WorkView
from guidance.screen import RoomWindow
from guidance.screen.language import speak
from guidance.screen.scheduled import Scheduled, Worklist
from guidance.screen.settingwords import HEADINGS
from guidance.settings import Settings
from tests.screen.clipping import clipped
from tests.screen.room_case import NOW, snapshot
from tests.screen.test_screen_legible import WHY

SIZES = [(1280, 720), (1920, 1080), (3840, 2160)]
TURNED = (
    "The needles CT is entered as HFP, but its anatomy lies as HFS would: head and feet, left and "
    "right are swapped. Is the position entered wrong, or is it right and the anatomy unusual?"
)


def advice() -> Advice:
    """Four seeds more, one of them accepted already."""
    now, seeds = Figures(64.0, 60.6, 20.0), []
    for n in range(1, 5):
        after = Figures(64.0 + 7 * n, 60.6 + 6 * n, 20.0)
        seeds.append(
            Supplement(n, n, (float(n), 0.0, 0.0), (0.0, 0.0, 1.0), 5.0 * n, after, n, 21.0)
        )
    return Advice(41, "adjust", WHY, 100.0, now, seeds[-1].after, (), tuple(seeds))


def much(**changes: object) -> Snapshot:
    """A case in which everything waits for a person at once."""
    questions = (
        Question("turn:1", TURNED, ("set aside", "the position is right"), 40),
        Question("seed:12", "A seed is seen that was never counted, 14.0 mm from seed 5.",
                 ("leave it out", "it is a seed"), 41),
        Question("work:advise", "Weighing advice was stopped by Dr Example; there is no advice "
                 "on this implant.", ("run it again",), 41),
    )  # fmt: skip
    edits = tuple(
        Edit(30 + n, NOW, "Dr Example", act, what, reason, "1.9")
        for n, (act, what, reason) in enumerate(
            (("moved", "needle 2", "tip beside a rib"), ("deleted", "seed 12", "a clip"))
        )
    )
    checks = [Check(item, "Nurse Example", n != 2, "INR 1.4" if n == 2 else "")
              for n, item in enumerate(CHECKLIST[:3])]  # fmt: skip
    checks += [Check(item) for item in CHECKLIST[3:]]
    supplements = tuple(
        PlannedSeed(18 + n, n, (float(n), 0.0, 0.0), (0.0, 0.0, 1.0), 5.0 * n) for n in (1, 2)
    )
    said: dict[str, object] = {
        "questions": questions,
        "edits": edits,
        "checklist": tuple(checks),
        "proposal": advice(),
        "supplements": supplements,
        "signatures": (Signature("performed by", "Dr Example", NOW),),
        "roles_wanted": ("physicist", "radiation oncologist"),
        "opened_by": "Dr Example",
        "unknown_strokes": ((15, 4),),
        "work": WorkView("dose", "computing the dose", NOW - timedelta(seconds=12)),
        "next_action": f"Decide: {TURNED}",
    }
    return snapshot(**(said | changes))


PATIENTS = tuple(
    Scheduled(f"P-{n:06}", name, "19600101", f"I-125 seed implant, vertebra L{n}",
              f"20260305 {8 + n:02}3000", f"ACC{n:05}", f"S{n}")
    for n, name in enumerate(
        ("Wang^Xiaoming=王^小明", "Li^Na=李^娜", "Example^Case^A very long name", "Doe^Jane") * 2
    )
)  # fmt: skip


@pytest.fixture
def many_window(window_of, tmp_path):
    """Make a window with everything around it: settings, worklist, a clock."""

    def made(size: tuple[int, int], shown: Snapshot) -> RoomWindow:
        site = tmp_path / "site.toml"
        site.write_text("[protocol]\nclearance_mm = 12.0\n")
        answer: Future[tuple[Scheduled, ...]] = Future()
        answer.set_result(PATIENTS)
        window: RoomWindow = window_of(
            size, pulse=lambda: None,
            worklist=Worklist("RIS@10.0.0.2:104", lambda _day: answer),
            office=SettingsOffice(Settings(site, load_configuration(site))),
        )  # fmt: skip
        window.show_snapshot(shown)
        return window

    return made


PAGES = {
    RoomWindow.toggle_decisions: "decisions",
    RoomWindow.toggle_worklist: "worklist",
    RoomWindow.toggle_settings: "settings",
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_read(qtbot, many_window, artefacts, size, language):
    speak(language)
    window = many_window(size, much())
    found = []

    def look(what: str) -> None:
        qtbot.wait(30)
        # A button whose words have just changed has not been given its room yet.
        QApplication.processEvents()
        folder = artefacts / f"pages-{language}-{size[0]}x{size[1]}"
        folder.mkdir(exist_ok=True)
        assert window.grab().save(str(folder / f"{what}.png"))
        found.extend(f"{what}: {words}" for words in clipped(window))

    look("tables")
    window._toggle_cartridges()
    look("cartridges")
    window._toggle_cartridges()
    window.show_snapshot(much(step=Step.CLOSE, questions=(), unknown_strokes=(), work=None))
    window.act_bar.close_button.press()
    look("close")
    window.show_snapshot(much(step=Step.VERIFY, unknown_strokes=()))
    window.act_bar.permit_button.press()
    look("verify")
    window.show_snapshot(much(step=Step.VERIFY))
    window.act_bar.left_button.press()
    look("unknown")
    for toggle, page in PAGES.items():
        toggle(window)
        look(page)
    for number, heading in enumerate(HEADINGS):
        window.settings.show_heading(heading)
        # The longest: the list of the time-out.
        window.settings.table.selectRow(len(window.settings._rows) - 3 if number == 2 else 0)
        look(f"settings-{number}")
    assert not found, "\n".join(found)


def test_every_seed_and_every_signature_can_be_reached(qtbot, many_window):
    """However much there is, nothing is left out; what the case waits for stands first."""
    window = many_window((1280, 720), much(step=Step.CLOSE))
    window.toggle_decisions()
    qtbot.wait(20)
    column = window.decisions.columns[2]
    buttons = [b.text() for b in column.findChildren(QPushButton)]
    assert buttons == ["sign", "sign", "accept", "accept", "take back", "take back"]
    for button in column.findChildren(QPushButton):
        column.ensureWidgetVisible(button)
        assert button.visibleRegion().boundingRect().height() >= button.height() - 1
        button.click()
    acts = [act[0] for act in window._acts.acts]
    assert acts.count("sign") == acts.count("accept_supplement") == 2


def test_letters_are_as_large_as_there_is_room_for(qtbot, many_window):
    window = many_window((1920, 1080), much())
    window.toggle_decisions()
    qtbot.wait(20)
    questions, _, advice = window.decisions.columns

    def pixels(column):
        return {s.font().pixelSize() for s in column._sentences}

    assert pixels(questions) == pixels(advice) == {17}
    window.show_snapshot(much(questions=(), next_action="Attach the applicator."))
    qtbot.wait(20)
    assert pixels(questions) == {20}
