"""One association of pynetdicom, without its waiting and copying, and with bounds.

pynetdicom reads the socket 4 kB at a time, and both of its loops sleep a millisecond before they
look for what has come meanwhile: some 3 ms of every slice. Here the socket is read into one
buffer, and the association's loop waits on its queue instead. The library also takes as much
memory as a peer announces or sends, and measures its times by a clock that somebody may set.
Nothing else of it is touched, and nothing for anybody else; ``tests/devices/dicom/test_pace.py``
fails when it no longer has what is used here.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.timer import Timer

# More than any PDU of ours or of a peer that keeps to the length we ask for; a longer one is an
# attack on the memory.
LARGEST_PDU_BYTES = (1 << 20) + (1 << 16)
LARGEST_COMMAND_BYTES = 64 << 10
# Objects that several peers have begun and not ended may take so much memory together.
LARGEST_TOGETHER_BYTES = 1 << 30
# An object smaller than this is never in anybody's way.
SMALL_BYTES = 8 << 20
# How long the association's loop waits for a message before it looks for a release or an abort.
LOOK_S = 0.005
# Sleep of the network loop when nothing has come.
NETWORK_S = 0.0003


def quicken(
    association: Any,
    *,
    largest_object_bytes: int,
    pdu_s: float,
    others: Callable[[], Sequence[Any]] = tuple,
) -> None:
    """Make an association faster, and safe from peers without measure; call it when it opens.

    Args:
        association: of pynetdicom; gets ``heard_s``, the monotonic time of its last PDU.
        largest_object_bytes: a longer data set ends the association.
        pdu_s: a PDU that takes longer to come ends it too.
        others: returns all associations that are open, this one too.
    """
    association.heard_s = time.monotonic()
    network, dimse = association.dul, association.dimse
    _wake(network, dimse)
    network.socket.recv = partial(_receive, network.socket, association, pdu_s)
    network._run_loop_delay = NETWORK_S
    network.artim_timer = SteadyTimer(network.artim_timer.timeout)
    network._idle_timer = SteadyTimer(network._idle_timer.timeout)
    dimse.get_msg = partial(_next_message, dimse)
    original = dimse.receive_primitive

    def take(primitive: Any) -> None:
        _await_turn(association)
        if _is_beyond_measure(dimse.message, largest_object_bytes):
            end(association)
            return
        if (crowding := _crowding(association, others)) is not None:
            end(crowding)
            if crowding is association:
                return
        original(primitive)

    dimse.receive_primitive = take


def _wake(network: Any, dimse: Any) -> None:
    """Let a release or an abort end the wait for a message: a series is whole that much sooner."""
    put = network.to_user_queue.put

    def told(primitive: Any) -> None:
        put(primitive)
        dimse.msg_queue.put((None, None))

    network.to_user_queue.put = told


class SteadyTimer(Timer):
    """pynetdicom's timer, running when somebody sets the clock."""

    @property
    def remaining(self) -> float:
        """Seconds until it expires."""
        if self.timeout is None:
            return 1
        if self._start_time is None:
            return self.timeout
        end_s = time.monotonic() if self._end_time is None else self._end_time
        return self.timeout - (end_s - self._start_time)

    def start(self) -> None:
        """Start, or start anew."""
        self._start_time, self._end_time = time.monotonic(), None

    def stop(self) -> None:
        """Stop."""
        self._end_time = time.monotonic()


def _receive(socket: Any, association: Any, pdu_s: float, wanted: int) -> bytearray:
    """Read so many bytes, fewer only where the connection ends.

    Raises:
        OSError: too many were announced, they take too long, or we closed the connection.
    """
    connection = socket.socket
    if connection is None:
        raise OSError("the connection was closed")
    if wanted > LARGEST_PDU_BYTES:
        raise OSError(f"a PDU of {wanted} bytes was announced")
    buffer = bytearray(wanted)
    view = memoryview(buffer)
    there = 0
    end_s = time.monotonic() + pdu_s
    while there < wanted:
        count = connection.recv_into(view[there:])
        if not count:
            break
        there += count
        if time.monotonic() > end_s:
            raise OSError(f"a PDU took longer than {pdu_s:g} s to come")
    association.heard_s = time.monotonic()
    view.release()
    del buffer[there:]
    return buffer


def _next_message(dimse: Any, block: bool = False) -> tuple[Any, Any]:
    """Return the next message; (None, None) if none comes soon."""
    timeout_s = dimse.dimse_timeout if block else LOOK_S
    try:
        found: tuple[Any, Any] = dimse.msg_queue.get(timeout=timeout_s)
    except queue.Empty:
        return None, None
    return found


def end(association: Any) -> None:
    """Abort an association and close its connection at once, whatever is still on its way.

    The library would go on reading, and throwing away, until the other side lets go or a timer
    ends (PS3.8 state 13): as long as somebody likes to send.
    """
    abort = A_ABORT_RQ()
    abort.source, abort.reason_diagnostic = 0x02, 0x06  # PS3.8 table 9-26: invalid parameter
    association.dul.socket.send(abort.encode())
    association.dul.socket.close()
    association.dimse.message = None


def _await_turn(association: Any) -> None:
    """Read no further while a whole message waits; without asking for more, one is the rule.

    PS3.7 annex D.3.3.3: only who negotiated it may have several operations under way.
    """
    while association.dimse.msg_queue.qsize() and not association._kill:
        time.sleep(NETWORK_S)


def _is_beyond_measure(message: Any, largest_bytes: int) -> bool:
    return message is not None and (
        _size(message) > largest_bytes or message.encoded_command_set.tell() > LARGEST_COMMAND_BYTES
    )


def _crowding(association: Any, others: Callable[[], Sequence[Any]]) -> Any:
    """Return the association with the largest unfinished object, if all need too much."""
    own = association.dimse.message
    if own is None or _size(own) <= SMALL_BYTES:
        return None
    begun = [(m, a) for a in others() if (m := a.dimse.message) is not None]
    sizes = [_size(message) for message, _ in begun]
    if sum(sizes) <= LARGEST_TOGETHER_BYTES:
        return None
    return begun[sizes.index(max(sizes))][1]


def _size(message: Any) -> int:
    return int(message.data_set.tell())
