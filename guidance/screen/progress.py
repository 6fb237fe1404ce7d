"""What takes long: what runs, how far it is, for how long, and how to stop it or run it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PyQt5.QtCore import QRectF, Qt, QTimer
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QWidget

from guidance.procedure.asking import AGAIN
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme
from guidance.screen.acts import Perform
from guidance.screen.buttons import push
from guidance.screen.language import said, tr

# What is over sooner is not spoken of.
SHOWN_AFTER_S = 0.3
LOOK_EVERY_MS = 100
# One pass of the bar that cannot say how far it is.
PASS_S = 1.6


@dataclass(frozen=True)
class Task:
    """Something that takes long, or that rests until somebody asks for it again.

    Attributes:
        key: names it.
        what: in words.
        since: UTC time it began; None while it rests.
        share: how much of it is done, 0 to 1; None where nobody can tell.
        press: what the button does, None without one.
    """

    key: str
    what: str
    since: datetime | None = None
    share: float | None = None
    press: Callable[[], None] | None = None


class Bar(QWidget):
    """A bar filled as far as the work is, or with a block that travels where nobody can tell."""

    def __init__(self) -> None:
        """Be empty."""
        super().__init__()
        self._share: float | None = 0.0
        self._for_s = 0.0

    def show_share(self, share: float | None, for_s: float) -> None:
        """Show how much is done, after so many seconds."""
        self._share, self._for_s = share, for_s
        self.update()

    def filled(self) -> tuple[float, float]:
        """Return where it is filled from and to, 0 to 1."""
        if self._share is not None:
            return 0.0, min(max(self._share, 0.0), 1.0)
        there = self._for_s % (2 * PASS_S) / PASS_S
        start = 0.75 * (there if there <= 1 else 2 - there)
        return start, start + 0.25

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.EDGE))
        start, end = self.filled()
        width = self.width()
        painter.fillRect(
            QRectF(start * width, 0, (end - start) * width, self.height()), QColor(theme.NOTE)
        )
        painter.end()


class ShortLabel(QLabel):
    """Words on one line, cut at the end where the room is short; in full under the pointer."""

    def __init__(self) -> None:
        """Be empty."""
        super().__init__()
        self._words = ""
        self.setMinimumWidth(1)

    def say(self, words: str) -> None:
        """Say something."""
        if words != self._words:
            self._words = words
            self.setToolTip(words)
            self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Cut the words anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = self.fontMetrics()
        self.setText(metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, self.width()))


class ProgressStrip(QWidget):
    """One line: the work under way, else what was stopped and can be run again.

    It keeps its place when there is nothing to say, so that nothing else moves.
    """

    def __init__(self, perform: Perform, key: str, clock: Callable[[], datetime]) -> None:
        """Say nothing.

        Args:
            perform: carries an act out.
            key: presses the button.
            clock: the time now.
        """
        super().__init__()
        self._perform, self._key, self._clock = perform, key, clock
        self._snapshot: Snapshot | None = None
        self._side: Task | None = None
        self._task: Task | None = None
        self.words, self.bar, self.button = ShortLabel(), Bar(), push("", "small")
        self.button.clicked.connect(self.press)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 3)
        row.addWidget(self.bar, 1)
        row.addWidget(self.button)
        for widget in (self, self.bar, self.button):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        # The longer of its words, for the height of the line.
        self.button.setText(f"{tr('Run again')}  {key}")
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self.hide()

    @property
    def task(self) -> Task | None:
        """What it speaks of, None if of nothing."""
        return self._task if not self.isHidden() else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Speak of the work of the case."""
        self._snapshot = snapshot
        self._look()

    def show_side(self, task: Task | None) -> None:
        """Speak of work beside the case, such as an export."""
        self._side = task
        self._look()

    def press(self) -> None:
        """Stop what runs, or run again what rests."""
        task = self.task
        if task is not None and task.press is not None:
            task.press()

    def _look(self) -> None:
        tasks = self._tasks()
        self._task = tasks[0] if tasks else None
        if self._task is None:
            self._timer.stop()
            self.hide()
            return
        if not self._timer.isActive():
            self._timer.start(LOOK_EVERY_MS)
        for_s = self._for_s(self._task)
        if self._task.since is not None and for_s < SHOWN_AFTER_S:
            self.hide()
            return
        self._say(self._task, for_s, len(tasks) - 1)
        self.show()

    def _for_s(self, task: Task) -> float:
        return (self._clock() - task.since).total_seconds() if task.since is not None else 0.0

    def _say(self, task: Task, for_s: float, more: int) -> None:
        running = task.since is not None
        words = tr("{what}: {s} s", what=task.what, s=f"{for_s:.0f}") if running else task.what
        self.words.say(words + (tr(" (+{n} more)", n=more) if more else ""))
        self.bar.setVisible(running)
        self.bar.show_share(task.share, for_s)
        self.button.setText(f"{tr('Stop') if running else tr('Run again')}  {self._key}")
        self.button.setVisible(task.press is not None)
        self.bar.setFixedHeight(max(4, self.words.fontMetrics().height() // 2))

    def _tasks(self) -> list[Task]:
        """Return what runs, then what rests."""
        found = [self._side] if self._side is not None else []
        if self._snapshot is not None:
            found += self._of_case(self._snapshot)
        return sorted(found, key=lambda t: t.since is None)

    def _of_case(self, snapshot: Snapshot) -> list[Task]:
        found = []
        work = snapshot.work
        if work is not None:
            what, stop = said(work.what), self._stop(work.key)
            if not work.can_stop:
                what, stop = tr("stopping: {what}", what=what), None
            found.append(Task(work.key, what, work.since, work.share, stop))
        for question in snapshot.questions:
            if question.key.startswith("work:"):
                found.append(
                    Task(question.key, said(question.text), press=self._again(question.key))
                )
        return found

    def _stop(self, key: str) -> Callable[[], None] | None:
        return lambda: self._perform(tr("stop the work"), lambda acts, by: acts.stop_work(key, by))

    def _again(self, key: str) -> Callable[[], None]:
        return lambda: self._perform(
            tr("run it again"), lambda acts, by: acts.answer(key, AGAIN, by, "")
        )
