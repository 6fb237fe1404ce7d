"""The link to the applicator: one thread, everything else waits for its answers."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from devices.applicator.frame import LineCutter, encode
from devices.applicator.port import Port
from devices.applicator.records import (
    ControllerStatus,
    DeviceRecord,
    LinkStatus,
    State,
    parse_status,
)
from devices.applicator.session import HostSession, Phase, Request
from devices.applicator.wirelog import WireLog
from devices.errors import DeviceBroken, DeviceRefused, OutcomeUnknown

log = logging.getLogger(__name__)

LEASE_MS = 1000
# The first try comes at once after a hiccup; a plug that stays out is not hammered at.
REOPEN_AFTER_S, REOPEN_AT_MOST_S = 0.25, 4.0
# Longer than a request, three retries, and a slow disk for the record before it.
ANSWER_WITHIN_S = 3.0
OUTCOMES = ("DROP", "NODROP")
_STATES: dict[Phase, State] = {
    Phase.GREETING: "connecting",
    Phase.TESTING: "connecting",
    Phase.OPEN: "up",
    Phase.FAULTY: "refused",
    Phase.HELD: "refused",
}
_WORDS = {
    "NOSESSION": "the applicator has another session",
    "VERB": "the applicator does not know this request",
    "ARGS": "the applicator cannot read this request",
    "STALE": "the applicator has records that were not read yet",
    "PERMIT": "this permit number was used before",
    "ARMED": "a permit is in force already",
    "UNRESOLVED": "a stroke of unknown outcome must be resolved first",
    "CART": "another cartridge, or none, is in the applicator",
    "NEEDLE": "the applicator is not on this needle",
    "EMPTY": "the cartridge holds too few seeds",
    "JAM": "the applicator is jammed",
    "SENSOR": "a sensor of the applicator is at fault",
    "FULL": "the applicator's journal is full",
    "VERSION": "the applicator speaks another version of the protocol",
    "TEST": "the applicator has not tested itself since its start",
    "HELD": "the applicator is held; nothing was sent",
}


@dataclass
class _Ask:
    request: Request
    future: Future[None] = field(default_factory=Future)


class ApplicatorLink:
    """Keeps the link up, the journal read and the lease renewed, in a thread of its own."""

    def __init__(
        self,
        url: str,
        *,
        record: Callable[[DeviceRecord], None],
        heard: Callable[[LinkStatus], None],
        position: tuple[str, int] | None = None,
        wire_log: Path | None = None,
        looks_only: bool = False,
    ) -> None:
        """Prepare a link.

        Args:
            url: device name or pyserial URL.
            record: called once per record, in order; returns only when the record is durable.
            heard: called when the state changes and at each answered heartbeat.
            position: journal id and last record that is durable already.
            wire_log: file for everything on the wire.
            looks_only: acknowledge no record; for whoever keeps none.
        """
        self._looks_only = looks_only
        self._url = url
        self._record = record
        self._heard = heard
        self._jid, self._eid = position or ("", 0)
        self._tested_boot = 0
        self._failures = 0
        self._caught_up = False
        self._wire = WireLog(wire_log)
        self._status = LinkStatus("connecting")
        self._asks: queue.SimpleQueue[_Ask] = queue.SimpleQueue()
        self._open: list[_Ask] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="applicator")

    def start(self) -> None:
        """Open the port and keep it open until closed."""
        self._thread.start()

    def close(self) -> None:
        """End the permit if the link is up, and close the port."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def permit(
        self,
        number: int,
        needle: int,
        cartridge: str,
        after: int,
        stops_mm: Sequence[float],
    ) -> None:
        """Permit seeds, one for each stop of the barrel.

        Args:
            number: of the permit; higher than any before.
            needle: the applicator must be on.
            cartridge: serial number; must be in the applicator.
            after: last record that was seen; the controller must have no later one.
            stops_mm: total retraction at which each seed is to be dropped, in order, mm.

        Raises:
            DeviceRefused: the controller does not permit it, and why.
            DeviceBroken: the link is not up; nothing was sent.
            OutcomeUnknown: no answer came; the permit may be in force until its lease ends.
        """
        if self._status.state == "refused":
            raise DeviceRefused(self._status.detail)
        stops = ",".join(str(round(10 * stop)) for stop in stops_mm)
        words = (number, needle, cartridge, len(stops_mm), after, LEASE_MS, stops)
        self._ask(Request("ARM", words))

    def disarm(self) -> None:
        """End the permit now; raises as :meth:`permit` does."""
        self._ask(Request("DISARM"))

    def resolve(self, eid: int, outcome: str, who: str) -> None:
        """Say what became of a stroke of unknown outcome.

        Args:
            eid: of the UNKNOWN record.
            outcome: DROP or NODROP.
            who: found it out.

        Raises:
            DeviceRefused, DeviceBroken, OutcomeUnknown: as :meth:`permit`.
        """
        if outcome.upper() not in OUTCOMES:
            raise DeviceRefused(f"an outcome is {' or '.join(OUTCOMES)}, not {outcome!r}")
        if not who.strip():
            raise DeviceRefused("a stroke is resolved by a named person; give a name")
        self._ask(Request("RESOLVE", (eid, outcome.upper(), _word(who))))

    def ask_status(self) -> ControllerStatus:
        """Return what the controller says of itself; raises as :meth:`permit` does."""
        request = Request("STATUS")
        self._ask(request)
        try:
            return parse_status(request.answer[1:])
        except (ValueError, IndexError) as error:
            text = " ".join(request.answer)
            raise DeviceBroken(f"the applicator's status makes no sense: {text}") from error

    def self_test(self) -> None:
        """Have the controller test itself; raises as :meth:`permit` does."""
        self._ask(Request("SELFTEST"))

    def _ask(self, request: Request) -> None:
        # Refuses what has no form on the wire here, in the caller's thread.
        encode("C", "0" * 8, "0" * 10, request.verb, *request.args)
        state = self._status.state
        if state not in {"up", "refused"} or not self._thread.is_alive():
            raise DeviceBroken(f"the link to the applicator is {state}; nothing was sent")
        ask = _Ask(request)
        self._asks.put(ask)
        try:
            ask.future.result(timeout=ANSWER_WITHIN_S)
        except FutureTimeoutError:
            if ask.future.cancel():
                raise OutcomeUnknown(f"the applicator did not answer {request.verb}") from None
            ask.future.result()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._session()
            except Exception as error:
                if not isinstance(error, DeviceBroken):
                    # A defect of ours ends the session, not the thread: the lock closes by lease.
                    log.exception("the session failed")
                self._lost(str(error) or type(error).__name__)
                self._stop.wait(reopen_after_s(self._failures))
                self._failures += 1
        self._fail_open_asks()
        self._tell(replace(self._status, state="closed", detail="", armed=False))

    def _session(self) -> None:
        """Open the port and serve it until it breaks or the link is closed."""
        port = Port(self._url)
        session = HostSession(
            secrets.token_hex(4).upper(),
            self._jid,
            self._eid,
            looks_only=self._looks_only,
            tested_boot=self._tested_boot,
        )
        self._caught_up = False
        self._wire.note(f"session {session.sid} on {self._url}")
        cutter = LineCutter()
        try:
            while not self._stop.is_set():
                self._send(port, session)
                data = port.read()
                self._wire.received(data)
                for words in cutter.feed(data):
                    self._line(session, words)
                self._answer_asks()
            if session.identity is not None:
                # One try; without it the lease ends the permit.
                line = encode("C", session.sid, 10**9, "DISARM")
                self._wire.sent(line)
                port.write(line)
        finally:
            port.close()

    def _send(self, port: Port, session: HostSession) -> None:
        while session.identity is not None and not self._asks.empty():
            ask = self._asks.get()
            # Nobody waits any more: it must not happen later, out of the blue.
            if ask.future.set_running_or_notify_cancel():
                self._open.append(ask)
                session.ask(ask.request)
        data = session.poll(time.monotonic())
        if data:
            self._wire.sent(data)
            port.write(data)

    def _line(self, session: HostSession, words: tuple[str, ...]) -> None:
        heard_s = session.heard_s
        record = session.receive(words, time.monotonic())
        if record is not None:
            self._keep(record)
            session.kept(record)
            self._jid, self._eid = record.jid, record.eid
        if session.heard_s == heard_s or session.identity is None:
            return
        self._jid, self._tested_boot, self._failures = session.jid, session.tested_boot, 0
        self._caught_up = self._caught_up or session.last_eid >= session.head_eid
        # What happened while the link was away comes first; until then nothing can be permitted.
        state = _STATES[session.phase]
        status = LinkStatus(
            "connecting" if state == "up" and not self._caught_up else state,
            session.refusal,
            session.identity.serial_number,
            session.identity.jid,
            session.head_eid,
            session.acked_eid,
            session.armed,
            datetime.now(UTC),
        )
        self._tell(status)

    def _keep(self, record: DeviceRecord) -> None:
        try:
            self._record(record)
        except Exception as error:
            # Whatever went wrong, the record is not durable: no ACK, it comes again.
            log.exception("record %d was not kept", record.eid)
            raise DeviceBroken(f"record {record.eid} could not be kept: {error}") from error

    def _tell(self, status: LinkStatus) -> None:
        self._status = status
        try:
            self._heard(status)
        except Exception:
            # A screen that fails must not take the link with it.
            log.exception("link status was not heard")

    def _answer_asks(self) -> None:
        for ask in [a for a in self._open if a.request.answer]:
            self._open.remove(ask)
            status, *words = ask.request.answer
            if status == "OK":
                ask.future.set_result(None)
            else:
                code = words[0] if words else ""
                text = _WORDS.get(code, f"the applicator answered {' '.join(words)}")
                ask.future.set_exception(DeviceRefused(text))

    def _lost(self, detail: str) -> None:
        if detail != self._status.detail or self._status.state != "lost":
            log.warning("link lost: %s", detail)
            self._wire.note(f"lost: {detail}")
            self._tell(replace(self._status, state="lost", detail=detail, armed=False))
        self._fail_open_asks()

    def _fail_open_asks(self) -> None:
        self._answer_asks()
        while not self._asks.empty():
            ask = self._asks.get()
            if ask.future.set_running_or_notify_cancel():
                self._open.append(ask)
        for ask in self._open:
            verb = ask.request.verb
            ask.future.set_exception(
                OutcomeUnknown(f"the link was lost before {verb} was answered")
                if ask.request.sent
                else DeviceBroken(f"the link was lost; {verb} was not sent")
            )
        self._open.clear()


def reopen_after_s(failures: int) -> float:
    """Return how long to wait before the port is opened again, s: twice as long each time."""
    return float(min(REOPEN_AFTER_S * 2 ** min(failures, 10), REOPEN_AT_MOST_S))


def _word(text: str) -> str:
    """Return a text as one word of the wire."""
    plain = unicodedata.normalize("NFKD", text.strip())
    return "".join(c if "!" <= c <= "~" else "_" for c in plain if ord(c) < 0x300)[:40]
