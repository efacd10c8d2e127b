"""A key in, bytes out: the least recently used are let go when a bound in bytes is reached."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class ByteCache:
    """Keeps what was made, `most_bytes` in all; a value above the bound is made and not kept."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get_or_make(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The value kept under `key`, or a new one. Two threads may both make it: it is the same."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values and len(value) <= self._most_bytes:
                self._values[key] = value
                self._held_bytes += len(value)
            while self._held_bytes > self._most_bytes:
                self._held_bytes -= len(self._values.popitem(last=False)[1])
        return value
