"""One implant played through: listener, virtual suite and console as separate processes.

They share a DICOM port and a serial line and nothing else. The truth is opened when the
console has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guidance.conductor.exports import write_json
from guidance.conductor.replay import replay
from guidance.errors import BrokenError, CommandError
from guidance.journal import Journal
from guidance.report import write_report
from guidance.training.judgement import judged

AE_TITLE = "SEEDGUIDE"
LISTENING_WITHIN_S, NOTE_WITHIN_S, ENDS_WITHIN_S = 60.0, 120.0, 20.0
# Detection, dose and report of the largest case on two slow cores, many times over.
STORY_WITHIN_S = 1200.0
ROOM = "room"


@dataclass(frozen=True)
class Story:
    """What to play.

    Attributes:
        out: folder for everything.
        seed: of all randomness of the suite.
        seeds: seeds planned.
        slice_mm: slice thickness.
        case: level of the spine.
        headless: no window even where there is a display.
        trouble: whether the applicator's plug and power fail once each.
        physics: of the scans: ``plain`` or ``sinogram``.
    """

    out: Path
    seed: int
    seeds: int
    slice_mm: float
    case: str
    headless: bool
    trouble: bool = False
    physics: str = "plain"


@dataclass(frozen=True)
class Rehearsal:
    """A running listener and a running suite, waiting for a console.

    Attributes:
        room: work folder.
        console: the command that plays the assistant's part.
        suite: the suite's process.
        truth: file that the suite leaves, for afterwards.
        journal: file of the console's journal.
    """

    room: Path
    console: tuple[str, ...]
    suite: subprocess.Popen[bytes]
    truth: Path
    journal: Path


def play(story: Story, say: Callable[[str], None]) -> dict[str, Any]:
    """Play a story and return its summary, with the comparison.

    Args:
        story: what to play.
        say: told what is going on, in words.

    Raises:
        CommandError: the folder holds something that is not a story's.
        BrokenError: a process could not do its part; the message says which.
    """
    with rehearsal(story, say) as ready:
        code = _console(ready)
    if not ready.truth.exists():
        raise BrokenError(f"the suite did not finish: {_tail(ready.room / 'suite.log')}")
    say("comparing with the truth")
    return _judge(story, ready, code)


@contextmanager
def rehearsal(story: Story, say: Callable[[str], None]) -> Iterator[Rehearsal]:
    """Run listener and suite for the time of a block; raises as :func:`play` does."""
    room = _empty_room(story.out)
    port = _free_port()
    truth, link, note = room / "truth.json", room / "applicator", room / "delivery.txt"
    listener_command = (
        *(sys.executable, "-m", "guidance", "listen", "--port", str(port)),
        *("--ae-title", AE_TITLE, "--store", str(room / "store")),
    )
    suite_command = (
        *(sys.executable, "-m", "simulators", "suite"),
        *("--seed", str(story.seed), "--seeds", str(story.seeds)),
        *("--slice-mm", str(story.slice_mm), "--case", story.case),
        *("--physics", story.physics),
        *("--port", str(port), "--called-ae", AE_TITLE),
        *("--applicator", str(link), "--truth", str(truth)),
        *(("--trouble",) if story.trouble else ()),
    )
    say(f"listener on port {port}, store {room / 'store'}")
    with _running(listener_command, room / "listener.log") as listener:
        _wait(lambda: _answers(port), LISTENING_WITHIN_S, listener, room / "listener.log")
        say(f"virtual suite: patient {story.seed}, {story.seeds} seeds, {story.slice_mm} mm slices")
        with _running(suite_command, note, room / "suite.log") as suite:
            _wait(lambda: bool(_notes(note)), NOTE_WITHIN_S, suite, room / "suite.log")
            delivery = _notes(note)[0]["delivery"]
            journal = story.out / "journal.sqlite"
            command = _console_command(story, room, link, journal, delivery)
            yield Rehearsal(room, command, suite, truth, journal)


def case_id(story: Story) -> str:
    """Return the identity of a story's case."""
    return f"demo-{story.seed}"


def _console_command(
    story: Story, room: Path, link: Path, journal: Path, delivery: list[dict[str, Any]]
) -> tuple[str, ...]:
    command = [
        *(sys.executable, "-m", "guidance", "console", "--autopilot"),
        *("--store", str(room / "store"), "--journal", str(journal)),
        *("--applicator", str(link), "--wire-log", str(room / "wire.log")),
        *("--case", case_id(story), "--operator", "Demo operator"),
        *("--out", str(story.out), "--timeout-s", str(STORY_WITHIN_S)),
    ]
    for line in delivery:
        command += ["--cartridge", f"{line['serial']}:{line['seeds']}"]
    if story.headless or not _display():
        command.append("--headless")
    return tuple(command)


def _console(ready: Rehearsal) -> int:
    """Run the console to its end and return its exit code; give up if the suite fails."""
    console = subprocess.Popen(ready.console)
    try:
        while (code := console.poll()) is None:
            if ready.suite.poll() is not None:
                raise BrokenError(f"the suite gave up: {_tail(ready.room / 'suite.log')}")
            time.sleep(0.1)
    finally:
        console.terminate()
        console.wait(ENDS_WITHIN_S)
    return code


def _judge(story: Story, ready: Rehearsal, code: int) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads(ready.truth.read_text(encoding="utf-8"))
    with Journal(str(ready.journal), read_only=True) as journal:
        case = replay(journal, case_id(story))
    path = story.out / "summary.json"
    if not path.exists():
        raise BrokenError(f"the console ended with {code} before the case was closed")
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    comparison = judged(case, truth)
    comparison["reconciled"] = comparison["reconciled"] and code == 0
    summary["comparison"] = comparison
    # The link's end was recorded after the console had written its figures.
    summary["journal"] = {
        "records": case.verification.records,
        "digest": case.verification.digest,
        "whole": case.verification.whole,
    }
    write_json(path, summary)
    write_report(
        story.out / "report.pdf",
        case.snapshot,
        journal_digest=case.verification.digest,
        comparison=comparison,
    )
    return summary


def _empty_room(out: Path) -> Path:
    """Return an empty work folder; what an earlier story left is cleared, nothing else."""
    room = out / ROOM
    if out.exists() and any(out.iterdir()) and not room.is_dir():
        raise CommandError(f"{out} holds something else; give an empty or a new folder")
    if room.is_dir():
        shutil.rmtree(room)
        for path in out.iterdir():
            if path.is_file():
                path.unlink()
    room.mkdir(parents=True)
    return room


@contextmanager
def _running(
    command: tuple[str, ...], output: Path, errors: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for the time of a block; its output goes to files."""
    with output.open("wb") as out, (errors or output).open("ab") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(
    ready: Callable[[], bool], within_s: float, process: subprocess.Popen[bytes], log: Path
) -> None:
    until = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None:
            raise BrokenError(f"a process ended with {process.returncode}: {_tail(log)}")
        if time.monotonic() > until:
            raise BrokenError(f"a process was not ready after {within_s:.0f} s: {_tail(log)}")
        time.sleep(0.1)


def _notes(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return lines[-1] if lines else "it said nothing"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
