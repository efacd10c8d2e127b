"""Tallies for pages, where a figure may be a little old if counting it anew would make the page slow."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from common.tally import Tally

KEPT = 1_000
WORTH_KEEPING_SECONDS = 0.05
"""What takes less is counted anew."""
TIMES_ITS_COST = 10
"""A tally is used again for so many times as long as it took: of a million items, which take a second to count, for
ten seconds."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A tally and until when, on the monotonic clock, it is used again."""

    tally: Tally
    until: float


class RecentTallies:
    """Counts tasks, and remembers what took long. May be called from any thread."""

    def __init__(self, count: Callable[[UUID], Tally], clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._counted: OrderedDict[UUID, Counted] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, task_id: UUID) -> Tally:
        """Give the task's tally, as it is now or as it was a moment ago."""
        started = self._clock()
        with self._lock:
            counted = self._counted.get(task_id)
        if counted is not None and started < counted.until:
            return counted.tally
        tally = self._count(task_id)
        ended = self._clock()
        if ended - started < WORTH_KEEPING_SECONDS:
            return tally
        with self._lock:
            self._counted[task_id] = Counted(tally, ended + TIMES_ITS_COST * (ended - started))
            self._counted.move_to_end(task_id)
            while len(self._counted) > KEPT:
                self._counted.popitem(last=False)
        return tally
