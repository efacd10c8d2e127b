"""Following a task until every item of it has its outcome."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from rich.console import Console

from common.broker import backoff
from common.database import Database
from common.errors import Unavailable
from common.errors import Unavailable
from common.tally import Tally, has_pending, tally
from services.fetcher.report import ledger_bar

SHORTEST_PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
"""How long the database may be away before the command gives up; the task itself goes on by itself."""
COST_FACTOR = 10
"""The pause between two looks is at least so many times what a look takes, so that counting never is the work."""

LONGEST_OUTAGE_SECONDS = 60.0
"""A database that is away no longer than this is waited for: its members need ten seconds or more to elect a primary."""


@dataclass
class Run:
    """One run of the command: when it began, what of the list it left out, and how much it has published."""

    started: float = field(default_factory=time.monotonic)
    skipped: int = 0
    published: int = 0
    task_id: UUID | None = None
    seconds: float | None = None

    def has_published(self, count: int) -> None:
        """Remember how much is on its way."""
        self.published = count

    def begin(self, task_id: UUID) -> None:
        """Remember the task that the run is about."""
        self.task_id = task_id

    def end(self) -> None:
        """Stop the clock."""
        self.seconds = time.monotonic() - self.started


def follow(database: Database, task_id: UUID, run: Run, console: Console, *, bar: bool) -> Tally:
    """Show a live bar until nothing of the task is pending. Raises Unavailable when the database stays away."""
    with ledger_bar(console, shown=bar) as show:
        while True:
            asked = time.monotonic()
            state = patiently(lambda: tally(database, task_id))
            show(state)
            if state.pending == 0:
                run.end()
                return state
            time.sleep(max(SHORTEST_PAUSE_SECONDS, COST_FACTOR * (time.monotonic() - asked)))


def patiently(
    ask: Callable[[], Tally],
    *,
    longest_outage_seconds: float = LONGEST_OUTAGE_SECONDS,
    wait: Callable[[float], None] = time.sleep,
) -> Tally:
    """Ask until there is an answer. Raises Unavailable when there has been none for so long."""
    since = time.monotonic()
    for seconds in backoff():
        try:
            return ask()
        except Unavailable:
            if time.monotonic() - since + seconds > longest_outage_seconds:
                raise
        wait(seconds)
    raise AssertionError("backoff never ends")
