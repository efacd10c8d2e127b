"""How many messages waited in each queue over time: noted every few seconds, the most of each step kept.

A document holds sixty steps of one queue. Any number of processes may note at once: the most stays the most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import UpdateOne
from pymongo.write_concern import WriteConcern

from common.database import Database, Document, unavailability
from common.queue_states import QueueState
from services.api.queries.span import Span, floor

STEPS_SECONDS = (60, 600, 3_600)
STEPS = 60
MOST_STEPS = 720


@dataclass(frozen=True, slots=True)
class QueueDepths:
    """A queue over a span: the most messages that were seen waiting in each step, None where nobody looked.

    `now` is the latest depth and `consumers` how many consumed then, both as of `noted_at`.
    """

    queue: str
    most: tuple[int | None, ...]
    now: int
    consumers: int
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Depths:
    """All queues, in steps of so many seconds from `start`."""

    start: datetime
    step_seconds: int
    queues: tuple[QueueDepths, ...]


def note_depths(database: Database, states: Mapping[str, QueueState], now: datetime) -> None:
    """Note what the broker said a moment ago."""
    writes = []
    for step_seconds in STEPS_SECONDS:
        start = floor(now, timedelta(seconds=STEPS * step_seconds))
        step = (now - start) // timedelta(seconds=step_seconds)
        for queue, state in states.items():
            update: Document = {
                "$max": {f"most.{step}": state.messages},
                "$set": {"start": start, "now": state.messages, "consumers": state.consumers, "noted_at": now},
            }
            writes.append(UpdateOne({"_id": _key(step_seconds, start, queue)}, update, upsert=True))
    depths = database.get_collection("depths", write_concern=WriteConcern(1))
    with unavailability():
        depths.bulk_write(writes, ordered=False)


def depths(database: Database, span: Span) -> Depths:
    """Give the depths over a span, in the shortest steps that are not too many."""
    # A span of the longest time touches a bar more than it lasts.
    span_seconds = (span.end - span.start).total_seconds()
    step_seconds = next((each for each in STEPS_SECONDS if span_seconds <= each * MOST_STEPS), STEPS_SECONDS[-1])
    step = timedelta(seconds=step_seconds)
    start = floor(span.start, step)
    count = -((start - span.end) // step)
    whole = floor(start, STEPS * step)
    with unavailability():
        ids = {"$gte": _key(step_seconds, whole, ""), "$lt": _key(step_seconds, span.end, "")}
        documents = list(database["depths"].find({"_id": ids}).sort("_id"))
    most: dict[str, list[int | None]] = {}
    latest: dict[str, Document] = {}
    for document in documents:
        queue = document["_id"]["queue"]
        latest[queue] = document
        series = most.setdefault(queue, [None] * count)
        first = (document["start"] - start) // step
        for number, messages in document["most"].items():
            if 0 <= first + int(number) < count:
                series[first + int(number)] = messages
    queues = (
        QueueDepths(queue, tuple(most[queue]), last["now"], last["consumers"], last["noted_at"])
        for queue, last in latest.items()
        if any(depth is not None for depth in most[queue])
    )
    return Depths(start, step_seconds, tuple(queues))


def _key(step_seconds: int, start: datetime, queue: str) -> Document:
    """Name a document. The order of the fields is that of the index."""
    return {"step_seconds": step_seconds, "start": start, "queue": queue}
