"""The conditions that cross module boundaries, sorted by what is to be done about them."""

from common.reasons import Reason


class ConfigurationError(Exception):
    """A setting or the broker's topology is wrong; only a person can mend it. The process ends with code 2."""


class Unavailable(Exception):
    """Something this process needs (database, broker) does not answer; the same work is tried again later."""


class MalformedMessage(Exception):
    """A message that no worker can read; it is dead-lettered with the sentence this error carries."""


class Poison(Exception):
    """A message that whatever works on it dies of; it is dead-lettered with the sentence this error carries."""


class ItemError(Exception):
    """An item could not be worked on, for a reason out of the closed list."""

    def __init__(self, reason: Reason, detail: str, *, status: int | None = None) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status


class Permanent(ItemError):
    """Trying again would end the same way."""


class Transient(ItemError):
    """May go away by itself. `after_seconds` is the earliest moment that the other side asked for."""

    def __init__(
        self, reason: Reason, detail: str, *, status: int | None = None, after_seconds: float | None = None
    ) -> None:
        super().__init__(reason, detail, status=status)
        self.after_seconds = after_seconds


class Postponed(ItemError):
    """Not now, for a cause outside the item: it comes back after so many seconds, which is no try of it.

    Of that an item has `most_seconds` in all; then it ends, for this reason.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        after_seconds: float,
        most_seconds: float = float("inf"),
        status: int | None = None,
    ) -> None:
        super().__init__(reason, detail, status=status)
        self.after_seconds = after_seconds
        self.most_seconds = most_seconds
