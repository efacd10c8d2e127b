"""Names in, how often each was seen out; safe between threads and bounded in size."""

from __future__ import annotations

from threading import Lock

MOST_NAMES = 10_000


class Tally:
    """Counts names. Past the bound the name that came first is forgotten."""

    def __init__(self, most_names: int = MOST_NAMES) -> None:
        self._most_names = most_names
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def count(self, name: str) -> int:
        """Count `name` once more and give its new count, 1 the first time."""
        with self._lock:
            if name not in self._counts and len(self._counts) >= self._most_names:
                del self._counts[next(iter(self._counts))]
            self._counts[name] = self._counts.get(name, 0) + 1
            return self._counts[name]

    def counts(self) -> dict[str, int]:
        """A copy of all counts, in the order in which the names first came."""
        with self._lock:
            return dict(self._counts)

    def forget(self) -> None:
        """Start again from nothing."""
        with self._lock:
            self._counts.clear()
