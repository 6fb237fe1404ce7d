"""Timing and printing: the best of several runs, and its ratio to something comparable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line of the result: what was timed, beside what."""

    what: str
    seconds: float
    beside: str
    beside_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.beside_seconds


def best_of(work: Callable[[], object], runs: int = 5) -> float:
    """Return the shortest of several runs, s: the one least disturbed by others."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def show(title: str, lines: list[Line]) -> None:
    """Print a table; times above 1 s in s, below in ms."""
    print(f"\n{title}")
    for line in lines:
        print(
            f"  {line.what:46.46s} {_time(line.seconds)}   {line.ratio:9.3g} x  "
            f"{line.beside} ({_time(line.beside_seconds).strip()})"
        )


def _time(seconds: float) -> str:
    return f"{seconds:8.2f} s " if seconds >= 1 else f"{seconds * 1e3:8.3g} ms"
