"""The pictures under the hand: one point in all of them, measured, turned, never mirrored."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, QRectF, Qt
from PyQt5.QtGui import QMouseEvent, QWheelEvent

from dose.geometry import GridGeometry
from guidance.imaging.volume import Provenance, Volume
from guidance.screen import RoomWindow
from guidance.screen.measuring import Ruler
from guidance.screen.overlays import Line
from guidance.screen.reslice import cut, letters
from guidance.screen.sight import CUTS, Sight
from tests.screen.room_case import TARGET_MM, snapshot, vector

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MidButton,
)


@pytest.fixture
def window(window_of) -> RoomWindow:
    made = window_of()
    made.show_snapshot(snapshot())
    return made


def drag(qtbot, view, start: QPoint, end: QPoint, button=LEFT) -> None:
    qtbot.mousePress(view, button, pos=start)
    # qtbot's moves carry no buttons.
    view.mouseMoveEvent(
        QMouseEvent(
            QMouseEvent.Type.MouseMove, QPointF(end), Qt.MouseButton.NoButton, button,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    qtbot.mouseRelease(view, button, pos=end)


def turn_wheel(view, turns: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    at, delta = QPointF(50, 50), QPoint(0, 120 * turns)
    view.wheelEvent(
        QWheelEvent(at, at, delta, delta, Qt.MouseButton.NoButton, modifier,
                    Qt.ScrollPhase.NoScrollPhase, False)
    )  # fmt: skip


def marked_volume(position: str, axes: np.ndarray) -> tuple[Volume, np.ndarray]:
    """One bright voxel at a known point, however the volume is stored."""
    geometry = GridGeometry.from_axes((5.0, -7.0, 11.0), (0.8, 0.9, 2.0), (9, 20, 22), axes=axes)
    hu = np.zeros(geometry.shape, np.int16)
    hu[6, 4, 15] = 1000
    point = geometry.indices_to_patient((15, 4, 6))
    return Volume(geometry, hu, Provenance(patient_position=position)), point


@pytest.mark.parametrize("which", CUTS)
@pytest.mark.parametrize("position", ["HFS", "HFP", "HFDR", "FFP", ""])
@pytest.mark.parametrize(
    "axes",
    [np.eye(3), np.diag((-1.0, -1.0, 1.0)), np.array(((0.0, 1, 0), (1, 0, 0), (0, 0, -1)))],
)
def test_every_cut_draws_a_voxel_where_its_position_says_and_is_not_mirrored(which, position, axes):
    volume, point = marked_volume(position, axes)
    sight = Sight()
    sight.look_through(volume)
    sight.go(point)
    shown = sight.cut(which)
    ((row, column),) = np.argwhere(shown.hu == 1000)
    left, top, width, height = shown.box_mm
    drawn = (
        left + (column + 0.5) * width / shown.hu.shape[1],
        top + (row + 0.5) * height / shown.hu.shape[0],
    )
    np.testing.assert_allclose((*drawn, 0.0), shown.plane.project(point), atol=1e-9)
    assert np.linalg.det(shown.plane.axes) == pytest.approx(1.0)
    if which != "axial":
        assert letters(-shown.plane.down) == "H"
    if which == "sagittal":
        assert letters(-shown.plane.right) == "A"


def test_the_sides_of_the_coronal_picture_are_those_of_the_axial_one():
    for position in ("HFS", "HFP"):
        volume, _ = marked_volume(position, np.eye(3))
        sides = [letters(cut(volume, which, 3, position).plane.right) for which in CUTS[:2]]
        assert sides[0] == sides[1]


def test_a_step_in_any_cut_moves_one_slice_and_back(window):
    sight = window.scene._sight
    for which in CUTS:
        before = sight.number(which)
        window.scene.step(1, which)
        assert abs(sight.number(which) - before) == 1
        window.scene.step(-1, which)
        assert sight.number(which) == before


@pytest.mark.parametrize("name", ["axial", "coronal", "sagittal", "along", "across"])
def test_pointing_in_any_picture_moves_all_of_them_there(qtbot, window, name):
    view = getattr(window.scene, name)
    at = QPoint(view.width() // 3, view.height() // 3)
    wanted = view.point_at(QPointF(at))
    qtbot.mouseClick(view, LEFT, pos=at)
    np.testing.assert_allclose(window.scene.point, wanted, atol=1e-6)
    for other in (window.scene.axial, window.scene.coronal, window.scene.sagittal):
        depth = other.shown.plane.project(window.scene.point)[2]
        assert abs(depth) <= 1.5 + 1e-6  # half a slice of 3 mm
    # The crosshair is drawn under the pointer.
    drawn = view.pixel_of(window.scene.point)
    assert (drawn.x(), drawn.y()) == pytest.approx((at.x(), at.y()), abs=1e-6)


def test_dragging_the_crosshair_goes_on_moving_it(qtbot, window):
    view = window.scene.coronal
    end = QPoint(view.width() // 2 + 12, view.height() // 2 - 9)
    drag(qtbot, view, QPoint(view.width() // 2, view.height() // 2), end)
    np.testing.assert_allclose(window.scene.point, view.point_at(QPointF(end)), atol=1e-6)


def test_right_drag_changes_the_grey_scale_and_middle_drag_the_place(qtbot, window):
    view, point = window.scene.axial, window.scene.point.copy()
    drag(qtbot, view, QPoint(100, 100), QPoint(110, 105), RIGHT)
    assert "W 2540  L 460" in view.captions[1]
    under = view.point_at(QPointF(100, 100))
    drag(qtbot, view, QPoint(100, 100), QPoint(130, 90), MIDDLE)
    np.testing.assert_allclose(view.point_at(QPointF(130, 90)), under, atol=1e-6)
    np.testing.assert_array_equal(window.scene.point, point)


def test_ctrl_and_wheel_zoom(window):
    view = window.scene.axial
    before = np.linalg.norm(view.point_at(QPointF(0, 0)) - view.point_at(QPointF(100, 0)))
    turn_wheel(view, 1, Qt.KeyboardModifier.ControlModifier)
    after = np.linalg.norm(view.point_at(QPointF(0, 0)) - view.point_at(QPointF(100, 0)))
    assert after == pytest.approx(before / 1.15)


def test_the_wheel_walks_along_the_needle_in_the_view_along_it(window):
    scene = window.scene
    tip = scene.across.shown.plane.origin_mm
    turn_wheel(scene.across, 1)
    needle = scene.needle
    along = np.subtract(needle.tip_mm, needle.entry_mm)
    moved = scene.across.shown.plane.origin_mm - tip
    np.testing.assert_allclose(moved, along / np.linalg.norm(along), atol=1e-9)
    turn_wheel(scene.along, 1)
    beside = scene.along.shown.plane.origin_mm - tip
    assert abs(beside @ along) < 1e-9
    assert np.linalg.norm(beside) == pytest.approx(1.0)
    scene.home()
    np.testing.assert_allclose(scene.across.shown.plane.origin_mm, tip)


def test_a_double_click_gives_a_view_all_the_room_and_another_gives_it_back(qtbot, window):
    for view in window.scene.views:
        qtbot.mouseDClick(view, LEFT, pos=QPoint(30, 30))
        assert [other for other in window.scene.views if other.isVisible()] == [view]
        qtbot.mouseDClick(view, LEFT, pos=QPoint(30, 30))
        assert all(other.isVisible() for other in window.scene.views)


def test_measuring_by_mouse(qtbot, window):
    scene, view = window.scene, window.scene.axial
    point = scene.point.copy()
    qtbot.keyClick(window, Qt.Key.Key_M)
    places = [QPoint(100, 100), QPoint(160, 100), QPoint(160, 180)]
    for place in places:
        qtbot.mouseClick(view, LEFT, pos=place)
    one, two, _ = (view.point_at(QPointF(p)) for p in places)
    assert scene.ruler.distance_mm == pytest.approx(np.linalg.norm(one - two))
    assert scene.ruler.angle_deg == pytest.approx(90.0)
    assert any(scene.ruler.text in line for line in view.captions)
    np.testing.assert_array_equal(scene.point, point)
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert not scene.measuring
    assert scene.ruler.text == ""


def test_a_ruler_measures_known_lengths_and_is_drawn_in_its_plane_only(window):
    ruler = Ruler()
    plane = window.scene.axial.shown.plane
    right, down = plane.right, plane.down
    for point in (vector(0, 0, 0), 30 * right, 30 * right + 40 * down):
        ruler.press(plane.origin_mm + point)
    assert ruler.distance_mm == pytest.approx(30.0)
    assert ruler.angle_deg == pytest.approx(90.0)
    assert len(list(ruler.lines(plane))) == 7
    assert not list(ruler.lines(window.scene.coronal.shown.plane))
    ruler.press(TARGET_MM)
    assert ruler.distance_mm is None


def test_one_key_turns_all_pictures_alike_and_the_letters_with_them(qtbot, window):
    scene = window.scene
    assert scene.axial.edge_letters == ("L", "R", "P", "A")
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert scene.axial.edge_letters == ("R", "L", "A", "P")
    assert scene.coronal.edge_letters == ("R", "L", "H", "F")
    assert "ANATOMICAL" in scene.axial.captions[2]
    for view in scene.views:
        assert np.linalg.det(view.shown.plane.axes) == pytest.approx(1.0)
    assert (scene.across.shown.plane.right @ scene.axial.shown.plane.right) > 0.5
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert scene.axial.edge_letters == ("L", "R", "P", "A")


def test_cine_runs_through_the_slices_and_back(qtbot, window):
    scene = window.scene
    scene._cine.setInterval(1)
    seen = set()
    qtbot.keyClick(window, Qt.Key.Key_C)
    scene._cine.setInterval(1)

    def whole() -> bool:
        seen.add(scene._sight.number("axial"))
        return {0, 29} <= seen

    qtbot.waitUntil(whole, timeout=20000)
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert not scene._cine.isActive()


def written(window, qtbot, view) -> dict[str, QRectF]:
    qtbot.wait(10)
    view.grab()
    return dict(view.written)


def test_the_left_letter_keeps_clear_of_a_long_legend(qtbot, window):
    view = window.scene.axial
    there = written(window, qtbot, view)
    letter, lines = there[view.edge_letters[0]], [key.text for key in view._legend]
    assert len(lines) >= 9
    assert not any(letter.intersects(there[line]) for line in lines)
    assert letter.top() > there[view.captions[-1]].bottom()


def test_a_name_stands_clear_of_other_words_and_is_never_cut(qtbot, window):
    view = window.scene.axial
    for x in (0.0, view.width() - 5.0):
        for y in (2.0, view.height() - 3.0):
            # At each corner, where title, legend and scale stand, or the edge is.
            here = (QPointF(x, y) - QPointF(view.width() / 2, view.height() / 2)) / 2.0
            view.look_at((-here.x(), -here.y()), min(view.width(), view.height()) / 2.0)
            ends = np.array(((0.0, 0.0), (-here.x(), -here.y())))
            shape = Line(ends, "#ffffff", name="a name as long as that")
            view.show_slice(view.shown, (shape,), view.captions, view._legend)
            there = written(window, qtbot, view)
            name = there.pop(shape.name)
            assert QRectF(view.rect()).contains(name)
            assert not any(name.intersects(other) for other in there.values())
