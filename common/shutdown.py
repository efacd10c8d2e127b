"""SIGTERM and SIGINT, heard by a thread of their own."""

import signal
import threading
from collections.abc import Callable

ENDING = {signal.SIGTERM, signal.SIGINT}


class Termination:
    """To be made before any other thread starts: a thread that does not block these signals would be ended by them.

    An ordinary signal handler would run in the middle of whatever the main thread does, and could wait for a lock
    that the main thread holds.
    """

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def then(self, stop: Callable[[], None]) -> None:
        """Call `stop` once when the process is told to end."""

        def wait() -> None:
            signal.sigwait(ENDING)
            stop()

        threading.Thread(target=wait, name="termination", daemon=True).start()
