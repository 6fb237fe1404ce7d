"""How far off the registration leaves the target, over random patients; prone against supine.

The room's scan shows the planning patient turned by up to 15 degrees about any axis and shifted
by up to 40 mm, turned over, with needles in place. The error is that of the corners of a cube of
50 mm around the target (about one vertebra) and of the target itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from scipy.spatial.transform import Rotation

from guidance.imaging import Volume, read_series
from guidance.registration import register
from guidance.registration.register import HALF_TURNS, SEARCH_MM, WINDOW_HU, find_turn
from guidance.registration.shift import likely_shifts
from guidance.registration.working import WorkingImage
from simulators.operator import Case, Gantry, Operator, Peer, draw_case

CASES = 24
# (planning, room) slice thickness, mm.
SLICES = ((3.0, 3.0), (5.0, 3.0))
SHIFT_MM, TURN_DEG = 40.0, 15.0
GOAL_MM, GOAL_S = 1.0, 5.0


@dataclass(frozen=True)
class Outcome:
    """One registration.

    Largest error at the vertebra, error at the target, residual, time and processor time; the
    axis about which the scan was thought to be turned; how much better the right way up matches
    than the best of the three half turns; how many of those, made of the scan, were named.
    """

    corners_mm: float
    target_mm: float
    residual_mm: float
    seconds: float
    processor_s: float
    turned_about: str
    gain: float
    found_turned: int


def main(cases: int = CASES) -> None:
    for planning_mm, room_mm in SLICES:
        found = [outcome(seed, planning_mm, room_mm) for seed in range(1, cases + 1)]
        corners = np.array([o.corners_mm for o in found])
        target = np.array([o.target_mm for o in found])
        seconds = np.array([o.seconds for o in found])
        processor = np.array([o.processor_s for o in found])
        print(
            f"\nregistration, {cases} patients, planning CT {planning_mm:g} mm, room "
            f"{room_mm:g} mm, prone against supine, to {SHIFT_MM:g} mm and {TURN_DEG:g} degrees"
        )
        print(
            f"  error at the vertebra's corners: median {np.median(corners):.2f} mm, "
            f"largest {corners.max():.2f} mm; below {GOAL_MM:g} mm in "
            f"{(corners < GOAL_MM).sum()} of {cases}"
        )
        print(
            f"  error at the target: median {np.median(target):.2f} mm, largest "
            f"{target.max():.2f} mm; residual {min(o.residual_mm for o in found):.2f} to "
            f"{max(o.residual_mm for o in found):.2f} mm"
        )
        print(
            f"  time: median {np.median(seconds):.1f} s, largest {seconds.max():.1f} s; "
            f"{np.median(seconds) / GOAL_S:.2f} of the {GOAL_S:g} s it may take; of the "
            f"processor {np.median(processor):.1f} s, largest {processor.max():.1f} s"
        )
        print(
            f"  half turns: thought of {sum(bool(o.turned_about) for o in found)} scans that are "
            f"right; right gains {min(o.gain for o in found):.3f} in correlation or more; "
            f"{sum(o.found_turned for o in found)} of {3 * cases} turned ones named"
        )
        bad = [i + 1 for i in np.flatnonzero(corners >= GOAL_MM)]
        if bad:
            print(f"  patients beyond {GOAL_MM:g} mm: {', '.join(map(str, bad))}")


def outcome(seed: int, planning_mm: float, room_mm: float) -> Outcome:
    level = "thoracic" if seed % 2 else "lumbar"
    case = _turned(draw_case(seed, seeds=12, slice_mm=planning_mm, level=level), seed)
    nobody = Peer("127.0.0.1", 0, "NOBODY")
    planning = volume(o for o in Gantry(case, nobody).planning() if o.Modality == "CT")
    in_room = replace(case, slice_mm=room_mm)
    needles = Operator(in_room).needles
    room = volume(Gantry(in_room, nobody).images("needles", needles=needles))
    matrix = case.patient_to_planning
    about = matrix[:3, :3] @ np.asarray(case.anatomy.lesion_centre) + matrix[:3, 3]
    start, began = time.perf_counter(), time.process_time()
    found = register(room, planning, about_mm=about)
    seconds, processor_s = time.perf_counter() - start, time.process_time() - began
    corners = about + 25.0 * np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    errors = [
        np.linalg.norm(_carried(points, found.plan_to_room) - _carried(points, truth), axis=1).max()
        for points in (corners, about[None])
        for truth in (case.planning_to_room,)
    ]
    return Outcome(
        float(errors[0]), float(errors[1]), found.residual_mm, seconds, processor_s,
        found.turned_about, *_half_turns(room, planning),
    )  # fmt: skip


def _half_turns(room: Volume, planning: Volume) -> tuple[float, int]:
    """Return what the right way up gains, and how many half turns of the room are named."""
    fixed, right = (WorkingImage(v, SEARCH_MM).clipped(*WINDOW_HU) for v in (planning, room))
    best = likely_shifts(fixed, right, SEARCH_MM, 1)[0][1]
    gain, named = np.inf, 0
    for axis, turned in HALF_TURNS:
        wrong = np.flip(right, turned)
        score = likely_shifts(fixed, wrong, SEARCH_MM, 1)[0][1]
        gain = min(gain, best - score)
        named += find_turn(fixed, wrong, score) == axis
    return float(gain), named


def volume(images: Iterable[FileDataset]) -> Volume:
    with tempfile.TemporaryDirectory() as folder:
        for image in images:
            image.save_as(Path(folder) / f"{image.SOPInstanceUID}.dcm", enforce_file_format=True)
        return read_series(Path(folder))


def _turned(case: Case, seed: int) -> Case:
    """Lay the patient elsewhere in the room than on the planning CT, by a random move."""
    rng = np.random.default_rng((seed, 40))
    axis, way = rng.normal(size=(2, 3))
    turn = rng.uniform(0.0, TURN_DEG)
    centre = np.asarray(case.anatomy.lesion_centre)
    planning = case.patient_to_planning
    about = planning[:3, :3] @ centre + planning[:3, 3]
    move = np.eye(4)
    move[:3, :3] = Rotation.from_rotvec(np.radians(turn) * axis / np.linalg.norm(axis)).as_matrix()
    shift = way / np.linalg.norm(way) * rng.uniform(0.0, SHIFT_MM)
    move[:3, 3] = about - move[:3, :3] @ about + shift
    return replace(case, patient_to_room=move @ planning)


def _carried(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]
