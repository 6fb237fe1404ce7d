from pathlib import Path

import pytest

from devices.dicom import ListenerConfig
from guidance.commands import main
from guidance.configuration import Configuration, load_configuration
from guidance.errors import RefusedError


def test_defaults_stay_on_loopback() -> None:
    assert load_configuration(None) == Configuration()
    assert Configuration().listener.host == "127.0.0.1"


def test_a_file_overrides_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "seedguide.toml"
    path.write_text('[listener]\nport = 4242\nallow = ["CT1@10.0.0.7"]\n[sources]\n')
    settings = load_configuration(path)
    assert (settings.listener.port, settings.listener.allow) == (4242, ("CT1@10.0.0.7",))
    assert settings.journal == Configuration().journal


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[listner]\n", r"\[listner\] is not known"),
        ("[listener]\nprt = 1\n", "listener.prt is not known"),
        ('[listener]\nport = "x"\n', "listener.port must be a whole number"),
        ("[listener]\nport = true\n", "listener.port must be a whole number"),
        ("[listener]\nport = 99999\n", "listener.port must be 1 to 65535"),
        ('[listener]\nae_title = "MUCH TOO LONG A TITLE"\n', "1 to 16 characters"),
        ("[listener]\nquiet_s = 0\n", "listener.quiet_s must be 0.1 to 60"),
        ('[worklist]\npeer = "RIS at 10.0.0.2"\n', "worklist.peer must be AET@HOST:PORT"),
        ('[worklist]\npeer = "RIS@host:0"\n', "worklist.peer must be AET@HOST:PORT"),
        ("[worklist]\nanswer_s = 0\n", "worklist.answer_s must be 1 to 120"),
        ("[sources]\ncommissioned = [1]\n", "must be a list of texts"),
        ("[modelled]\nuncertainty_percent = 0\n", "modelled.uncertainty_percent must be 0.1 to 50"),
        ("[modelled]\nspacing_mm = 9\n", "modelled.spacing_mm must be 0.5 to 5"),
        ("listener = 3\n", "must be a table"),
        ("[listener\n", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "seedguide.toml"
    path.write_text(text)
    with pytest.raises(RefusedError, match=words):
        load_configuration(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"nothere.toml cannot be read"):
        load_configuration(tmp_path / "nothere.toml")


class Heard(Exception):  # noqa: N818
    """Ends a command where it would begin to listen."""


def test_the_listener_waits_as_long_as_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hear(config: ListenerConfig, _announce: object) -> None:
        raise Heard(config.quiet_s)

    path = tmp_path / "seedguide.toml"
    path.write_text(f'[listener]\nquiet_s = 2\nstore = "{tmp_path}"\n')
    monkeypatch.setattr("devices.dicom.Listener", hear)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    listen = ["listen", "--config", str(path)]
    for arguments, expected in ((listen, 2.0), ([*listen, "--quiet-s", "7"], 7.0)):
        with pytest.raises(Heard) as heard:
            main(arguments)
        assert heard.value.args == (expected,)
