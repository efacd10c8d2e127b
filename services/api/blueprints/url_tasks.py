"""`/url_tasks`: the ledger of every submission."""

from typing import Any, ClassVar

from flask import Response
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound

from common.page_tasks import Kind
from services.api.answers import linked, negotiated, next_url, wants_html
from services.api.archive_answer import MOST_LINES
from services.api.cursors import TaskCursor, write_position
from services.api.describing import HTML, answer, problems
from services.api.inputs import Path, Query
from services.api.queries.pace import pace
from services.api.queries.page_tasks import find_page_task
from services.api.queries.tasks import Task, current_task_of, find_task, newest_tasks
from services.api.resources import database, now, resources
from services.api.schemas.tasks import TaskAnswer, TasksAnswer
from services.api.stages import current_health
from services.api.tags import TASKS
from services.api.values import Absent, Limit, OptionalFormat, TaskId

UNKNOWN = "There is no task with this id."
blueprint = APIBlueprint("url_tasks", __name__, abp_tags=[TASKS])


class TaskPath(Path):
    """Which task."""

    missing: ClassVar[str] = UNKNOWN

    task_id: TaskId


class TasksQuery(Query):
    """Which page of the tasks."""

    limit: Limit = 50
    cursor: TaskCursor | Absent = None
    format: OptionalFormat = None


class TaskQuery(Query):
    """In which form."""

    format: OptionalFormat = None


@blueprint.get(
    "/url_tasks",
    operation_id="listTasks",
    responses={200: answer("Tasks, newest first.", TasksAnswer, HTML, headers=("Link",)), **problems(422, 503)},
)
def newest(query: TasksQuery) -> Response:
    """List tasks, newest first."""
    page = newest_tasks(database(), resources().recent_tallies, query.limit, query.cursor)
    following = next_url(query, write_position(page.next))
    value = TasksAnswer(tasks=[TaskAnswer.of(task) for task in page.entries], next=following)
    return linked(negotiated(value, "url_tasks.html", query.format, tasks=page.entries, following=following), following)


@blueprint.get(
    "/url_tasks/<task_id>",
    operation_id="getTask",
    responses={200: answer("The task as it stands.", TaskAnswer, HTML), **problems(404, 422, 503)},
)
def task(path: TaskPath, query: TaskQuery) -> Response:
    """Give a task's ledger."""
    found = find_task(database(), path.task_id, resources().recent_tallies)
    if found is None:
        raise NotFound(UNKNOWN)
    more = _beside(found) if wants_html(query.format) else {}
    return negotiated(TaskAnswer.of(found), "url_task.html", query.format, task=found, **more)


def _beside(task: Task) -> dict[str, Any]:
    """Give what only the page of a task tells: how fast it goes, who is missing, what was read of a web page."""
    under_way = task.finished_at is None
    health = current_health(database=True) if under_way else None
    more: dict[str, Any] = {
        "pace": pace(database(), task.task_id, now()) if under_way else None,
        "has_archive": task.tally.total <= MOST_LINES,
        "missing": health.missing if health else (),
        "standstill": health.standstill if health else None,
    }
    if task.page_url is None:
        return more
    kind = Kind(task.kind)
    other = Kind.TEXT if kind is Kind.IMAGES else Kind.IMAGES
    return {
        **more,
        "web_page": find_page_task(database(), kind, task.task_id),
        "other_task": current_task_of(database(), other, task.page_url),
    }
