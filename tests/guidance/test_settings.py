"""Settings change in the file and nowhere else in it, all or nothing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.commands import main
from guidance.configuration import Configuration, load_configuration
from guidance.configuration_file import changed, keep
from guidance.errors import BrokenError, RefusedError
from guidance.settings import Effect, Origin, Settings

FILE = """\
# The site's settings: Dr Li, 2026.
[listener]
port = 11113   # the scanner's second port
allow = [
    "CT1@10.0.0.5",  # the scanner
    "PACS@10.0.0.2",
]

[screen]
language = "en"  # until the new nurses come
keys = ["act=F13"]

[protocol]
clearance_mm = 12.0
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "seedguide.toml"
    path.write_text(FILE)
    return path


def settings(path: Path | None, **given_: str) -> Settings:
    given_ = {key.replace("__", "."): value for key, value in given_.items()}
    return Settings(path, load_configuration(path), given_)


def test_one_value_changes_and_every_other_byte_stays() -> None:
    assert changed(FILE, "screen", "language", "zh") == FILE.replace(
        'language = "en"', 'language = "zh"'
    )
    assert changed(FILE, "screen", "keys", ("act=F13", "stop=F14")) == FILE.replace(
        '["act=F13"]', '["act=F13", "stop=F14"]'
    )


def test_a_value_over_many_lines_is_replaced_whole() -> None:
    new = changed(FILE, "listener", "allow", ("CT2@10.0.0.6",))
    assert 'allow = ["CT2@10.0.0.6"]\n\n[screen]' in new
    assert "CT1" not in new
    assert "port = 11113   # the scanner's second port" in new


def test_a_value_that_is_not_there_joins_its_table_and_a_table_the_file() -> None:
    assert "[protocol]\nresidual_mm = 1.5\nclearance_mm" in changed(
        FILE, "protocol", "residual_mm", 1.5
    )
    assert changed(FILE, "worklist", "peer", "RIS@h:104") == (
        FILE + '\n[worklist]\npeer = "RIS@h:104"\n'
    )
    assert changed("", "screen", "language", "zh") == '[screen]\nlanguage = "zh"\n'


@pytest.mark.parametrize(
    "text",
    [
        'screen = { language = "en" }\n',
        'screen.language = "en"\n',
        '[listener]\nstore = """\n[screen]\n"""\n[screen]\nlanguage = "en"\n',
    ],
)
def test_what_is_written_in_a_way_not_foreseen_is_refused_and_not_guessed_at(text: str) -> None:
    tomllib.loads(text)
    with pytest.raises(RefusedError, match=r"screen.language cannot be changed here"):
        changed(text, "screen", "language", "zh")


@given(st.text(), st.lists(st.text(), max_size=4), st.floats(allow_nan=False, allow_infinity=False))
def test_any_value_is_read_back_as_it_was_written(
    text: str, texts: list[str], number: float
) -> None:
    for key, value in (("a", text), ("b", tuple(texts)), ("c", number), ("d", bool(texts))):
        try:
            new = changed(FILE, "screen", key, value)
        except RefusedError:
            # A character that TOML does not take as it stands; never a wrong value.
            continue
        read = tomllib.loads(new)
        assert read["screen"].pop(key) == (list(value) if isinstance(value, tuple) else value)
        assert read == tomllib.loads(FILE)


def test_a_bad_value_leaves_the_file_as_it_is(path: Path) -> None:
    with pytest.raises(RefusedError, match=r"seedguide.toml: worklist.peer must be AET@HOST:PORT"):
        keep(path, "worklist", "peer", "nobody")
    assert path.read_text() == FILE


def test_a_disk_that_does_not_take_it_leaves_the_file_as_it_is(path: Path) -> None:
    full = OSError(28, "No space left on device")
    for step in ("fsync", "fdopen"):
        with (
            patch(f"guidance.configuration_file.os.{step}", side_effect=full),
            pytest.raises(BrokenError, match="was not changed: No space left"),
        ):
            keep(path, "screen", "language", "zh")
        assert path.read_text() == FILE
    assert [p.name for p in path.parent.iterdir()] == [path.name], "nothing is left lying about"


