"""Photons in a virtual lumbar case of 50 seeds, their metal met: how fast, and how soon known.

``python -m benchmarks transport`` prints the first dose of a process, histories per second on one
core and on two, what looking at the cord gains, the time to 2 and 1 % in target and cord at 2 mm
and 1 mm, one more seed, how soon a run can be ended, and the memory.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numba
import numpy as np

from benchmarks.lumbar import Lumbar, lumbar
from dose.seeds import Seeds
from dose.sources import load
from dose.transport.emission import emission_of
from dose.transport.metal import Metal, capsule_of
from dose.transport.simulation import TransportDose, simulate

SOURCE = load("6711")
HISTORIES = 4_000_000
RUNS = 3


def run(case: Lumbar, aim: str = "cord", **wanted: object) -> TransportDose:
    regions = {"target": (case.target, 0.02), "cord": (case.cord, 0.02)}
    if "uncertainty" in wanted:
        level = float(wanted.pop("uncertainty"))  # type: ignore[arg-type]
        regions = {name: (mask, level) for name, (mask, _) in regions.items()}
    return simulate(
        case.media, case.seeds, emission_of(SOURCE), SOURCE.half_life_days,
        regions=regions, aim=aim, metal=case.metal, time_limit_s=600.0, **wanted,  # type: ignore[arg-type]
    )  # fmt: skip


def cpu_s(work: Callable[[], object]) -> float:
    """Return the processor time of all threads, s: what others do to the machine stays out."""
    start = time.process_time()
    work()
    return time.process_time() - start


def one_more(case: Lumbar, histories: int) -> float:
    """Return how long a run of one more seed takes, of as many histories as each other had."""
    place = case.seeds.position_mm.mean(axis=0, keepdims=True) + 2.0
    seed = Seeds(place, case.seeds.axis[:1], case.seeds.strength_u[:1])
    metal = Metal(
        case.metal.shapes,
        np.zeros(len(case.seeds) + 1, np.int64),
        np.concatenate((seed.position_mm, case.metal.centre_mm)),
        np.concatenate((seed.axis, case.metal.axis)),
        np.full(len(case.seeds) + 1, np.nan),
    )
    assert capsule_of(SOURCE) == case.metal.shapes[0]
    start = time.perf_counter()
    simulate(
        case.media, seed, emission_of(SOURCE), SOURCE.half_life_days,
        histories=histories, metal=metal,
    )  # fmt: skip
    return time.perf_counter() - start


def merit(case: Lumbar, aim: str, region: str) -> float:
    """Return the processor time to 2 % in a region, s, from a run of fixed length."""
    busy = time.process_time()
    dose = run(case, aim, histories=HISTORIES)
    return (time.process_time() - busy) * (dose.reached[region] / 0.02) ** 2


def ending(case: Lumbar) -> float:
    """Return how long a run goes on at most after it is cancelled, s."""
    longest = 0.0
    for after_s in (0.0, 0.02, 0.3, 0.5, 0.9):
        asked_from = time.perf_counter() + after_s
        run(case, uncertainty=1e-4, cancelled=lambda at=asked_from: time.perf_counter() > at)
        longest = max(longest, time.perf_counter() - asked_from)
    return longest


def main() -> None:
    start = time.perf_counter()
    case = lumbar(2.0)
    first = cpu_s(lambda: run(case, histories=20_000))
    print(f"\nfirst dose of this process: {first:.2f} s of processor time (compiled anew: more)")
    run(case, histories=100_000)
    print(f"\ntransport: 50 seeds, grid {case.media.geometry.shape} of 2 mm")
    print(
        f"  ready, code cached or not          {time.perf_counter() - start:6.1f} s (CT simulated)"
    )
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        found = [run(case, histories=HISTORIES) for _ in range(RUNS)]
        best = max(d.histories / d.elapsed_s for d in found)
        busy = max(HISTORIES / cpu_s(lambda: run(case, histories=HISTORIES)) for _ in range(2))
        print(
            f"  {threads} core(s): {best / 1e6:.2f} million histories a second (best of {RUNS}), "
            f"{busy / 1e6:.2f} a second of processor time",
            flush=True,
        )
    plain = run(case, aim="", histories=HISTORIES)
    gain = (plain.reached["cord"] / found[0].reached["cord"]) ** 2
    print(f"  variance in the cord at equal histories, not looked at over looked at: {gain:.1f}")
    for region in ("cord", "target"):
        one, other = (min(merit(case, aim, region) for _ in range(2)) for aim in ("", "cord"))
        print(
            f"  {region} to 2 %: {one:.1f} s of processor time not looking, {other:.1f} s looking"
        )
    print(f"  a run ends at most {ending(case):.2f} s after it is told")
    for spacing, levels in ((2.0, (0.02, 0.01)), (1.0, (0.02,))):
        case = lumbar(spacing) if spacing != 2.0 else case
        for level in levels:
            busy = time.process_time()
            dose = run(case, uncertainty=level)
            busy = time.process_time() - busy
            print(
                f"  {spacing:g} mm to {100 * level:g} %: {dose.elapsed_s:6.1f} s, {busy:.1f} s of "
                "processor time, "
                f"{dose.histories / 1e6:.1f} million, target {100 * dose.reached['target']:.2f} %, "
                f"cord {100 * dose.reached['cord']:.2f} %",
                flush=True,
            )
            if level == 0.02:
                each = dose.histories // len(case.seeds)
                more = min(one_more(case, each) for _ in range(RUNS))
                print(f"    one more seed, {each} histories: {more:.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
