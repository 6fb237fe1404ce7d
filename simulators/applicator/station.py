"""An applicator on a pseudo-terminal, with hands to work it."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
import tty
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import numpy as np

from simulators.firmware import Controller, JournalMemory, Magazine, Mechanics, PowerLostError
from simulators.line import CableFaults, FaultyCable

LOOP_S = 0.005
# How long a hand takes for a stroke, s, and the controller to start again.
STROKE_S = 0.4
POWER_OFF_S = 0.1


class Outcome(Enum):
    """What a stroke really did."""

    DELIVERED = "delivered"
    MISFIRED = "misfired"
    DOUBLE = "double"
    LOCKED = "locked"
    UNKNOWN = "unknown"


class Cut(Enum):
    """Where the power goes: in a stroke, or (the last three) in what follows a start."""

    BEFORE_INTENT = "before the intent"
    INTENT_TORN = "while the intent is written"
    AFTER_INTENT = "before the seed leaves"
    SEED_PASSING = "while the seed passes"
    AFTER_SEED = "after the seed left"
    RESULT_TORN = "while the result is written"
    AFTER_RESULT = "after the result was written"
    START_COUNTED = "while the start is counted"
    START_RECORDED = "while the start is recorded"
    SELF_TEST = "while the self-test is recorded"


# What is being written when the power goes again after a start.
_TORN_AFTER_A_START = {Cut.START_COUNTED: "B", Cut.START_RECORDED: "BOOT", Cut.SELF_TEST: "TEST"}


class ApplicatorStation:
    """A controller on a pty, run by a thread; use as a context manager.

    The methods are the operator's hands and a back door for faults; they never use the wire.
    """

    def __init__(
        self,
        link: Path,
        *,
        seed: int,
        memory: Path | None = None,
        speed: float = 1.0,
        cable: CableFaults | None = None,
        protocol: str = "1.1",
    ) -> None:
        """Prepare a station.

        Args:
            link: name under which the host finds the serial line; a symbolic link.
            seed: of the cable's faults; the serial number comes from it too.
            memory: file of the non-volatile memory; None keeps it in RAM.
            speed: how much faster than a hand the strokes are.
            cable: its faults; None for a perfect one.
            protocol: version the controller claims to speak.
        """
        self.mechanics = Mechanics()
        self.memory = JournalMemory(memory)
        self.serial_number = f"SA{seed:06d}"
        self.cable = FaultyCable(cable or CableFaults(), np.random.default_rng(seed))
        self._protocol = protocol
        self._link = link
        self._stroke_s = STROKE_S / speed
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stop = threading.Event()
        self._controller: Controller | None = None
        self._starts = 0
        self._on_again_s = 0.0
        self._cut: Cut | None = None
        self._master = self._slave = -1
        self._thread = threading.Thread(target=self._run, name="applicator-station", daemon=True)

    def __enter__(self) -> ApplicatorStation:
        """Switch on."""
        with self._lock:
            self._open_line()
            self._switch_on()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Switch off; the memory stays."""
        self._stop.set()
        self._thread.join(timeout=5)
        with self._lock:
            self._controller = None
            self._close_line()

    @property
    def armed(self) -> bool:
        """Whether strokes are permitted."""
        with self._lock:
            return self._controller is not None and self._controller.armed

    @property
    def permitted_left(self) -> int:
        """Seeds still permitted."""
        with self._lock:
            return self._controller.permitted_left if self._controller else 0

    @property
    def remaining(self) -> int | None:
        """Seeds really in the cartridge in place, None without one."""
        with self._lock:
            return self.mechanics.magazine.remaining if self.mechanics.magazine else None

    @property
    def restarts(self) -> int:
        """How often the power came back after it had gone, starts cut short included."""
        with self._lock:
            return self._starts - 1

    @property
    def acked_eid(self) -> int:
        """Last record the host has acknowledged."""
        with self._lock:
            return self.memory.acked_eid

    @property
    def head_eid(self) -> int:
        """Last record."""
        with self._lock:
            return self.memory.head_eid

    def insert_cartridge(self, serial: str, seeds: int) -> None:
        """Put a cartridge in; one that is in place must be removed first.

        Raises:
            ValueError: a cartridge is in place, or the serial number is not one word.
        """
        if not serial.isascii() or not serial or " " in serial:
            raise ValueError(f"{serial!r} is no serial number")
        with self._lock:
            if self.mechanics.magazine is not None:
                raise ValueError("a cartridge is in place")
            self.mechanics.magazine = Magazine(serial, seeds)
            self._sense(lambda c: c.instrument.cartridge_changed())

    def remove_cartridge(self) -> int:
        """Take the cartridge out and return the seeds really in it.

        Raises:
            ValueError: no cartridge is in place.
        """
        with self._lock:
            if self.mechanics.magazine is None:
                raise ValueError("no cartridge is in place")
            remaining = self.mechanics.magazine.remaining
            self.mechanics.magazine = None
            self._sense(lambda c: c.instrument.cartridge_changed())
            return remaining

    def attach_needle(self, number: int) -> None:
        """Put the applicator on a needle, at its deepest seat."""
        self._move_to(number)

    def detach_needle(self) -> None:
        """Take the applicator off the needle."""
        self._move_to(0)

    def retract(self, total_mm: float) -> None:
        """Draw the barrel back to a total distance from the deepest seat, mm."""
        with self._lock:
            self.mechanics.retraction_mm = total_mm
            self._sense(lambda c: c.instrument.retracted())

    def wait_armed(self, timeout_s: float) -> bool:
        """Wait until strokes are permitted; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: self.armed, timeout=timeout_s)

    def stroke(self) -> Outcome:
        """Pull and push the stylet once; return what really happened."""
        if self._reached(Cut.BEFORE_INTENT):
            return Outcome.LOCKED
        with self._lock:
            self._tear(Cut.INTENT_TORN)
            try:
                begun = self._controller is not None and self._controller.instrument.begin_stroke()
            except PowerLostError:
                self._switch_off(POWER_OFF_S)
                return Outcome.LOCKED
        if not begun:
            return self._push_locked()
        time.sleep(self._stroke_s)
        if self._reached(Cut.AFTER_INTENT):
            return Outcome.MISFIRED
        return self._push()

    def misfire_next(self) -> None:
        """Let the next stroke deliver nothing."""
        with self._lock:
            self.mechanics.misfire_next()

    def double_next(self) -> None:
        """Let the next stroke deliver two seeds."""
        with self._lock:
            self.mechanics.double_next()

    def power_cut(self, at: Cut | None = None, *, off_s: float = POWER_OFF_S) -> None:
        """Cut the power for a while.

        Args:
            at: a point of the next stroke; None cuts it now. A point after a start cuts it now
                and once more there. A cut asked for before, and not come, is forgotten.
            off_s: how long it is off, s (for a cut now).
        """
        with self._lock:
            self._cut = at
            self.memory.tear_none()
            torn = _TORN_AFTER_A_START.get(at) if at else None
            if torn:
                self.memory.tear_next(torn)
            if at is None or torn:
                self._switch_off(off_s)

    def unplug(self) -> None:
        """Pull the plug; the serial line vanishes."""
        with self._lock:
            self.cable.unplug()
            self._close_line()
            if self._controller is not None:
                self._controller.cable_lost(time.monotonic())

    def replug(self) -> None:
        """Put the plug back in (after pulling it); the line has another name under the link."""
        with self._lock:
            if self._master >= 0:
                self.unplug()
            self.cable.plug()
            self._open_line()

    def _move_to(self, number: int) -> None:
        with self._lock:
            self.mechanics.needle = number
            self.mechanics.retraction_mm = 0.0
            self._sense(lambda c: c.instrument.needle_changed())

    def _sense(self, act: Callable[[Controller], None]) -> None:
        """Let the controller see what the hands did, if it is on; its power may go in that."""
        if self._controller is None:
            return
        try:
            act(self._controller)
        except PowerLostError:
            self._switch_off(POWER_OFF_S)

    def _push_locked(self) -> Outcome:
        with self._lock:
            passage = self.mechanics.push()
            self._sense(lambda c: c.passed_unasked(passage))
        return Outcome.DELIVERED if passage.seeds else Outcome.LOCKED

    def _push(self) -> Outcome:
        """Do the second half of a stroke: the seed moves and the result is written."""
        with self._lock:
            passage = self.mechanics.push()
            truth = (Outcome.MISFIRED, Outcome.DELIVERED, Outcome.DOUBLE)[passage.seeds]
            if self._cut is Cut.SEED_PASSING:
                self.mechanics.stop_between()
                truth = Outcome.UNKNOWN
            if self._reached(Cut.SEED_PASSING) or self._reached(Cut.AFTER_SEED):
                return truth
            if self._controller is None:
                # A cut at any other moment; the follower tells at the next start.
                return truth
            self._tear(Cut.RESULT_TORN)
            try:
                self._controller.instrument.end_stroke(passage.gate, jammed=passage.jammed)
            except PowerLostError:
                self._switch_off(POWER_OFF_S)
            self._reached(Cut.AFTER_RESULT)
            return Outcome.UNKNOWN if passage.jammed else truth

    def _reached(self, cut: Cut) -> bool:
        with self._lock:
            if self._cut is not cut:
                return False
            self._cut = None
            self._switch_off(POWER_OFF_S)
            return True

    def _tear(self, cut: Cut) -> None:
        if self._cut is cut:
            self._cut = None
            self.memory.tear_next()

    def _switch_on(self) -> None:
        self._starts += 1
        self._controller = Controller(
            self.memory,
            self.mechanics,
            serial_number=self.serial_number,
            now_s=time.monotonic(),
            protocol=self._protocol,
        )

    def _switch_off(self, off_s: float) -> None:
        self._controller = None
        self.mechanics.locked = True
        self._on_again_s = time.monotonic() + off_s

    def _open_line(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        # The link is exchanged in one step, so that the host never finds half of it.
        fresh = self._link.with_name(f"{self._link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self._link)

    def _close_line(self) -> None:
        if self._master < 0:
            return
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wait_for_bytes()
            with self._changed:
                try:
                    self._step(time.monotonic())
                except PowerLostError:
                    self._switch_off(POWER_OFF_S)
                self._changed.notify_all()

    def _wait_for_bytes(self) -> None:
        with self._lock:
            master = os.dup(self._master) if self._master >= 0 else -1
        if master < 0:
            self._stop.wait(LOOP_S)
            return
        try:
            select.select([master], [], [], LOOP_S)
        finally:
            os.close(master)

    def _step(self, now_s: float) -> None:
        if self._controller is None and now_s >= self._on_again_s:
            self._switch_on()
        arrived = self.cable.down(self._read(), now_s)
        sent = b""
        if self._controller is not None:
            self._controller.receive(arrived, now_s)
            sent = self._controller.output()
        self._write(self.cable.up(sent, now_s))

    def _read(self) -> bytes:
        if self._master < 0:
            return b""
        try:
            return os.read(self._master, 4096)
        except BlockingIOError:
            return b""

    def _write(self, data: bytes) -> None:
        if self._master < 0 or not data:
            return
        try:
            os.write(self._master, data)
        except OSError as error:
            # Nobody reads: a UART would lose the bytes as well.
            if error.errno != errno.EAGAIN:
                raise
