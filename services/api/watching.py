"""What the API does while nobody asks: it notes how full the queues are, and counts hours before they are looked at."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from common.database import Database, create_indexes
from common.errors import Unavailable
from common.publisher import Publisher
from common.standstill import look
from services.api.queries.depths import note_depths
from services.api.queries.hours import check, hours
from services.api.queries.scope import Scope
from services.api.queries.span import MINUTE, MOST_MINUTES
from services.api.resources import now

log = logging.getLogger(__name__)

NOTING_SECONDS = 10.0
AGAIN_SECONDS = 10.0
"""After so long at most something is tried again that could not be done."""
COUNTING_SECONDS = 30.0
CHECKING_SECONDS = 600.0
INDEXING_SECONDS = 3_600.0


@dataclass
class Chore:
    """Something to do every so many seconds."""

    name: str
    every_seconds: float
    do: Callable[[], None]
    due: float = field(default_factory=time.monotonic)


def chores(database: Database, publisher: Publisher, *, stalled_seconds: float) -> list[Chore]:
    """Give all of them. Several processes may do them at once."""
    return [
        # Whoever looks at the monitoring of a new version must not have to wait for the first task of it.
        Chore("making the indexes", INDEXING_SECONDS, lambda: create_indexes(database)),
        Chore("noting the queues' depths", NOTING_SECONDS, lambda: _note(database, publisher, stalled_seconds)),
        Chore("counting the latest hours", COUNTING_SECONDS, lambda: _count(database)),
        Chore("counting hours once more", CHECKING_SECONDS, lambda: check(database, now())),
    ]


def watch(todo: list[Chore], stopping: threading.Event) -> None:
    """Do what is due until told to stop. What cannot be done now is tried again."""
    while not stopping.wait(max(0.0, min(chore.due for chore in todo) - time.monotonic())):
        chore = min(todo, key=lambda chore: chore.due)
        wait_seconds = chore.every_seconds
        try:
            chore.do()
        except Unavailable as error:
            log.debug("%s has to wait: %s", chore.name, error)
            wait_seconds = min(wait_seconds, AGAIN_SECONDS)
        except Exception:
            log.exception("not foreseen, when %s", chore.name)
        chore.due = time.monotonic() + wait_seconds


def _note(database: Database, publisher: Publisher, stalled_seconds: float) -> None:
    states = publisher.queue_states()
    note_depths(database, states, now())
    if publisher.ready:  # a broker that takes no messages keeps workers from saying that they hold some
        look(database, states, now(), stalled_seconds=stalled_seconds)


def _count(database: Database) -> None:
    moment = now()
    hours(database, Scope(), moment - timedelta(minutes=MOST_MINUTES), moment + MINUTE, moment)
