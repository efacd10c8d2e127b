"""How full the queues were a moment ago, so that a crowd of visitors asks the broker no more often than one."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from common.errors import Unavailable
from common.publisher import Publisher
from common.queue_states import QueueState

log = logging.getLogger(__name__)

States = Mapping[str, QueueState]
KEPT_SECONDS = 2.0


class RecentStates:
    """Asks the broker about its queues, and keeps the answer for two seconds. May be called from any thread."""

    def __init__(self, publisher: Publisher, clock: Callable[[], float] = time.monotonic) -> None:
        self._publisher = publisher
        self._clock = clock
        self._states: States | None = None
        self._until = float("-inf")
        self._asking = threading.Lock()

    def __call__(self) -> States | None:
        """Give the states by the queues' names, None when the broker does not answer. One asks, the others wait."""
        with self._asking:
            if self._clock() >= self._until:
                try:
                    self._states = self._publisher.queue_states()
                except Unavailable as error:
                    log.info("the queues' states are not known: %s", error)
                    self._states = None
                self._until = self._clock() + KEPT_SECONDS
            return self._states
