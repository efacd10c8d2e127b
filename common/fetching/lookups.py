"""Look-ups of host names that end in time, however long the system's resolver takes."""

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

LookUp = Callable[[str], Sequence[str]]
"""Gives a host's addresses as text. Raises OSError, or UnicodeError for what cannot be a name."""

MOST_AT_ONCE = 256
"""The system gives up by itself after half a minute at most. With fewer threads, 32 downloads of hosts whose name
servers are silent would use them all up, and other hosts would not be looked up."""


def by_the_system(host: str) -> list[str]:
    """Ask the system's resolver (getaddrinfo)."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class Lookups:
    """Runs each look-up on a thread of its own that nobody has to wait for; the same host is asked for once at a time.

    getaddrinfo has no time-out, and the threads of an executor would have to end before the process may.
    """

    def __init__(self, look_up: LookUp, *, most_at_once: int = MOST_AT_ONCE) -> None:
        self._look_up = look_up
        self._most_at_once = most_at_once
        self._under_way: dict[str, Future[Sequence[str]]] = {}
        self._lock = threading.Lock()

    def find(self, host: str, timeout_seconds: float) -> Sequence[str]:
        """Give the host's addresses; raises TimeoutError, or what the look-up raises."""
        with self._lock:
            found = self._under_way.get(host)
            if found is None:
                if len(self._under_way) >= self._most_at_once:
                    raise TimeoutError("too many look-ups are under way")
                found = self._started(host)
        try:
            return found.result(timeout_seconds)
        except TimeoutError as error:
            raise TimeoutError(f"no answer within {timeout_seconds:.3g} s") from error

    def _started(self, host: str) -> Future[Sequence[str]]:
        found: Future[Sequence[str]] = Future()
        self._under_way[host] = found
        try:
            threading.Thread(target=self._run, args=(host, found), name="lookup", daemon=True).start()
        except RuntimeError as error:
            del self._under_way[host]
            raise OSError("no thread for a look-up") from error
        return found

    def _run(self, host: str, found: Future[Sequence[str]]) -> None:
        try:
            addresses = self._look_up(host)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._forget(host)
            found.set_exception(error)
        else:
            self._forget(host)
            found.set_result(addresses)

    def _forget(self, host: str) -> None:
        with self._lock:
            del self._under_way[host]
