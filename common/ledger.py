"""The ledger: every task, every item of it, and how each ended.

Items are written before they are published, so that an item whose message never came to the broker is still
accounted for, as pending. `total = success + duplicate + error + pending` holds at every moment.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from common.database import Database, Document, create_indexes, unavailability
from common.hosts import host_of
from common.inserting import insert_new, insert_one
from common.items import Item, Outcome, item_id, item_id_range
from common.reasons import Reason
from common.reopening import mark_hours

BATCH = 1_000
END = ("outcome", "reason", "status", "detail", "stage", "attempts", "finished_at", "took_ms", "round")
"""The fields of an item that say how a round of it ended; a retry moves them into its history."""


class Ledger:
    """Writes tasks and items, and reads back those that still have to be published."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._tasks = database["tasks"]
        self._items = database["items"]

    def open_task(self, *, kind: str, name: str | None, refresh: bool, **more: Any) -> UUID:
        """Write a new task, its number of items not yet known. Raises AlreadyThere for a second one of a page."""
        create_indexes(self.database)
        task_id = uuid4()
        document = {
            "_id": task_id,
            "kind": kind,
            "name": name,
            "refresh": refresh,
            "created_at": datetime.now(UTC),
            "total": None,
            **more,
        }
        insert_one(self._tasks, document)
        return task_id

    def task(self, task_id: UUID) -> Document | None:
        """Give the task's document."""
        with unavailability():
            return self._tasks.find_one({"_id": task_id})

    def add_items(self, task_id: UUID, first_line: int, urls: Sequence[str]) -> list[Item]:
        """Write one pending item per URL, of consecutive lines. Items that are there already stay as they are."""
        items = [Item(task_id, item_id(task_id, first_line + index), url) for index, url in enumerate(urls)]
        documents = [
            {
                "_id": item.item_id,
                "task_id": task_id,
                "line": first_line + index,
                "url": item.url,
                "host": host_of(item.url),
                "round": 0,
                "outcome": Outcome.PENDING.value,
            }
            for index, item in enumerate(items)
        ]
        insert_new(self._items, documents)
        return items

    def urls(self, task_id: UUID, first_line: int, lines: int) -> dict[int, str]:
        """Give the URLs that the ledger has on these lines of a task."""
        first, last = item_id(task_id, first_line), item_id(task_id, first_line + lines - 1)
        with unavailability():
            found = self._items.find({"_id": {"$gte": first, "$lte": last}}, {"line": 1, "url": 1})
            return {document["line"]: document["url"] for document in found}

    def item(self, wanted: UUID) -> Document | None:
        """Give an item's document."""
        with unavailability():
            return self._items.find_one({"_id": wanted})

    def close_task(self, task_id: UUID, total: int) -> None:
        """Write down that all the task's items are in the ledger."""
        with unavailability():
            self._tasks.update_one({"_id": task_id}, {"$set": {"total": total}})

    def pending(self, task_id: UUID) -> Iterator[list[Item]]:
        """Give the task's items without an outcome, in batches, in the order of their lines."""
        yield from _batches(self._find(task_id, {"outcome": Outcome.PENDING.value}))

    def reopen(self, task_id: UUID, reasons: Collection[Reason]) -> Iterator[list[Item]]:
        """Make the task's items that ended for these reasons pending again, and give them in batches.

        How they ended is kept in their history. A new round of an item is not touched by messages of an earlier
        one that are still under way.
        """
        failed = {"outcome": Outcome.ERROR.value, "reason": {"$in": [reason.value for reason in reasons]}}
        ended = {name: f"${name}" for name in END}
        reopening: list[Document] = [
            {
                "$set": {
                    "history": {"$concatArrays": [{"$ifNull": ["$history", []]}, [ended]]},
                    "round": {"$add": ["$round", 1]},
                    "outcome": Outcome.PENDING.value,
                }
            },
            {
                "$unset": [
                    *(name for name in END if name not in ("outcome", "round")),
                    "hashes",
                    "message_id",
                    "settlement",
                ]
            },
        ]
        for batch in _batches(self._find(task_id, failed)):
            ids = {"_id": {"$in": [item.item_id for item in batch]}}
            with unavailability():
                ends = self._items.distinct("finished_at", {**ids, **failed})
                mark_hours(self.database, ends, datetime.now(UTC))
                self._items.update_many({**ids, **failed}, reopening)
                yield [_item(document) for document in self._items.find({**ids, "outcome": Outcome.PENDING.value})]

    def _find(self, task_id: UUID, condition: Document) -> Iterator[Item]:
        """Walk the task's items by id in pages, so that no cursor outlives a slow reader."""
        first, last = item_id_range(task_id)
        beginning = {"$gte": first}
        while True:
            # The range of ids alone makes it the task's; `task_id` beside it would tempt the planner to sort.
            query = {"_id": {**beginning, "$lte": last}, **condition}
            with unavailability():
                documents = list(self._items.find(query).sort("_id").limit(BATCH).hint("_id_"))
            if not documents:
                return
            yield from map(_item, documents)
            beginning = {"$gt": documents[-1]["_id"]}


def _item(document: Document) -> Item:
    return Item(document["task_id"], document["_id"], document["url"], document["round"])


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
