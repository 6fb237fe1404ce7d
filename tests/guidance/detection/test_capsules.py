import numpy as np

from guidance.detection.capsules import (
    NEAREST_MM,
    WIDE_MM,
    apart,
    between,
    in_line,
    lifted,
    moved_apart,
)

X, Y = np.eye(3)[:2]


def test_round_ends_meet_at_the_capsules_length() -> None:
    way = between(np.zeros(3), X, np.array((4.5, 0.0, 0.0)), X)
    assert np.allclose(way, (0.8, 0.0, 0.0))
    assert apart(np.array(((0.0, 0.0, 0.0), (4.5, 0.0, 0.0))), np.array((X, X)))


def test_capsules_that_share_a_place_are_moved_until_they_touch() -> None:
    axes = np.array((X, Y, X))
    centres = np.array(((0.0, 0.0, 0.0), (0.2, 0.2, 0.1), (20.0, 0.0, 0.0)))
    assert not apart(centres, axes)
    above = []
    for moved in moved_apart(centres, axes):
        assert apart(moved, axes)
        way = between(moved[0], X, moved[1], Y)
        assert np.allclose(np.abs(way), (0.0, 0.0, WIDE_MM))
        assert np.allclose(moved[:2].mean(axis=0), centres[:2].mean(axis=0))
        assert np.array_equal(moved[2], centres[2])
        above.append(way[2] > 0.0)
    # Either may be the upper one, the nearer way round first.
    assert above == [True, False]


def test_lines_that_cross_are_as_far_apart_as_they_are() -> None:
    """Wherever along them they cross, and at their ends."""
    for along in (0.0, 0.2, 0.77, 1.85):
        way = between(np.zeros(3), X, np.array((along, -0.33, 0.3)), Y)
        assert np.allclose(way, (0.0, 0.0, 0.3))
    assert np.allclose(between(np.zeros(3), X, np.array((2.85, 0.0, 0.3)), Y), (1.0, 0.0, 0.3))


def test_three_end_to_end_are_in_line_and_a_strand_with_spacers_is_not() -> None:
    along = np.arange(3)[:, None] * X
    assert in_line(4.7 * along, np.array((X, -X, X)))
    assert not in_line(10.0 * along, np.array((X, X, X)))
    assert not in_line(4.7 * along[:2], np.array((X, X)))
    assert not in_line(4.7 * along, np.array((X, Y, X)))
    assert not in_line(1.0 * np.arange(3)[:, None] * Y, np.array((X, X, X)))
    assert not in_line(0.9 * np.arange(3)[:, None] * Y + 0.05 * along, np.array((X, X, X)))


def test_capsules_are_lifted_as_far_as_others_let_them() -> None:
    axes = np.array((X, X, X))
    centres = np.array(((0.0, 0.0, 0.0), (0.0, 0.0, 2.0), (20.0, 0.0, 0.0)))
    free = np.array((1.0, 2.0, -1.0))
    assert np.allclose(lifted(centres, axes, free)[:, 2], (1.0, 4.0, -1.0))
    # The two would meet in one place: neither is left where it was, nor is the third.
    moved = lifted(centres, axes, np.array((1.0, -1.0, -1.0)))
    assert apart(moved, axes)
    assert moved[2, 2] == -1.0
    assert moved[0, 2] == 1.0
    assert 1.0 + NEAREST_MM <= moved[1, 2] < 2.0
