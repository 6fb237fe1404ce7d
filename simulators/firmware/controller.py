"""The controller on its wire: sessions, requests, answers and the records it sends."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from simulators.firmware.frame import LineReader, encode
from simulators.firmware.instrument import Instrument, RefusalError
from simulators.firmware.mechanics import Mechanics, Passage
from simulators.firmware.memory import JournalMemory, MemoryFaultError, Record

FIRMWARE = "1.1.0"
PROTOCOL = "1.1"
# So many records of full length take 100 ms at 115200 baud.
RECORDS_PER_READ = 6


class Controller:
    """The applicator controller: bytes in, bytes out, the time as an argument.

    A new instance is a start of the controller; memory and mechanics live on.
    """

    def __init__(
        self,
        memory: JournalMemory,
        mechanics: Mechanics,
        *,
        serial_number: str,
        now_s: float,
        protocol: str = PROTOCOL,
        firmware: str = FIRMWARE,
    ) -> None:
        """Start up.

        Args:
            memory: non-volatile.
            mechanics: the moving parts.
            serial_number: one word.
            now_s: any steady clock, s.
            protocol: major.minor, as told to the host.
            firmware: version, one word.

        Raises:
            PowerLostError: the power goes while starting.
        """
        self._memory = memory
        self._serial_number = serial_number
        self._protocol = protocol
        self._firmware = firmware
        self._start_s = now_s
        self._reader = LineReader()
        # A bare newline ends whatever the cable held before.
        self._out = bytearray(b"\n")
        self._sid = ""
        self._rid = 0
        self._answer = b""
        self._host_major = ""
        self.instrument = Instrument(memory, mechanics, firmware, self._send_record)

    @property
    def armed(self) -> bool:
        """Whether a permit is in force."""
        return self.instrument.permit is not None

    @property
    def permitted_left(self) -> int:
        """Seeds still permitted."""
        return self.instrument.permit.left if self.instrument.permit else 0

    def receive(self, data: bytes, now_s: float) -> None:
        """Take bytes from the cable.

        Raises:
            PowerLostError: the power goes in a write.
        """
        self.tick(now_s)
        for body in self._reader.feed(data):
            self._line(body)

    def tick(self, now_s: float) -> None:
        """Let time pass; leases end here."""
        self.instrument.at(now_s - self._start_s)

    def output(self) -> bytes:
        """Return, once, the bytes to send."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def cable_lost(self, now_s: float) -> None:
        """The plug was pulled: the session and its permit end."""
        self.tick(now_s)
        self._sid = ""
        self.instrument.end_permit("cable")
        self._out.clear()
        self._out += b"\n"

    def passed_unasked(self, passage: Passage) -> None:
        """Count seeds at the gate that no stroke asked for."""
        self.instrument.passed_unasked(passage)

    def _line(self, body: str) -> None:
        words = body.split(" ")
        if len(words) < 4 or words[0] != "C" or not words[2].isdecimal():
            return
        sid, rid, verb, args = words[1], int(words[2]), words[3], words[4:]
        if sid != self._sid:
            if verb != "HELLO" or rid != 1:
                self._out += encode(f"R {sid[:16]} {rid} ERR NOSESSION")
                return
            self._sid, self._rid, self._host_major = sid, 0, ""
        if rid < self._rid:
            return
        if rid > self._rid:
            answer = self._execute(verb, args)
            self._rid, self._answer = rid, encode(f"R {sid} {rid} {answer}")
        self._out += self._answer

    def _execute(self, verb: str, args: list[str]) -> str:
        verbs: dict[str, Callable[..., str]] = {
            "HELLO": self._hello,
            "STATUS": self._status,
            "KEEP": self._keep,
            "READ": self._read,
            "ACK": self._ack,
            "ARM": self._arm,
            "DISARM": self._disarm,
            "RESOLVE": self._resolve,
            "SELFTEST": self._self_test,
        }
        handler = verbs.get(verb)
        try:
            if handler is None:
                raise RefusalError("VERB")
            return " ".join(("OK", handler(*args))).rstrip()
        except RefusalError as refusal:
            return " ".join(("ERR", refusal.code, *refusal.words))
        except (TypeError, ValueError):
            # Too few, too many or malformed words; nothing was done yet.
            return "ERR ARGS"

    def _hello(self, host_protocol: str) -> str:
        self._host_major = host_protocol.split(".", maxsplit=1)[0]
        self.instrument.end_permit("hello")
        memory = self._memory
        config_crc = zlib.crc32(f"{memory.capacity} {self._serial_number}".encode())
        return (
            f"{self._protocol} {self._firmware} {self._serial_number} {memory.jid} "
            f"{memory.head_eid} {memory.acked_eid} {memory.boot} {config_crc:08X}"
        )

    def _status(self) -> str:
        mechanics = self.instrument.mechanics
        cartridge = mechanics.magazine.serial if mechanics.magazine else "-"
        remaining = mechanics.follower()
        return (
            f"{self._heartbeat()} {self._memory.permit} {cartridge} "
            f"{'-' if remaining is None else remaining} {mechanics.needle} "
            f"{len(self.instrument.unresolved)}"
        )

    def _keep(self) -> str:
        self.instrument.renew()
        return self._heartbeat()

    def _heartbeat(self) -> str:
        memory = self._memory
        return f"{memory.head_eid} {memory.acked_eid} {int(self.armed)} {self.permitted_left}"

    def _read(self, first: str) -> str:
        start = int(first)
        if start < 1:
            raise RefusalError("ARGS")
        records = self._memory.records[start - 1 : start - 1 + RECORDS_PER_READ]
        for record in records:
            self._send_record(record)
        return str(len(records))

    def _ack(self, last: str) -> str:
        eid = int(last)
        if not 0 <= eid <= self._memory.head_eid:
            raise RefusalError("ARGS")
        if eid > self._memory.acked_eid:
            try:
                self._memory.acknowledge(eid)
            except MemoryFaultError as fault:
                raise RefusalError(fault.code) from fault
        return str(self._memory.acked_eid)

    def _arm(self, *args: str) -> str:
        permit, needle, cartridge, count, after, lease_ms, stops = args
        if self._host_major != self._protocol.split(".", maxsplit=1)[0]:
            raise RefusalError("VERSION")
        self.instrument.arm(
            int(permit),
            int(needle),
            cartridge,
            int(count),
            int(after),
            int(lease_ms),
            tuple(int(stop) / 10 for stop in stops.split(",")),
        )
        return str(self._memory.head_eid)

    def _disarm(self) -> str:
        self.instrument.end_permit("host")
        return str(self._memory.head_eid)

    def _resolve(self, eid: str, outcome: str, who: str) -> str:
        self.instrument.resolve(int(eid), outcome, who)
        return str(self._memory.head_eid)

    def _self_test(self) -> str:
        self.instrument.self_test()
        return "ok"

    def _send_record(self, record: Record) -> None:
        words = ("E", self._memory.jid, record.eid, record.boot, record.ms, record.kind)
        self._out += encode(" ".join((*map(str, words), *record.args)))
