"""Our side of worklist, query, retrieve, sending and commitment, against Orthanc and DCMTK."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from devices.dicom import Announcement, Listener, ListenerConfig, Outbox, Peer, echo
from devices.errors import DeviceRefused
from guidance.commands import main
from tests.devices.dicom.test_listener import (
    a_series,
    data_set_bytes,
    free_port,
    generate_uid,
    wait_for,
)

ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
needs_orthanc = pytest.mark.skipif(not Path(ORTHANC).exists(), reason="Orthanc is not installed")
needs_dcmtk = pytest.mark.skipif(shutil.which("wlmscpfs") is None, reason="no DCMTK here")


def until(condition: Callable[[], object], what: str, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def running(command: list[str], title: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: echo(host="127.0.0.1", port=port, called_ae=title), f"{title} starts")
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def announced() -> list[Announcement]:
    return []


@pytest.fixture
def listener(tmp_path: Path, announced: list[Announcement]) -> Iterator[Listener]:
    config = ListenerConfig(tmp_path / "store", 0, reserve_bytes=0)
    with Listener(config, announced.append) as found:
        yield found


@pytest.fixture
def orthanc(tmp_path: Path, listener: Listener) -> Iterator[Peer]:
    """An archive that knows our listener."""
    port = free_port()
    settings = {
        "StorageDirectory": str(tmp_path / "orthanc"),
        "IndexDirectory": str(tmp_path / "orthanc"),
        "DicomAet": "PACS",
        "DicomPort": port,
        "HttpPort": free_port(),
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowStore": True,
        "DicomCheckCalledAet": True,
        "Plugins": [],
        "DicomModalities": {"room": ["SEEDGUIDE", "127.0.0.1", listener.port]},
    }
    path = tmp_path / "orthanc.json"
    path.write_text(json.dumps(settings))
    with running([ORTHANC, str(path)], "PACS", port):
        yield Peer("PACS", "127.0.0.1", port)


@needs_orthanc
def test_an_archive_takes_keeps_and_gives_back(
    orthanc: Peer,
    listener: Listener,
    announced: list[Announcement],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = a_series(tmp_path / "scan", 4)
    store = ["--store", str(tmp_path / "store")]
    sent = ["send", str(tmp_path / "scan"), "--to", str(orthanc), *store, "--commit"]
    assert main(sent) == 0
    assert capsys.readouterr().out.endswith("done\n")
    assert len(list((tmp_path / "store" / "commitments").glob("*.json"))) == 1
    assert Outbox(tmp_path / "store" / "outbox", tmp_path / "store").jobs() == ()

    ask = ["fetch", "--from", str(orthanc), "--patient-id", "P1"]
    assert main([*ask, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["modality"], found["instances"], found["fetched"]) == ("CT", 4, 0)

    out = tmp_path / "fetched"
    assert main([*ask, "--out", str(out)]) == 0
    capsys.readouterr()
    fetched = {p.name: p for p in (out / "objects").rglob("*.dcm")}
    assert len(fetched) == 4
    for path in paths:
        uid = str(pydicom.dcmread(path).SOPInstanceUID)
        assert data_set_bytes(fetched[f"{uid}.dcm"]) == data_set_bytes(path)

    assert main([*ask, "--move-to", "SEEDGUIDE"]) == 0
    wait_for(announced, 1)
    assert len(announced[0].files) == 4

    capsys.readouterr()
    assert main([*ask, "--move-to", "NOBODY"]) == 2
    assert "C-MOVE to NOBODY" in capsys.readouterr().err
    assert main(["fetch", "--from", str(orthanc), "--patient-id", "P2"]) == 2
    assert "has no such series" in capsys.readouterr().err


@needs_orthanc
def test_what_was_not_committed_is_sent_again(
    orthanc: Peer, listener: Listener, tmp_path: Path
) -> None:
    paths = a_series(tmp_path / "scan", 2)
    outbox = Outbox(tmp_path / "outbox", tmp_path / "store")
    name = outbox.put(paths, orthanc, calling_ae="SEEDGUIDE", commit=True)
    outbox.work()
    (job,) = outbox.jobs()
    report = tmp_path / "store" / "commitments" / f"{job.transaction_uid}.json"
    until(report.exists, "the report of commitment")
    lost = str(pydicom.dcmread(paths[1]).SOPInstanceUID)
    report.write_text(json.dumps({"committed": [], "failed": [lost]}))
    assert outbox.work() == 0
    (job,) = outbox.jobs()
    assert len(job.files) == 1
    assert "did not commit 1" in job.last_error
    until(lambda: outbox.work(time.time() + 5) or outbox.state(name) == "done", "sent again")


@needs_dcmtk
def test_jobs_survive_a_restart_and_a_peer_that_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    paths = a_series(tmp_path / "scan", 3)
    store = ["--store", str(tmp_path / "store")]
    to = ["--to", f"ARCHIVE@127.0.0.1:{port}"]
    assert main(["send", *map(str, paths), *to, *store, "--wait-s", "0"]) == 1
    assert "waiting: ARCHIVE at 127.0.0.1" in capsys.readouterr().out
    for path in paths:
        path.unlink()
    (tmp_path / "in").mkdir()
    command = ["storescp", "-aet", "ARCHIVE", "-od", str(tmp_path / "in"), str(port)]
    with running(command, "ARCHIVE", port):
        assert main(["send", *store, "--wait-s", "15"]) == 0
    assert len(list((tmp_path / "in").iterdir())) == 3
    assert main(["send", *store]) == 0
    assert capsys.readouterr().out.endswith("nothing waits to be sent\n")


def test_what_the_peer_will_never_have_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    entity = AE("FUSSY")
    entity.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda event: 0xA900)]
    )
    try:
        outbox = Outbox(tmp_path / "outbox", tmp_path)
        peer = Peer("FUSSY", "127.0.0.1", int(server.server_address[1]))
        name = outbox.put(a_series(tmp_path / "scan", 2), peer, calling_ae="SEEDGUIDE")
        outbox.work()
        assert "refused" in outbox.state(name)
        assert "status 0xA900" in outbox.state(name)
        assert outbox.jobs() == ()
        # A peer that offers no commitment says so for good as well.
        with pytest.raises(DeviceRefused, match="nothing to send"):
            outbox.put([], peer, calling_ae="SEEDGUIDE")
    finally:
        server.shutdown()


def test_waits_grow_and_end(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", tmp_path)
    peer = Peer("AWAY", "127.0.0.1", free_port())
    outbox.put(a_series(tmp_path / "scan", 1), peer, calling_ae="SEEDGUIDE")
    now_s, waits = 1e9, []
    for _ in range(10):
        outbox.work(now_s)
        (job,) = outbox.jobs()
        waits.append(job.next_s - now_s)
        assert outbox.work(now_s) == 0, "not before its time"
        assert outbox.jobs()[0].attempts == job.attempts
        now_s = job.next_s
    assert waits[:3] == [2.0, 4.0, 8.0]
    assert waits[-1] == 300.0
    outbox.work(now_s - 3.2e7)
    assert outbox.jobs()[0].next_s < now_s - 3.1e7, "a clock set back by a year"


@needs_dcmtk
def test_a_worklist_tells_who_is_scheduled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "worklists" / "RIS"
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for number, (name, day) in enumerate((("Wang^Xiaoming", "20260301"), ("Li^Na", "20260302"))):
        item = pydicom.Dataset()
        item.file_meta = pydicom.dataset.FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.file_meta.MediaStorageSOPClassUID = "1.2.276.0.7230010.3.1.0.1"
        item.file_meta.MediaStorageSOPInstanceUID = item.StudyInstanceUID = generate_uid()
        item.PatientName, item.PatientID, item.AccessionNumber = name, f"P{number}", f"A{number}"
        item.PatientBirthDate, item.PatientSex = "19600101", "M"
        item.RequestedProcedureDescription = "Seed implantation T12"
        item.RequestedProcedureID = "R1"
        step = pydicom.Dataset()
        step.Modality, step.ScheduledStationAETitle = "CT", "CT1"
        step.ScheduledProcedureStepStartDate = day
        step.ScheduledProcedureStepStartTime = "0930"
        step.ScheduledProcedureStepID = "S1"
        step.ScheduledProcedureStepDescription = "CT guidance"
        item.ScheduledProcedureStepSequence = [step]
        item.save_as(folder / f"{number}.wl", enforce_file_format=True)
    port = free_port()
    with running(["wlmscpfs", "-dfp", str(folder.parent), str(port)], "RIS", port):
        ask = ["worklist", "--from", f"RIS@127.0.0.1:{port}"]
        assert main([*ask, "--json"]) == 0
        both = json.loads(capsys.readouterr().out)
        assert [i["patient_name"] for i in both] == ["Wang^Xiaoming", "Li^Na"]
        assert both[0]["description"] == "Seed implantation T12"
        assert both[0]["starts"] == "20260301 0930"
        assert main([*ask, "--date", "20260302"]) == 0
        said = capsys.readouterr().out
        assert "Li^Na" in said
        assert "Wang" not in said
        assert main([*ask, "--date", "20270101"]) == 0
        assert "nobody is scheduled" in capsys.readouterr().out
        assert main([*ask, "--date", "tomorrow"]) == 2
        assert main(["worklist", "--from", f"OTHER@127.0.0.1:{port}"]) == 2
    capsys.readouterr()
    assert main(ask) == 2
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["PACS", "PACS@host", "@h:104", "PACS@h:0", "PACS@h:x"])
def test_a_peer_is_written_with_title_host_and_port(text: str) -> None:
    with pytest.raises(DeviceRefused):
        Peer.parsed(text)
    assert str(Peer.parsed("PACS@10.0.0.2:104")) == "PACS@10.0.0.2:104"
