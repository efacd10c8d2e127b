"""What the tasks of a page's images and those of its text have in common: handed in, found, tried again, deleted."""

from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from flask import Response, url_for
from werkzeug.exceptions import NotFound

from common.deletion import delete_task
from common.errors import Unavailable
from common.page_tasks import Kind, PageTasks
from services.api.bodies import receive
from services.api.cursors import TaskCursor
from services.api.describing import JSON
from services.api.inputs import Query
from services.api.page_submissions import PageBody
from services.api.queries.page_tasks import PageTask, find_page_task, was_deleted
from services.api.resources import database, resources
from services.api.submitting import HalfDone, check_broker
from services.api.values import Absent, Limit

UNKNOWN = "There is no such task of a page."
HALF_DONE = (
    "The task {task} is there, but the database or the broker went away before its page was handed on for sure. "
    "`fetcher publish --resume {task}` does that, and so does the same request again without `refresh`."
)


class PageTasksQuery(Query):
    """Which page of the tasks."""

    limit: Limit = 50
    cursor: TaskCursor | Absent = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The task that a page was handed over to, and the status of the answer: 201 when it is new."""

    task: PageTask
    status: int


def submit(kind: Kind) -> Submitted:
    """Hand over the page that the current request names. Raises Unavailable, HalfDone, and what `receive` raises."""
    body = PageBody.from_json(receive(JSON).text)
    check_broker()
    written: list[UUID] = []
    try:
        handed = _tasks().submit(
            kind, body.url, name=body.name, refresh=body.refresh, webhook=body.webhook, on_task=written.append
        )
    except Unavailable as error:
        if not written:
            raise
        raise HalfDone(error, written[-1], HALF_DONE.format(task=written[-1])) from error
    return Submitted(find(kind, handed.task_id), 201 if handed.is_new else 200)


def find(kind: Kind, task_id: UUID) -> PageTask:
    """Give the task as it stands. Raises NotFound."""
    return find_page_task(database(), kind, task_id) or missing(kind, task_id)


def missing(kind: Kind, task_id: UUID) -> NoReturn:
    """Say why there is no such task. Raises NotFound."""
    if was_deleted(database(), kind, task_id):
        raise NotFound(f"This task was deleted. Its ledger is at {url_for('url_tasks.task', task_id=task_id)}.")
    raise NotFound(UNKNOWN)


def retry(kind: Kind, task_id: UUID) -> PageTask:
    """Try again what of the task failed; gives it as it then stands. Raises NotFound."""
    find(kind, task_id)
    check_broker()
    _tasks().retry(task_id)
    return find(kind, task_id)


def delete(kind: Kind, task_id: UUID) -> Response:
    """Delete the task. Raises NotFound for one that was deleted before, but does what was left undone then."""
    found = find_page_task(database(), kind, task_id)
    if found is not None or was_deleted(database(), kind, task_id):
        delete_task(database(), task_id)
    return Response(status=204) if found is not None else missing(kind, task_id)


def _tasks() -> PageTasks:
    return PageTasks(database(), resources().publisher)
