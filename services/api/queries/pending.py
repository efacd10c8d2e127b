"""Which tasks are under way, and how long the one has been that sees no outcome for longest."""

from dataclasses import dataclass
from datetime import datetime

from common.database import Database
from common.standstill import last_end, unfinished_tasks

LATEST_TASKS = 1_000
MOST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Pending:
    """So many of the newest tasks have pending items; one of them has had no outcome, or not begun, since then."""

    tasks: int
    since: datetime | None


def pending(database: Database) -> Pending:
    """Look at the newest tasks: a look into the index of the ledger for each."""
    tasks = unfinished_tasks(database, among=LATEST_TASKS, most=LATEST_TASKS)
    since = (
        max(task["created_at"], last_end(database, {"task_id": task["_id"]}) or task["created_at"])
        for task in tasks[-MOST_LOOKED_AT:]
    )
    return Pending(len(tasks), min(since, default=None))
