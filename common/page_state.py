"""How a task of a web page stands: the page itself, and its images counted apart from it."""

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from common.database import Database, Document, unavailability
from common.items import Outcome, item_id
from common.tally import Failures, Tally, tally


class Status(StrEnum):
    """In short, how far a task of a page has come."""

    WAITING = "waiting"
    IN_PROGRESS = "in progress"
    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class PageState:
    """`page` is the document of the page's item; `images` counts the task's other items."""

    page: Document
    images: Tally

    @property
    def is_complete(self) -> bool:
        """Tell whether the page and all its images have their outcomes."""
        return self.status not in (Status.WAITING, Status.IN_PROGRESS)

    @property
    def status(self) -> Status:
        """An image that failed makes the task partial; only the page itself can make it an error."""
        outcome = self.page["outcome"]
        if outcome == Outcome.PENDING.value:
            return Status.WAITING
        if outcome == Outcome.ERROR.value:
            return Status.ERROR
        if self.images.pending:
            return Status.IN_PROGRESS
        return Status.PARTIAL if self.images.error else Status.SUCCESS


def page_state(database: Database, task_id: UUID) -> PageState | None:
    """Give how the task stands; None when there is no such page. Raises Unavailable."""
    with unavailability():
        page = database["items"].find_one({"_id": item_id(task_id, 0)})
    return None if page is None else PageState(page, without_page(tally(database, task_id), page))


def without_page(counted: Tally, page: Document) -> Tally:
    """Take the page's own item out of its task's tally."""
    outcome = Outcome(page["outcome"])
    failures = Counter({(failure.reason, failure.status): failure.count for failure in counted.failures})
    if outcome is Outcome.ERROR:
        failures[page["reason"], page.get("status")] -= 1
    left = tuple(Failures(reason, status, count) for (reason, status), count in failures.items() if count > 0)
    # Between the two looks at the ledger the page may have ended.
    count = max(0, getattr(counted, outcome.value) - 1)
    return replace(counted, **{outcome.value: count, "failures": left})
