"""Following a task until every item of it has its outcome."""

import time
from uuid import UUID

from rich.console import Console

from common.broker import backoff
from common.database import Database
from common.errors import Unavailable
from common.tally import Tally, tally
from services.fetcher.report import ledger_bar
from services.fetcher.run import Run

SHORTEST_PAUSE_SECONDS = 0.2
COST_FACTOR = 10
"""The pause between two looks is at least so many times what a look takes, so that counting never is the work."""
LONGEST_PAUSE_SECONDS = 5.0
"""A look may have taken long because the database was away."""
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
