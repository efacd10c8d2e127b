"""Tasks of web pages: how each stands, and what was read of its page."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.database import Database, Document, unavailability
from common.items import Outcome, item_id, item_id_range
from common.page_state import PageState, page_state, without_page
from common.page_tasks import Kind
from common.tally import Tally
from services.api.queries.items import End, end_of
from services.api.queries.newest import Page, Position, after, cut

NOT_WRITTEN_YET = PageState({"outcome": Outcome.PENDING.value, "round": 0}, Tally())
"""How a task stands whose submission was interrupted before its page was in the ledger."""


class Form(StrEnum):
    """The texts of a page: all that it shows, or what is left without its navigation and the like."""

    ALL = "all"
    MAIN = "main"


@dataclass(frozen=True, slots=True)
class ReadPage:
    """What was read of a page; `url` is the one that it came from after all redirects."""

    url: str
    title: str
    language: str
    description: str
    canonical_url: str
    images_left_out: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of a task's end, and what became of it."""

    url: str
    told_at: datetime | None
    attempts: int
    error: str | None


@dataclass(frozen=True, slots=True)
class PageTask:
    """A task of a page. `read` is None until the page is read."""

    task_id: UUID
    kind: Kind
    url: str
    name: str | None
    refresh: bool
    created_at: datetime
    state: PageState
    read: ReadPage | None
    webhook: Webhook | None

    @property
    def finished_at(self) -> datetime | None:
        """Give when the last of its items ended, None while there is something to come."""
        return self.state.images.last_finished_at if self.state.is_complete else None

    @property
    def page_end(self) -> End:
        """Tell how the page itself ended."""
        return end_of(self.state.page)


TEXT_FIELDS = {Form.ALL: "text", Form.MAIN: "main_text"}
READ_FIELDS = [field.name for field in fields(ReadPage)]


def find_page_task(database: Database, kind: Kind, task_id: UUID) -> PageTask | None:
    """Give a task of this kind as it stands; None also when it was deleted."""
    with unavailability():
        task = database["tasks"].find_one({"_id": task_id, "kind": kind.value, "deleted_at": None})
        read = database["pages"].find_one({"_id": item_id(task_id, 0)}, READ_FIELDS) if task else None
    return _page_task(task, page_state(database, task_id), read) if task else None


def page_task_exists(database: Database, kind: Kind, task_id: UUID) -> bool:
    """Tell whether there is a task of this kind that was not deleted, without counting its items."""
    with unavailability():
        wanted = {"_id": task_id, "kind": kind.value, "deleted_at": None}
        return database["tasks"].find_one(wanted, {"_id": 1}) is not None


def was_deleted(database: Database, kind: Kind, task_id: UUID) -> bool:
    """Tell whether there was a task of this kind."""
    with unavailability():
        wanted = {"_id": task_id, "kind": kind.value, "deleted_at": {"$ne": None}}
        return database["tasks"].find_one(wanted, {"_id": 1}) is not None


def newest_page_tasks(
    database: Database, kind: Kind, count: Callable[[UUID], Tally], limit: int, position: Position | None
) -> Page[PageTask]:
    """Give a page of the tasks of a kind, newest first, their items counted by `count`."""
    wanted = {"kind": kind.value, "deleted_at": None, **after(position, "created_at")}
    with unavailability():
        tasks = list(database["tasks"].find(wanted).sort([("created_at", -1), ("_id", -1)]).limit(limit + 1))
        ids = {"_id": {"$in": [item_id(task["_id"], 0) for task in tasks]}}
        items = {item["_id"]: item for item in database["items"].find(ids)}
        reads = {read["_id"]: read for read in database["pages"].find(ids, READ_FIELDS)}
    page = cut(((task, Position(task["created_at"], task["_id"])) for task in tasks), limit)
    found: list[PageTask] = []
    for task in page.entries:
        key = item_id(task["_id"], 0)
        item = items.get(key)
        state = PageState(item, without_page(count(task["_id"]), item)) if item else None
        found.append(_page_task(task, state, reads.get(key)))
    return Page(tuple(found), page.next)


def text_of(database: Database, task_id: UUID, form: Form) -> str | None:
    """Give the text of the task's page, None until it is read."""
    name = TEXT_FIELDS[form]
    with unavailability():
        document = database["pages"].find_one({"_id": item_id(task_id, 0)}, [name])
    return str(document[name]) if document else None


def gave_image(database: Database, task_id: UUID, md5: str) -> bool:
    """Tell whether an item of the task has the image."""
    first, last = item_id_range(task_id)
    with unavailability():
        # By the task's items, of which there are few, and not by the image's, of which there may be very many.
        found = database["items"].find({"_id": {"$gte": first, "$lte": last}, "md5": md5}, {"_id": 1})
        return bool(list(found.limit(1).hint("_id_")))


def _page_task(task: Document, state: PageState | None, read: Document | None) -> PageTask:
    return PageTask(
        task_id=task["_id"],
        kind=Kind(task["kind"]),
        url=task["page"],
        name=task["name"],
        refresh=task["refresh"],
        created_at=task["created_at"],
        state=state or NOT_WRITTEN_YET,
        read=ReadPage(**{name: read[name] for name in READ_FIELDS}) if read else None,
        webhook=_webhook(task["webhook"]) if "webhook" in task else None,
    )


def _webhook(document: Document) -> Webhook:
    return Webhook(document["url"], document.get("told"), document.get("attempts", 0), document.get("error"))
