"""What ended in each minute of an hour: counted in the ledger, or kept from an earlier count.

A minute that is long over does not change any more, but for retries, so its counts can be kept: a million index entries
take a second to count. Kept counts are only ever a copy; they may be deleted at any time.

- Only minutes that have settled are kept: a worker may still be writing an outcome with a time a moment ago.
- A retry gives the hours that it changes a new token, before it changes them (`common.reopening`). Counts made under
  another token are not used, and none are kept until the retry's writes are over.
- Where little ended nothing is kept: it is counted as quickly.
- An hour that was kept soon after it was over, or after a retry, is counted once more an hour later (`check`), for the
  worker that stood still between reading the clock and writing.
"""

import logging
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo import ReplaceOne
from pymongo.write_concern import WriteConcern

from common.database import Database, Document, unavailability
from common.errors import Unavailable
from common.reopening import SETTLING, Reopening, reopenings
from services.api.queries.scope import Scope
from services.api.queries.span import HOUR, MINUTE, floor

log = logging.getLogger(__name__)

MUCH = 10_000
"""Fewer ends than this are not worth keeping."""
RUN_HOURS = 12
"""Of a long time that was never counted as much is counted at once, and kept piece by piece."""
CHECK_AFTER = HOUR


@dataclass
class Hour:
    """An hour's counts: of its first `minutes` minutes, how many items ended as what.

    `ends` has a list of sixty for each of "success", "duplicate" and the codes of reasons.
    """

    start: datetime
    minutes: int = 0
    ends: dict[str, list[int]] = field(default_factory=dict)

    def add(self, end: str, minute: int, count: int) -> None:
        """Count so many items that ended in a minute."""
        self.ends.setdefault(end, [0] * 60)[minute] += count


def hours(database: Database, scope: Scope, start: datetime, end: datetime, now: datetime) -> list[Hour]:
    """Give every hour that the time from `start` to `end` touches, each counted at least up to `end`."""
    changes = reopenings(database, start, end)
    first = floor(start, HOUR)
    starts = [first + index * HOUR for index in range(-((first - end) // HOUR))]
    kept = _kept(database, scope, starts[0], end, changes)
    found = [kept.get(hour) or Hour(hour) for hour in starts]
    for gap in _gaps(found, end):
        long = len(gap) > RUN_HOURS and _is_much(database, scope, gap[0].start, min(gap[-1].start + HOUR, end))
        length = RUN_HOURS if long else len(gap)
        for run in (gap[index : index + length] for index in range(0, len(gap), length)):
            counted = _count(database, scope, run, min(run[-1].start + HOUR, end))
            if long or counted >= MUCH:
                try:
                    keep(database, scope, run, changes, now)
                except Unavailable as error:
                    log.info("counts were not kept: %s", error)
    return found


def keep(
    database: Database, scope: Scope, counted: Iterable[Hour], changes: Mapping[datetime, Reopening], now: datetime
) -> None:
    """Keep what has settled of these hours, counted after the changes were read."""
    writes = []
    for hour in counted:
        change = changes.get(hour.start)
        minutes = min(hour.minutes, (now - SETTLING - hour.start) // MINUTE)
        if minutes > 0 and (change is None or change.settled_at <= now):
            document = {
                "minutes": minutes,
                "ends": {end: struct.pack(f"<{minutes}I", *counts[:minutes]) for end, counts in hour.ends.items()},
                "token": change.token if change else None,
                "checked": now >= max(hour.start + HOUR, change.settled_at if change else hour.start) + CHECK_AFTER,
                "counted_at": now,
            }
            writes.append(ReplaceOne({"_id": _key(scope, hour.start)}, document, upsert=True))
    if writes:
        # Nobody's outcome hangs on these: no journal, no majority.
        kept = database.get_collection("hours", write_concern=WriteConcern(1))
        with unavailability():
            kept.bulk_write(writes, ordered=False)


def check(database: Database, now: datetime) -> None:
    """Count those kept hours once more that were kept less than an hour after they were over."""
    settled = {"checked": False, "_id.hour": {"$lte": now - HOUR - CHECK_AFTER}}
    with unavailability():
        keys = [document["_id"] for document in database["hours"].find(settled, {"_id": 1})]
    for key in keys:
        changes = reopenings(database, key["hour"], key["hour"] + HOUR)
        hour = Hour(key["hour"])
        scope = Scope(key["task"], key["host"])
        _count(database, scope, [hour], hour.start + HOUR)
        keep(database, scope, [hour], changes, now)


def _key(scope: Scope, hour: datetime) -> Document:
    """Name an hour of a scope. The order of the fields is that of the index."""
    return {"task": scope.task_id, "host": scope.host, "hour": hour}


def _kept(
    database: Database, scope: Scope, start: datetime, end: datetime, changes: Mapping[datetime, Reopening]
) -> dict[datetime, Hour]:
    with unavailability():
        found = database["hours"].find({"_id": {"$gte": _key(scope, start), "$lt": _key(scope, end)}})
        documents = list(found)
    return {hour.start: hour for hour in (_read(document) for document in documents if _is_current(document, changes))}


def _is_current(document: Document, changes: Mapping[datetime, Reopening]) -> bool:
    change = changes.get(document["_id"]["hour"])
    return bool(document["token"] == (change.token if change else None))


def _read(document: Document) -> Hour:
    minutes = document["minutes"]
    rest = [0] * (60 - minutes)
    ends = {end: [*struct.unpack(f"<{minutes}I", packed), *rest] for end, packed in document["ends"].items()}
    return Hour(document["_id"]["hour"], minutes, ends)


def _gaps(found: Iterable[Hour], end: datetime) -> list[list[Hour]]:
    """Gather the hours that are not counted up to `end`, neighbours together."""
    gaps: list[list[Hour]] = []
    for hour in found:
        if hour.start + hour.minutes * MINUTE >= min(hour.start + HOUR, end):
            continue
        latest = gaps[-1] if gaps else []
        if latest and hour.minutes == 0 and latest[-1].start + HOUR == hour.start:
            latest.append(hour)
        else:
            gaps.append([hour])
    return gaps


def _is_much(database: Database, scope: Scope, start: datetime, end: datetime) -> bool:
    with unavailability():
        ended = scope.ended(start, end)
        return database["items"].count_documents(ended, limit=MUCH, hint=scope.index) >= MUCH


def _count(database: Database, scope: Scope, run: list[Hour], end: datetime) -> int:
    """Add what ended from where the first hour's counts stop up to `end`; gives how many items that were."""
    start = run[0].start + run[0].minutes * MINUTE
    minute = {"$dateTrunc": {"date": "$finished_at", "unit": "minute", "timezone": "UTC"}}
    # Outcome and reason are both in the index; nothing but the index is read.
    group: dict[str, Any] = {
        "_id": {"minute": minute, "outcome": "$outcome", "reason": "$reason"},
        "count": {"$sum": 1},
    }
    pipeline = [{"$match": scope.ended(start, end)}, {"$group": group}]
    with unavailability():
        rows = list(database["items"].aggregate(pipeline, hint=dict(scope.index)))
    total = 0
    for row in rows:
        key, count = row["_id"], int(row["count"])
        hour = run[(key["minute"] - run[0].start) // HOUR]
        hour.add(key.get("reason") or key["outcome"], key["minute"].minute, count)
        total += count
    for hour in run:
        hour.minutes = min(60, (end - hour.start) // MINUTE)
    return total
