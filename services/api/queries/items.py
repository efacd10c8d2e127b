"""The items of a task, in the order of their lines, and how each ended."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pymongo

from common.database import LEDGER_KEY, Database, Document, unavailability
from common.items import Outcome, item_id, item_id_range
from common.reasons import Reason

FEW = 2_000
"""Up to so many matching items are read and sorted; where there are more, a walk in the order of the lines soon
meets a page of them."""

READ_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class End:
    """How a round of an item ended; of a pending item, only the round is known."""

    outcome: Outcome
    round: int
    md5: str | None = None
    known_by: str | None = None
    reason: Reason | None = None
    status: int | None = None
    detail: str | None = None
    stage: str | None = None
    attempts: int | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """One line of a task: how it stands, and how earlier rounds of it ended."""

    item_id: UUID
    line: int
    url: str
    end: End
    history: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items are wanted; None is any. A reason is only ever that of an error."""

    outcome: Outcome | None = None
    reason: Reason | None = None
    condition: Document = field(init=False)

    def __post_init__(self) -> None:
        outcome = Outcome.ERROR if self.reason and self.outcome is None else self.outcome
        wanted = {"outcome": outcome, "reason": self.reason}
        object.__setattr__(self, "condition", {name: value.value for name, value in wanted.items() if value})


def items_of(
    database: Database, task_id: UUID, wanted: ItemFilter, limit: int, after_line: int | None, *, few: int = FEW
) -> tuple[tuple[LedgerItem, ...], int | None]:
    """Give the items after a line (None: from the first on), and the line that the next page starts after, if any."""
    first, last = item_id_range(task_id)
    ids = {"$gte": first} if after_line is None else {"$gt": item_id(task_id, after_line)}
    query: Document = {"_id": {**ids, "$lte": last}, **wanted.condition}
    items = database["items"]
    hint: str | list[tuple[str, int]] = "_id_"
    with unavailability():
        if wanted.condition:
            counted = {"task_id": task_id, **wanted.condition}
            ledger = [(name, 1) for name in LEDGER_KEY]
            if items.count_documents(counted, limit=few + 1, hint=ledger) <= few:
                query, hint = {**counted, **query}, ledger
        documents = list(items.find(query).sort("_id").limit(limit + 1).hint(hint))
    found = tuple(ledger_item(document) for document in documents[:limit])
    return found, found[-1].line if len(documents) > limit else None


def has_more_items(database: Database, task_id: UUID, most: int) -> bool:
    """Tell whether the task has more items than so many."""
    ledger = [(name, 1) for name in LEDGER_KEY]
    with unavailability():
        return database["items"].count_documents({"task_id": task_id}, limit=most + 1, hint=ledger) > most


def every_item(database: Database, task_id: UUID, *, seconds: float) -> Iterator[list[LedgerItem]]:
    """Give all of the task's items in the order of their lines, some at a time, each time within so many seconds.

    No cursor is open in between: who reads slowly, or goes away, leaves nothing behind at the database.
    """
    last_read, last = item_id(task_id, 0), item_id_range(task_id)[1]
    while True:
        with unavailability(), pymongo.timeout(seconds):
            found = database["items"].find({"_id": {"$gt": last_read, "$lte": last}})
            documents = list(found.sort("_id").limit(READ_AT_ONCE).hint("_id_"))
        if not documents:
            return
        yield [ledger_item(document) for document in documents]
        last_read = documents[-1]["_id"]


def ledger_item(document: Document) -> LedgerItem:
    """Read an item as the ledger has it."""
    history = tuple(end_of(earlier) for earlier in document.get("history", []))
    return LedgerItem(document["_id"], document["line"], document["url"], end_of(document), history)


def end_of(document: Document) -> End:
    """Read how an item stands, or how an earlier round of it ended."""
    reason = document.get("reason")
    return End(
        outcome=Outcome(document["outcome"]),
        round=document["round"],
        md5=document.get("md5"),
        known_by=document.get("known_by"),
        reason=Reason(reason) if reason else None,
        status=document.get("status"),
        detail=document.get("detail"),
        stage=document.get("stage"),
        attempts=document.get("attempts"),
        finished_at=document.get("finished_at"),
    )
