from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from virtual import lesion_in_planning, scans

from benchmarks.registration import outcome
from dose.geometry import GridGeometry
from guidance.errors import RefusedError, UnmatchedError
from guidance.imaging import Volume
from guidance.registration import register, residual_mm
from guidance.registration.register import SEARCH_MM, WINDOW_HU, find_turn
from guidance.registration.shift import correlation, likely_shifts
from guidance.registration.working import WorkingImage


def target_error_mm(found: np.ndarray, true: np.ndarray, about: np.ndarray) -> float:
    corners = about + 25.0 * np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    ends = [corners @ m[:3, :3].T + m[:3, 3] for m in (found, true)]
    return float(np.linalg.norm(ends[0] - ends[1], axis=1).max())


def moved(volume: Volume, matrix: np.ndarray) -> Volume:
    """The same scan of a patient who lies elsewhere."""
    geometry = volume.geometry
    affine = matrix @ geometry.index_to_patient
    return replace(volume, geometry=GridGeometry(geometry.shape, affine, "1.2.3"))


@pytest.mark.parametrize(("seed", "level"), [(1, "thoracic"), (2, "lumbar")])
def test_supine_planning_ct_comes_over_to_the_prone_patient(seed: int, level: str) -> None:
    case = scans(seed, level=level)
    about = lesion_in_planning(case.case)
    found = register(case.needles, case.planning, about_mm=about)
    assert target_error_mm(found.plan_to_room, case.case.planning_to_room, about) < 0.5
    assert found.residual_mm < 1.0
    assert np.linalg.det(found.plan_to_room[:3, :3]) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("turn_deg", [(15.0, 0, 0), (0, -15.0, 0), (0, 0, 15.0), (8, 8, -8)])
def test_turns_to_15_degrees_and_shifts_of_40_mm(turn_deg: tuple[float, ...]) -> None:
    case = scans(2)
    about = lesion_in_planning(case.case)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = about - matrix[:3, :3] @ about + (40.0, -25.0, 30.0)
    found = register(moved(case.planning, matrix), case.planning, about_mm=about)
    assert target_error_mm(found.plan_to_room, matrix, about) < 0.5


def test_an_empty_scan_is_refused() -> None:
    case = scans(2)
    air = replace(case.needles, hu=np.full_like(case.needles.hu, -1000))
    with pytest.raises(RefusedError, match=r"no anatomy in common|no bone|little bone"):
        register(air, case.planning, about_mm=lesion_in_planning(case.case))


def test_a_target_without_bone_is_refused() -> None:
    case = scans(2)
    far = lesion_in_planning(case.case) + np.array((0.0, 0.0, 500.0))
    with pytest.raises(RefusedError, match="too little bone"):
        register(case.needles, case.planning, about_mm=far)


def test_correlation_is_that_of_the_overlap() -> None:
    rng = np.random.default_rng(0)
    fixed, moving = rng.normal(size=(5, 6, 7)), rng.normal(size=(4, 6, 5))
    fixed[0, :, :] = np.nan
    score = correlation(fixed, moving)
    shift = np.array((-1, 1, 2))
    a, b = [], []
    for index in np.ndindex(*fixed.shape):
        there = np.array(index) + shift
        inside = ((there >= 0) & (there < moving.shape)).all()
        if inside and np.isfinite(fixed[index]):
            a.append(fixed[index])
            b.append(moving[tuple(there)])
    at = tuple(shift + np.array(fixed.shape) - 1)
    assert score[at] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)


def test_the_shift_is_found_among_repeats() -> None:
    rng = np.random.default_rng(1)
    ground = rng.normal(size=(20, 24, 30))
    found, score = likely_shifts(ground[2:14, 3:20, 4:22], ground, 6.0, 3)[0]
    assert found == pytest.approx((4 * 6.0, 3 * 6.0, 2 * 6.0))
    assert score == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("half_turn", "about"),
    [
        ((-1, -1, 1), "head to feet"),
        ((1, -1, -1), "left to right"),
        ((-1, 1, -1), "front to back"),
    ],
)
def test_a_scan_turned_by_half_is_said_to_be(half_turn: tuple[int, ...], about: str) -> None:
    """The technologist entered prone for supine, or feet first for head first, or both."""
    case = scans(2)
    turned = moved(case.needles, np.diag([*half_turn, 1.0]))
    try:
        found = register(turned, case.planning, about_mm=lesion_in_planning(case.case))
    except UnmatchedError as error:
        said = error.turned_about
    else:
        said = found.turned_about
    assert said == about


def test_the_right_side_up_raises_no_doubt() -> None:
    case = scans(2)
    about = lesion_in_planning(case.case)
    found = register(case.needles, case.planning, about_mm=about)
    assert found.turned_about == ""
    again = residual_mm(case.needles, case.planning, found.plan_to_room, about_mm=about)
    # The working grid is laid around the final place, not around that of the coarse stage.
    assert again == pytest.approx(found.residual_mm, abs=0.02)
    off = found.plan_to_room.copy()
    off[:3, 3] += (4.0, 0.0, 0.0)
    assert residual_mm(case.needles, case.planning, off, about_mm=about) > again


@pytest.mark.nightly
def test_a_search_whose_first_step_goes_astray_is_begun_again() -> None:
    """This patient's true place was lost to the neighbouring vertebra, 37 mm away."""
    assert outcome(18, 3.0, 3.0).corners_mm < 1.0


def test_a_scan_of_a_turned_patient_is_not_thought_to_be_turned_by_half() -> None:
    """The search knows shifts alone; this patient lies far from how the planning CT shows him."""
    case = scans(7, seeds=24, level="thoracic")
    images = [WorkingImage(v, SEARCH_MM) for v in (case.planning, case.needles)]
    fixed, moving = (image.clipped(*WINDOW_HU) for image in images)
    score = likely_shifts(fixed, moving, SEARCH_MM, 1)[0][1]
    assert find_turn(fixed, moving, score) == ""
