"""Following a task until every item of it has its outcome."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from rich.console import Console

from common.broker import backoff
from common.database import Database
from common.errors import Unavailable
from common.tally import Tally, has_pending, tally
from services.fetcher.report import ledger_bar

SHORTEST_PAUSE_SECONDS = 0.2
COST_FACTOR = 10
"""The pause between two looks is at least so many times what a look takes, so that counting never is the work."""

LONGEST_PAUSE_SECONDS = 5.0
"""A look may have taken long because the database was away."""
PATIENCE_SECONDS = 60.0
"""How long the database may be away: the members of a replica set need ten seconds or more to elect a primary."""


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


def follow(
    database: Database,
    task_id: UUID,
    run: Run,
    console: Console,
    *,
    bar: bool,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Tally:
    """Show a live bar until nothing of the task is pending. Raises Unavailable when the database stays away."""
    with ledger_bar(console, shown=bar) as show:
        answered, waits = time.monotonic(), backoff()
        while True:
            asked = time.monotonic()
            try:
                state = tally(database, task_id)
            except Unavailable:
                if time.monotonic() - answered >= patience_seconds:
                    raise
                time.sleep(next(waits))
                continue
            answered, waits = time.monotonic(), backoff()
            show(state)
            if state.pending == 0:
                run.end()
                return state
            time.sleep(min(LONGEST_PAUSE_SECONDS, max(SHORTEST_PAUSE_SECONDS, COST_FACTOR * (answered - asked))))
