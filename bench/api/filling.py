"""A database as large as it gets: a ledger whose items all ended within an hour, its images, and a month of queues."""

import hashlib
import io
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count, islice, takewhile
from uuid import UUID, uuid4

from bson import Binary
from PIL import Image

from common.database import Database, Document, create_indexes
from common.facts import HISTOGRAM
from common.hosts import host_of
from common.items import item_id
from common.queue_states import QueueState
from common.reasons import Reason
from services.api.queries.depths import note_depths

BATCH = 5_000
TASKS = 10
HOSTS = 5_000
REASONS = (Reason.HTTP_4XX, Reason.TIMEOUT, Reason.DNS, Reason.DECODE, Reason.HTTP_5XX, Reason.NOT_AN_IMAGE)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Filled:
    """What the addresses are made of."""

    task_id: UUID
    md5: str
    file_name: str
    host: str
    further: Iterator[Document] = field(repr=False)
    """The items that end after the filling, at the same rate and without an end."""


def fill(database: Database, items: int, images: int, now: datetime, *, seed: int = 7) -> Filled:
    """Write so many items, a tenth of them errors, and so many images; gives one of each."""
    create_indexes(database)
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    md5s = [hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest() for number in range(images)]
    task_ids = [uuid4() for _ in range(TASKS)]
    database["tasks"].insert_many([_task(task_id, items // TASKS, now) for task_id in task_ids])
    ending = _items(task_ids, md5s, now - HOUR, HOUR / items, chance)
    for name, documents in (
        ("items", islice(ending, items)),
        ("images", _images(task_ids[0], md5s, now, chance)),
        ("grays", ({"_id": md5, "png": _gray()} for md5 in md5s)),
    ):
        _insert(database, name, documents)
    for hour in reversed(range(30 * 24)):
        states = {name: QueueState(chance.randrange(1_000), 1) for name in ("fetcher", "hasher", "grayscaler", "dead")}
        note_depths(database, states, now - hour * HOUR)
    some = database["items"].find_one({"task_id": task_ids[0], "outcome": "success"}) or {}
    return Filled(task_ids[0], some["md5"], some["file_name"], some["host"], ending)


@contextmanager
def feeding(database: Database, further: Iterator[Document]) -> Iterator[None]:
    """Have items go on ending, so that the latest minutes are as busy as the others while the API is measured."""
    stopping = threading.Event()

    def feed() -> None:
        while not stopping.wait(0.1):
            ended = takewhile(lambda item: item["finished_at"] <= datetime.now(UTC), further)
            _insert(database, "items", ended)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _insert(database: Database, name: str, documents: Iterator[Document]) -> None:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            database[name].insert_many(batch, ordered=False)
            batch = []
    if batch:
        database[name].insert_many(batch, ordered=False)


def _task(task_id: UUID, total: int, now: datetime) -> Document:
    return {"_id": task_id, "kind": "url", "name": None, "refresh": False, "created_at": now - HOUR, "total": total}


def _items(
    task_ids: list[UUID], md5s: list[str], start: datetime, interval: timedelta, chance: random.Random
) -> Iterator[Document]:
    """Give the items, one ending after the other, as the aggregator leaves them."""
    for number in count():
        task_id, line = task_ids[number % TASKS], number // TASKS + 1
        name = f"{chance.randrange(10_000)}.jpg"
        url = f"https://host{min(int(chance.expovariate(0.01)), HOSTS - 1)}.example/images/{line}/{name}"
        item: Document = {"_id": item_id(task_id, line), "task_id": task_id, "line": line, "url": url, "round": 0}
        kind = chance.random()
        if number < len(md5s):
            end: Document = {"outcome": "success", "md5": md5s[number], "file_name": name}
        elif kind < 0.9:
            end = {"outcome": "duplicate", "md5": chance.choice(md5s), "file_name": name, "known_by": "md5"}
        else:
            why = {"detail": "as seen", "stage": "fetcher", "attempts": 1}
            end = {"outcome": "error", "reason": chance.choice(REASONS).value, **why}
        took_ms = [chance.randrange(200) for _ in range(6)]
        yield {**item, "host": host_of(url), **end, "took_ms": took_ms, "finished_at": start + number * interval}


def _images(task_id: UUID, md5s: list[str], now: datetime, chance: random.Random) -> Iterator[Document]:
    for number, md5 in enumerate(md5s):
        counts = [0] * 256
        for _ in range(64):
            counts[chance.randrange(256)] += 1_024
        yield {
            "_id": md5,
            "message_id": uuid4(),
            "item_id": item_id(task_id, number + 1),
            "task_id": task_id,
            "url": f"https://host.example/{number}.jpg",
            "width": 256,
            "height": 256,
            "length_bytes": 20_000,
            "gray_bytes": len(_gray()),
            "format": "JPEG",
            "mode": "RGB",
            "orientation": 1,
            "inserted_at": now - HOUR * number / len(md5s),
            "histogram": Binary(HISTOGRAM.pack(*counts)),
        }


@cache
def _gray() -> bytes:
    png = io.BytesIO()
    Image.new("L", (256, 256), 128).save(png, "PNG")
    return png.getvalue()
