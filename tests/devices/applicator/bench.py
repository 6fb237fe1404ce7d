"""A controller and a host session tied together in memory, with a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.applicator.frame import LineCutter
from devices.applicator.records import DeviceRecord
from devices.applicator.session import HostSession, Request
from devices.errors import DeviceBroken
from simulators.firmware import Controller, JournalMemory, Magazine, Mechanics

TICK_S = 0.02


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

    def __post_init__(self) -> None:
        self.restart_device()
        self.restart_host()

    def restart_device(self) -> None:
        self.controller = Controller(
            self.memory, self.mechanics, serial_number="SA1", now_s=self.now_s
        )

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
        self.controller.tick(self.now_s)
        if down and not lose_down:
            self.controller.receive(down, self.now_s)
        up = self.controller.output()
        if lose_up:
            return
        for words in self.cutter.feed(up):
            try:
                record = self.host.receive(words, self.now_s)
            except DeviceBroken:
                self.restart_host()
                return
            if record is not None and keep:
                self.log.append(record)
                self.host.kept(record)

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
