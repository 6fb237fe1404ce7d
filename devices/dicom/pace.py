"""One association of pynetdicom, without its waiting and copying, and with bounds.

pynetdicom reads the socket 4 kB at a time, and both of its loops sleep a millisecond before they
look for what has come meanwhile: some 3 ms of every slice. Here the socket is read into one
buffer, and the association's loop waits on its queue instead. The library also takes as much
memory as a peer announces or sends. Nothing else of it is touched, and nothing for anybody else;
``tests/devices/dicom/test_pace.py`` fails when it no longer has what is used here.
"""

from __future__ import annotations

import queue
import time
from functools import partial
from typing import Any

# More than any PDU of ours or of a peer that keeps to the length we ask for; a longer one is an
# attack on the memory.
LARGEST_PDU_BYTES = (1 << 20) + (1 << 16)
LARGEST_COMMAND_BYTES = 64 << 10
# How long the association's loop waits for a message before it looks for a release or an abort.
LOOK_S = 0.005
# Sleep of the network loop when nothing has come.
NETWORK_S = 0.0003


def quicken(association: Any, *, largest_object_bytes: int, pdu_s: float) -> None:
    """Make an association faster, and safe from peers without measure; call it when it opens.

    Args:
        association: of pynetdicom; gets ``heard_s``, the monotonic time of its last PDU.
        largest_object_bytes: a longer data set ends the association.
        pdu_s: a PDU that takes longer to come ends it too.
    """
    association.heard_s = time.monotonic()
    network, dimse = association.dul, association.dimse
    network.socket.recv = partial(_receive, network.socket, association, pdu_s)
    network._run_loop_delay = NETWORK_S
    dimse.get_msg = partial(_next_message, dimse)
    dimse.receive_primitive = partial(
        _take, dimse, network, dimse.receive_primitive, largest_object_bytes
    )


def _receive(socket: Any, association: Any, pdu_s: float, wanted: int) -> bytearray:
    """Read so many bytes, fewer only where the connection ends.

    Raises:
        OSError: too many were announced, or they take too long.
    """
    if wanted > LARGEST_PDU_BYTES:
        raise OSError(f"a PDU of {wanted} bytes was announced")
    buffer = bytearray(wanted)
    view = memoryview(buffer)
    there = 0
    end_s = time.monotonic() + pdu_s
    while there < wanted:
        count = socket.socket.recv_into(view[there:])
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


def _take(dimse: Any, network: Any, original: Any, largest_bytes: int, primitive: Any) -> None:
    """Take a piece of a message, unless the message has grown beyond measure."""
    message = dimse.message
    if message is not None and (
        message.data_set.tell() > largest_bytes
        or message.encoded_command_set.tell() > LARGEST_COMMAND_BYTES
    ):
        dimse.message = None
        # Evt19 is an invalid PDU (PS3.8 table 9-10): the association is aborted.
        network.event_queue.put("Evt19")
        return
    original(primitive)
