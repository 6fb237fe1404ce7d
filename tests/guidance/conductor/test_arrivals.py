"""Slices decoded while they arrive make the volume that reading the files makes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from virtual import scans

from devices.dicom import StoreWatch
from guidance.conductor.arrivals import BUSY_S, IDLE_S, Arrivals
from guidance.errors import ImportRefused
from guidance.imaging import Ground, read_series
from guidance.imaging.block import SliceBlock
from guidance.imaging.files import read_images
from simulators.operator import Gantry, Peer


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The files of one scan in the order of its slices."""
    gantry = Gantry(scans(2).case, Peer("", 0, ""))
    path = tmp_path_factory.mktemp("one") / "slice.dcm"
    content = []
    for image in sorted(gantry.images("needles"), key=lambda i: i.ImagePositionPatient[2]):
        image.save_as(path, enforce_file_format=True)
        content.append(path.read_bytes())
    return content


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[Arrivals]:
    (tmp_path / "objects" / "1.2").mkdir(parents=True)
    arrivals = Arrivals(tmp_path)
    arrivals.start()
    yield arrivals
    arrivals.stop()


def put(folder: Path, name: str, content: bytes) -> Path:
    """As the store does: whole, by renaming."""
    aside = folder.parent.parent / f"{name}.part"
    aside.write_bytes(content)
    return aside.rename(folder / f"{name}.dcm")


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


ORDERS = {
    "along": lambda n: list(range(n)),
    "against": lambda n: list(range(n))[::-1],
    "scattered": lambda n: np.random.default_rng(0).permutation(n).tolist(),
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_volume_is_the_one_of_the_files(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes], order: str
) -> None:
    folder = tmp_path / "objects" / "1.2"
    places = ORDERS[order](len(series))
    files = [put(folder, f"{n:04d}", series[k]) for n, k in enumerate(places)]
    wait_for(lambda: len(arrivals._series.get(folder, _NONE).files) == len(files))
    volume, plain = arrivals.volume(files), read_series(files)
    np.testing.assert_array_equal(volume.hu, plain.hu)
    np.testing.assert_array_equal(volume.geometry.index_to_patient, plain.geometry.index_to_patient)
    assert volume.hu.flags.c_contiguous
    if order != "scattered":
        assert volume.hu.base is not None, "slices that came in order need no copy"


def test_a_late_slice_and_one_not_seen_yet_are_in_the_volume(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes]
) -> None:
    folder = tmp_path / "objects" / "1.2"
    files = [put(folder, f"{k:04d}", s) for k, s in enumerate(series[:-1])]
    assert arrivals.volume(files).hu.shape[0] == len(series) - 1
    files.append(put(folder, "late", series[-1]))
    assert arrivals.volume(files).hu.shape[0] == len(series)


def test_only_the_late_slice_is_decoded_when_it_comes(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "objects" / "1.2"
    files = [put(folder, f"{k:04d}", s) for k, s in enumerate(series[:-1])]
    wait_for(lambda: len(arrivals._series.get(folder, _NONE).files) == len(files))
    first = arrivals.volume(files)
    decoded: list[Path] = []

    def read(path: Path) -> object:
        decoded.append(path)
        return read_images(path)

    monkeypatch.setattr("guidance.imaging.series.read_images", read)
    files.append(put(folder, "late", series[-1]))
    volume = arrivals.volume(files)
    time.sleep(0.2)  # the follower sees it too
    again = arrivals.volume(files)
    assert decoded == files[-1:]
    plain = read_series(files)
    for found in (volume, again):
        np.testing.assert_array_equal(found.hu, plain.hu)
        assert found.provenance.remarks == plain.provenance.remarks
    assert first.hu.shape[0] == len(series) - 1


def test_the_next_look_comes_soon_while_slices_may_still_come() -> None:
    now_s = time.monotonic()
    assert Arrivals._pause_s(now_s - 0.5) == BUSY_S
    assert Arrivals._pause_s(now_s - 5.0) == IDLE_S


def test_slices_are_laid_on_memory_made_ready_before(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes]
) -> None:
    wait_for(lambda: arrivals._ground is not None)
    ground = arrivals._ground
    assert ground is not None
    folder = tmp_path / "objects" / "1.2"
    files = [put(folder, f"{k:04d}", s) for k, s in enumerate(series)]
    wait_for(lambda: folder in arrivals._series)
    volume = arrivals.volume(files)
    assert np.shares_memory(volume.hu, ground.slices)


def test_memory_that_no_slice_lies_on_is_given_back() -> None:
    ground = Ground((512, 512))
    block = SliceBlock(ground)
    laid = [block.take(np.full((512, 512), k, np.int16), float(k)) for k in range(20)]
    ground.slices[700:1100] = 1
    before = psutil.Process().memory_info().rss
    block.trim()
    freed = before - psutil.Process().memory_info().rss
    assert freed > 0.9 * 400 * 512 * 512 * 2
    for k, plane in enumerate(laid):
        assert (plane == k).all()
    late = block.take(np.full((512, 512), 77, np.int16), 20.0)
    assert (late == 77).all()


def test_what_cannot_be_decoded_early_is_refused_when_it_is_read(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes]
) -> None:
    folder = tmp_path / "objects" / "1.2"
    files = [put(folder, f"{k:04d}", s) for k, s in enumerate(series)]
    files.append(put(folder, "torn", series[0][:3000]))
    wait_for(lambda: folder in arrivals._series and not arrivals._series[folder].usable)
    with pytest.raises(ImportRefused, match="torn"):
        arrivals.volume(files)


def test_the_next_series_is_followed_whatever_one_raised(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> object:
        if path.stem == "broken":
            raise MemoryError
        return read_images(path)

    monkeypatch.setattr("guidance.imaging.series.read_images", read)
    folder = tmp_path / "objects" / "1.2"
    put(folder, "broken", series[0])
    wait_for(lambda: folder in arrivals._series and not arrivals._series[folder].usable)
    (tmp_path / "objects" / "1.3").mkdir()
    path = put(tmp_path / "objects" / "1.3", "a", series[0])
    wait_for(lambda: arrivals._series.get(path.parent, _NONE).files == {path})


def test_only_the_newest_series_are_kept(
    arrivals: Arrivals, tmp_path: Path, series: list[bytes]
) -> None:
    folders = [tmp_path / "objects" / f"1.3.{n}" for n in range(5)]
    for folder in folders:
        folder.mkdir()
        put(folder, "a", series[0])
        wait_for(lambda folder=folder: folder in arrivals._series)
    assert len(arrivals._series) == 3


def test_the_store_is_watched_without_a_gap(tmp_path: Path) -> None:
    watch = StoreWatch(tmp_path)
    assert watch.new() == ()
    folder = tmp_path / "objects" / "1.2"
    folder.mkdir(parents=True)
    told: list[Path] = []
    put_there = [put(folder, f"{k}", b"x") for k in range(3)]
    for k in itertools.count(3):
        told += watch.new()
        if k == 60:
            break
        put_there.append(put(folder, f"{k}", b"x"))
    time.sleep(0.02)
    told += watch.new()
    assert sorted(told) == sorted(put_there)
    assert watch.new() == ()
    assert StoreWatch(tmp_path).new() == ()


class _NONE:
    files: frozenset[Path] = frozenset()
