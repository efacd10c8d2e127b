"""SIGTERM and SIGINT, heard by a thread of their own."""

import os
import signal
import threading
from collections.abc import Callable


def on_termination(stop: Callable[[], None]) -> None:
    """Call `stop` once when the process is told to end. To be called on the main thread.

    The signal only writes a byte, which a thread waits for. An ordinary handler would run in the middle of whatever
    the main thread does, and could wait for a lock that the main thread holds.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda _number, _frame: None)

    def wait() -> None:
        os.read(reader, 1)
        stop()

    threading.Thread(target=wait, name="termination", daemon=True).start()
