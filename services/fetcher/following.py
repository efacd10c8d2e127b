"""Following a task until every item of it has its outcome."""

import time
from uuid import UUID

from rich.console import Console

from common.broker import backoff
from common.database import Database
from common.errors import Unavailable
from common.tally import Tally, is_pending, tally
from services.fetcher.report import ledger_bar
from services.fetcher.run import Run

GLANCE_SECONDS = 0.05
"""So often it is asked whether anything is pending at all, which costs next to nothing."""
SHORTEST_PAUSE_SECONDS = 0.2
COST_FACTOR = 10
"""The pause between two counts is at least so many times what a count takes, so that counting never is the work."""
LONGEST_PAUSE_SECONDS = 5.0
"""A count may have taken long because the database was away."""
PATIENCE_SECONDS = 60.0
"""How long the database may be away before the command gives up; the task itself goes on by itself."""


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
                answered, waits = time.monotonic(), backoff()
                show(state)
                if state.pending == 0:
                    run.end()
                    return state
                pause = max(SHORTEST_PAUSE_SECONDS, COST_FACTOR * (answered - asked))
                _while_pending(database, task_id, min(LONGEST_PAUSE_SECONDS, pause))
            except Unavailable:
                if time.monotonic() - answered >= patience_seconds:
                    raise
                time.sleep(next(waits))


def _while_pending(database: Database, task_id: UUID, most_seconds: float) -> None:
    """Wait for so long, or until nothing is pending."""
    until = time.monotonic() + most_seconds
    while time.monotonic() < until and is_pending(database, task_id):
        time.sleep(GLANCE_SECONDS)
