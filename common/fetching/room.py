"""Memory that large bodies share, so that all downloads together stay within it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import Unavailable


class Room:
    """So many bytes; whoever finds too little left waits for others to give theirs back."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = self._free_bytes = total_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, wanted_bytes: int, *, timeout_seconds: float) -> Iterator[None]:
        """Have so many bytes (at most all there are) for the length of a `with` block.

        Raises Unavailable after the time-out: that others were in the way is never held against an item.
        """
        wanted_bytes = min(wanted_bytes, self._total_bytes)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free_bytes >= wanted_bytes, timeout_seconds):
                raise Unavailable("other large images are in the way of one more")
            self._free_bytes -= wanted_bytes
        try:
            yield
        finally:
            with self._changed:
                self._free_bytes += wanted_bytes
                self._changed.notify_all()
