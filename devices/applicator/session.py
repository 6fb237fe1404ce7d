"""One session with the controller: what to send next and what an answer means; no I/O.

Rules:

1. A session is a fresh ``sid``; its first request is HELLO, and nothing else leaves before the
   answer. HELLO ends whatever was permitted.
2. Stop and wait: one request at a time, sent again at most three times, 150 ms apart. Silence
   after that, an unknown session or an answer without sense end the session (DeviceBroken);
   the outcome of the request is then not known.
3. The controller tests itself before anything is permitted, and one that fails is held.
4. Another journal, a shortened one, or another major version holds the session: its own records
   are still read, nothing is permitted.
5. KEEP every 250 ms, before anything else but DISARM; DISARM overtakes everything.
6. A record is handed on if it is the very next of our journal, and at no other time. ACK follows
   only after ``kept`` said that it is on our disk.
7. What the controller has and we lack is asked for with READ, whoever told us of it.

A session moves by the table ``_NEXT``; what may be sent in each phase is in ``_MAY_SEND``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

from devices.applicator.frame import encode
from devices.applicator.records import DeviceRecord, parse_record
from devices.errors import DeviceBroken

PROTOCOL_MAJOR, PROTOCOL_MINOR = 1, 1
HEARTBEAT_S = 0.25
# The controller answers within 100 ms; the rest is the cable's.
RETRY_AFTER_S = 0.15
RETRIES = 3


class Phase(Enum):
    """Where a session stands."""

    GREETING = auto()
    TESTING = auto()
    OPEN = auto()
    FAULTY = auto()
    HELD = auto()


class _Said(Enum):
    """What an answer meant for the session."""

    WELCOME = auto()
    WELCOME_TO_LOOK = auto()
    NOT_OURS = auto()
    TEST_PASSED = auto()
    TEST_FAILED = auto()


_NEXT = {
    (Phase.GREETING, _Said.WELCOME): Phase.TESTING,
    (Phase.GREETING, _Said.WELCOME_TO_LOOK): Phase.OPEN,
    (Phase.GREETING, _Said.NOT_OURS): Phase.HELD,
    (Phase.TESTING, _Said.TEST_PASSED): Phase.OPEN,
    (Phase.TESTING, _Said.TEST_FAILED): Phase.FAULTY,
    (Phase.OPEN, _Said.TEST_PASSED): Phase.OPEN,
    (Phase.OPEN, _Said.TEST_FAILED): Phase.FAULTY,
    (Phase.FAULTY, _Said.TEST_PASSED): Phase.OPEN,
    (Phase.FAULTY, _Said.TEST_FAILED): Phase.FAULTY,
    (Phase.HELD, _Said.TEST_PASSED): Phase.HELD,
    (Phase.HELD, _Said.TEST_FAILED): Phase.HELD,
}
_ALWAYS = frozenset({"KEEP", "READ", "ACK", "DISARM", "STATUS", "SELFTEST"})
_MAY_SEND = {
    Phase.GREETING: frozenset({"HELLO"}),
    Phase.TESTING: _ALWAYS,
    Phase.OPEN: _ALWAYS | {"ARM", "RESOLVE"},
    Phase.FAULTY: _ALWAYS | {"RESOLVE"},
    Phase.HELD: _ALWAYS,
}


@dataclass(frozen=True)
class Identity:
    """What HELLO told.

    Attributes:
        protocol: major.minor.
        firmware: version.
        serial_number: of the controller.
        jid: id of its journal.
        boot: how often it started.
    """

    protocol: str
    firmware: str
    serial_number: str
    jid: str
    boot: int

    @property
    def same_major(self) -> bool:
        """Whether we speak its protocol."""
        return self.protocol.split(".")[0] == str(PROTOCOL_MAJOR)


@dataclass(eq=False)
class Request:
    """One request; ``answer`` is empty until it is answered.

    Attributes:
        verb: of the request.
        args: its words.
        answer: words after the request id, OK or ERR first.
        sent: whether it left at least once.
    """

    verb: str
    args: tuple[object, ...] = ()
    answer: tuple[str, ...] = ()
    sent: bool = False


@dataclass
class _Pending:
    request: Request
    line: bytes
    rid: int
    due_s: float
    retries: int = 0


@dataclass
class HostSession:
    """A session from HELLO until the link is lost; times are of any steady clock, s.

    Attributes:
        sid: id of the session, one word, never used before.
        jid: journal that we continue; empty takes any.
        last_eid: last record that is on our disk.
        looks_only: records are read and never acknowledged, since nothing is on a disk of ours,
            and no self-test is asked for.
        tested_boot: start of the controller that has passed its self-test already, 0 for none.
        phase: where the session stands.
        refusal: why nothing can be permitted, in sentences; empty while nothing stands against it.
    """

    sid: str
    jid: str = ""
    last_eid: int = 0
    looks_only: bool = False
    tested_boot: int = 0
    phase: Phase = Phase.GREETING
    identity: Identity | None = None
    refusal: str = ""
    head_eid: int = 0
    acked_eid: int = 0
    armed: bool = False
    heard_s: float | None = None
    _rid: int = 0
    _pending: _Pending | None = None
    _asked: deque[Request] = field(default_factory=deque)
    _heartbeat_s: float = 0.0
    _test_s: float = 0.0

    def ask(self, request: Request) -> None:
        """Queue a request; a DISARM goes before everything else."""
        if request.verb == "DISARM":
            self._asked.appendleft(request)
        else:
            self._asked.append(request)

    def poll(self, now_s: float) -> bytes:
        """Return the bytes to send now, mostly none.

        Raises:
            DeviceBroken: the controller did not answer after three retries.
        """
        pending = self._pending
        if pending is not None:
            if now_s < pending.due_s:
                return b""
            if pending.retries >= RETRIES:
                raise DeviceBroken(f"the applicator does not answer ({pending.request.verb})")
            pending.retries += 1
            pending.due_s = now_s + RETRY_AFTER_S
            return pending.line
        request = self._next(now_s)
        if request is None:
            return b""
        line = encode("C", self.sid, self._rid + 1, request.verb, *request.args)
        self._rid += 1
        self._pending = _Pending(request, line, self._rid, now_s + RETRY_AFTER_S)
        request.sent = True
        # The first line of a session ends whatever the cable held before.
        return line if self._rid > 1 else b"\n" + line

    def receive(self, words: tuple[str, ...], now_s: float) -> DeviceRecord | None:
        """Take one line; return the record to keep, if it is the next one.

        Raises:
            DeviceBroken: the controller does not know this session, or an answer makes no sense.
        """
        if words[0] == "R":
            self._answered(words, now_s)
            return None
        record = parse_record(words)
        if record is None or self.identity is None or record.jid != self.identity.jid:
            return None
        self.head_eid = max(self.head_eid, record.eid)
        # A repeated record was kept already; a later one comes again with READ.
        if record.jid != self.jid or record.eid != self.last_eid + 1:
            return None
        return record

    def kept(self, record: DeviceRecord) -> None:
        """Note that a record is on our disk; the controller is told next."""
        self.last_eid = record.eid

    @property
    def open_requests(self) -> tuple[Request, ...]:
        """Requests without an answer."""
        asked = tuple(self._asked)
        return asked if self._pending is None else (self._pending.request, *asked)

    def _next(self, now_s: float) -> Request | None:
        """Return what to send next: the heartbeat keeps its turn even under load."""
        if self._rid == 0:
            return Request("HELLO", (f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}",))
        if self._asked and self._asked[0].verb == "DISARM":
            return self._asked.popleft()
        if now_s >= self._heartbeat_s:
            self._heartbeat_s = now_s + HEARTBEAT_S
            return Request("KEEP")
        if self.phase is Phase.TESTING and now_s >= self._test_s:
            self._test_s = now_s + HEARTBEAT_S
            return Request("SELFTEST")
        if self._asked and self._asked[0].verb in _MAY_SEND[self.phase]:
            return self._asked.popleft()
        if self._asked and self.phase is not Phase.TESTING:
            self._asked.popleft().answer = ("ERR", "HELD")
        ours = self.identity is not None and self.identity.jid == self.jid
        if ours and not self.looks_only and self.acked_eid < self.last_eid <= self.head_eid:
            return Request("ACK", (self.last_eid,))
        if ours and self.last_eid < self.head_eid:
            return Request("READ", (self.last_eid + 1,))
        return None

    def _answered(self, words: tuple[str, ...], now_s: float) -> None:
        if len(words) < 4 or words[1] != self.sid:
            return
        pending = self._pending
        if pending is None or words[2] != str(pending.rid):
            # Late or repeated.
            return
        answer = words[3:]
        if answer == ("ERR", "NOSESSION"):
            raise DeviceBroken("the applicator restarted or another program took it over")
        self._pending = None
        self.heard_s = now_s
        pending.request.answer = answer
        if pending.request.verb == "SELFTEST":
            self._tested(answer)
        if answer[0] != "OK":
            if pending.request.verb in {"HELLO", "KEEP", "READ", "ACK"}:
                raise DeviceBroken(f"the applicator refused {pending.request.verb}: {answer[1:]}")
            return
        try:
            self._understand(pending.request.verb, answer[1:])
        except (IndexError, ValueError) as error:
            text = f"the applicator's answer to {pending.request.verb} makes no sense: {answer}"
            raise DeviceBroken(text) from error

    def _understand(self, verb: str, words: tuple[str, ...]) -> None:
        if verb == "HELLO":
            self._introduced(words)
        elif verb in {"KEEP", "STATUS"}:
            self.head_eid = max(self.head_eid, int(words[0]))
            self.acked_eid = int(words[1])
            self.armed = words[2] == "1"
        elif verb == "ACK":
            self.acked_eid = int(words[0])
        elif verb in {"ARM", "DISARM"}:
            self.armed = verb == "ARM"
            self.head_eid = max(self.head_eid, int(words[0]))

    def _tested(self, answer: tuple[str, ...]) -> None:
        if answer[0] == "OK":
            assert self.identity is not None
            self.tested_boot = self.identity.boot
            self._move(_Said.TEST_PASSED, self.refusal if self.phase is Phase.HELD else "")
        elif answer[1:] != ("ARMED",):
            # A stroke from before this session may still be under way: then it tests later.
            self._move(
                _Said.TEST_FAILED,
                f"The applicator's self-test failed ({' '.join(answer[1:])}). Take it off the "
                "needle, look at it, and have it test itself again.",
            )

    def _move(self, said: _Said, refusal: str) -> None:
        self.phase, self.refusal = _NEXT[self.phase, said], refusal

    def _introduced(self, words: tuple[str, ...]) -> None:
        protocol, firmware, serial_number, jid, head, acked, boot = words[:7]
        self.identity = Identity(protocol, firmware, serial_number, jid, int(boot))
        self.head_eid, self.acked_eid = int(head), int(acked)
        self.jid = self.jid or jid
        refusal = self._objection()
        if refusal:
            self._move(_Said.NOT_OURS, refusal)
        elif self.looks_only:
            self._move(_Said.WELCOME_TO_LOOK, "")
        else:
            self._move(_Said.WELCOME, "")
            if self.tested_boot == self.identity.boot:
                self._move(_Said.TEST_PASSED, "")

    def _objection(self) -> str:
        """Return why this controller may permit nothing; empty if it may."""
        assert self.identity is not None
        jid = self.identity.jid
        if jid != self.jid:
            return (
                f"The applicator's journal is {jid}, not {self.jid}: another applicator, or its "
                "memory was formatted. Reconcile the count by hand before seeds are permitted."
            )
        if self.head_eid < self.last_eid:
            return (
                f"The applicator's journal ends at record {self.head_eid}, but record "
                f"{self.last_eid} was read before. Reconcile the count by hand."
            )
        if not self.identity.same_major:
            return (
                f"The applicator speaks version {self.identity.protocol} of the protocol, this "
                f"program version {PROTOCOL_MAJOR}.{PROTOCOL_MINOR}. Its journal is read; "
                "it cannot be armed."
            )
        return ""
