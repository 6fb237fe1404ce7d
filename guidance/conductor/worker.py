"""The worker: a process that reads, looks, registers and weighs for the console.

    python -m guidance.conductor.worker DESCRIPTOR PARENT

An order brings all it needs; the libraries are loaded while nobody waits yet. The process ends
when nobody speaks to it any more, and with its parent.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from importlib import import_module

from guidance.conductor.leash import end_with
from guidance.conductor.wire import Wire


def main(arguments: list[str]) -> None:
    """Serve the console at the other end of a socket."""
    descriptor, parent = map(int, arguments)
    end_with(parent)
    # A key press in the console's terminal is the console's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s worker %(levelname)s %(name)s: %(message)s")
    wire = Wire(socket.socket(fileno=descriptor))
    # Imported late: the leash is on before the libraries take their seconds.
    labour = import_module("guidance.conductor.labour").Labour(wire, wire.receive()[0])
    threading.Thread(target=labour.listen, name="orders", daemon=True).start()
    try:
        labour.work()
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
