import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidance.errors import BrokenError, RefusedError
from guidance.journal import Journal

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def test_records_come_back_in_order(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        for i in range(20):
            assert journal.append("a", "Thing", {"i": i}, at=NOW).number == i + 1
        journal.append("b", "Thing", {"i": -1}, at=NOW)
    with Journal(tmp_path / "j.sqlite") as journal:
        assert [r.payload["i"] for r in journal.records("a")] == list(range(20))
        assert [r.number for r in journal.records("a", after=17)] == [18, 19, 20]
        assert journal.cases() == ("a", "b")
        assert journal.verify("a").whole


def test_a_keyed_fact_is_recorded_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        first = journal.append("a", "Drop", {"eid": 7}, at=NOW, key="j:7")
        again = journal.append("a", "Drop", {"eid": 7}, at=datetime.now(UTC), key="j:7")
        assert again == first
        with pytest.raises(RefusedError, match="other words"):
            journal.append("a", "Drop", {"eid": 8}, at=NOW, key="j:7")
        assert len(journal.records("a")) == 1


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE record SET payload='{\"i\":9}' WHERE number=3", "record 3 "),
        ("UPDATE record SET at='2020-01-01T00:00:00+00:00' WHERE number=2", "record 2 "),
        ("UPDATE record SET kind='Other' WHERE number=5", "record 5 "),
        ("DELETE FROM record WHERE number=4", "record 4 is missing"),
        ("UPDATE record SET number=number+1 WHERE number=5", "record 5 is missing"),
    ],
)
def test_tampering_shows(tmp_path: Path, sql: str, fault: str) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        for i in range(5):
            journal.append("a", "Thing", {"i": i}, at=NOW)
    connection = sqlite3.connect(tmp_path / "j.sqlite")
    connection.execute(sql)
    connection.commit()
    connection.close()
    with Journal(tmp_path / "j.sqlite") as journal:
        assert journal.verify("a").fault.startswith(fault)


def test_a_second_writer_is_refused_but_a_reader_is_let_in(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.append("a", "Thing", {}, at=NOW)
        with pytest.raises(RefusedError, match=f"process {os.getpid()}"):
            Journal(tmp_path / "j.sqlite")
        with Journal(tmp_path / "j.sqlite", read_only=True) as reader:
            assert len(reader.records("a")) == 1


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_text("this is no database, " * 100)
    with pytest.raises(BrokenError, match="not a database"):
        Journal(tmp_path / "j.sqlite")
    with pytest.raises(RefusedError, match="no journal"):
        Journal(tmp_path / "none.sqlite", read_only=True)


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.append("a", "Thing", {"i": 0}, at=NOW)
        journal._connection.exec_driver_sql("PRAGMA max_page_count=8")
        journal._connection.rollback()
        with pytest.raises(BrokenError, match="full"):
            journal.append("a", "Thing", {"i": 1, "text": "x" * 400_000}, at=NOW)
        journal.append("a", "Thing", {"i": 1}, at=NOW)
    with Journal(tmp_path / "j.sqlite") as journal:
        records = journal.records("a")
        assert [r.payload["i"] for r in records] == list(range(len(records)))
        assert journal.verify("a").whole


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": object()}])
def test_only_json_goes_in(tmp_path: Path, payload: dict[str, object]) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        with pytest.raises(RefusedError, match="not JSON"):
            journal.append("a", "Thing", payload, at=NOW)
        with pytest.raises(RefusedError, match="no zone"):
            journal.append("a", "Thing", {}, at=NOW.replace(tzinfo=None))


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), _json, max_size=3), max_size=5))
def test_whatever_goes_in_comes_out(payloads: list[dict[str, object]]) -> None:
    with Journal("sqlite://") as journal:
        for payload in payloads:
            journal.append("a", "Thing", payload, at=NOW)
        got = [r.payload for r in journal.records("a")]
        assert json.dumps(got, sort_keys=True) == json.dumps(payloads, sort_keys=True)
        assert journal.verify("a").whole


