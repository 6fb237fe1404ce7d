"""Both sides' codecs: what damaged bytes may do, and that they agree."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.applicator.frame import BODY_BYTES, LineCutter, encode
from devices.applicator.frame import decode as host_decode
from devices.errors import DeviceRefused
from simulators.firmware import frame as firmware

WORD = st.text(string.ascii_letters + string.digits + "-.", min_size=1, max_size=12)
WORDS = st.lists(WORD, min_size=1, max_size=8)


@given(WORDS)
def test_both_sides_write_and_read_the_same_line(words: list[str]) -> None:
    line = encode(*words)
    assert line == firmware.encode(" ".join(words))
    assert host_decode(line[:-1]) == tuple(words)
    assert firmware.decode(line[:-1]) == " ".join(words)


@given(WORDS, st.data())
def test_one_or_two_damaged_bytes_drop_the_line(words: list[str], data: st.DataObject) -> None:
    line = bytearray(encode(*words)[:-1])
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(line) - 1))
        line[at] ^= data.draw(st.integers(1, 255))
    if bytes(line) == encode(*words)[:-1]:
        return
    assert host_decode(bytes(line)) is None
    assert firmware.decode(bytes(line)) is None


@given(st.lists(WORDS, min_size=1, max_size=5), st.binary(max_size=30), st.data())
def test_lines_are_found_however_the_bytes_come(
    lines: list[list[str]], rubbish: bytes, data: st.DataObject
) -> None:
    stream = rubbish.replace(b"\n", b"") + b"\n" + b"".join(encode(*words) for words in lines)
    cutter, reader = LineCutter(), firmware.LineReader()
    ours: list[tuple[str, ...]] = []
    theirs: list[str] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        ours += cutter.feed(stream[:size])
        theirs += reader.feed(stream[:size])
        stream = stream[size:]
    assert ours == [tuple(words) for words in lines]
    assert theirs == [" ".join(words) for words in lines]


def test_an_endless_line_is_forgotten_and_the_next_one_read() -> None:
    cutter, reader = LineCutter(), firmware.LineReader()
    for feed in (cutter.feed, reader.feed):
        assert feed(b"x" * 5000) == []
    assert cutter.feed(b"\n" + encode("A", "1")) == [("A", "1")]
    assert reader.feed(b"\n" + encode("A", "1")) == ["A 1"]
    assert cutter.dropped == reader.dropped == 1


@pytest.mark.parametrize("words", [("",), ("a b",), ("é",), ("x" * (BODY_BYTES + 1),), ("a\n",)])
def test_what_has_no_form_on_the_wire_is_refused(words: tuple[str, ...]) -> None:
    if words == ("a b",):
        assert host_decode(encode(*words)[:-1]) == ("a", "b")
        return
    with pytest.raises(DeviceRefused, match="cannot be sent"):
        encode(*words)
