"""The scans of a case: what the scanner sends, and when it is asked to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from simulators.metal import needle_solids, seed_solids, straight
from simulators.metal.solid import table
from simulators.operator.case import Case, moved
from simulators.operator.hands import LyingSeed
from simulators.planner import Needle, implant_plan, outlines, structure_set
from simulators.scanner import Protocol, anatomy_body, ct_images, push, scan, scan_sinogram

FloatArray = NDArray[np.float64]

log = logging.getLogger(__name__)
SERIES = ("planning", "needles", "verification")


@dataclass(frozen=True)
class Peer:
    """The assistant's DICOM port."""

    host: str
    port: int
    ae_title: str


@dataclass(frozen=True)
class Gantry:
    """The scanner and the planning system, with the patient of a case.

    Attributes:
        case: the patient and the plan.
        peer: where everything is pushed to.
        physics: ``plain``, quick, or ``sinogram``, true to streaks and noise.
    """

    case: Case
    peer: Peer
    physics: str = "plain"

    def send_plan(self) -> None:
        """Push planning CT, structures and plan."""
        self._push(self.planning())

    def scan_needles(self, needles: Sequence[Needle]) -> None:
        """Scan the patient with needles in (room frame), and push."""
        self._push(self.images("needles", needles=needles))

    def scan_seeds(self, seeds: Sequence[LyingSeed]) -> None:
        """Scan the patient with seeds dropped and the needles out, and push."""
        self._push(self.images("verification", seeds=seeds))

    def planning(self) -> Iterator[FileDataset]:
        """Yield the planning CT, then the structures, then the plan."""
        case = self.case
        label, protocol = case.label("planning"), case.planning_protocol
        frame = case.patient_to_planning
        yield from ct_images(
            self._scan("planning", frame, protocol, (), ()),
            protocol,
            label,
            case.identity,
        )
        needles = tuple(moved(n, frame) for n in case.needles)
        drawn = outlines(case.anatomy, frame, protocol)
        yield structure_set(drawn, needles, label, protocol.slices, case.identity)
        yield implant_plan(needles, case.directive, label.at, case.identity)

    def images(
        self, name: str, *, needles: Sequence[Needle] = (), seeds: Sequence[LyingSeed] = ()
    ) -> Iterator[FileDataset]:
        """Yield the images of a scan of the room."""
        case = self.case
        hu = self._scan(name, case.patient_to_room, case.room_protocol, needles, seeds)
        yield from ct_images(hu, case.room_protocol, case.label(name), case.identity)

    def _scan(
        self,
        name: str,
        frame: FloatArray,
        protocol: Protocol,
        needles: Sequence[Needle],
        seeds: Sequence[LyingSeed],
    ) -> NDArray[np.int16]:
        noise, anatomy = self._noise(name), self.case.anatomy
        if self.physics == "plain":
            lying = tuple((n.tip, n.entry) for n in needles)
            dropped = tuple((s.centre, s.axis) for s in seeds)
            return scan(anatomy, frame, protocol, noise, needles=lying, seeds=dropped)
        metal = [s for n in needles for s in needle_solids(straight(n.tip, n.entry))]
        metal += [s for seed in seeds for s in seed_solids(seed.centre, seed.axis)]
        return scan_sinogram(anatomy_body(anatomy, frame), table(metal), protocol, noise)

    def _noise(self, name: str) -> np.random.Generator:
        return np.random.default_rng((self.case.identity.seed, 3, SERIES.index(name)))

    def _push(self, objects: Iterable[FileDataset]) -> None:
        peer = self.peer
        # Drawn before the line is opened: an association does not wait for a picture.
        ready = list(objects)
        sent = push(ready, host=peer.host, port=peer.port, called_ae=peer.ae_title)
        log.info("pushed %d objects", sent)
