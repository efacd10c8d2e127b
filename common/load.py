"""What a worker is busy with over one connection, and the gate that keeps its memory bounded."""

import threading


class Load:
    """Counts deliveries and bytes under way; `wait` holds a thread back while there is more than the limit.

    `delivered` and `settled` count deliveries that came and that are done with, on the connection's thread alone.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._deliveries = 0
        self._shut = False
        self._ended = False
        self.delivered = 0
        self.settled = 0
        self._changed = threading.Condition()

    def change(self, difference_bytes: int, deliveries: int = 0) -> None:
        """Count so many bytes and deliveries more, or fewer."""
        with self._changed:
            self._bytes += difference_bytes
            self._deliveries += deliveries
            self._changed.notify_all()

    def shut(self, *, shut: bool) -> None:
        """Let nobody through, or only as the count allows."""
        with self._changed:
            self._shut = shut
            self._changed.notify_all()

    def end(self) -> None:
        """Let everybody through: the connection is gone, and with it what was counted."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until something new may be taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or (not self._shut and self._bytes < self._limit_bytes))

    @property
    def bytes(self) -> int:
        """Tell how many bytes are counted."""
        return self._bytes

    @property
    def holds_nothing(self) -> bool:
        """Tell whether every delivery that came is done with, those that nobody has taken up yet included."""
        return self.delivered == self.settled

    @property
    def idle(self) -> bool:
        """Tell whether no delivery is under way."""
        with self._changed:
            return self._deliveries == 0
