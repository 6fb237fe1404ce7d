"""The room's window: everything on it is a function of the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QMainWindow, QVBoxLayout, QWidget

from guidance.alarms import Alarm
from guidance.procedure.snapshot import Snapshot
from guidance.screen import standing, theme
from guidance.screen.about import AboutPage
from guidance.screen.actbar import ActBar
from guidance.screen.acts import Acts
from guidance.screen.cartridges import CartridgeForm
from guidance.screen.decisions import DecisionPage
from guidance.screen.dosepanel import DoseFigures
from guidance.screen.figures import DvhPlot
from guidance.screen.house import Office
from guidance.screen.hovering import Teller
from guidance.screen.keys import Keys, plan_move
from guidance.screen.language import LANGUAGES, language, speak, tr
from guidance.screen.needletable import NeedlePanel
from guidance.screen.pages import Pages
from guidance.screen.panels import (
    ImplantPanel,
    NeedleCard,
    NextAction,
    StepRail,
    TopBar,
    label,
)
from guidance.screen.progress import ProgressStrip
from guidance.screen.scene import Scene
from guidance.screen.scheduled import Worklist
from guidance.screen.settingspage import SettingsPage
from guidance.screen.sound import AlarmSound
from guidance.screen.spacing import spread
from guidance.screen.status import AlarmLine, Clerk
from guidance.screen.turns import Turns
from guidance.screen.words import clock_time, coloured, retraction_line, tracks
from guidance.screen.worklist import WorklistPage

LOWER_ROW, LOWER_SHARE = 4, 38
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time of day in UTC."""
    return datetime.now(UTC)


