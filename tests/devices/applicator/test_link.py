"""The link on a real pseudo-terminal: bad cables, pulled plugs, power cuts, a host that dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices.applicator import ApplicatorLink, DeviceRecord, LinkStatus
from devices.errors import DeviceBroken, DeviceError, DeviceRefused
from simulators.applicator import ApplicatorStation, Cut, Outcome
from simulators.line import CableFaults

BAD_CABLE = CableFaults(
    loss=0.002, insertion=0.001, flip=0.002, split=0.05, duplicate=0.02, replay=0.02, delay_s=0.002
)


class Host:
    """What a console does with the link: keeps every record, once."""

    def __init__(self, link: Path, log: list[DeviceRecord] | None = None) -> None:
        self.log = [] if log is None else log
        self.statuses: list[LinkStatus] = []
        self.refuse_records = False
        self._fresh = threading.Condition()
        position = (self.log[-1].jid, self.log[-1].eid) if self.log else None
        self.link = ApplicatorLink(
            str(link), record=self._record, heard=self._heard, position=position
        )
        self.permits = self.log[-1].eid if self.log else 0

    def _record(self, record: DeviceRecord) -> None:
        if self.refuse_records:
            raise OSError("the disk is full")
        with self._fresh:
            self.log.append(record)
            self._fresh.notify_all()

    def _heard(self, status: LinkStatus) -> None:
        with self._fresh:
            self.statuses.append(status)
            self._fresh.notify_all()

    @property
    def state(self) -> str:
        return self.statuses[-1].state if self.statuses else "connecting"

    def wait(self, what: Callable[[], bool], timeout_s: float = 15.0) -> None:
        with self._fresh:
            assert self._fresh.wait_for(what, timeout_s)

    def permit(self, station: ApplicatorStation, count: int, needle: int = 1) -> None:
        """Permit as a person would: again, when the line garbled it."""
        until = time.monotonic() + 20
        while not station.armed:
            assert time.monotonic() < until
            self.wait(lambda: self.state == "up" and len(self.log) == station.head_eid)
            self.permits += 1
            try:
                self.link.permit(self.permits, needle, "C1", len(self.log), (0.0,) * count)
            except DeviceRefused as error:
                if "already" not in str(error) and "not read" not in str(error):
                    raise
            except DeviceError:
                pass
            time.sleep(0.05)

    def resolve(self, eid: int) -> None:
        """Say what became of a stroke; again, when the device had just restarted."""
        until = time.monotonic() + 20
        while True:
            self.wait(lambda: self.state == "up")
            try:
                self.link.resolve(eid, "DROP", "Dr Li")
            except DeviceBroken:
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return

    def kinds(self) -> list[str]:
        return [r.kind for r in self.log]


@contextmanager
def connected(host: Host) -> Iterator[Host]:
    host.link.start()
    try:
        yield host
    finally:
        host.link.close()


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return tmp_path / "applicator"


def loaded(wire: Path, **other: object) -> ApplicatorStation:
    station = ApplicatorStation(wire, seed=1, speed=100.0, **other)  # type: ignore[arg-type]
    station.__enter__()
    station.insert_cartridge("C1", 10)
    station.attach_needle(1)
    return station


def dropped(host: Host) -> int:
    return sum({"DROP": 1, "DOUBLE": 2}.get(k, 0) for k in host.kinds())


def arrived(host: Host, station: ApplicatorStation) -> None:
    """Everything the device has is here, once and in order."""
    host.wait(lambda: len(host.log) >= station.head_eid)
    assert [r.eid for r in host.log] == list(range(1, station.head_eid + 1))


def test_seeds_are_permitted_dropped_and_counted(wire: Path) -> None:
    station = loaded(wire)
    try:
        with connected(Host(wire)) as host:
            host.permit(station, 3)
            outcomes = [station.stroke() for _ in range(4)]
            assert outcomes == [Outcome.DELIVERED] * 3 + [Outcome.LOCKED]
            arrived(host, station)
            assert dropped(host) == 3
            host.wait(lambda: host.statuses[-1].acked_eid == station.head_eid)
            with pytest.raises(DeviceRefused, match="not on this needle"):
                host.link.permit(100, 9, "C1", len(host.log), (0.0,))
        assert not station.armed
    finally:
        station.__exit__()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bad_cable_loses_and_doubles_nothing(wire: Path, seed: int) -> None:
    station = ApplicatorStation(wire, seed=seed, speed=100.0, cable=BAD_CABLE)
    with station, connected(Host(wire)) as host:
        station.insert_cartridge("C1", 10)
        station.attach_needle(1)
        left = 0
        for _ in range(4):
            host.permit(station, 2)
            left += sum(station.stroke() is Outcome.DELIVERED for _ in range(2))
        arrived(host, station)
        assert dropped(host) == left == 10 - (station.remaining or 0)


@pytest.mark.parametrize("cut", list(Cut))
def test_a_power_cut_anywhere_in_a_stroke(wire: Path, cut: Cut) -> None:
    station = loaded(wire)
    try:
        with connected(Host(wire)) as host:
            host.permit(station, 3)
            station.power_cut(cut)
            station.stroke()
            host.wait(lambda: host.kinds().count("BOOT") == 2)
            arrived(host, station)
            assert not station.armed
            gone = 10 - (station.remaining or 0)
            unknown = host.kinds().count("UNKNOWN")
            assert dropped(host) <= gone <= dropped(host) + unknown
            assert unknown == (1 if cut is Cut.SEED_PASSING else 0)
            if unknown:
                record = next(r for r in host.log if r.kind == "UNKNOWN")
                host.resolve(record.eid)
                arrived(host, station)
                assert host.log[-1].args == (str(record.eid), "DROP", "Dr_Li")
            host.permit(station, 1)
            assert station.stroke() is Outcome.DELIVERED
    finally:
        station.__exit__()


def test_a_pulled_plug_comes_back_under_another_name(wire: Path) -> None:
    station = loaded(wire)
    try:
        with connected(Host(wire)) as host:
            host.permit(station, 3)
            station.unplug()
            host.wait(lambda: host.state == "lost")
            assert not station.armed
            with pytest.raises(DeviceBroken, match="nothing was sent"):
                host.link.permit(99, 1, "C1", len(host.log), (0.0,))
            station.replug()
            host.wait(lambda: host.state == "up")
            host.permit(station, 1)
            assert station.stroke() is Outcome.DELIVERED
            arrived(host, station)
    finally:
        station.__exit__()


def test_a_record_that_cannot_be_kept_is_not_acknowledged_and_comes_again(wire: Path) -> None:
    station = loaded(wire)
    try:
        with connected(Host(wire)) as host:
            host.permit(station, 2)
            host.wait(lambda: len(host.log) == station.head_eid == station.acked_eid)
            known = len(host.log)
            host.refuse_records = True
            assert station.stroke() is Outcome.DELIVERED
            host.wait(lambda: host.state == "lost")
            assert "could not be kept: the disk is full" in host.statuses[-1].detail
            assert station.acked_eid == known
            host.refuse_records = False
            host.wait(lambda: dropped(host) == 1)
            arrived(host, station)
    finally:
        station.__exit__()


def test_a_host_that_restarts_reads_on_where_its_disk_ends(wire: Path, tmp_path: Path) -> None:
    station = loaded(wire, memory=tmp_path / "memory")
    try:
        with connected(Host(wire)) as host:
            host.permit(station, 3)
            assert station.stroke() is Outcome.DELIVERED
            arrived(host, station)
        # The last record reached the host's memory, but not its disk.
        log = host.log[:-1]
        station.remove_cartridge()
        with connected(Host(wire, log)) as again:
            arrived(again, station)
            assert dropped(again) == 1
    finally:
        station.__exit__()


def test_the_link_is_up_when_everything_before_it_was_read(wire: Path) -> None:
    """Nobody permits on a picture from before the plug was pulled."""
    station = loaded(wire)
    try:
        for n in range(30):
            station.retract(5.0 * (n % 3))
        host = Host(wire)
        read: list[int] = []
        host.link._heard = lambda s: read.append(len(host.log)) if s.state == "up" else None
        with connected(host):
            host.wait(lambda: len(host.log) >= station.head_eid)
            until = time.monotonic() + 10
            while not read and time.monotonic() < until:
                time.sleep(0.01)
        assert read[0] >= 30
    finally:
        station.__exit__()


def test_another_journal_holds_until_a_person_has_reconciled(wire: Path) -> None:
    station = loaded(wire)
    try:
        stranger = DeviceRecord("AAAAAAAAAAAA", 3, 1, 0, "NEEDLE", ("1",))
        with connected(Host(wire, [stranger])) as host:
            host.wait(lambda: host.state == "refused")
            assert "Reconcile the count by hand" in host.statuses[-1].detail
            with pytest.raises(DeviceRefused, match="another applicator"):
                host.link.permit(1, 1, "C1", 3, (0.0,))
    finally:
        station.__exit__()


def test_another_version_is_read_but_not_armed(wire: Path) -> None:
    station = loaded(wire, protocol="2.0")
    try:
        with connected(Host(wire)) as host:
            host.wait(lambda: host.state == "refused")
            arrived(host, station)
            with pytest.raises(DeviceRefused, match=r"version 2\.0"):
                host.link.permit(1, 1, "C1", len(host.log), (0.0,))
    finally:
        station.__exit__()


def test_nobody_there(wire: Path) -> None:
    with connected(Host(wire)) as host:
        host.wait(lambda: host.state == "lost")
        assert "cannot be opened" in host.statuses[-1].detail
