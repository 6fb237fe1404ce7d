"""The console without a window: progress in words, pictures to files."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from guidance.advice import TG43
from guidance.console.driver import Driver
from guidance.console.session import Session
from guidance.procedure.snapshot import Snapshot, Step


def run_headless(session: Session, *, timeout_s: float | None = None) -> int:
    """Run until the case is closed; return 0 only if it closed with every seed in its place."""
    deadline = time.monotonic() + timeout_s if timeout_s else None
    driver, said, pictured = Driver(session), "", set[Step]()
    last: Snapshot | None = None
    while deadline is None or time.monotonic() < deadline:
        snapshot = session.mailbox.take(0.2)
        if snapshot is None:
            continue
        last = snapshot
        line = in_words(snapshot)
        if line != said:
            print(line, file=sys.stderr, flush=True)
            said = line
        picture(session.options.out, snapshot, pictured)
        if snapshot.closed:
            break
        driver.see(snapshot)
    if last is None or not last.closed:
        where = last.next_action if last else "no snapshot"
        print(f"gave up after {timeout_s:.0f} s: {where}", file=sys.stderr)
        return 1
    session.export(last)
    return 0 if last.ledger.balanced else 1


def in_words(snapshot: Snapshot) -> str:
    """Return the state of a case in one line."""
    parts = [f"[{snapshot.event_number:4d}] {snapshot.step.value:8s}"]
    if snapshot.seeds:
        seen = snapshot.ledger.seen
        parts.append(
            f"seeds {snapshot.ledger.implanted} counted"
            + (f", {seen} seen" if seen is not None else "")
            + f" of {snapshot.ledger.directive}"
        )
        parts.append(_dose_in_words(snapshot))
    parts.append(f"{snapshot.busy}..." if snapshot.busy else snapshot.next_action)
    return "  ".join(part for part in parts if part)


def _dose_in_words(snapshot: Snapshot) -> str:
    if snapshot.dose is None or snapshot.plan is None:
        return ""
    for dvh in snapshot.dose.dvh:
        if dvh.structure == snapshot.plan.target_name:
            named = "" if snapshot.engine == TG43 else f" ({TG43})"
            return f"D90 {dvh.figures['D90_gy']:.0f} Gy{named}"
    return ""


def picture(folder: Path | None, snapshot: Snapshot, pictured: set[Step]) -> None:
    """Draw the screen once for each step, when there is something to see."""
    ready = snapshot.volume is not None and not snapshot.busy
    if folder is None or not ready or snapshot.step in pictured:
        return
    from guidance.screen import render_png

    pictured.add(snapshot.step)
    number = list(Step).index(snapshot.step) + 1
    folder.mkdir(parents=True, exist_ok=True)
    render_png(snapshot, folder / f"screen-{number}-{snapshot.step.value}.png")
