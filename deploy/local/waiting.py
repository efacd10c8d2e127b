"""Waiting for another process to answer."""

import time
from collections.abc import Callable

from deploy.local.errors import StackError

PAUSE_SECONDS = 0.1


def nothing() -> None:
    """Do nothing while waiting."""


def wait_until(
    ready: Callable[[], bool], deadline_seconds: float, what: str, meanwhile: Callable[[], None] = nothing
) -> None:
    """Return once `ready()` is true.

    `meanwhile` runs before each look and may raise to give up early. Raises StackError, naming `what`, when the
    deadline has passed.
    """
    give_up_at = time.monotonic() + deadline_seconds
    while True:
        meanwhile()
        if ready():
            return
        if time.monotonic() > give_up_at:
            raise StackError(f"{what} did not answer within {deadline_seconds:g} seconds")
        time.sleep(PAUSE_SECONDS)
