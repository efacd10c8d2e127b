"""When a download must be over. Each thread is on one download at a time, so it is kept per thread."""

import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the download must be over (monotonic seconds), and how long it may wait for a byte."""

    at: float
    idle_seconds: float

    def remaining(self) -> float:
        """Give the seconds that a read may take; raises TimeoutError when there are none."""
        seconds = min(self.at - time.monotonic(), self.idle_seconds)
        if seconds <= 0:
            raise TimeoutError("the whole download took too long")
        return seconds

    def within(self, seconds: float) -> "Deadline":
        """Give one that is no more than so many seconds away, and no later than this one."""
        return Deadline(min(self.at, time.monotonic() + seconds), self.idle_seconds)


current_deadline: ContextVar[Deadline] = ContextVar("current_deadline")
