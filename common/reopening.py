"""Which hours of the ledger are being changed after they were over: only a retry does that.

Whoever keeps counts of an hour compares the token that the hour had when the counting began with the one it has now.
A retry writes a new token before it changes anything, and nothing is kept until `settled_at`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from pymongo import UpdateOne

from common.database import Database, unavailability

HOUR = timedelta(hours=1)
SETTLING = timedelta(minutes=1)
"""So long after a moment a change that was begun at it may still come to be written: by far longer than a write takes,
and than clocks are apart."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """The latest change of an hour; until `settled_at` it may still be under way."""

    token: UUID
    settled_at: datetime


def hour_of(instant: datetime) -> datetime:
    """Give the start of the hour."""
    return instant.replace(minute=0, second=0, microsecond=0)


def mark_hours(database: Database, ends: Iterable[datetime], now: datetime) -> None:
    """Write down, before they are changed, that items which ended then are about to be."""
    mark = {"$set": {"token": uuid4(), "settled_at": now + SETTLING}}
    marks = [UpdateOne({"_id": hour}, mark, upsert=True) for hour in sorted({hour_of(end) for end in ends})]
    if marks:
        with unavailability():
            database["reopenings"].bulk_write(marks, ordered=False)


def reopenings(database: Database, start: datetime, end: datetime) -> dict[datetime, Reopening]:
    """Give the hours from `start` up to `end` that were ever changed."""
    with unavailability():
        found = database["reopenings"].find({"_id": {"$gte": hour_of(start), "$lt": end}})
        return {document["_id"]: Reopening(document["token"], document["settled_at"]) for document in found}
