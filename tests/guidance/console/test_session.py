"""One case after the other in one session: nothing of the last one begins the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.dicom import Announcement
from guidance.console.frontdesk import FrontDesk
from guidance.console.session import Session, SessionOptions
from guidance.errors import RefusedError
from guidance.journal import Journal
from guidance.procedure.acts import Patient
from guidance.procedure.events import DeviceRecorded
from guidance.procedure.snapshot import Snapshot


def announce(store: Path, number: int, patient: str, modality: str = "MR") -> None:
    """Say what the listener would say of a series; nobody reads its files here."""
    series = store / f"1.2.{number}"
    said = Announcement(
        number, "2026-03-05T09:00:00+00:00", modality, patient, "1.1", series.name, "1.3", "",
        series, (series / "1.dcm",), "release",
    )  # fmt: skip
    with (store / "announcements.jsonl").open("a") as file:
        file.write(said.as_line() + "\n")


def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def options(tmp_path: Path) -> SessionOptions:
    (tmp_path / "store").mkdir()
    return SessionOptions(tmp_path / "store", str(tmp_path / "journal.sqlite"), case_id="first")


@pytest.fixture
def session(options: SessionOptions) -> Iterator[Session]:
    with Session(options) as found:
        yield found


def arrived(session: Session) -> list[tuple[int, str]]:
    """What the case that runs took, in order: announcement and patient."""
    with Journal(session.options.journal, read_only=True) as journal:
        records = journal.records(session.case_id)
    return [
        (int(r.payload["number"]), str(r.payload["patient_id"]))
        for r in records
        if r.kind == "SeriesReceived"
    ]


def begin(session: Session, **patient: str) -> None:
    session.desk.open_another_case("Dr Example", Patient(**patient)).result(timeout=20)


def test_another_case_is_opened_for_its_patient_and_the_first_stays(session: Session) -> None:
    session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
    begin(session, patient_id="B", patient_name="Li^Na", accession_number="A2")
    assert session.case_id != "first"
    state = session.conductor.state
    assert (state.patient_id, state.patient_name, state.accession_number) == ("B", "Li^Na", "A2")
    # The acts are those of the new case.
    session.desk.note_course("10x3", "Dr Example").result(timeout=5)
    assert session.conductor.state.courses == ("10x3",)
    until(lambda: (shown := session.mailbox.take(0.1)) and shown.case_id == session.case_id)
    with Journal(session.options.journal, read_only=True) as journal:
        assert journal.cases() == ("first", session.case_id)
        assert [r.kind for r in journal.records("first")] == ["CaseOpened"]


def test_the_next_case_takes_its_own_patients_series_and_not_the_last_ones(
    session: Session,
) -> None:
    store = session.options.store
    session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
    announce(store, 1, "A")
    announce(store, 2, "B")  # sent early, while the first case runs
    until(lambda: len(arrived(session)) == 2)
    begin(session, patient_id="B")
    announce(store, 3, "B")
    until(lambda: len(arrived(session)) == 2)
    assert sorted(arrived(session)) == [(2, "B"), (3, "B")]
    assert session.conductor.state.questions == (), "the first patient's series are no strangers"


def test_a_case_of_nobody_yet_waits_with_what_is_old_until_it_knows_whose_it_is(
    options: SessionOptions,
) -> None:
    store = options.store
    with Session(options) as session:
        session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
        announce(store, 1, "A")
        announce(store, 2, "B")
        until(lambda: len(arrived(session)) == 2)
        begin(session)
        announce(store, 3, "B")
        until(lambda: arrived(session))
        assert arrived(session) == [(3, "B")]
        case_id = session.case_id
    # A restart forgets nothing of what waits, and takes nothing twice.
    with Session(replace(options, case_id=case_id)) as again:
        announce(store, 4, "B")
        until(lambda: len(arrived(again)) == 2)
        assert arrived(again) == [(3, "B"), (4, "B")]
    with Session(replace(options, case_id="third")) as third:
        time.sleep(0.2)
        assert arrived(third) == []
        third.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
        until(lambda: arrived(third))
        assert arrived(third) == [(1, "A")]


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ((("ARM", "1", "1", "A17", "3"),), "permit is in force"),
        ((("ARM", "1", "1", "A17", "3"), ("UNKNOWN", "1", "1")), "outcome of a stroke"),
    ],
)
def test_a_case_is_not_left_while_the_applicator_is_not_at_rest(
    session: Session, records: tuple[tuple[str, ...], ...], why: str
) -> None:
    session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
    for eid, (kind, *args) in enumerate(records, start=1):
        fact = DeviceRecorded("J1", eid, 1, eid, kind, tuple(args))
        session.conductor.offer(fact).result(timeout=5)
    answer = session.desk.open_another_case("Dr Example", Patient("B"))
    with pytest.raises(RefusedError, match=why):
        answer.result(timeout=10)
    assert session.case_id == "first"
    session.desk.note_course("10x3", "Dr Example").result(timeout=5)


def test_nobody_unnamed_opens_another_case(session: Session) -> None:
    session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
    with pytest.raises(RefusedError, match="named person"):
        session.desk.open_another_case("  ", Patient("B")).result(timeout=10)
    assert session.case_id == "first"


def test_between_two_cases_every_act_is_refused() -> None:
    desk = FrontDesk(lambda _by, _patient: pytest.fail("nobody begins"))
    with pytest.raises(RefusedError, match="no case is open at this moment"):
        desk.open_case("Dr Example").result(timeout=1)
    with pytest.raises(RefusedError, match="no case is open at this moment"):
        desk.permit(1, 1, "Dr Example").result(timeout=1)


def test_two_changes_at_once_are_one() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(_by: str, _patient: Patient) -> None:
        begun.set()
        go_on.wait(10)

    desk = FrontDesk(slowly)  # type: ignore[arg-type]
    first = desk.open_another_case("Dr Example")
    assert begun.wait(5)
    with pytest.raises(RefusedError, match="being opened already"):
        desk.open_another_case("Dr Example").result(timeout=5)
    go_on.set()
    first.result(timeout=5)


def test_what_leaves_a_later_case_has_a_folder_of_its_own(
    options: SessionOptions, tmp_path: Path
) -> None:
    with Session(replace(options, out=tmp_path / "out")) as session:
        session.desk.open_case("Dr Example", Patient("A")).result(timeout=5)
        begin(session, patient_id="B")
        assert session.folder("first") == tmp_path / "out"
        assert session.folder(session.case_id) == tmp_path / "out" / session.case_id
        at = session.conductor.state.at
        session.export(Snapshot(1, at, "first"))
        session.export(Snapshot(1, at, session.case_id))
    assert (tmp_path / "out" / session.case_id / "journal.jsonl").exists()
