"""A person has the items of a task tried again that ended for some reasons."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from common.database import LEDGER_KEY, Database, unavailability
from common.errors import Unavailable
from common.items import Outcome
from common.ledger import Ledger
from common.page_tasks import PageTasks
from common.publisher import Publisher
from common.reasons import Reason
from common.submission import publish_items
from services.api.queries.tasks import Task
from services.api.submitting import HalfDone

RETRY_SECONDS = 8.0
"""After so long no further batch is begun: who asked waits for the answer. Tens of thousands are reopened by then."""


@dataclass(frozen=True, slots=True)
class Retried:
    """How many items are pending again, and how many with these reasons are left for another request."""

    reopened: int
    left: int


def retry(
    database: Database,
    publisher: Publisher,
    task: Task,
    reasons: Collection[Reason],
    clock: Callable[[], float] = time.monotonic,
) -> Retried:
    """Reopen and publish, batch by batch, for as long as a request may take. Raises Unavailable or HalfDone.

    An item that is reopened is published before the next batch is begun, so that stopping leaves nothing half done.
    """
    if task.page is not None:
        return Retried(PageTasks(database, publisher).retry(task.task_id, reasons), 0)
    until = clock() + RETRY_SECONDS
    reopened = 0
    try:
        for items in Ledger(database).reopen(task.task_id, reasons):
            reopened += len(items)
            publish_items(publisher, items, refresh=task.refresh)
            if clock() >= until:
                break
        publisher.flush()
    except Unavailable as error:
        raise HalfDone(error, task.task_id, _half_done(task.task_id)) from error
    return Retried(reopened, _count(database, task.task_id, reasons))


def _count(database: Database, task_id: UUID, reasons: Collection[Reason]) -> int:
    failed = {"outcome": Outcome.ERROR.value, "reason": {"$in": [reason.value for reason in reasons]}}
    hint = [(name, 1) for name in LEDGER_KEY]
    with unavailability():
        return database["items"].count_documents({"task_id": task_id, **failed}, hint=hint)


def _half_done(task_id: UUID) -> str:
    return (
        f"The database or the broker went away while items of the task {task_id} were reopened. "
        f"`fetcher publish --resume {task_id}` publishes those that are pending; the others can be tried again."
    )
