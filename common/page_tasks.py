"""Tasks that begin with a web page: its text, or its images as items of the task.

The page is the item on line 0; the scraper writes the items of its images on the lines from 1, and publishes them.
For a page there is one current task of each kind; who asks for the page again is given that task.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.database import Database, Document, unavailability
from common.deletion import cancel
from common.facts import PageSubmitted
from common.inserting import AlreadyThere
from common.items import Item, Outcome, item_id
from common.ledger import Ledger
from common.publisher import Publisher
from common.reasons import Reason

PUBLISHED: Document = {"$set": {"is_published": True}}


class Kind(StrEnum):
    """What is wanted of a page."""

    IMAGES = "images"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Handed:
    """The task that a page was handed over to, and whether it is a new one."""

    task_id: UUID
    is_new: bool


class PageTasks:
    """Opens, repeats and ends the tasks of pages. Every method raises Unavailable."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._tasks = database["tasks"]
        self._ledger = Ledger(database)
        self._publisher = publisher

    def submit(
        self,
        kind: Kind,
        page: str,
        *,
        name: str | None = None,
        refresh: bool = False,
        webhook: str | None = None,
        on_task: Callable[[UUID], None] = lambda _task_id: None,
    ) -> Handed:
        """Hand a page over. Its current task is given, tried again if the page failed; with `refresh`, a new one.

        `page` is a URL as `common.fetching.target` writes it. `on_task` is told the id once it is in the ledger.
        """
        while True:
            current = self._current(kind, page)
            if current is not None and not refresh:
                on_task(current["_id"])
                self._continue(current)
                return Handed(current["_id"], is_new=False)
            if current is not None:
                self._set(current["_id"], {"$unset": {"is_current": ""}})
            more = {"page": page, "is_current": True, **({"webhook": {"url": webhook}} if webhook else {})}
            try:
                task_id = self._ledger.open_task(kind=kind.value, name=name, refresh=refresh, **more)
            except AlreadyThere:
                continue  # somebody else was faster
            on_task(task_id)
            self.publish(task_id)
            return Handed(task_id, is_new=True)

    def retry(self, task_id: UUID, reasons: Iterable[Reason] = tuple(Reason)) -> int:
        """Try again what failed for one of these reasons; gives how many items. Nothing of a deleted task is."""
        with unavailability():
            # What is reopened is published now, or when somebody asks again.
            task = self._tasks.find_one_and_update(_there(task_id), {"$unset": {"is_published": ""}})
        if task is None:
            return 0
        wanted = [reason for reason in reasons if reason is not Reason.CANCELLED]
        count = sum(len(batch) for batch in self._ledger.reopen(task_id, wanted))
        if count:
            self._set(task_id, {"$unset": {"webhook.told": ""}})
        if count or not task.get("is_published"):
            self.publish(task_id)
        else:
            self._set(task_id, PUBLISHED)
        return count

    def publish(self, task_id: UUID) -> None:
        """Tell the scrapers about a task that is in the ledger; they do what of it is pending."""
        with unavailability():
            task = self._tasks.find_one(_there(task_id))
        if task is None:
            cancel(self._ledger.database, task_id)
            return
        if task["total"] is None:
            self._begin(task_id, task["page"])
        page = self._ledger.item(item_id(task_id, 0))
        if page is None:
            raise LookupError(f"the page of the task {task_id} is not in the ledger")
        item = Item(task_id, page["_id"], page["url"], page["round"])
        fact = PageSubmitted(item, images=task["kind"] == Kind.IMAGES, refresh=task["refresh"])
        self._publisher.publish([self._publisher.topology.fact(fact.to_message())])
        self._publisher.flush()
        self._set(task_id, PUBLISHED)

    def _current(self, kind: Kind, page: str) -> Document | None:
        with unavailability():
            return self._tasks.find_one({"kind": kind.value, "page": page, "is_current": True})

    def _continue(self, task: Document) -> None:
        """Do what an interrupted submission left undone, and try a page that failed again."""
        page = self._ledger.item(item_id(task["_id"], 0))
        if page is not None and page["outcome"] == Outcome.ERROR.value:
            self.retry(task["_id"])
        elif not task.get("is_published"):
            self.publish(task["_id"])

    def _begin(self, task_id: UUID, page: str) -> None:
        """Write the item of the page."""
        self._ledger.add_items(task_id, 0, [page])
        with unavailability():
            # The scraper may have been told by somebody else meanwhile, and know of the images.
            self._tasks.update_one({"_id": task_id, "total": None}, {"$set": {"total": 1}})

    def _set(self, task_id: UUID, change: Document) -> None:
        with unavailability():
            self._tasks.update_one({"_id": task_id}, change)


def _there(task_id: UUID) -> Document:
    return {"_id": task_id, "deleted_at": {"$exists": False}}
