"""The scripted operator of the virtual suite.

It knows nothing of the assistant but a DICOM port and a serial line: it waits for the lock of
the applicator to open, as a person would, and drops.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulators.applicator import ApplicatorStation, Cut, Outcome
from simulators.operator.case import Case, moved
from simulators.operator.gantry import Gantry
from simulators.operator.hands import Hands, LyingSeed
from simulators.operator.truth import write_truth
from simulators.planner import Needle

# A person at the console may take long to look at the needles.
PERMIT_WITHIN_S = 900.0
# From one act of the hands to the next.
HAND_S = 0.05
UNPLUGGED_S = 1.5


class GaveUpError(RuntimeError):
    """The story could not go on."""


class Operator:
    """Puts the needles in and drops the seeds of one case."""

    def __init__(self, case: Case, *, trouble: bool = False) -> None:
        """Put all needles in, with human error.

        Args:
            case: to play.
            trouble: pull the applicator's plug after a third of the seeds and put it back, and
                cut its power in a stroke after two thirds.
        """
        count = sum(len(n.retractions) for n in case.needles)
        self._unplug_at, self._cut_at = (count // 3, 2 * count // 3) if trouble else (-1, -1)
        self._case = case
        self._hands = Hands(np.random.default_rng((case.identity.seed, 2)))
        self.needles: tuple[Needle, ...] = tuple(
            self._hands.push(moved(n, case.patient_to_room)) for n in case.needles
        )
        self.seeds: list[LyingSeed] = []
        self.misfires = 0
        self._cartridges = list(case.cartridges)

    def drop_blindly(self) -> None:
        """Drop every planned seed without an applicator that counts."""
        for needle in self.needles:
            for retraction in needle.retractions:
                self.seeds.append(self._hands.drop(needle, retraction))

    def drop_all(self, station: ApplicatorStation) -> None:
        """Drop every planned seed, needle by needle, then lay the applicator down.

        Raises:
            GaveUpError: no permit came, or the applicator did something it should not.
        """
        for needle in self.needles:
            station.attach_needle(needle.number)
            for retraction in needle.retractions:
                station.retract(retraction)
                self._drop(station, needle, retraction)
        station.detach_needle()
        station.remove_cartridge()

    def _drop(self, station: ApplicatorStation, needle: Needle, retraction: float) -> None:
        if len(self.seeds) + 1 == self._case.misfire_at and not self.misfires:
            station.misfire_next()
        self._make_trouble(station)
        while True:
            self._load(station)
            if not station.wait_armed(PERMIT_WITHIN_S):
                raise GaveUpError(f"needle {needle.number} was not permitted in time")
            time.sleep(HAND_S)
            outcome = station.stroke()
            if outcome is Outcome.DELIVERED:
                self.seeds.append(self._hands.drop(needle, retraction))
                return
            if outcome is Outcome.MISFIRED:
                self.misfires += 1
            elif outcome is not Outcome.LOCKED:
                raise GaveUpError(f"a stroke through needle {needle.number} ended as {outcome}")

    def _make_trouble(self, station: ApplicatorStation) -> None:
        if len(self.seeds) == self._unplug_at:
            station.unplug()
            time.sleep(UNPLUGGED_S)
            station.replug()
        if len(self.seeds) == self._cut_at:
            station.power_cut(Cut.AFTER_SEED)

    def _load(self, station: ApplicatorStation) -> None:
        """Change an empty cartridge for a full one."""
        empty = station.remaining == 0
        if empty:
            station.remove_cartridge()
        if empty or station.remaining is None:
            cartridge = self._cartridges.pop(0)
            station.insert_cartridge(cartridge.serial, cartridge.seeds)


def serve(gantry: Gantry, link: Path, truth: Path, *, trouble: bool = False) -> Iterator[str]:
    """Play a case and yield each step as it ends; the truth is written before the last scan.

    The applicator stays on its line until the iterator is closed.

    Args:
        gantry: scanner and patient.
        link: name that the serial line gets.
        truth: file for what really happened.
        trouble: whether plug and power of the applicator fail once.

    Raises:
        GaveUpError: the story could not go on.
    """
    operator = Operator(gantry.case, trouble=trouble)
    memory = truth.with_suffix(".memory")
    with ApplicatorStation(link, seed=gantry.case.identity.seed, memory=memory) as station:
        gantry.send_plan()
        yield "plan sent"
        gantry.scan_needles(operator.needles)
        yield "needles scanned"
        operator.drop_all(station)
        yield "seeds dropped"
        write_truth(truth, gantry.case, operator.needles, tuple(operator.seeds), operator.misfires)
        gantry.scan_seeds(operator.seeds)
        yield "seeds scanned"
        while True:
            time.sleep(0.2)
            yield ""
