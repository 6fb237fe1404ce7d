"""What the controller knows and permits: permit, strokes, recovery; no wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulators.firmware.mechanics import Mechanics, Passage
from simulators.firmware.memory import JournalMemory, MemoryFaultError, Record

# With fewer records free nothing is permitted, so that the records of a permit always fit.
NEARLY_FULL = 64
MAXIMUM_LEASE_MS = 1000
# Half a detent of the rail: nearer than this is the stop itself.
STOP_TOLERANCE_MM = 2.5
# More stops have no room in a line; no cartridge holds more seeds.
MAXIMUM_STOPS = 15
# Pulls at a locked stylet are recorded only while this many records are free.
SPARE_RECORDS = 16
# A record whose read-back differs is written again, in the next cell.
WRITE_TRIES = 3
_CLOSES_INTENT = {"DROP", "NODROP", "DOUBLE", "UNKNOWN"}


class RefusalError(Exception):
    """A request is refused; carries the error code of the wire."""

    def __init__(self, code: str, *args: str) -> None:
        """Keep code and words."""
        super().__init__(code, *args)
        self.code = code
        self.words = args


@dataclass
class Permit:
    """A permit in force; lives in RAM only.

    Attributes:
        number: of the permit.
        needle: it is for.
        left: seeds still permitted.
        lease_s: how long it lasts without a heartbeat, s.
        until_s: when it ends, s since the start.
        stops_mm: total retraction for each seed still permitted, the next one first.
    """

    number: int
    needle: int
    left: int
    lease_s: float
    until_s: float
    stops_mm: tuple[float, ...]


class Instrument:
    """The controller's state behind the wire; times are seconds since the start."""

    def __init__(
        self,
        memory: JournalMemory,
        mechanics: Mechanics,
        firmware: str,
        recorded: Callable[[Record], None],
    ) -> None:
        """Start up: count the start, close an open stroke, see what is in place.

        Args:
            memory: non-volatile.
            mechanics: the moving parts.
            firmware: version, for the BOOT record.
            recorded: called after each verified write.

        Raises:
            PowerLostError: the power goes again while starting.
        """
        self.memory = memory
        self.mechanics = mechanics
        self.permit: Permit | None = None
        self._recorded = recorded
        self._fault = ""
        self._tested = False
        # What a locked stylet was last pulled for; the same is not recorded again and again.
        self._blocked: tuple[object, ...] = ()
        # Needle of the stroke in progress, and what ends the permit after it.
        self._stroke = 0
        self._end_after: tuple[str, ...] = ()
        self._now_s = 0.0
        self.unresolved = _unresolved(memory)
        # The journal's last word on what is in place; the sensors may differ at a start.
        self._cartridge, self._remaining, self._needle = _in_place(memory)
        mechanics.locked = True
        try:
            memory.count_boot()
        except MemoryFaultError as fault:
            self._fault = fault.code
        self._record("BOOT", firmware)
        self._recover()
        self._compare()
        self._count_again()

    def at(self, now_s: float) -> None:
        """Move the clock, s since the start; a lease that is over ends its permit."""
        self._now_s = now_s
        if self.permit is not None and not self._end_after and now_s >= self.permit.until_s:
            self.end_permit("lease")

    def renew(self) -> None:
        """Renew the lease."""
        if self.permit is not None:
            self.permit.until_s = self._now_s + self.permit.lease_s

    def arm(
        self,
        number: int,
        needle: int,
        cartridge: str,
        count: int,
        after: int,
        lease_ms: int,
        stops_mm: tuple[float, ...],
    ) -> None:
        """Put a permit into force.

        Raises:
            RefusalError: a condition of rule 6 is not met.
        """
        for applies, code in self._checks(
            number, needle, cartridge, count, after, lease_ms, stops_mm
        ):
            if applies:
                raise RefusalError(code)
        try:
            self.memory.keep_permit(number)
        except MemoryFaultError as fault:
            self._fault = fault.code
            raise RefusalError(fault.code) from fault
        stops = ",".join(str(round(10 * stop)) for stop in stops_mm)
        if self._record("ARM", str(number), str(needle), cartridge, str(count), stops) is None:
            raise RefusalError(self._fault)
        lease_s = lease_ms / 1000
        self.permit = Permit(number, needle, count, lease_s, self._now_s + lease_s, stops_mm)

    def _checks(
        self,
        number: int,
        needle: int,
        cartridge: str,
        count: int,
        after: int,
        lease_ms: int,
        stops_mm: tuple[float, ...],
    ) -> tuple[tuple[bool, str], ...]:
        """Return what stands against a permit (rule 6), each with its error code."""
        remaining = self.mechanics.follower()
        return (
            (self.permit is not None or self._stroke > 0, "ARMED"),
            (number <= self.memory.permit, "PERMIT"),
            (after != self.memory.head_eid, "STALE"),
            (bool(self.unresolved), "UNRESOLVED"),
            (self.memory.free < NEARLY_FULL, "FULL"),
            (bool(self._fault), self._fault),
            (not self._tested, "TEST"),
            (not self._cartridge or self._cartridge != cartridge, "CART"),
            (needle < 1 or needle != self._needle, "NEEDLE"),
            (remaining is None, "SENSOR"),
            ((remaining or 0) < count, "EMPTY"),
            (not 1 <= count <= MAXIMUM_STOPS or len(stops_mm) != count, "ARGS"),
            (min(stops_mm) < 0 or max(stops_mm) >= 1000, "ARGS"),
            (not 100 <= lease_ms <= MAXIMUM_LEASE_MS, "ARGS"),
        )

    def end_permit(self, reason: str, *words: str) -> None:
        """End the permit, if there is one, close the lock and record why."""
        if self._stroke:
            # A stroke in progress is never stopped half-way (rule 7).
            self._end_after = self._end_after or (reason, *words)
            return
        self.mechanics.locked = True
        if self.permit is not None:
            self.permit = None
            self._record("DISARM", reason, *words)

    def resolve(self, eid: int, outcome: str, who: str) -> None:
        """Close an UNKNOWN by what a person found out.

        Raises:
            RefusalError: no such UNKNOWN is open, or the words are wrong.
        """
        if eid not in self.unresolved or outcome not in {"DROP", "NODROP"}:
            raise RefusalError("ARGS")
        if self._record("RESOLVED", str(eid), outcome, who) is None:
            raise RefusalError(self._fault)
        self.unresolved.discard(eid)

    def self_test(self) -> None:
        """Test sensors and memory.

        Raises:
            RefusalError: a permit is in force, or something is at fault.
        """
        if self.permit is not None or self._stroke:
            raise RefusalError("ARMED")
        # A stroke whose outcome could not be written is closed before anything else.
        self._recover()
        if self.mechanics.magazine is not None and self.mechanics.follower() is None:
            self._fault = "SENSOR"
        elif self._fault in {"SENSOR", "FULL"} and self.memory.free > 0:
            self._fault = ""
        self._record("TEST", self._fault or "ok")
        self._tested = not self._fault
        if self._fault:
            raise RefusalError(self._fault)

    def begin_stroke(self) -> bool:
        """The stylet was pulled: record the intent and unlock; return whether it is unlocked."""
        if self._stroke:
            return False
        if self.permit is None:
            self._block("permit")
            return False
        stop_mm, found_mm = self.permit.stops_mm[0], self.mechanics.retraction_mm
        if abs(found_mm - stop_mm) > STOP_TOLERANCE_MM:
            self._block("step", f"{stop_mm:.1f}", f"{found_mm:.1f}")
            return False
        if self._record("INTENT", str(self.permit.needle), str(self._remaining)) is None:
            self.end_permit("fault", self._fault.lower())
            return False
        self._stroke = self.permit.needle
        self.mechanics.locked = False
        return True

    def end_stroke(self, gate: int, *, jammed: bool = False) -> None:
        """The stylet is back: close the intent by gate and follower."""
        needle, self._stroke = str(self._stroke), 0
        end, self._end_after = self._end_after, ()
        self.mechanics.locked = True
        if needle == "0":
            return
        follower = self.mechanics.follower()
        gone = None if follower is None else self._remaining - follower
        if jammed or gone is None or gone != gate or gone not in {0, 1, 2}:
            kind = "JAM" if jammed else "SENSOR"
            self._fault = kind
            self._record(kind, "stylet" if jammed else "gate", needle)
            self._unknown(needle)
            self.end_permit("fault", kind.lower())
            return
        self._result(needle, gone)
        if self.permit is not None:
            self.permit.left -= gone
            self.permit.stops_mm = self.permit.stops_mm[gone:]
            if gone != 1:
                end = ("nodrop",) if gone == 0 else ("fault", "double")
            elif self.permit.left < 1:
                end = ("done",)
        if end:
            self.end_permit(*end)

    def passed_unasked(self, passage: Passage) -> None:
        """Count seeds at the gate without a stroke: a lock that failed, or a late seed."""
        if passage.gate < 1:
            return
        follower = self.mechanics.follower()
        self._remaining = max(0, self._remaining - passage.gate) if follower is None else follower
        kind = "DROP" if passage.gate == 1 else "DOUBLE"
        self._record(kind, str(self._needle), str(self._remaining))
        self._fault = "SENSOR"
        self._record("SENSOR", "unasked", str(self._needle))
        self.end_permit("fault", "sensor")

    def cartridge_changed(self) -> None:
        """The cartridge switch moved."""
        self._compare_cartridge(moved=True)

    def needle_changed(self) -> None:
        """The applicator was put on a needle or taken off one."""
        self._compare_needle(moved=True)

    def retracted(self) -> None:
        """The barrel moved along the rail."""
        if self._needle:
            self._record("RETRACT", str(self._needle), f"{self.mechanics.retraction_mm:.1f}")

    def _block(self, *why: str) -> None:
        """Record that the stylet was pulled and stayed locked, once for each reason."""
        blocked = (self.memory.permit, self._needle, self._remaining, *why)
        if self._needle and blocked != self._blocked and self.memory.free > SPARE_RECORDS:
            self._blocked = blocked
            self._record("BLOCKED", str(self._needle), *why)

    def _result(self, needle: str, gone: int, *words: str) -> None:
        self._remaining -= gone
        kind = ("NODROP", "DROP", "DOUBLE")[gone]
        self._record(kind, needle, str(self._remaining), *words)

    def _unknown(self, needle: str) -> None:
        self._remaining = max(0, self._remaining - 1)
        record = self._record("UNKNOWN", needle)
        if record is not None:
            self.unresolved.add(record.eid)

    def _recover(self) -> None:
        """Close the intent that a power cut left open (rule 8)."""
        intent = None
        moved = False
        for record in self.memory.records:
            if record.kind == "INTENT":
                intent, moved = record, False
            elif record.kind in _CLOSES_INTENT:
                intent = None
            elif record.kind.startswith("CART-"):
                moved = True
        if intent is None:
            return
        needle, before = intent.args[0], int(intent.args[1])
        magazine, follower = self.mechanics.magazine, self.mechanics.follower()
        same = magazine is not None and magazine.serial == self._cartridge and not moved
        if same and follower is not None and 0 <= before - follower <= 2:
            self._remaining = before
            self._result(needle, before - follower, "recovered")
        else:
            self._unknown(needle)
        self.mechanics.settle()

    def _compare(self) -> None:
        self._compare_cartridge(moved=False)
        self._compare_needle(moved=False)
        if self._needle and self.mechanics.retraction_mm != _drawn_back_mm(self.memory):
            # The barrel was moved while the power was off.
            self.retracted()

    def _count_again(self) -> None:
        """Record seeds that left without a record: the power went while they fell."""
        follower = self.mechanics.follower()
        gone = 0 if follower is None or not self._cartridge else self._remaining - follower
        if gone in {1, 2} and not self.unresolved:
            self._result(str(self._needle), gone, "found")
            self._fault = "SENSOR"
            self._record("SENSOR", "follower", str(self._needle))

    def _compare_cartridge(self, *, moved: bool) -> None:
        magazine = self.mechanics.magazine
        serial = magazine.serial if magazine else ""
        if serial == self._cartridge and not moved:
            return
        self.end_permit("fault", "cartridge")
        if self._cartridge:
            self._record("CART-OUT", self._cartridge, str(self._remaining))
        self._cartridge, self._remaining = serial, 0
        if self._fault == "JAM":
            self._fault = ""
        if magazine is not None:
            self._remaining = magazine.remaining
            self._record("CART-IN", serial, str(magazine.remaining))

    def _compare_needle(self, *, moved: bool) -> None:
        needle = self.mechanics.needle
        if needle == self._needle and not moved:
            return
        self.end_permit("fault", "needle")
        self._needle = needle
        self._record("NEEDLE", str(needle))
        if needle:
            self.retracted()

    def _record(self, kind: str, *args: str) -> Record | None:
        """Write a record; without it nothing may be permitted any more."""
        ms = round(self._now_s * 1000)
        for _ in range(WRITE_TRIES):
            try:
                record = self.memory.add(self.memory.boot, ms, kind, args)
            except MemoryFaultError as fault:
                # A bad cell is passed over; a seed that has left must not go unrecorded for it.
                code = fault.code
                continue
            self._recorded(record)
            return record
        self._fault = code
        self.permit = None
        self.mechanics.locked = True
        return None


def _unresolved(memory: JournalMemory) -> set[int]:
    opened = {r.eid for r in memory.records if r.kind == "UNKNOWN"}
    return opened - {int(r.args[0]) for r in memory.records if r.kind == "RESOLVED"}


def _drawn_back_mm(memory: JournalMemory) -> float:
    """Return where the barrel is as the journal has it."""
    told = next((r for r in reversed(memory.records) if r.kind == "RETRACT"), None)
    return float(told.args[1]) if told else 0.0


def _in_place(memory: JournalMemory) -> tuple[str, int, int]:
    """Return cartridge, remaining seeds and needle as the journal has them."""
    cartridge, remaining, needle = "", 0, 0
    for record in memory.records:
        if record.kind in {"CART-IN", "INTENT", "DROP", "NODROP", "DOUBLE"}:
            remaining = int(record.args[1])
        if record.kind == "CART-IN":
            cartridge = record.args[0]
        elif record.kind == "CART-OUT":
            cartridge, remaining = "", 0
        elif record.kind == "UNKNOWN":
            remaining = max(0, remaining - 1)
        elif record.kind == "NEEDLE":
            needle = int(record.args[0])
    return cartridge, remaining, needle
