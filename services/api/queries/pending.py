"""Which tasks are under way, and how long the one has been that sees no outcome for longest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.database import Database, unavailability
from common.items import Outcome
from common.standstill import last_end

LATEST_TASKS = 1_000
MOST_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Pending:
    """So many of the newest tasks have pending items; one of them has had no outcome, or not begun, since then."""

    tasks: int
    since: datetime | None


def pending(database: Database) -> Pending:
    """Look at the newest tasks: a look into the index of the ledger for each."""
    unfinished = [{"$match": {"outcome": Outcome.PENDING.value}}, {"$limit": 1}, {"$project": {"_id": 1}}]
    lookup = {"from": "items", "localField": "_id", "foreignField": "task_id", "pipeline": unfinished, "as": "pending"}
    pipeline: list[dict[str, Any]] = [
        {"$sort": {"created_at": -1, "_id": -1}},
        {"$limit": LATEST_TASKS},
        {"$project": {"created_at": 1}},
        {"$lookup": lookup},
        {"$match": {"pending": {"$ne": []}}},
        {"$sort": {"created_at": 1}},
    ]
    with unavailability():
        tasks = list(database["tasks"].aggregate(pipeline))
    since = (
        max(task["created_at"], last_end(database, {"task_id": task["_id"]}) or task["created_at"])
        for task in tasks[:MOST_LOOKED_AT]
    )
    return Pending(len(tasks), min(since, default=None))
