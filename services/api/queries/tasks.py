"""Tasks, each with its ledger: how many of its items ended how."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Database, Document, unavailability
from common.items import item_id
from common.page_state import PageState, without_page
from common.tally import Tally, tally
from services.api.queries.newest import Page, Position, after, cut


@dataclass(frozen=True, slots=True)
class Task:
    """A submission. `published` says that all its items are in the ledger.

    Of a task that began with a page, `page` says how that stands; the tally counts its images only.
    """

    task_id: UUID
    kind: str
    name: str | None
    refresh: bool
    created_at: datetime
    published: bool
    is_deleted: bool
    page_url: str | None
    page: PageState | None
    tally: Tally

    @property
    def finished_at(self) -> datetime | None:
        """Give when the last item ended, None while there is still something to come."""
        pending = self.tally.pending or (self.page is not None and not self.page.is_complete)
        done = self.published and not pending
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
    page_url: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is altogether."""

    tasks: int
    items: int
    images: int


def find_task(database: Database, task_id: UUID, count: Callable[[UUID], Tally] | None = None) -> Task | None:
    """Give the task as it stands, or as `count` knows it."""
    with unavailability():
        document = database["tasks"].find_one({"_id": task_id})
        if document is None:
            return None
        pages = _page_items(database, [document])
    return _task(document, count(task_id) if count else tally(database, task_id), pages.get(task_id))


def task_exists(database: Database, task_id: UUID) -> bool:
    """Tell whether there is such a task, without counting its items."""
    with unavailability():
        return database["tasks"].find_one({"_id": task_id}, {"_id": 1}) is not None


def current_task_of(database: Database, kind: str, page_url: str) -> UUID | None:
    """Give the task of this kind that a page has now."""
    with unavailability():
        found = database["tasks"].find_one({"kind": kind, "page": page_url, "is_current": True}, {"_id": 1})
    return None if found is None else found["_id"]


def newest_tasks(
    database: Database, count: Callable[[UUID], Tally], limit: int, position: Position | None = None
) -> Page[Task]:
    """Give a page of tasks, newest first, their items counted by `count`."""
    page = _newest(database, limit, position)
    items = _page_items(database, page.entries)
    tasks = (_task(document, count(document["_id"]), items.get(document["_id"])) for document in page.entries)
    return Page(tuple(tasks), page.next)


def newest_names(database: Database, limit: int) -> tuple[TaskName, ...]:
    """Give the newest tasks, their items not counted."""
    documents = _newest(database, limit, None).entries
    return tuple(map(_name, documents))


def find_name(database: Database, task_id: UUID) -> TaskName | None:
    """Give what the task is called by, its items not counted."""
    with unavailability():
        document = database["tasks"].find_one({"_id": task_id})
    return None if document is None else _name(document)


def _name(document: Document) -> TaskName:
    return TaskName(document["_id"], document["name"], document.get("page"), document["created_at"])


def _newest(database: Database, limit: int, position: Position | None) -> Page[Document]:
    with unavailability():
        cursor = database["tasks"].find(after(position, "created_at"))
        documents = list(cursor.sort([("created_at", -1), ("_id", -1)]).limit(limit + 1))
    return cut(((document, Position(document["created_at"], document["_id"])) for document in documents), limit)


def totals(database: Database) -> Totals:
    """Count everything, from the collections' own counters: at any size this reads no document."""
    with unavailability():
        return Totals(*(database[name].estimated_document_count() for name in ("tasks", "items", "images")))


def _page_items(database: Database, tasks: Iterable[Document]) -> dict[UUID, Document]:
    """Give, by their tasks, the items of the pages that some tasks began with."""
    ids = [item_id(task["_id"], 0) for task in tasks if "page" in task]
    if not ids:
        return {}
    with unavailability():
        return {item["task_id"]: item for item in database["items"].find({"_id": {"$in": ids}})}


def _task(document: Document, counted: Tally, page: Document | None) -> Task:
    images = counted if page is None else without_page(counted, page)
    return Task(
        task_id=document["_id"],
        kind=document["kind"],
        name=document["name"],
        refresh=document["refresh"],
        created_at=document["created_at"],
        published=document["total"] is not None,
        is_deleted=document.get("deleted_at") is not None,
        page_url=document.get("page"),
        page=None if page is None else PageState(page, images),
        tally=images,
    )
