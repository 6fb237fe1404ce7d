"""TLS: with certificates, without, with the wrong ones, and past a peer that says nothing."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE

from devices.dicom import Announcement, Listener, ListenerConfig, Tls
from devices.errors import DeviceBroken
from guidance.commands import main
from tests.devices.dicom.certificates import Authority
from tests.devices.dicom.test_listener import a_series, wait_for


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "hospital")


@pytest.fixture
def announced() -> list[Announcement]:
    return []


@pytest.fixture
def listener(
    tmp_path: Path, authority: Authority, announced: list[Announcement]
) -> Iterator[Listener]:
    tls = Tls(*authority.sign("seedguide"), authority.file)
    config = ListenerConfig(tmp_path / "store", 0, reserve_bytes=0, tls=tls)
    with Listener(config, announced.append) as running:
        yield running


def context(authority: Authority, files: tuple[Path, Path] | None) -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=str(authority.file))
    if files:
        found.load_cert_chain(*files)
    return found


def echoed(listener: Listener, tls: ssl.SSLContext | None) -> bool:
    entity = AE("CT1")
    entity.add_requested_context("1.2.840.10008.1.1")
    entity.connection_timeout = entity.acse_timeout = entity.network_timeout = 5
    association = entity.associate(
        "127.0.0.1",
        listener.port,
        ae_title="SEEDGUIDE",
        tls_args=(tls, "127.0.0.1") if tls else None,
    )
    if not association.is_established:
        return False
    status = association.send_c_echo().get("Status")
    association.release()
    return bool(status == 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_only_peers_of_the_authority_get_in(
    listener: Listener, authority: Authority, tmp_path: Path
) -> None:
    assert echoed(listener, context(authority, authority.sign("ct1")))
    assert not echoed(listener, None), "a plain connection"
    assert not echoed(listener, context(authority, None)), "no certificate"
    stranger = Authority(tmp_path, "stranger")
    assert not echoed(listener, context(authority, stranger.sign("ct2")))
    assert echoed(listener, context(authority, authority.sign("ct3")))


def test_a_silent_peer_blocks_no_handshake(listener: Listener, authority: Authority) -> None:
    tls = context(authority, authority.sign("ct1"))
    silent = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(20)]
    start = time.monotonic()
    assert echoed(listener, tls)
    assert time.monotonic() - start < 3
    for peer in silent:
        peer.close()


def test_peers_silent_after_the_handshake_keep_nobody_out(
    listener: Listener, authority: Authority
) -> None:
    """They take every place; none of them asks for an association."""
    tls = context(authority, authority.sign("ct1"))
    silent = [
        tls.wrap_socket(
            socket.create_connection(("127.0.0.1", listener.port)), server_hostname="127.0.0.1"
        )
        for _ in range(40)
    ]
    start = time.monotonic()
    while not echoed(listener, tls):
        time.sleep(0.2)
        assert time.monotonic() - start < 8
    for peer in silent:
        peer.close()


@pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed")
def test_dcmtk_sends_over_tls(
    listener: Listener, authority: Authority, announced: list[Announcement], tmp_path: Path
) -> None:
    certificate, key = authority.sign("ct1")
    command = ["storescu", "+tls", str(key), str(certificate), "+cf", str(authority.file)]
    command += ["-aec", "SEEDGUIDE", "+sd", "127.0.0.1", str(listener.port)]
    a_series(tmp_path / "scan", 4)
    subprocess.run([*command, str(tmp_path / "scan")], check=True, capture_output=True)
    wait_for(announced, 1)
    assert len(announced[0].files) == 4


def test_what_is_wrong_with_the_files_is_said(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, _ = authority.sign("a")
    _, other_key = authority.sign("b")
    for key in (other_key, tmp_path / "nowhere.key"):
        config = ListenerConfig(tmp_path / "store", 0, tls=Tls(certificate, key))
        with pytest.raises(DeviceBroken, match="TLS with"), Listener(config, lambda _: None):
            pass
    store = ["--store", str(tmp_path / "store"), "--port", "0"]
    assert main(["listen", *store, "--tls-cert", str(certificate)]) == 2
    assert "--tls-key" in capsys.readouterr().err
