"""Garbage and hostile lines, from both sides: nothing escapes, nothing is invented."""

from __future__ import annotations

import random

import pytest
from bench import Bench

from devices.applicator.frame import LineCutter, encode
from devices.applicator.session import HostSession
from devices.errors import DeviceBroken

VERBS = ("HELLO", "KEEP", "READ", "ACK", "ARM", "DISARM", "STATUS", "RESOLVE", "SELFTEST", "X")
KINDS = ("DROP", "INTENT", "UNKNOWN", "ARM", "BOOT", "?", "R", "E")
WORDS = ("OK", "ERR", "J1", "-1", "0", "1", "2", "99999999999999999999", "1.0", "-", "*", "C1")


def hello(session: HostSession) -> None:
    """Bring a session up, as the controller would."""
    session.poll(0.0)
    words = ("R", session.sid, "1", "OK", "1.0", "1.0.0", "S1", "J1", "5", "0", "1", "0")
    session.receive(words, 0.0)


def mutated(rng: random.Random, line: bytes) -> bytes:
    content = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        act = rng.randrange(3)
        place = rng.randrange(len(content)) if content else 0
        if act == 0 and content:
            content[place] ^= 1 << rng.randrange(8)
        elif act == 1:
            content.insert(place, rng.randrange(256))
        elif content:
            del content[place]
    return bytes(content)


def damaged_lines_are_no_records(rounds: int) -> None:
    """One change or a few never leave a line that says something else."""
    rng = random.Random(1)
    cutter = LineCutter()
    for n in range(rounds):
        line = encode("E", "J1", n, 1, 5, rng.choice(KINDS), rng.choice(WORDS))
        damaged = mutated(rng, line)
        whole = set(line.split(b"\n"))
        for words in cutter.feed(damaged + b"\n"):
            assert " ".join(words).encode() in {w[:-9] for w in whole}, damaged


def hostile_answers_escape_as_broken_links(rounds: int) -> None:
    """Well-formed lines of any content: a record is taken only if it is the next of our journal."""
    rng = random.Random(2)
    session = HostSession("AB12", "J1", 0)
    hello(session)
    for n in range(rounds):
        before = session.last_eid
        start = rng.choice(
            (("R", session.sid, str(session._rid)), ("E", "J1"), ("E", "J2"), ("C",))
        )
        words = (*start, *(rng.choice(WORDS + KINDS) for _ in range(rng.randrange(9))))
        try:
            session.poll(n * 0.05)
            record = session.receive(words, n * 0.05)
        except DeviceBroken:
            session = HostSession("AB12", "J1", before)
            hello(session)
            continue
        if record is not None:
            assert (record.jid, record.eid) == ("J1", before + 1)
            assert words[0] == "E"
            session.kept(record)
        assert session.last_eid - before in {0, 1}


def hostile_requests_change_nothing_without_a_permit(rounds: int) -> None:
    """The controller answers or is silent; seeds move only by a permit that was asked for."""
    rng = random.Random(3)
    bench = Bench()
    bench.load()
    controller = bench.controller
    for n in range(rounds):
        sid = rng.choice(("A1", "B2"))
        words = ("C", sid, rng.randrange(4), rng.choice(VERBS))
        arguments = [rng.choice(WORDS) for _ in range(rng.randrange(7))]
        data = encode(*words, *arguments) if rng.random() < 0.7 else rng.randbytes(40)
        if rng.random() < 0.2:
            data = mutated(rng, data)
        controller.receive(data, n * 1e-4)
        controller.output()
        if controller.armed:
            # Only a well-formed ARM of an open session with the cartridge that is in can do it.
            assert words[3] == "ARM" or controller.permitted_left > 0
            assert controller.permitted_left <= 10
    kinds = {r.kind for r in controller._memory.records}
    assert not kinds & {"INTENT", "DROP", "NODROP", "DOUBLE", "UNKNOWN"}


FUZZERS = (
    damaged_lines_are_no_records,
    hostile_answers_escape_as_broken_links,
    hostile_requests_change_nothing_without_a_permit,
)


@pytest.mark.parametrize("fuzz", FUZZERS, ids=lambda f: f.__name__)
def test_fuzz(fuzz) -> None:  # type: ignore[no-untyped-def]
    fuzz(20_000)


@pytest.mark.nightly
@pytest.mark.parametrize("fuzz", FUZZERS, ids=lambda f: f.__name__)
def test_fuzz_a_million(fuzz) -> None:  # type: ignore[no-untyped-def]
    fuzz(1_000_000)
