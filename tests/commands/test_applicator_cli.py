"""The applicator from the command line, over a real pseudo-terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.applicator import ApplicatorLink, DeviceRecord, LinkStatus
from guidance.commands import main
from simulators.applicator import ApplicatorStation, Cut


@pytest.fixture
def station(tmp_path: Path) -> Iterator[ApplicatorStation]:
    with ApplicatorStation(tmp_path / "applicator", seed=3, speed=100.0) as found:
        found.insert_cartridge("C7", 12)
        found.attach_needle(4)
        yield found


@pytest.fixture
def url(station: ApplicatorStation, tmp_path: Path) -> list[str]:
    return ["--url", str(tmp_path / "applicator")]


def test_status(
    station: ApplicatorStation, url: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["applicator", *url, "--json", "status"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["cartridge"], said["remaining"], said["needle"]) == ("C7", 12, 4)
    assert said["serial_number"] == station.serial_number
    assert not said["armed"]
    assert main(["applicator", *url, "status"]) == 0
    assert "C7" in capsys.readouterr().out


def test_looking_acknowledges_nothing(
    station: ApplicatorStation, url: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What only was looked at is on no disk; the console must still get it."""
    assert main(["applicator", *url, "--json", "journal"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["eid"] for r in lines] == list(range(1, station.head_eid + 1))
    assert {"BOOT", "CART-IN", "NEEDLE"} <= {r["kind"] for r in lines}
    assert main(["applicator", *url, "watch", "--for-s", "0.5"]) == 0
    assert "CART-IN" in capsys.readouterr().out
    assert station.acked_eid == 0


def test_selftest_and_its_record(
    station: ApplicatorStation, url: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = station.head_eid
    assert main(["applicator", *url, "selftest"]) == 0
    assert "all is well" in capsys.readouterr().out
    assert station.head_eid > before


def test_resolve_what_is_unknown_and_nothing_else(
    station: ApplicatorStation, url: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["applicator", *url, "resolve", "2", "drop", "--who", "Dr Li"]) == 2
    assert "applicator" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["applicator", *url, "resolve", "2", "maybe", "--who", "Dr Li"])


def test_resolve_settles_a_stroke_that_the_power_left_unknown(
    station: ApplicatorStation, url: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log: list[DeviceRecord] = []
    heard: list[LinkStatus] = []

    def until(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)

    link = ApplicatorLink(url[1], record=log.append, heard=heard.append)
    link.start()
    try:
        until(lambda: bool(heard) and heard[-1].state == "up" and len(log) == station.head_eid)
        link.permit(1, 4, "C7", len(log), (0.0,))
        station.power_cut(Cut.SEED_PASSING)
        station.stroke()
        until(lambda: "UNKNOWN" in [r.kind for r in log])
    finally:
        link.close()
    eid = next(r.eid for r in log if r.kind == "UNKNOWN")
    assert main(["applicator", *url, "--json", "status"]) == 0
    assert json.loads(capsys.readouterr().out)["unresolved"] == 1
    assert main(["applicator", *url, "resolve", str(eid), "drop", "--who", "Dr Li"]) == 0
    capsys.readouterr()
    assert main(["applicator", *url, "--json", "status"]) == 0
    assert json.loads(capsys.readouterr().out)["unresolved"] == 0
    last = station.memory.records[-1]
    assert (last.kind, last.args) == ("RESOLVED", (str(eid), "DROP", "Dr_Li"))


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("guidance.commands.applicator.CONNECT_S", 0.5)
    assert main(["applicator", "--url", str(tmp_path / "nothing"), "status"]) == 2
    assert "no applicator at" in capsys.readouterr().err
    assert main(["applicator", "status"]) == 2
    assert "no applicator is configured" in capsys.readouterr().err
