"""A queue from which only so much of one key is taken at once, so that what is slow does not hold up the rest."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

SLOW_SECONDS = 1.0
"""A key whose turns take longer is slow, and so much is too long to wait for one."""
LONGEST_AWAY_SECONDS = 60.0
WEIGHT = 1 / 8
"""How much the newest turn counts in the mean."""


@dataclass(slots=True)
class _Line(Generic[T]):
    """What there is of one key. What was sent away last is to be back when it is `booked`."""

    taken: int = 0
    waiting: deque[T] = field(default_factory=deque)
    since: float | None = None
    turn_seconds: float | None = None
    booked: float = 0.0

    def known_seconds(self, now: float) -> float:
        """Tell how long a turn takes, as far as it is known: the first may not have ended yet."""
        if self.turn_seconds is not None:
            return self.turn_seconds
        return now - self.since if self.since is not None else 0.0

    def wait_seconds(self, now: float) -> float:
        """Tell how long the next to come would wait."""
        return (len(self.waiting) + 1) * self.known_seconds(now) / max(1, self.taken)

    def book(self, now: float) -> float:
        """Give the seconds until the next turn that nobody has yet."""
        each_seconds = self.known_seconds(now) / max(1, self.taken)
        self.booked = min(max(self.booked, now) + each_seconds, now + LONGEST_AWAY_SECONDS)
        return self.booked - now


class Turns(Generic[T]):
    """Hands entries to so many threads, at most `most_of_a_key` of one key at once. Safe from any thread.

    A slow key is given fewer the fewer are free, so that some are left for whoever comes next. The rest of a key's
    entries wait here while others overtake them. When more than `most_waiting` do, those that would wait for long are
    sent away, each until about its turn: there must be room for others to come.
    """

    def __init__(
        self, threads: int, most_of_a_key: int, most_waiting: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = threads
        self._most_of_a_key = most_of_a_key
        self._spare = max(0, threads - most_of_a_key)
        self._most_waiting = most_waiting
        self._clock = clock
        self._waiting = 0
        self._lines: dict[str, _Line[T]] = {}
        self._ready: SimpleQueue[tuple[str, T]] = SimpleQueue()
        self._lock = threading.Lock()

    @property
    def is_crowded(self) -> bool:
        """Tell whether there is somebody to be sent away as soon as he is known to wait for long."""
        return self._waiting > self._most_waiting

    def put(self, key: str, entry: T) -> float | None:
        """Take an entry in, or give the seconds after which it should come back."""
        with self._lock:
            now = self._clock()
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = _Line()
            if not line.waiting and self._may_take(line, now):
                self._take(key, line, entry)
                return None
            if self._waiting >= self._most_waiting and line.wait_seconds(now) > SLOW_SECONDS:
                return line.book(now)
            line.waiting.append(entry)
            self._waiting += 1
            return None

    def get(self) -> tuple[str, T]:
        """Wait for the next entry, and give its key as well, for `begin` and `done`."""
        return self._ready.get()

    def begin(self, key: str) -> float:
        """Give the moment at which a turn really begins."""
        with self._lock:  # a line that is being put behind the others is nowhere for a moment
            now = self._clock()
            line = self._lines[key]
            if line.since is None:
                line.since = now
            return now

    def done(self, key: str, began: float | None) -> None:
        """End a turn, and let through who may be taken now."""
        with self._lock:
            line = self._lines[key]
            now = self._clock()
            if began is not None:
                seconds = now - began
                mean = seconds if line.turn_seconds is None else line.turn_seconds
                line.turn_seconds = mean + (seconds - mean) * WEIGHT
            line.taken -= 1
            self._free += 1
            if self._waiting:
                self._let_through(now)
            if not line.waiting:
                line.booked = 0.0
                if not line.taken:
                    del self._lines[key]

    def overstayed(self) -> list[tuple[T, float]]:
        """Take out those who are in the way of others, each with the seconds after which it should come back."""
        away: list[tuple[T, float]] = []
        with self._lock:
            now = self._clock()
            for line in self._lines.values() if self.is_crowded else ():
                while self.is_crowded and line.waiting and line.wait_seconds(now) > SLOW_SECONDS:
                    self._waiting -= 1
                    away.append((line.waiting.pop(), line.book(now)))
        return away

    def _may_take(self, line: _Line[T], now: float) -> bool:
        if not self._free or line.taken >= self._most_of_a_key:
            return False
        if line.known_seconds(now) < SLOW_SECONDS:
            return True
        # Among slow keys each keeps to its share of what is free, so that they never have all.
        return line.taken * self._spare < max(self._most_of_a_key, self._spare) * self._free

    def _take(self, key: str, line: _Line[T], entry: T) -> None:
        line.taken += 1
        self._free -= 1
        self._ready.put((key, entry))

    def _let_through(self, now: float) -> None:
        """Take one of each key that waits, again and again, for as long as any may be taken."""
        keys = [key for key, line in self._lines.items() if line.waiting]
        while keys:
            keys = [key for key in keys if self._followed(key, now)]

    def _followed(self, key: str, now: float) -> bool:
        line = self._lines[key]
        if not line.waiting or not self._may_take(line, now):
            return False
        self._lines[key] = self._lines.pop(key)  # the next time, others come first
        self._waiting -= 1
        self._take(key, line, line.waiting.popleft())
        return True
