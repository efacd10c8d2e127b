"""Two hours of a ledger in which items ended at random, and a count of it that shares no code with the API."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pymongo import UpdateOne

from common.items import item_id
from common.reasons import Reason
from tests.api_world import NOON, World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TWO_HOURS = "from=2024-05-31T12:00:00Z&to=2024-05-31T14:00:00Z"
ENDS = ["success", "success", "duplicate", Reason.TIMEOUT, Reason.HTTP_4XX, Reason.DECODE]


def generate(world: World, items: int, *, seed: int = 20240531) -> UUID:
    """End items over 120 minutes: at random, at both ends of minutes, and in some minutes none. Gives the task."""
    chance = random.Random(seed)
    task_id = world.task([f"https://{chance.choice('abc')}.example/{line}" for line in range(items)])
    updates = []
    for line in range(1, items + 1):
        minute = chance.choice([number for number in range(120) if number % 7])
        millisecond = chance.choice([0, 1, 59_999, chance.randrange(60_000)])
        end = chance.choice(ENDS)
        how = {"outcome": "error", "reason": end} if end in set(Reason) else {"outcome": end}
        at = NOON + minute * MINUTE + timedelta(milliseconds=millisecond)
        updates.append(UpdateOne({"_id": item_id(task_id, line)}, {"$set": {**how, "finished_at": at}}))
    world.database["items"].bulk_write(updates)
    return task_id


def ledger(world: World, **which: Any) -> Counter[tuple[datetime, str]]:
    """Count the ledger without any of the code under test: by minute and end."""
    found: Counter[tuple[datetime, str]] = Counter()
    for item in world.database["items"].find({"finished_at": {"$exists": True}, **which}):
        minute = item["finished_at"].replace(second=0, microsecond=0)
        found[minute, item["outcome"]] += 1
        if "reason" in item:
            found[minute, item["reason"]] += 1
    return found
