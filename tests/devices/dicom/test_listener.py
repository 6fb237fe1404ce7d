"""The listener on the real wire: DCMTK and pynetdicom as senders."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, PYNETDICOM_IMPLEMENTATION_UID, PYNETDICOM_IMPLEMENTATION_VERSION

from devices.dicom import (
    Announcement,
    Caller,
    Listener,
    ListenerConfig,
    echo,
    read_announcements,
    send,
)
from devices.dicom.listener import STORAGE_CLASSES, TRANSFER_SYNTAXES
from devices.errors import DeviceBroken, DeviceRefused

STORESCU = shutil.which("storescu")


def generate_uid() -> str:
    """A series UID short enough for its slices' to be made from."""
    return f"1.2.826.{uuid.uuid4().int % 10**30}"


def generate_uid_of(folder: Path) -> str:
    """The same series UID for the same folder."""
    return f"1.2.826.{zlib.crc32(str(folder).encode())}"


def slice_file(path: Path, series: str, number: int, size: int = 32, value: int = 0) -> Path:
    """Write one small CT slice."""
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = f"{series}.{number}"
    ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientID, ds.Modality = "P1", "CT"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", series
    ds.FrameOfReferenceUID = "1.2.3.9"
    ds.Rows = ds.Columns = size
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.SamplesPerPixel, ds.PixelRepresentation = 15, 1, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.PixelData = np.full((size, size), value + number, np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def a_series(folder: Path, count: int = 5, series: str | None = None) -> list[Path]:
    uid = series or generate_uid()
    return [slice_file(folder / f"{n}.dcm", uid, n) for n in range(1, count + 1)]


@pytest.fixture
def announced() -> list[Announcement]:
    return []


@pytest.fixture
def listener(tmp_path: Path, announced: list[Announcement]) -> Iterator[Listener]:
    config = ListenerConfig(tmp_path / "store", 0, quiet_s=0.3, reserve_bytes=0)
    with Listener(config, announced.append) as running:
        yield running


def wait_for(announced: list[Announcement], count: int) -> None:
    deadline = time.monotonic() + 10
    while len(announced) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(announced) == count


def push(listener: Listener, paths: list[Path], ae: str = "SEEDGUIDE") -> None:
    result = send(paths, host="127.0.0.1", port=listener.port, called_ae=ae)
    assert not result.failed


def data_set_bytes(path: Path) -> bytes:
    ds = pydicom.dcmread(path)
    return bytes(path.read_bytes()[132 + 12 + ds.file_meta.FileMetaInformationGroupLength :])


@pytest.mark.skipif(STORESCU is None, reason="DCMTK's storescu is not installed")
def test_storescu_pushes_a_series(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    paths = a_series(tmp_path / "scan", 6)
    command = [str(STORESCU), "-aec", "SEEDGUIDE", "127.0.0.1", str(listener.port)]
    subprocess.run([*command, *map(str, paths)], check=True, timeout=30)
    wait_for(announced, 1)
    (series,) = announced
    assert (series.modality, series.patient_id, len(series.files)) == ("CT", "P1", 6)
    assert series.complete_by == "release"
    assert read_announcements(tmp_path / "store") == (series,)
    kept = {data_set_bytes(p) for p in series.files}
    assert kept == {data_set_bytes(p) for p in paths}


def test_the_same_again_is_success_without_a_second_copy(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    paths = a_series(tmp_path / "scan", 3)
    push(listener, paths)
    wait_for(announced, 1)
    push(listener, paths)
    time.sleep(0.8)
    assert len(announced) == 1
    assert len(list((tmp_path / "store").rglob("*.dcm"))) == 3


def test_other_bytes_under_the_same_uid_are_set_aside(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    (path,) = a_series(tmp_path / "scan", 1)
    push(listener, [path])
    wait_for(announced, 1)
    first = announced[0].files[0].read_bytes()
    uid = str(pydicom.dcmread(path).SeriesInstanceUID)
    push(listener, [slice_file(tmp_path / "other.dcm", uid, 1, value=500)])
    assert announced[0].files[0].read_bytes() == first
    assert len(list((tmp_path / "store" / "aside").iterdir())) == 1


def test_a_late_slice_reopens_its_series(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    uid = generate_uid()
    paths = a_series(tmp_path / "scan", 4, uid)
    push(listener, paths[:3])
    wait_for(announced, 1)
    push(listener, paths[3:])
    wait_for(announced, 2)
    assert [len(a.files) for a in announced] == [3, 4]
    assert [a.number for a in announced] == [1, 2]


def test_two_series_over_one_association_are_two(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    push(listener, a_series(tmp_path / "a", 3) + a_series(tmp_path / "b", 2))
    wait_for(announced, 2)
    assert sorted(len(a.files) for a in announced) == [2, 3]


def test_an_aborted_series_is_whole_after_quiet(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    entity = AE(ae_title="CT")
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
    for path in a_series(tmp_path / "scan", 2):
        association.send_c_store(path)
    association.abort()
    wait_for(announced, 1)
    assert announced[0].complete_by == "quiet"


def test_a_scanner_that_counts_its_images_is_not_waited_for(
    listener: Listener, tmp_path: Path, announced: list[Announcement]
) -> None:
    """The last image makes the series whole while the association stays open."""
    from pynetdicom import AE

    entity = AE("CT1")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
    association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
    try:
        for number, path in enumerate(a_series(tmp_path, 4)):
            data = pydicom.dcmread(path)
            data.ImagesInAcquisition = 4
            data.AcquisitionNumber = 1
            data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            data.ImagePositionPatient = [0, 0, 2.0 * number]
            assert association.send_c_store(data).Status == 0
        wait_for(announced, 1)
        assert association.is_established
    finally:
        association.release()
    assert [(len(a.files), a.complete_by) for a in announced] == [(4, "count")]


def test_the_conformance_statement_names_what_is_accepted() -> None:
    text = (Path(__file__).parents[3] / "docs" / "dicom-conformance.md").read_text()
    table = text[text.index("##### 4.2.1.3") : text.index("##### 4.2.1.4")]
    stated = set(re.findall(r"\| (1\.2\.840\.10008\.[0-9.]+) \|", table))
    own = {"1.2.840.10008.1.1", "1.2.840.10008.1.20.1"}
    assert stated == {*STORAGE_CLASSES, *TRANSFER_SYNTAXES, *own}
    assert PYNETDICOM_IMPLEMENTATION_UID in text
    assert PYNETDICOM_IMPLEMENTATION_VERSION in text


def test_the_first_stated_syntax_of_those_proposed_is_taken(listener: Listener) -> None:
    entity = AE("CT1")
    proposed = [TRANSFER_SYNTAXES[9], TRANSFER_SYNTAXES[1], TRANSFER_SYNTAXES[0]]
    entity.add_requested_context(CTImageStorage, proposed)
    association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
    (context,) = association.accepted_contexts
    association.release()
    assert context.transfer_syntax == [TRANSFER_SYNTAXES[0]]


def test_wrong_called_title_is_rejected(listener: Listener, tmp_path: Path) -> None:
    with pytest.raises(DeviceBroken, match="did not accept"):
        push(listener, a_series(tmp_path / "scan", 1), ae="SOMEBODY")
    assert echo(host="127.0.0.1", port=listener.port, called_ae="SEEDGUIDE")


def test_only_the_allow_list_may_call(tmp_path: Path) -> None:
    config = ListenerConfig(
        tmp_path / "store",
        0,
        allow=(Caller("CT1", "127.0.0.1"), Caller("CT2", "10.9.9.9")),
        reserve_bytes=0,
    )
    with Listener(config, lambda _: None) as running:
        where = {"host": "127.0.0.1", "port": running.port, "called_ae": "SEEDGUIDE"}
        assert echo(**where, calling_ae="CT1")
        assert not echo(**where, calling_ae="CT2")
        assert not echo(**where, calling_ae="OTHER")


def _store(listener: Listener, data_set: pydicom.Dataset, sop_uid: str) -> int:
    entity = AE(ae_title="CT")
    entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", listener.port, ae_title="SEEDGUIDE")
    assert association.is_established
    original = data_set.SOPInstanceUID
    from unittest.mock import patch

    from pynetdicom.dimse_primitives import C_STORE

    with patch.object(
        C_STORE,
        "AffectedSOPInstanceUID",
        property(lambda self: sop_uid, lambda self, value: None),
    ):
        status = association.send_c_store(data_set).get("Status")
    association.release()
    assert data_set.SOPInstanceUID == original
    return int(status)


def test_bad_instances_get_the_standards_status_and_leave_nothing(
    listener: Listener, tmp_path: Path
) -> None:
    path = slice_file(tmp_path / "x.dcm", generate_uid(), 1)
    whole = pydicom.dcmread(path)
    assert _store(listener, whole, "1.2.3.4.5") == 0xA900
    short = pydicom.dcmread(path)
    short.PixelData = short.PixelData[:-100]
    assert _store(listener, short, str(short.SOPInstanceUID)) == 0xC000
    nameless = pydicom.dcmread(path)
    del nameless.SeriesInstanceUID
    assert _store(listener, nameless, str(nameless.SOPInstanceUID)) == 0xC000
    assert not list((tmp_path / "store").rglob("*.dcm"))
    push(listener, [path])


@pytest.mark.parametrize("uid", ["../../evil", "1.2/../../x", "", "1..2", "1.2\x00", "9" * 65])
def test_uids_never_become_paths(tmp_path: Path, uid: str) -> None:
    from devices.dicom.store import Instance

    with pytest.raises(DeviceRefused, match="not a DICOM UID"):
        Instance("1.2.3", uid)
    with pytest.raises(DeviceRefused, match="not a DICOM UID"):
        Instance(uid, "1.2.3")


def test_a_full_disk_answers_a700_and_leaves_no_half_file(tmp_path: Path) -> None:
    config = ListenerConfig(tmp_path / "store", 0, reserve_bytes=1 << 60)
    with Listener(config, lambda _: None) as running:
        paths = a_series(tmp_path / "scan", 2)
        result = send(paths, host="127.0.0.1", port=running.port, called_ae="SEEDGUIDE")
        assert [reason for _, reason in result.failed] == ["status 0xA700"] * 2
        assert [p for p in (tmp_path / "store").rglob("*") if p.is_file()] == []


def test_a_peer_that_speaks_http_does_not_stop_the_scanner(
    listener: Listener, announced: list[Announcement], tmp_path: Path
) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)) as web:
        web.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        push(listener, a_series(tmp_path / "scan", 2))
    wait_for(announced, 1)


def start_listen(store: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "guidance", "listen", "--port", str(port)]
    command += ["--ae-title", "SEEDGUIDE", "--store", str(store), "--quiet-s", "0.3"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the listener did not come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_kill_9_in_the_middle_loses_nothing_acknowledged(tmp_path: Path) -> None:
    _killed(tmp_path, slices=40, kills=4)


@pytest.mark.nightly
def test_kill_9_a_hundred_times_in_three_hundred_slices(tmp_path: Path) -> None:
    _killed(tmp_path, slices=300, kills=100)


def _killed(tmp_path: Path, *, slices: int, kills: int) -> None:
    """Killed at any moment while slices arrive; the sender calls again and sends on."""
    store, port = tmp_path / "store", free_port()
    paths = [
        slice_file(tmp_path / "scan" / f"{n}.dcm", generate_uid_of(tmp_path), n, size=256)
        for n in range(1, slices + 1)
    ]
    names = [str(pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID) for p in paths]
    acknowledged: set[str] = set()
    rng = np.random.default_rng(3)
    in_transfer = 0
    for life in range(kills):
        process = start_listen(store, port)
        # So late that the series lasts for all the lives.
        wanted = round(slices * (life + rng.uniform(0.2, 1.2)) / kills)
        delay_s = float(rng.uniform(0, 0.01))

        def kill(process: subprocess.Popen[str] = process, delay_s: float = delay_s) -> None:
            time.sleep(delay_s)
            os.kill(process.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        entity = AE(ae_title="CT")
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", port, ae_title="SEEDGUIDE")
        # From some slice that is there already: the sender does not know either.
        start = max(0, len(acknowledged) - int(rng.integers(0, 5)))
        for path, name in zip(paths[start:], names[start:], strict=True):
            if len(acknowledged) >= wanted and not killer.ident:
                killer.start()
            try:
                if association.send_c_store(path).get("Status") != 0:
                    raise RuntimeError("no answer")
            except (RuntimeError, ValueError):
                in_transfer += 1
                break
            acknowledged.add(name)
        if not killer.ident:
            killer.start()
        killer.join()
        process.wait(timeout=10)
        association.abort()
        assert process.stdout is not None
        process.stdout.close()
        on_disk = {p.stem for p in (store / "objects").rglob("*.dcm")}
        assert acknowledged <= on_disk
    assert in_transfer > kills / 2, "it was killed at rest"
    process = start_listen(store, port)
    assert not send(paths, host="127.0.0.1", port=port, called_ae="SEEDGUIDE").failed
    assert process.stdout is not None
    last: dict[str, object] = {}
    while last.get("instances") != slices:
        last = json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    kept = {p.name: p for p in (store / "objects").rglob("*.dcm")}
    assert len(kept) == slices
    for path in paths:
        uid = str(pydicom.dcmread(path).SOPInstanceUID)
        assert data_set_bytes(kept[f"{uid}.dcm"]) == data_set_bytes(path)
    assert not list((store / "incoming").iterdir())
    assert [a.number for a in read_announcements(store)] == list(
        range(1, len(read_announcements(store)) + 1)
    )


def test_real_series_arrive_whole(
    data_dir: Path, tmp_path: Path, announced: list[Announcement]
) -> None:
    folder = data_dir / "seed_phantom" / "CT"
    # A sender on a busy machine pauses; its release is what tells here.
    config = ListenerConfig(tmp_path / "store", 0, quiet_s=20.0, reserve_bytes=0)
    with Listener(config, announced.append) as listener:
        command = [str(STORESCU), "-aec", "SEEDGUIDE", "+sd", "127.0.0.1", str(listener.port)]
        subprocess.run([*command, str(folder)], timeout=60, check=False)
        wait_for(announced, 1)
    assert announced[0].modality == "CT"
    assert len(announced[0].files) == len(list(folder.iterdir()))
    assert announced[0].complete_by == "release"
