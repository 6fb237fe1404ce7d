"""A controller and a host session tied together in memory, with a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from devices.applicator.frame import LineCutter, encode
from devices.applicator.records import DeviceRecord
from devices.applicator.session import HostSession, Request
from devices.errors import DeviceBroken
from simulators.firmware import Controller, JournalMemory, Magazine, Mechanics, PowerLostError
from simulators.line import CableFaults, FaultyCable

TICK_S = 0.02


class Watched(Controller):
    """A controller that somebody watches: which self-tests were asked for, in which session."""

    def __init__(self, bench: Bench, *parts: object, **named: object) -> None:
        self._bench = bench
        super().__init__(*parts, **named)  # type: ignore[arg-type]

    def _line(self, body: str) -> None:
        before = self._sid
        super()._line(body)
        self._bench.epoch += self._sid != before
        words = body.split(" ")
        if words[1:2] == [self._sid] and words[3:4] == ["SELFTEST"]:
            self._bench.tests_asked.add((self._bench.epoch, words[2]))


@dataclass
class Bench:
    """Everything but wire and threads.

    ``log`` is what the host has on disk; it survives a host that dies.
    """

    memory: JournalMemory = field(default_factory=JournalMemory)
    mechanics: Mechanics = field(default_factory=Mechanics)
    log: list[DeviceRecord] = field(default_factory=list)
    now_s: float = 0.0
    sessions: int = 0
    tested_boot: int = 0
    protocol: str = "1.1"
    starts: int = 0
    cable: FaultyCable | None = None
    # What hosts ever put on the wire: each whole line, and who asked for which permit.
    sent: dict[bytes, None] = field(default_factory=dict)
    asked_permits: dict[int, dict[str, int]] = field(default_factory=dict)
    epoch: int = 0
    tests_asked: set[tuple[int, str]] = field(default_factory=set)
    renewed_s: float = 0.0
    # Requests that left before the one before them was answered.
    answered: set[tuple[str, int]] = field(default_factory=set)
    hurried: int = 0
    acknowledged: int = 0

    def __post_init__(self) -> None:
        self.restart_device()
        self.restart_host()

    def lay_cable(self, faults: CableFaults, seed: int) -> None:
        self.cable = FaultyCable(faults, np.random.default_rng(seed))

    def restart_device(self) -> None:
        """Switch on; the power may go again in the middle of the first write."""
        while True:
            self.starts += 1
            self.memory = self.memory.switched_on_again()
            self.mechanics.locked = True
            try:
                self.controller = Watched(
                    self,
                    self.memory,
                    self.mechanics,
                    serial_number="SA1",
                    now_s=self.now_s,
                    protocol=self.protocol,
                )
            except PowerLostError:
                continue
            return

    def restart_host(self) -> None:
        self.sessions += 1
        jid = self.log[0].jid if self.log else ""
        self.host = HostSession(f"S{self.sessions}", jid, len(self.log))
        self.host.tested_boot = self.tested_boot
        self.cutter = LineCutter()

    def tick(self, *, lose_down: bool = False, lose_up: bool = False, keep: bool = True) -> None:
        """Let 20 ms pass, carrying what both sides say, unless it is lost."""
        self.now_s += TICK_S
        try:
            down = self.host.poll(self.now_s)
        except DeviceBroken:
            self.restart_host()
            return
        self.note(down)
        if lose_down:
            down = b""
        up = self.device_hears(self.cable.down(down, self.now_s) if self.cable else down)
        if self.cable:
            up = self.cable.up(up, self.now_s)
        if not lose_up:
            self.host_hears(up, keep=keep)

    def idle(self) -> None:
        """Let 20 ms pass for the device alone: the host hangs."""
        self.now_s += TICK_S
        self.device_hears(b"")

    def note(self, down: bytes) -> None:
        """Remember what a host asked for, as whoever watches the wire could."""
        for line in down.split(b"\n"):
            words = line.decode().rsplit("*", 1)[0].split(" ")
            if words[3:4] in (["ARM"], ["KEEP"]):
                self.renewed_s = self.now_s
            if not line or line in self.sent:
                continue
            self.sent[line] = None
            if words[3] == "ACK":
                self.acknowledged = max(self.acknowledged, int(words[4]))
            before = (words[1], int(words[2]) - 1)
            if words[1] == self.host.sid and before[1] and before not in self.answered:
                self.hurried += 1
            if words[3] == "ARM" and len(words) == 11:
                self.asked_permits.setdefault(int(words[4]), {})[words[1]] = int(words[8])

    def device_hears(self, data: bytes) -> bytes:
        """Return what the controller says to some bytes; none if its power goes."""
        try:
            self.controller.tick(self.now_s)
            if data:
                self.controller.receive(data, self.now_s)
            return self.controller.output()
        except PowerLostError:
            self.restart_device()
            return b""

    def host_hears(self, data: bytes, *, keep: bool = True) -> None:
        for words in self.cutter.feed(data):
            if words[0] == "R" and words[2:3] and words[2].isdecimal():
                self.answered.add((words[1], int(words[2])))
            try:
                record = self.host.receive(words, self.now_s)
            except DeviceBroken:
                self.restart_host()
                return
            self.tested_boot = self.host.tested_boot
            if record is not None and keep:
                self.log.append(record)
                self.host.kept(record)

    def say(self, *words: object) -> None:
        """Put a line of another program on the wire, as a second host would."""
        line = encode("C", *words)
        self.note(line)
        self.host_hears(self.device_hears(line))

    def settle(self, ticks: int = 150) -> None:
        for _ in range(ticks):
            self.tick()

    def ask(self, verb: str, *args: object, ticks: int = 60) -> tuple[str, ...]:
        """Ask the device something and return its answer."""
        request = Request(verb, args)
        self.host.ask(request)
        for _ in range(ticks):
            self.tick()
            if request.answer:
                return request.answer
        return ()

    def load(self, serial: str = "C1", seeds: int = 10, needle: int = 3) -> None:
        self.mechanics.magazine = Magazine(serial, seeds)
        self.controller.instrument.cartridge_changed()
        self.mechanics.needle = needle
        self.controller.instrument.needle_changed()
        self.settle()

    def arm(self, permit: int = 1, count: int = 3, **other: object) -> tuple[str, ...]:
        words = {
            "needle": 3, "cartridge": "C1", "after": len(self.log), "lease": 1000,
            "stops": ",".join(["0"] * max(1, count)), **other,
        }  # fmt: skip
        where = (words["needle"], words["cartridge"])
        rest = (words["after"], words["lease"], words["stops"])
        return self.ask("ARM", permit, *where, count, *rest)

    def stroke(self) -> int:
        """Pull and push once; return the seeds that really left."""
        begun = self.controller.instrument.begin_stroke()
        passage = self.mechanics.push()
        if begun:
            self.controller.instrument.end_stroke(passage.gate, jammed=passage.jammed)
        else:
            self.controller.passed_unasked(passage)
        return passage.seeds

    def kinds(self) -> list[str]:
        return [r.kind for r in self.log]
