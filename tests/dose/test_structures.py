import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dose.errors import StructureError
from dose.structures import Structure, sample, signed_distance_mm


def circle(radius: float, z: float, n: int = 200) -> np.ndarray:
    phi = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.column_stack((radius * np.cos(phi), radius * np.sin(phi), np.full(n, z)))


def cylinder(radius: float, z: np.ndarray, name: str = "cylinder") -> Structure:
    return Structure(name, tuple(circle(radius, float(level)) for level in z))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from([1.0, 2.0, 3.0]), st.floats(4, 15))
def test_volume_of_a_cylinder_in_any_orientation(seed: int, gap: float, radius: float) -> None:
    rotation = Rotation.random(random_state=seed).as_matrix()
    levels = np.arange(0, 24, gap)
    upright = cylinder(radius, levels)
    turned = Structure("c", tuple(c @ rotation.T + (10, -20, 30) for c in upright.contours))
    half, none = sample(turned, end_cap="half"), sample(turned, end_cap="none")
    area_cc_per_mm = np.pi * radius**2 / 1000 * np.sinc(2 / 200)
    assert half.volume_cc == pytest.approx(area_cc_per_mm * gap * len(levels), rel=1e-3)
    assert none.volume_cc == pytest.approx(area_cc_per_mm * gap * (len(levels) - 1), rel=1e-3)
    assert half.weight_cc.sum() == pytest.approx(half.volume_cc)


def test_a_hole_is_a_hole() -> None:
    levels = np.arange(0.0, 10.0)
    loops = [circle(r, z) for z in levels for r in (10.0, 4.0)]
    ring = sample(Structure("ring", tuple(loops)))
    exact = np.pi * (10**2 - 4**2) * 10 / 1000
    assert ring.volume_cc == pytest.approx(exact, rel=2e-3)
    assert np.linalg.norm(ring.points_mm[:, :2], axis=1).min() > 3.9


def test_a_small_structure_keeps_its_volume() -> None:
    levels = np.arange(-3.0, 3.5, 1.0)
    radii = np.sqrt(np.maximum(2.88**2 - levels**2, 0))
    contours = tuple(circle(r, z) for r, z in zip(radii, levels, strict=True) if r > 0.1)
    assert sample(Structure("0.1 cc", contours)).volume_cc == pytest.approx(0.1, rel=0.03)


def test_signed_distance_to_a_cylinder() -> None:
    structure = cylinder(8.0, np.arange(-30.0, 31.0, 2.0))
    rng = np.random.default_rng(1)
    points = np.column_stack(
        (rng.uniform(-25, 25, 500), rng.uniform(-25, 25, 500), rng.uniform(-15, 15, 500))
    )
    exact = np.linalg.norm(points[:, :2], axis=1) - 8.0
    assert np.abs(signed_distance_mm(structure, points) - exact).max() < 0.2


def test_loops_that_cross_themselves_are_refused() -> None:
    eight = np.array([(0, 0, 0), (10, 10, 0), (10, 0, 0), (0, 10, 0)], dtype=float)
    with pytest.raises(StructureError, match="cord: contour 2 crosses itself"):
        sample(Structure("cord", (circle(5, -2), eight)))
    # A crossing as small as pixel tracing leaves is no reason to send a physicist home.
    traced = circle(8, 0, 60)
    traced[[3, 4]] = traced[[4, 3]]
    whole = sample(Structure("cord", (traced, circle(8, 2, 60))))
    assert whole.volume_cc == pytest.approx(np.pi * 64 * 4 / 1000, rel=0.01)


def test_loops_that_overlap_combine_by_xor() -> None:
    # Two squares of 10 mm that share a quarter: 150 mm^2 by XOR.
    square = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], dtype=float)
    loops = [
        np.column_stack((square + shift, np.full(4, z))) for z in (0.0, 2.0) for shift in (0, 5)
    ]
    samples = sample(Structure("two", tuple(loops)))
    assert samples.volume_cc == pytest.approx(150 * 4 / 1000, rel=1e-3)


def test_one_plane_has_no_thickness() -> None:
    with pytest.raises(StructureError, match="cord is drawn in one plane only"):
        sample(Structure("cord", (circle(5, 0), circle(2, 0))))


def test_a_large_structure_is_sampled_more_coarsely() -> None:
    samples = sample(cylinder(40.0, np.arange(0.0, 80.0, 2.0)), at_most=20_000)
    assert 10_000 < np.count_nonzero(samples.weight_cc) < 30_000
    assert "points every 2.7 mm" in samples.method
    assert "end caps: half a slice" in samples.method


@pytest.mark.parametrize(
    ("contours", "words"),
    [
        ((), "has no contour"),
        ((np.zeros((2, 3)),), "contour 1 needs at least three"),
        ((np.zeros((4, 3)),), "encloses no area"),
        ((), ""),
    ],
)
def test_malformed_structures_are_refused_by_name(contours, words) -> None:  # type: ignore[no-untyped-def]
    if not words:
        bent = circle(5, 2)
        bent[0, 2] += 5
        contours, words = (circle(8, 0), bent), "contour 2 is not planar"
    with pytest.raises(StructureError, match=words):
        sample(Structure("cord", contours))
