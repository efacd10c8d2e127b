"""SIGTERM and SIGINT, heard by a thread of their own."""

import signal
import threading
from collections.abc import Callable

ENDING = {signal.SIGTERM, signal.SIGINT}


def on_termination(stop: Callable[[], None]) -> None:
    """Call `stop` once when the process is told to end. To be called before other threads start.

    An ordinary signal handler would run in the middle of whatever the main thread does, and could wait for a lock
    that the main thread holds.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def wait() -> None:
        signal.sigwait(ENDING)
        stop()

    threading.Thread(target=wait, name="termination", daemon=True).start()