class RoomWindow(QMainWindow):
    """Shows snapshots and passes on what people do; ``keys`` tells which key does what."""

    def __init__(
        self,
        acts: Acts,
        operator: str = "",
        *,
        clock: Clock = utc_now,
        keys: Keys | None = None,
        pulse: Callable[[], None] | None = None,
        banner: str = "",
        by_turns: bool = False,
        worklist: Worklist | None = None,
        office: Office | None = None,
    ) -> None:
        """Make an empty window.

        Args:
            acts: what it may ask of the core.
            operator: name to begin with.
            clock: the time now, for ages.
            keys: which key does what; the usual ones if left out.
            pulse: makes one sound of an alarm; the system's if left out.
            banner: of a recorded case, said beside the notice; it makes no sound.
            by_turns: whether to draw piece by piece while the event loop runs, not at once.
            worklist: who is asked for today's patients; None for nobody.
            office: keeps the settings; None where there are none to keep.
        """
        super().__init__()
        self._turns = Turns(self, at_once=not by_turns)
        self._clock, self._acts, self._banner = clock, acts, banner
        self._worklist, self._office = worklist, office
        self.keys = keys or Keys.usual()
        self._snapshot: Snapshot | None = None
        self._scale = 0.0
        self.sound = AlarmSound(pulse) if pulse else AlarmSound()
        self.sound.changed.connect(self._show_sound)
        self._build(operator)
        self._second = QTimer(self)
        self._second.timeout.connect(self._grow_older)
        self._second.start(1000)

    def _build(self, operator: str) -> None:
        """Make all widgets, in the language in use."""
        self.setWindowTitle(f"seedguide: {tr(theme.NOTICE)}")
        self.top_bar = TopBar(tr("REPLAY {what}", what=self._banner) if self._banner else "")
        self.rail, self.scene = StepRail(), Scene(self._turns)
        self.card, self.implant, self.next_action = NeedleCard(), ImplantPanel(), NextAction()
        self.needles, self.dvh, self.figures = NeedlePanel(), DvhPlot(), DoseFigures()
        self.table, self.scene.clock = self.needles.table, self._clock
        of = self.keys.of
        self.alarm_line = AlarmLine(self._acknowledge, of("seen"), of("silence"))
        self.alarm_line.sound_button.clicked.connect(self.sound.toggle)
        self._operator = QLineEdit(operator)
        self._clerk = Clerk(self._acts, self._operator.text)
        self._clerk.answered.connect(self.say)
        self.act_bar = ActBar(self._clerk.perform, self._operator, self.keys)
        self.cartridges = CartridgeForm(self._clerk.perform)
        self.cartridges.hide()
        self.about = AboutPage(self.keys, self._office.seed_models if self._office else ())
        self.decisions = DecisionPage(self._clerk.perform, self.keys)
        self.worklist = WorklistPage(self._clerk.perform, self._worklist, self._clock)
        self.worklist.done.connect(self._leave_worklist)
        self.settings = SettingsPage(self._office, self, self.sound.hear)
        self.act_bar.worklist_button.clicked.connect(self.toggle_worklist)
        self.act_bar.reason = lambda: self.decisions.reason.text().strip()
        self.status = label()
        self.progress = ProgressStrip(self._clerk.perform, of("work"), self._clock)
        self.scene.needle_changed.connect(self._show_needle)
        self.table.chosen.connect(self.scene.choose_needle)
        self.act_bar.cartridge_button.clicked.connect(self._toggle_cartridges)
        self.act_bar.about_button.clicked.connect(self.toggle_about)
        self.act_bar.decisions_button.clicked.connect(self.toggle_decisions)
        self._arrange()
        self._tell_pointer()

    def _arrange(self) -> None:
        ground = QWidget()
        ground.setObjectName("ground")
        ground.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        rows = QVBoxLayout(ground)
        rows.setContentsMargins(8, 4, 8, 4)
        rows.setSpacing(5)
        self._rows = rows
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(self.card, 1)
        side.addWidget(self.implant)
        middle, lower = QHBoxLayout(), QHBoxLayout()
        middle.addWidget(self.scene, 71)
        middle.addLayout(side, 29)
        self._pages = Pages(
            lower,
            ((self.needles, 34), (self.dvh, 29), (self.figures, 37)),
            (self.about, self.decisions, self.worklist, self.settings),
        )
        rows.addWidget(self.top_bar)
        rows.addWidget(self.rail)
        rows.addWidget(self.next_action)
        rows.addLayout(middle, 62)
        rows.addLayout(lower, LOWER_SHARE)
        assert rows.itemAt(LOWER_ROW) is lower
        rows.addWidget(self.alarm_line)
        rows.addWidget(self.cartridges)
        rows.addWidget(self.act_bar)
        foot = QHBoxLayout()
        foot.addWidget(self.status, 1)
        foot.addWidget(self.progress, 1)
        rows.addLayout(foot)
        # The window is as large as the screen, not as its longest sentence.
        ground.setMinimumSize(1, 1)
        self.setMinimumSize(640, 360)
        self.setCentralWidget(ground)
        # Keys belong to the window; a field has them only from a click until Return.
        for field in ground.findChildren(QLineEdit):
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            field.returnPressed.connect(ground.setFocus)
        ground.setFocus()

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot; one of another case first clears everything of the last."""
        if self._snapshot is not None and self._snapshot.case_id != snapshot.case_id:
            self._turns.forget()
            self.scene.clear()
            self.act_bar.clear()
            self.cartridges.clear()
            self.decisions.clear()
            self.status.setText("")
        self._snapshot = snapshot
        self.scene.show_snapshot(snapshot)
        self.rail.show_snapshot(snapshot)
        self.next_action.show_snapshot(snapshot)
        self._turns.do("dvh", lambda: self.dvh.show_dose(snapshot))
        self._turns.do("figures", lambda: self.figures.show_dose(snapshot, self._clock()))
        self.alarm_line.show_snapshot(snapshot)
        self.progress.show_snapshot(snapshot)
        if not self._banner:
            self.sound.listen(snapshot.alarms)
        self.act_bar.show_snapshot(snapshot)
        self.cartridges.show_snapshot(snapshot)
        self._turns.do("decisions", lambda: self.decisions.show_snapshot(snapshot))
        self.worklist.show_snapshot(snapshot)
        self.settings.show_snapshot(snapshot)
        self._show_needle()
        self._grow_older()

    def _show_needle(self) -> None:
        if self._snapshot is None:
            return
        needle = self.scene.needle
        # The stops are those of the needle the applicator is on, whichever is looked at.
        there = needle is not None and needle.number == self._snapshot.applicator.needle
        retraction = retraction_line(self._snapshot) if there else ""
        self.card.show_needle(needle, len(tracks(self._snapshot)), retraction)
        self.card.show_scan(self._snapshot, needle, self._clock())
        current = needle.number if needle else None
        shown = self._snapshot
        self._turns.do("table", lambda: self.table.show_needles(shown, current))

    def _grow_older(self) -> None:
        """Say anew what changes with time alone."""
        if self._snapshot is not None:
            now = self._clock()
            self.top_bar.show_snapshot(self._snapshot, now)
            self.implant.show_snapshot(self._snapshot, now)
            self.card.show_scan(self._snapshot, self.scene.needle, now)
            for part in (self.needles, self.dvh):
                part.show_age(self._snapshot, now)
            shown = self._snapshot
            self._turns.do("age of figures", lambda: self.figures.show_age(shown, now))
            self.scene.grow_older()

    def _tell_pointer(self) -> None:
        """Say in full what values stand on, where the pointer rests on them."""
        teller = Teller(lambda: self._snapshot, self._clock)
        teller.of_pictures(self.scene.views)
        teller.of_needles(self.needles)
        teller.of(self.implant.seeds, standing.of_seeds)
        teller.of(self.top_bar.plan, lambda shown, now: standing.of_registration(shown, now).full)
        for part in (self.dvh, self.figures):
            teller.of(part, lambda shown, now: standing.of_dose(shown, now).full)

    def say(self, text: str, done: bool) -> None:
        """Say in the status line what came of something."""
        # What was done a while ago must not pass for news.
        now = self._clock()
        when = coloured(clock_time(now, now), theme.QUIET)
        self.status.setText(f"{when} {coloured(text, theme.GOOD if done else theme.WARN)}")

    def _acknowledge(self, alarm: Alarm) -> None:
        self._clerk.perform(
            tr("acknowledge the alarm"), lambda acts, by: acts.acknowledge(alarm.key, by)
        )

    def _toggle_cartridges(self) -> None:
        shown = self.cartridges.isHidden()
        self.card.keep_short(short=shown)
        self.cartridges.setVisible(shown)
        # The form takes its room from the tables, not from the pictures and their numbers.
        self._rows.setStretch(LOWER_ROW, 34 if shown else LOWER_SHARE)

    def toggle_about(self) -> None:
        """Show keys and versions in the place of the tables, or the tables again."""
        self._page(self.about)

    def toggle_settings(self) -> None:
        """Show the settings in the place of the tables, or the tables again."""
        self._page(self.settings)

    def toggle_decisions(self) -> None:
        """Show what waits for a person in the place of the tables, or the tables again."""
        self._page(self.decisions)

    def _lead(self) -> None:
        """Ready the choice of the dose that leads, where it is seen; pressed again, make it."""
        if self.decisions.isHidden():
            self._page(self.decisions)
        self.decisions.lead_button.click()

    def toggle_worklist(self) -> None:
        """Show today's patients in the place of the tables, or the tables again."""
        if self._page(self.worklist):
            self.worklist.begin()

    def _leave_worklist(self) -> None:
        if not self.worklist.isHidden():
            self.toggle_worklist()

    def _page(self, page: QWidget) -> bool:
        ground = self.centralWidget()
        if ground is not None:
            ground.setFocus()
        return self._pages.toggle(page)

    def _move_plan(self, event: QKeyEvent) -> bool:
        """Move the plan by half a millimetre or half a degree, if one is to be accepted."""
        if event.key() == Qt.Key.Key_Return and self.scene.nudge.any():
            shift, turn, about = self.scene.nudging()
            why = self.decisions.reason.text().strip() or "by eye, on the blend"
            self._clerk.perform(
                tr("move the registration"),
                lambda acts, by: acts.nudge_registration(shift, turn, about, by, why),
            )
            return True
        move = plan_move(event)
        return move is not None and self.scene.push_plan(*move)

    def change_language(self, wanted: str) -> None:
        """Say everything in another language; what is shown and typed stays."""
        if wanted != language():
            speak(wanted)
            self._build_anew()

    def change_keys(self, keys: Keys) -> None:
        """Use other keys, and name them on the buttons."""
        self.keys = keys
        self._build_anew()

    def _build_anew(self) -> None:
        operator, snapshot, heading = self._operator.text(), self._snapshot, self.settings.heading
        page = self._pages.shown
        self._turns.forget()
        self._build(operator)
        self._scale = 0.0
        self._rescale()
        self._show_sound()
        if snapshot is not None:
            self.show_snapshot(snapshot)
        self.settings.show_heading(heading)
        self._pages.show(page)
        if not self.worklist.isHidden():
            self.worklist.begin()

    def _next_language(self) -> None:
        others = list(LANGUAGES)
        self.change_language(others[(others.index(language()) + 1) % len(others)])

    def _show_sound(self) -> None:
        self.alarm_line.show_sound(paused=self.sound.paused)

    # --- events ------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Scale all words with the window."""
        super().resizeEvent(event)
        self._rescale()

    def _rescale(self) -> None:
        scale = theme.scale_of(self.width(), self.height())
        if abs(scale - self._scale) < 0.01:
            return
        self._scale = scale
        self.setStyleSheet(theme.style_sheet(scale))
        spread(self, scale)
        for view in self.scene.views:
            view.text_scale = scale
        self.table.set_row_height(round(30 * scale))
        self.worklist.table.set_row_height(round(34 * scale))
        self.settings.table.set_row_height(round(30 * scale))
        self.dvh.set_scale(scale)
        self.figures.set_scale(scale)
        self.act_bar.operator.setFixedWidth(round(230 * scale))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Do what a key is for; what fields do not use comes here."""
        if event is None:
            return
        scene = self.scene
        acts: dict[str, Callable[[], None]] = {
            "stop": self.act_bar.stop,
            "act": self.act_bar.act_of_step,
            "permit": self.act_bar.permit_button.click,
            "cartridges": self._toggle_cartridges,
            "seen": self.alarm_line.acknowledge,
            "silence": self.sound.toggle,
            "work": self.progress.press,
            "about": self.toggle_about,
            "decisions": self.toggle_decisions,
            "worklist": self.toggle_worklist,
            "settings": self.toggle_settings,
            "fusion": scene.next_way,
            "compare": scene.compare,
            "lead": self._lead,
            "language": self._next_language,
            "up": lambda: scene.step(1),
            "down": lambda: scene.step(-1),
            "next": lambda: scene.next_needle(1),
            "previous": lambda: scene.next_needle(-1),
            "home": scene.home,
            "reset": scene.reset,
            "measure": scene.measure,
            "turn": scene.turn,
            "cine": scene.cine,
        }
        if self._move_plan(event):
            return
        action = self.keys.action(event)
        # Held down, a key scrolls; no act is repeated by holding its key.
        if action in acts and (not event.isAutoRepeat() or action in {"up", "down"}):
            acts[action]()
        elif preset := self.keys.preset(event):
            scene.preset(preset)
        else:
            super().keyPressEvent(event)
