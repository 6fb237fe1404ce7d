"""Today's patients: asked of the worklist, chosen, and a case opened for one of them.

Nothing here waits: the question is asked elsewhere and its answer comes back as a signal. The
worklist need not answer, nor be there: a case can always be opened by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout

from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme
from guidance.screen.acts import Acts, Answer, Perform
from guidance.screen.buttons import TwoStepButton, push
from guidance.screen.given import Given
from guidance.screen.language import said, tr
from guidance.screen.panels import label
from guidance.screen.scheduled import Scheduled, ScheduledTable, Worklist
from guidance.screen.words import coloured, person_name

SAY_EVERY_MS = 500


class WorklistPage(Given, QFrame):
    """The table, a filter, and the two ways to open a case."""

    answered = pyqtSignal(int, object)
    # A case was opened: there is nothing more to do here.
    done = pyqtSignal()

    def __init__(
        self, perform: Perform, worklist: Worklist | None, clock: Callable[[], datetime]
    ) -> None:
        """Make an empty page.

        Args:
            perform: carries an act out.
            worklist: who is asked; None where the configuration names nobody.
            clock: the time now; its day is asked for.
        """
        super().__init__()
        self.setProperty("role", "panel")
        self._perform, self._worklist, self._clock = perform, worklist, clock
        self._items: tuple[Scheduled, ...] = ()
        self._question, self._asked_s = 0, 0.0
        self._case, self._open, self._closed, self._patient = "", False, False, ""
        self.table, self.filter = ScheduledTable(), QLineEdit()
        self.filter.setPlaceholderText(tr("filter: name, ID, procedure"))
        self.refresh_button, self.stop_button = push(tr("Ask again")), push(tr("Do not wait"))
        self.state = label("quiet", wrap=True)
        self.open_button = TwoStepButton()
        self.patient_id, self.patient_name = QLineEdit(), QLineEdit()
        self.patient_id.setPlaceholderText(tr("patient ID"))
        self.patient_name.setPlaceholderText(tr("patient's name"))
        self.hand_button = TwoStepButton()
        self._arrange()
        self._second = QTimer(self)
        self._second.setInterval(SAY_EVERY_MS)
        self._second.timeout.connect(self._say_waiting)
        self.filter.textChanged.connect(lambda _text: self._fill())
        self.refresh_button.clicked.connect(self.ask)
        self.stop_button.clicked.connect(self.stop_waiting)
        self.answered.connect(self._take)
        self.table.itemSelectionChanged.connect(self._say_buttons)
        self.table.opened.connect(self.open_chosen)
        self.open_button.confirmed.connect(self._open_chosen)
        self.open_button.clicked.disconnect()
        self.open_button.clicked.connect(self.open_chosen)
        self.hand_button.clicked.disconnect()
        self.hand_button.clicked.connect(self.open_by_hand)
        self.hand_button.confirmed.connect(self._open_by_hand)
        for field in (self.patient_id, self.patient_name):
            field.textChanged.connect(lambda _text: self._say_buttons())
        self._waits(waiting=False)
        self._say_buttons()

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.table, 68)
        side = QVBoxLayout()
        side.setSpacing(4)
        row.addLayout(side, 32)
        head = label("title")
        head.setText(tr("TODAY'S PATIENTS"))
        asking = QHBoxLayout()
        asking.addWidget(self.filter, 1)
        asking.addWidget(self.refresh_button)
        asking.addWidget(self.stop_button)
        hand = QGridLayout()
        hand.setSpacing(4)
        by_hand = label("title")
        by_hand.setText(tr("BY HAND"))
        hand.addWidget(by_hand, 0, 0, 1, 3)
        hand.addWidget(self.patient_id, 1, 0)
        hand.addWidget(self.patient_name, 1, 1)
        hand.addWidget(self.hand_button, 1, 2)
        side.addWidget(head)
        side.addLayout(asking)
        side.addWidget(self.state)
        side.addWidget(self.open_button)
        side.addStretch(1)
        side.addLayout(hand)
        self.setMinimumSize(1, 1)

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take note of whose case runs, and say when one was opened."""
        before = (self._case, self._open)
        self._case, self._open = snapshot.case_id, bool(snapshot.opened_by)
        self._closed, self._patient = snapshot.closed, snapshot.patient_id
        self._say_buttons()
        if self._open and before[0] and before != (self._case, self._open):
            self.done.emit()

    def begin(self) -> None:
        """Be looked at: ask if nobody has, and take the arrows."""
        if self._question == 0:
            self.ask()
        self.table.setFocus()

    # --- asking ------------------------------------------------------------

    def ask(self) -> None:
        """Ask for today's patients; what is there stays until the answer comes."""
        self._question += 1
        number = self._question
        if self._worklist is None:
            self._say(tr("No worklist is named ([worklist] peer). Open by hand."), theme.WARN)
            return
        self._asked_s = time.monotonic()
        self._waits(waiting=True)
        self._say_waiting()

        def tell(answer: Future[tuple[Scheduled, ...]]) -> None:
            # The window may be gone, or said anew in another language.
            with suppress(RuntimeError):
                self.answered.emit(number, answer)

        day = self._clock().astimezone().strftime("%Y%m%d")
        self._worklist.ask(day).add_done_callback(tell)

    def stop_waiting(self) -> None:
        """Wait no longer; an answer that comes all the same is not shown."""
        self._question += 1
        self._waits(waiting=False)
        self._say(tr("Not waited for. Ask again, or open by hand."), theme.WARN)

    def _take(self, number: int, answer: Future[tuple[Scheduled, ...]]) -> None:
        if number != self._question or self._worklist is None:
            return
        self._waits(waiting=False)
        error = answer.exception()
        if error is not None:
            why = said(str(error)) or type(error).__name__
            self._say(tr("NO ANSWER: {why}. Open by hand.", why=why), theme.BAD)
            return
        self._items = answer.result()
        clock = self._clock().astimezone().strftime("%H:%M:%S")
        name = self._worklist.name
        self._say(
            tr("{n} scheduled; {name}, {time}", n=len(self._items), name=name, time=clock),
            theme.QUIET if self._items else theme.WARN,
        )
        self._fill()

    def _waits(self, *, waiting: bool) -> None:
        self.refresh_button.setVisible(not waiting)
        self.stop_button.setVisible(waiting)
        if waiting:
            self._second.start()
        else:
            self._second.stop()

    def _say_waiting(self) -> None:
        if self._worklist is not None:
            waited = time.monotonic() - self._asked_s
            name = self._worklist.name
            self._say(tr("asking {name}… {s} s", name=name, s=f"{waited:.0f}"), theme.NOTE)

    def _say(self, text: str, colour: str) -> None:
        self.state.setText(coloured(text, colour))

    # --- choosing ----------------------------------------------------------

    @property
    def chosen(self) -> Scheduled | None:
        """The patient of the chosen row."""
        return self.table.chosen

    def _fill(self) -> None:
        """Show whom the filter leaves."""
        wanted = self.filter.text().casefold().split()
        self.table.show_items(
            item
            for item in self._items
            if all(word in " ".join(item.cells).casefold() for word in wanted)
        )
        self._say_buttons()

    def _say_buttons(self) -> None:
        """Say whom each button opens a case for, and what becomes of the one that runs."""
        item = self.chosen
        self.open_button.setEnabled(item is not None)
        whom = f"{person_name(item.patient_name)} ({item.patient_id})" if item else ""
        text = tr("Open case: {whom}", whom=whom) if item else tr("Choose a patient")
        leave = tr("SURE? CASE {case} STAYS OPEN", case=self._case)
        sure = tr("SURE? {whom}", whom=whom) if self._closed else leave
        self.open_button.say(text, sure)
        self.hand_button.say(tr("Open by hand"), tr("SURE?") if self._closed else leave)

    # --- opening -----------------------------------------------------------

    def open_chosen(self) -> None:
        """Open the case for the chosen patient; one that runs is left by a second press."""
        if self.chosen is None:
            return
        if self._open:
            self.open_button.press()
        else:
            self._open_chosen()

    def open_by_hand(self) -> None:
        """Open the case for whom is typed; one that runs is left by a second press."""
        if self._open:
            self.hand_button.press()
        else:
            self._open_by_hand()

    def _open_chosen(self) -> None:
        if (item := self.chosen) is not None:
            self._open_for(item)

    def _open_by_hand(self) -> None:
        patient_id, name = self.patient_id.text().strip(), self.patient_name.text().strip()
        self._open_for(Scheduled(patient_id, name))

    def _open_for(self, item: Scheduled) -> None:
        # A case that nobody opened may have taken another patient's plan already.
        taken = bool(item.patient_id) and self._patient not in {"", item.patient_id}
        another = self._open or taken

        def act(acts: Acts, by: str) -> Answer:
            opens = acts.open_another_case if another else acts.open_case
            return opens(by, item.patient)

        whom = person_name(item.patient_name) or item.patient_id or tr("patient of the plan")
        self._perform(tr("open the case: {whom}", whom=whom), act)