def test_kill_9_loses_nothing_that_was_said_to_be_recorded(tmp_path: Path) -> None:
    writer = (
        "import sys; from datetime import UTC, datetime; from guidance.journal import Journal\n"
        "with Journal(sys.argv[1]) as j:\n"
        "    n = len(j.records('a'))\n"
        "    while True:\n"
        "        r = j.append('a', 'T', {'i': n}, at=datetime.now(UTC)); n += 1\n"
        "        print(r.number, flush=True)\n"
    )
    path = tmp_path / "j.sqlite"
    acknowledged = 0
    for kill_after in (1, 7, 23, 50):
        process = subprocess.Popen(
            [sys.executable, "-c", writer, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(kill_after):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait(timeout=10)
        process.stdout.close()
        acknowledged = int(rest[-1]) if rest and rest[-1].isdigit() else acknowledged
        with Journal(path) as journal:
            records = journal.records("a")
            assert len(records) in (acknowledged, acknowledged + 1)
            assert [r.payload["i"] for r in records] == list(range(len(records)))
            assert journal.verify("a").whole


def _journal_of(path: Path, records: int) -> None:
    with Journal(path) as journal:
        for i in range(records):
            journal.append("a", "Thing", {"i": i}, at=NOW, key=f"k{i}")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.6, 0.85, 0.999])
def test_a_journal_cut_anywhere_is_said_or_holds_a_whole_beginning(
    tmp_path: Path, share: float
) -> None:
    """A torn file never becomes a case with other contents."""
    path = tmp_path / "j.sqlite"
    _journal_of(path, 300)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    said = ""
    try:
        with Journal(path) as journal:
            records = journal.records("a")
            verification = journal.verify("a")
            said = verification.fault
            if verification.whole:
                assert [r.payload["i"] for r in records] == list(range(len(records)))
                assert not records, "a part of the file passes for the whole"
    except BrokenError as error:
        said = str(error)
    assert said or share == 0.0


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_torn_write_ahead_log_loses_only_what_was_torn(tmp_path: Path, share: float) -> None:
    """What a power cut leaves of the log: a whole beginning of what was recorded."""
    path, copy = tmp_path / "j.sqlite", tmp_path / "copy.sqlite"
    with Journal(path) as journal:
        for i in range(100):
            journal.append("a", "Thing", {"i": i}, at=NOW)
        log = path.with_name("j.sqlite-wal").read_bytes()
        copy.write_bytes(path.read_bytes())
        copy.with_name("copy.sqlite-wal").write_bytes(log[: int(share * len(log))])
    with Journal(copy) as journal:
        records = journal.records("a")
        assert [r.payload["i"] for r in records] == list(range(len(records)))
        assert 0 < len(records) < 100
        assert journal.verify("a").whole
        journal.append("a", "Thing", {"i": len(records)}, at=NOW)


def test_a_disk_that_became_read_only_is_said(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(path) as journal:
        journal.append("a", "Thing", {"i": 0}, at=NOW)
        journal._connection.exec_driver_sql("PRAGMA query_only=1")
        journal._connection.rollback()
        with pytest.raises(BrokenError, match="did not take the Thing record"):
            journal.append("a", "Thing", {"i": 1}, at=NOW)
        journal._connection.exec_driver_sql("PRAGMA query_only=0")
        journal._connection.rollback()
        assert journal.append("a", "Thing", {"i": 1}, at=NOW).number == 2


def test_ten_thousand_events_are_all_there_again(tmp_path: Path) -> None:
    """A long case resumes; how fast stands in the benchmarks."""
    from benchmarks.applicator import long_case
    from guidance.conductor.conductor import Conductor

    path = tmp_path / "j.sqlite"
    long_case(path, 10_000)
    with Journal(path) as journal:
        conductor = Conductor(journal, "long", lambda snapshot: None)
        assert conductor.state.number == 10_000
        assert conductor.state.device.eid == 10_000