def test_a_link_and_the_rights_of_the_file_stay(tmp_path: Path, path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    keep(link, "screen", "language", "zh")
    assert link.is_symlink()
    assert load_configuration(path).screen.language == "zh"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_may_not_be_written_is_said(path: Path) -> None:
    """Told to the program by the system: root, who may write everywhere, can run this too."""
    refused = PermissionError(13, "Permission denied")
    with (
        patch("guidance.configuration_file.tempfile.mkstemp", side_effect=refused),
        pytest.raises(BrokenError, match="was not changed: Permission denied"),
    ):
        keep(path, "screen", "language", "zh")
    assert path.read_text() == FILE


def test_each_setting_says_where_it_comes_from_and_when_a_change_holds(path: Path) -> None:
    found = settings(path, applicator__url="/dev/ttyUSB0")
    rows = {row.key: row for row in found.rows}
    assert rows["protocol.clearance_mm"].origin is Origin.FILE
    assert rows["protocol.clearance_mm"].text == "12"
    assert rows["protocol.clearance_mm"].effect is Effect.BY_HAND
    assert rows["protocol.residual_mm"].origin is Origin.DEFAULT
    assert rows["applicator.url"].origin is Origin.COMMAND_LINE
    assert rows["applicator.url"].text == "/dev/ttyUSB0"
    assert rows["listener.allow"].text == "CT1@10.0.0.5, PACS@10.0.0.2"
    assert rows["modelled.on"].text == "no"
    assert rows["screen.language"].effect is Effect.AT_ONCE
    assert {key.partition(".")[0] for key in rows} == {
        "listener", "applicator", "journal", "sources", "screen", "protocol", "ct", "modelled",
        "worklist",
    }  # fmt: skip


def test_a_change_is_kept_and_says_that_it_waits_for_a_restart(path: Path) -> None:
    found = settings(path)
    kept = found.change("worklist.peer", " RIS@10.0.0.3:104 ")
    assert (kept.value, kept.origin, kept.waits) == ("RIS@10.0.0.3:104", Origin.FILE, True)
    assert load_configuration(path).worklist.peer == "RIS@10.0.0.3:104"
    assert not found.change("screen.language", "zh").waits
    assert found.change("modelled.on", "yes").value is True
    assert found.of("modelled.on").text == "yes"
    assert load_configuration(path).modelled.on


@pytest.mark.parametrize(
    ("key", "typed", "why"),
    [
        ("protocol.clearance_mm", "5", "changed in the file alone"),
        ("listener.port", "1", "changed in the file alone"),
        ("applicator.url", "/dev/x", "changed in the file alone"),
        ("screen.colour", "red", "there is no setting"),
        ("worklist.answer_s", "soon", "must be a number"),
        ("worklist.answer_s", "0", "must be 1 to 120"),
        ("modelled.on", "maybe", "yes or no"),
    ],
)
def test_what_may_not_be_changed_or_is_no_good_is_refused(
    path: Path, key: str, typed: str, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        settings(path).change(key, typed)
    assert path.read_text() == FILE


def test_without_a_file_nothing_is_kept() -> None:
    with pytest.raises(RefusedError, match="--config FILE"):
        Settings(None, Configuration()).change("screen.language", "zh")


def test_the_site_may_use_what_is_enabled_and_what_it_commissioned() -> None:
    usable = {m.model for m in Configuration().sources.usable()}
    assert "6711" in usable
    assert all(m.tier == "A" for m in Configuration().sources.usable())


def test_the_command_line_shows_and_changes_what_the_screen_does(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["settings", "--config", str(path)]
    assert main([*ask, "--set", "screen.language=zh", "--set", "modelled.on=yes", "--json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["screen.language"] == {
        "key": "screen.language", "value": "zh", "from": "file", "changes": "at once",
    }  # fmt: skip
    assert load_configuration(path).modelled.on
    assert main(ask) == 0
    assert "protocol.clearance_mm" in capsys.readouterr().out
    assert main([*ask, "--set", "protocol.clearance_mm=1"]) == 2
    assert "in the file alone" in capsys.readouterr().err
    assert main([*ask, "--set", "screen.language"]) == 2
    assert "write KEY=VALUE" in capsys.readouterr().err
