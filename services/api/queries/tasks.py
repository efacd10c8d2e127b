"""Tasks, each with its ledger: how many of its items ended how."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Database, Document, unavailability
from common.tally import Tally, tally
from services.api.queries.newest import Page, Position, after, cut


@dataclass(frozen=True, slots=True)
class Task:
    """A submission. `published` says that all its items are in the ledger."""

    task_id: UUID
    kind: str
    name: str | None
    refresh: bool
    created_at: datetime
    published: bool
    tally: Tally

    @property
    def finished_at(self) -> datetime | None:
        """Give when the last item ended, None while there is still something to come."""
        done = self.published and self.tally.pending == 0
        return (self.tally.last_finished_at or self.created_at) if done else None

    @property
    def images_per_second(self) -> float | None:
        """Give the items that gave an image, over the time from the submission to the last item's end."""
        if self.finished_at is None:
            return None
        seconds = (self.finished_at - self.created_at).total_seconds()
        return (self.tally.success + self.tally.duplicate) / seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class TaskName:
    """What a task is called by."""

    task_id: UUID
    name: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is altogether."""

    tasks: int
    items: int
    images: int


def find_task(database: Database, task_id: UUID) -> Task | None:
    """Give the task as it stands."""
    with unavailability():
        document = database["tasks"].find_one({"_id": task_id})
    return _task(document, tally(database, task_id)) if document else None


def task_exists(database: Database, task_id: UUID) -> bool:
    """Tell whether there is such a task, without counting its items."""
    with unavailability():
        return database["tasks"].find_one({"_id": task_id}, {"_id": 1}) is not None


def newest_tasks(
    database: Database, count: Callable[[UUID], Tally], limit: int, position: Position | None = None
) -> Page[Task]:
    """Give a page of tasks, newest first, their items counted by `count`."""
    page = _newest(database, limit, position)
    return Page(tuple(_task(document, count(document["_id"])) for document in page.entries), page.next)


def newest_names(database: Database, limit: int) -> tuple[TaskName, ...]:
    """Give the newest tasks, their items not counted."""
    documents = _newest(database, limit, None).entries
    return tuple(TaskName(document["_id"], document["name"], document["created_at"]) for document in documents)


def _newest(database: Database, limit: int, position: Position | None) -> Page[Document]:
    with unavailability():
        cursor = database["tasks"].find(after(position, "created_at"))
        documents = list(cursor.sort([("created_at", -1), ("_id", -1)]).limit(limit + 1))
    return cut(((document, Position(document["created_at"], document["_id"])) for document in documents), limit)


def totals(database: Database) -> Totals:
    """Count everything, from the collections' own counters: at any size this reads no document."""
    with unavailability():
        return Totals(*(database[name].estimated_document_count() for name in ("tasks", "items", "images")))


def _task(document: Document, counted: Tally) -> Task:
    return Task(
        task_id=document["_id"],
        kind=document["kind"],
        name=document["name"],
        refresh=document["refresh"],
        created_at=document["created_at"],
        published=document["total"] is not None,
        tally=counted,
    )
