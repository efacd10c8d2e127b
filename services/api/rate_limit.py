"""How often a client may ask."""

import threading
import time
from collections.abc import Callable, Hashable

MOST_CLIENTS = 10_000
MINUTE_SECONDS = 60.0


class RateLimit:
    """So many requests a minute of each client, all of them at once or evenly (the generic cell rate algorithm).

    In memory, for this process; of more than `most_clients` at a time, those are forgotten who have not asked for
    longest.
    """

    def __init__(
        self, per_minute: int, *, most_clients: int = MOST_CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = MINUTE_SECONDS / per_minute if per_minute else 0.0
        self._most_clients = most_clients
        self._clock = clock
        self._spent_until: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Count the clients that are remembered."""
        return len(self._spent_until)

    def wait_seconds(self, client: Hashable) -> float:
        """Count a request of this client: 0 if it may be answered, otherwise how long until the next one may."""
        with self._lock:
            now = self._clock()
            spent_until = max(self._spent_until.pop(client, now), now)
            wait = spent_until + self._interval - MINUTE_SECONDS - now
            if wait <= 0:
                spent_until += self._interval
            self._spent_until[client] = spent_until
            if len(self._spent_until) > self._most_clients:
                del self._spent_until[next(iter(self._spent_until))]
        return max(wait, 0.0)
