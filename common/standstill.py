"""A standstill: items are pending, and nothing moves that could end them: their messages are gone.

The API looks every few seconds. A message waits in a queue, waits for its time in a delay queue, or is in the hands of
a worker, which says so (`busy` in the topology). Where nothing was seen anywhere for a while, and no item has ended,
none of the pending ones will. Publishing their task again brings them home; where this was a mistake, it does no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pymongo.write_concern import WriteConcern

from common.database import FINISHED, FINISHED_KEY, Database, Document, unavailability
from common.items import Outcome
from common.queue_states import QueueState

STATE = "standstill"
NOT_ABOUT_ITEMS = "dead"
UNWATCHED = timedelta(minutes=1)
"""Of a longer time without a look nothing is known."""
AGAIN = timedelta(minutes=1)
AGAIN_IN_VAIN = timedelta(minutes=10)
"""So long after a search for pending items that found some, or none, another is made."""
LATEST_TASKS = 10_000
MOST_TASKS = 100


@dataclass(frozen=True, slots=True)
class Standstill:
    """Since when nothing has moved, and the tasks (the newest hundred of them) that have pending items."""

    since: datetime
    task_ids: tuple[UUID, ...]


def is_quiet(states: Mapping[str, QueueState]) -> bool:
    """Tell whether no message waits anywhere and no worker holds any."""
    return all(state.messages == 0 for queue, state in states.items() if queue != NOT_ABOUT_ITEMS)


def look(database: Database, states: Mapping[str, QueueState], now: datetime, *, stalled_seconds: float) -> None:
    """Note whether anything moves. Any number of processes may look at once. Raises Unavailable."""
    watch = database.get_collection("watch", write_concern=WriteConcern(1))
    with unavailability():
        if not is_quiet(states):
            watch.replace_one({"_id": STATE}, {"noted_at": now}, upsert=True)
            return
        seen_lately = {"_id": STATE, "noted_at": {"$gt": now - UNWATCHED}, "quiet_since": {"$exists": True}}
        state = watch.find_one_and_update(seen_lately, {"$set": {"noted_at": now}})
        if state is None:
            watch.replace_one({"_id": STATE}, {"quiet_since": now, "noted_at": now}, upsert=True)
            return
        since = max(state["quiet_since"], last_end(database) or state["quiet_since"])
        if now - since < timedelta(seconds=stalled_seconds):
            if "tasks" in state:
                watch.update_one({"_id": STATE}, {"$unset": {"tasks": ""}})
        elif "tasks" not in state or now - state["searched_at"] >= (AGAIN if state["tasks"] else AGAIN_IN_VAIN):
            tasks = [task["_id"] for task in unfinished_tasks(database, among=LATEST_TASKS, most=MOST_TASKS)]
            found = {"since": since, "searched_at": now, "tasks": tasks}
            watch.update_one({"_id": STATE}, {"$set": found})


def standstill(database: Database, now: datetime) -> Standstill | None:
    """Give what the latest looks have found; None when all moves, or nothing is pending, or nobody looks."""
    state = _state(database)
    if state is None or now - state["noted_at"] >= UNWATCHED or not state.get("tasks"):
        return None
    return Standstill(state["since"], tuple(state["tasks"]))


def is_watched(database: Database, now: datetime) -> bool:
    """Tell whether somebody looks."""
    state = _state(database)
    return state is not None and now - state["noted_at"] < UNWATCHED


def last_end(database: Database, of: Mapping[str, UUID] = MappingProxyType({})) -> datetime | None:
    """Give when an item ended last: of all, or of a task (`{"task_id": ...}`)."""
    index = [(name, 1) for name in (*of, *FINISHED_KEY)]
    with unavailability():
        ended = database["items"].find({**of, **FINISHED}, {"finished_at": 1, "_id": 0})
        return next((item["finished_at"] for item in ended.sort("finished_at", -1).limit(1).hint(index)), None)


def _state(database: Database) -> Document | None:
    with unavailability():
        return database["watch"].find_one({"_id": STATE})


def unfinished_tasks(database: Database, *, among: int, most: int) -> list[Document]:
    """Give tasks with pending items, at most so many, the newest first, with their `created_at`.

    For each of the newest tasks (`among`) it takes a look into the index of the ledger.
    """
    pending = [{"$match": {"outcome": Outcome.PENDING.value}}, {"$limit": 1}, {"$project": {"_id": 1}}]
    lookup = {"from": "items", "localField": "_id", "foreignField": "task_id", "pipeline": pending, "as": "pending"}
    pipeline: list[dict[str, Any]] = [
        {"$sort": {"created_at": -1, "_id": -1}},
        {"$limit": among},
        {"$project": {"created_at": 1}},
        {"$lookup": lookup},
        {"$match": {"pending": {"$ne": []}}},
        {"$limit": most},
    ]
    with unavailability():
        return list(database["tasks"].aggregate(pipeline))
