"""What the database says of the whole, for metrics: however often it is asked for, it costs little."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pymongo

from common.database import Database
from common.dead_letters import DeadLetters
from common.errors import Unavailable
from common.fetching.paused_hosts import PausedHosts
from common.standstill import last_end, standstill
from services.api.queries.pending import Pending, pending

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
KEPT_SECONDS = 5.0
TIMES_ITS_COST = 20
"""What took long is kept for longer: asking takes at most a twentieth of the time."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Dead letters that are kept, tasks under way or without messages, hosts left alone, when an item ended last."""

    dead_letters: int
    pending: Pending
    standstill_tasks: int
    paused_hosts: int
    last_outcome_at: datetime | None


class RecentFigures:
    """Asks the database, and keeps the answer for a while. May be called from any thread."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._clock = clock
        self._figures: Figures | None = None
        self._until = float("-inf")
        self._asking = threading.Lock()

    def __call__(self) -> Figures | None:
        """Give the figures, None when the database does not answer. One asks, the others wait."""
        with self._asking:
            started = self._clock()
            if started >= self._until:
                self._figures = self._ask()
                ended = self._clock()
                self._until = ended + max(KEPT_SECONDS, TIMES_ITS_COST * (ended - started))
            return self._figures

    def _ask(self) -> Figures | None:
        try:
            with pymongo.timeout(PATIENCE_SECONDS):
                now = self._now()
                still = standstill(self._database, now)
                return Figures(
                    dead_letters=DeadLetters(self._database).count(),
                    pending=pending(self._database),
                    standstill_tasks=len(still.task_ids) if still is not None else 0,
                    paused_hosts=PausedHosts(self._database).count(now),
                    last_outcome_at=last_end(self._database),
                )
        except Unavailable as error:
            log.info("no figures of the database: %s", error)
            return None
