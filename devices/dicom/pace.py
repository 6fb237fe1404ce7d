"""Takes back, for one association, the time that pynetdicom's loops spend waiting and copying.

pynetdicom reads the socket 4 kB at a time, and both of its loops sleep a millisecond before they
look for what has come meanwhile: some 3 ms of every slice. Here the socket is read into one
buffer, and the association's loop waits on its queue instead. Nothing else of the library is
touched, nothing of it is changed for anybody else; ``tests/devices/dicom/test_pace.py`` fails
when the library no longer has what is used here.
"""

from __future__ import annotations

import queue
from functools import partial
from typing import Any

# More than any PDU of ours or of a peer that keeps to the length we ask for; a longer one is an
# attack on the memory.
LARGEST_PDU_BYTES = (1 << 20) + (1 << 16)
# How long the association's loop waits for a message before it looks for a release or an abort.
LOOK_S = 0.005
# Sleep of the network loop when nothing has come.
NETWORK_S = 0.0003


def quicken(association: Any) -> None:
    """Make an association faster, and deaf to oversized PDUs; call it when it is opened."""
    network = association.dul
    network.socket.recv = partial(_receive, network.socket)
    network._run_loop_delay = NETWORK_S
    association.dimse.get_msg = partial(_next_message, association.dimse)


def _receive(socket: Any, wanted: int) -> bytearray:
    """Read so many bytes, fewer only where the connection ends."""
    if wanted > LARGEST_PDU_BYTES:
        raise OSError(f"a PDU of {wanted} bytes was announced")
    buffer = bytearray(wanted)
    view = memoryview(buffer)
    there = 0
    while there < wanted:
        count = socket.socket.recv_into(view[there:])
        if not count:
            break
        there += count
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
